//! Reads the names of a file again and again and prints names per second on one core.

use std::hint::black_box;
use std::time::{Duration, Instant};

fn main() {
    let path = std::env::args().nth(1).unwrap_or_default();
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let names: Vec<&str> = text.lines().collect();
    let mut read = 0_u32;
    let start = Instant::now();
    while !names.is_empty() && start.elapsed() < Duration::from_secs(3) {
        for name in &names {
            black_box(chill_release::parse(black_box(name)));
        }
        read += u32::try_from(names.len()).unwrap_or(0);
    }
    let line = format!("{:.0} names/s over {} names\n", f64::from(read) / start.elapsed().as_secs_f64(), names.len());
    if std::io::Write::write_all(&mut std::io::stdout(), line.as_bytes()).is_err() {
        std::process::exit(1);
    }
}
