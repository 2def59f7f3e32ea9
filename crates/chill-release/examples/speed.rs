//! Reads the names of a file again and again and prints names per second on one core: on average, and in the best slice of 50 ms,
//! which is what an idle machine would do.

use std::hint::black_box;
use std::io::Write;
use std::time::{Duration, Instant};

fn main() -> std::io::Result<()> {
    let path = std::env::args().nth(1).unwrap_or_default();
    let text = std::fs::read_to_string(path)?;
    let names: Vec<&str> = text.lines().collect();
    let (mut read, mut best) = (0.0_f64, 0.0_f64);
    let start = Instant::now();
    while !names.is_empty() && start.elapsed() < Duration::from_secs(3) {
        let slice = Instant::now();
        let mut count = 0_u32;
        while slice.elapsed() < Duration::from_millis(50) {
            for name in &names {
                black_box(chill_release::parse(black_box(name)));
            }
            count += u32::try_from(names.len()).unwrap_or(0);
        }
        best = best.max(f64::from(count) / slice.elapsed().as_secs_f64());
        read += f64::from(count);
    }
    let mean = read / start.elapsed().as_secs_f64();
    writeln!(std::io::stdout(), "{mean:.0} names/s, best {best:.0}, over {} names", names.len())
}
