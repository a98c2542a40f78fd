//! CPU time and memory of processes, from `/proc` (proc(5)).

use std::fs::{read_dir, read_to_string};
use std::path::Path;

/// Ticks of CPU time per second (`CLK_TCK`): 100 on every common Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// Processes measured together.
#[derive(Debug, Clone)]
pub(crate) enum Group {
    /// The processes with these pids.
    Processes(Vec<u32>),
    /// A process and its children; ended children count with the process.
    Family(u32),
    /// All processes of a session.
    Session(u32),
}

/// The costs of a group so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Usage {
    /// Seconds of CPU.
    pub(crate) cpu_s: f64,
    /// Peak of the resident memory, in MiB. For a group: the sum of the processes' own peaks, and
    /// shared memory once.
    pub(crate) peak_rss_mib: f64,
    /// Resident memory now, in MiB.
    pub(crate) rss_mib: f64,
}

/// Idle and total time of all processors since the start of the machine, in ticks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Processors {
    idle: f64,
    all: f64,
}

impl Group {
    /// A group of a single process.
    pub(crate) fn process(pid: u32) -> Self {
        Self::Processes(vec![pid])
    }

    /// Reads the costs so far. Ended processes are left out.
    pub(crate) fn usage(&self) -> Usage {
        let members: Vec<Process> = match self {
            Self::Processes(pids) => pids.iter().copied().filter_map(Process::read).collect(),
            Self::Family(pid) => all()
                .filter(|p| p.pid == *pid || p.parent == *pid)
                .collect(),
            Self::Session(id) => all().filter(|p| p.session == *id).collect(),
        };
        let cpu = members.iter().map(|p| p.ticks).sum::<f64>();
        let shared = members.iter().map(|p| p.shared_mib).fold(0.0, f64::max);
        let own = |mib: fn(&Process) -> f64| -> f64 {
            members.iter().map(|p| mib(p) - p.shared_mib).sum()
        };
        Usage {
            cpu_s: cpu / TICKS_PER_SECOND,
            peak_rss_mib: own(|p| p.peak_mib) + shared,
            rss_mib: own(|p| p.rss_mib) + shared,
        }
    }
}

impl Usage {
    /// The CPU time since an earlier reading. The peak of memory stays the peak of the whole time.
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            cpu_s: self.cpu_s - before.cpu_s,
            ..self
        }
    }
}

impl Processors {
    /// Reads the times now.
    pub(crate) fn read() -> anyhow::Result<Self> {
        let stat = read_to_string("/proc/stat")?;
        let line = stat.lines().next().unwrap_or_default();
        let ticks: Vec<f64> = line
            .split_whitespace()
            .filter_map(|ticks| ticks.parse().ok())
            .collect();
        // `user nice system idle iowait irq softirq steal`; guest times are part of the first two.
        let &[_, _, _, idle, waiting, ..] = ticks.as_slice() else {
            anyhow::bail!("/proc/stat begins with {line:?}");
        };
        Ok(Self {
            idle: idle + waiting,
            all: ticks.iter().take(8).sum(),
        })
    }

    /// The idle share of the time since an earlier reading.
    pub(crate) fn idle_share_since(self, before: Self) -> f64 {
        (self.idle - before.idle) / (self.all - before.all)
    }
}

struct Process {
    pid: u32,
    parent: u32,
    session: u32,
    ticks: f64,
    peak_mib: f64,
    rss_mib: f64,
    shared_mib: f64,
}

fn all() -> impl Iterator<Item = Process> {
    let entries = read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(Process::read)
}

impl Process {
    fn read(pid: u32) -> Option<Self> {
        let folder = Path::new("/proc").join(pid.to_string());
        let stat = read_to_string(folder.join("stat")).ok()?;
        let status = read_to_string(folder.join("status")).ok()?;
        // The name, in brackets, may contain spaces and brackets.
        let (_, rest) = stat.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        // `rest` begins with `state`, field 3 in the numbering of proc(5).
        let number = |field: usize| fields.get(field - 3)?.parse::<u32>().ok();
        let ticks = (14..=17).filter_map(number).map(f64::from).sum();
        Some(Self {
            pid,
            parent: number(4)?,
            session: number(6)?,
            ticks,
            peak_mib: mib(&status, "VmHWM:"),
            rss_mib: mib(&status, "VmRSS:"),
            shared_mib: mib(&status, "RssShmem:"),
        })
    }
}

fn mib(status: &str, name: &str) -> f64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or_default() / 1_024.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_used_time_and_memory() {
        let usage = Group::process(std::process::id()).usage();

        assert!(usage.peak_rss_mib > 1.0, "{usage:?}");
    }
}
