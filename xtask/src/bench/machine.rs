//! What stands beside every figure: the machine, the date, how busy it was, and what the rivals are.

use std::path::Path;

use crate::shell;

/// Prints the machine and the date.
pub(super) fn describe() {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpus = read("/proc/cpuinfo");
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown");
    let cores = cpus.lines().filter(|line| line.starts_with("processor")).count();
    let memory = read("/proc/meminfo");
    let kib = memory.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB")?.parse().ok());
    let gib = kib.unwrap_or(0_u64) / (1 << 20);
    let said = |program: &str, words: &[&str]| shell::read(&mut shell::command(program, words)).unwrap_or_default();
    println!("{}", said("date", &["-u", "+%Y-%m-%d %H:%M UTC"]));
    println!("{cores} × {}, {gib} GiB, Linux {}", model.trim_start_matches([' ', '\t', ':']), said("uname", &["-r"]));
    println!("TCP congestion control {}", read("/proc/sys/net/ipv4/tcp_congestion_control").trim());
    if Path::new("/usr/bin/git").exists() {
        println!("commit {}", said("git", &["describe", "--always", "--dirty"]));
    }
    busy();
}

/// Prints the load average: what other work took part of the machine.
pub(super) fn busy() {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("load average {}", load.split(' ').take(3).collect::<Vec<_>>().join(" "));
}

/// Whether a rival is there, after trying to install it where that needs no question.
pub(super) fn rival(program: &str, package: &str) -> bool {
    let found = || shell::is_there(program) || Path::new("/usr/sbin").join(program).exists();
    if found() {
        return true;
    }
    println!("installing {package}, to measure against");
    let apt = r#"env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$1""#;
    let script = format!(r#"if [ "$(id -u)" = 0 ]; then {apt}; else sudo -n {apt}; fi >/dev/null"#);
    let installed = shell::run(&mut shell::command("sh", ["-c", script.as_str(), "sh", package]));
    if installed.is_err() || !found() {
        println!("{program} is not there and could not be installed (apt-get install {package}): no ratio to it below");
        return false;
    }
    true
}
