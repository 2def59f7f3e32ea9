//! What a program and its children use: CPU time and memory, as the kernel counts them (proc(5)).

use std::fs;

use anyhow::{Context, ensure};

use crate::shell;

/// A process and everything it started.
#[derive(Debug)]
pub(super) struct Tree {
    root: u32,
    ticks_per_second: f64,
}

/// One line of `/proc/PID/stat`, as far as it matters here.
struct Stat {
    name: String,
    parent: u32,
    ticks: u64,
}

impl Tree {
    /// The tree below a process.
    ///
    /// # Errors
    /// When the kernel does not say how long its ticks are.
    pub(super) fn of(root: u32) -> anyhow::Result<Self> {
        let ticks_per_second = shell::read(&mut shell::command("getconf", ["CLK_TCK"]))?.parse()?;
        Ok(Self { root, ticks_per_second })
    }

    /// The tree of a program that we started, by its name.
    ///
    /// # Errors
    /// When we started none or several of that name.
    pub(super) fn of_child(name: &str) -> anyhow::Result<Self> {
        let ours = std::process::id();
        let children = all().into_iter().filter(|(_, stat)| stat.parent == ours && stat.name == name);
        let children: Vec<u32> = children.map(|(id, _)| id).collect();
        ensure!(children.len() == 1, "{} processes called {name} were started here", children.len());
        Self::of(children[0])
    }

    /// Seconds on a CPU since it started, children included.
    pub(super) fn cpu_seconds(&self) -> f64 {
        let ticks: u64 = self.members().iter().filter_map(|id| stat(*id)).map(|stat| stat.ticks).sum();
        ticks as f64 / self.ticks_per_second
    }

    /// MB (10⁶ bytes) of resident memory, and how many processes share it.
    ///
    /// # Errors
    /// When it is not running.
    pub(super) fn resident(&self) -> anyhow::Result<(f64, usize)> {
        let members = self.members();
        let mut kib = 0_u64;
        for id in &members {
            let status = match fs::read_to_string(format!("/proc/{id}/status")) {
                Err(error) if *id == self.root => return Err(error).context("the process has ended"),
                // A child may end at any time.
                read => read.unwrap_or_default(),
            };
            let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"));
            // A child that has ended and was not waited for yet has no memory.
            kib += line.map_or(Ok(0), str::parse::<u64>)?;
        }
        Ok((kib as f64 * 1024.0 / 1e6, members.len()))
    }

    fn members(&self) -> Vec<u32> {
        let all = all();
        let mut members = vec![self.root];
        let mut next = 0;
        while let Some(parent) = members.get(next).copied() {
            members.extend(all.iter().filter(|(_, stat)| stat.parent == parent).map(|(id, _)| *id));
            next += 1;
        }
        members
    }
}

fn all() -> Vec<(u32, Stat)> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter_map(|id| Some((id, stat(id)?))).collect()
}

fn stat(id: u32) -> Option<Stat> {
    read_stat(&fs::read_to_string(format!("/proc/{id}/stat")).ok()?)
}

fn read_stat(line: &str) -> Option<Stat> {
    // The name is in brackets and may hold anything, brackets too.
    let (head, rest) = line.rsplit_once(')')?;
    let (_, name) = head.split_once('(')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
    // Counted from the state, which is field 3 of proc(5): parent 4, user time 14, system time 15.
    Some(Stat { name: name.to_owned(), parent: fields.get(1)?.parse().ok()?, ticks: number(11)? + number(12)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_stat_is_read_whatever_the_name_is() {
        let stat = read_stat("42 (odd) name) S 7 42 42 0 -1 4194560 1 0 0 0 250 50 0 0 20 0 1 0 1 1 1").unwrap();
        assert_eq!((stat.name.as_str(), stat.parent, stat.ticks), ("odd) name", 7, 300));
        assert!(read_stat("42 (cut) S 7").is_none());
    }

    #[test]
    fn our_own_process_has_used_something() {
        let ours = Tree::of(std::process::id()).unwrap();
        let (megabytes, processes) = ours.resident().unwrap();
        assert!(megabytes > 0.5 && processes >= 1);
        assert!(ours.cpu_seconds() >= 0.0);
        assert!(Tree::of_child("no-such-program").is_err());
    }
}
