//! What the figures were measured on, and what a process has used of it.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Context;

/// The machine in one line: processor, cores, memory, kernel.
pub(crate) fn describe() -> String {
    let model = read_field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown processor".to_owned());
    // Not `available_parallelism`: this process may be pinned to one of them.
    let cores = std::fs::read_to_string("/proc/cpuinfo").map_or(0, |text| count_cores(&text));
    let memory = read_field("/proc/meminfo", "MemTotal")
        .and_then(|total| total.split_whitespace().next()?.parse::<u64>().ok())
        .map_or_else(|| "unknown memory".to_owned(), |kib| format!("{:.1} GiB", to_gib(kib)));
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{model}, {cores} cores, {memory}, Linux {}", kernel.trim())
}

fn count_cores(cpuinfo: &str) -> usize {
    cpuinfo.lines().filter(|line| line.starts_with("processor")).count()
}

#[expect(clippy::cast_precision_loss, reason = "for people to read")]
fn to_gib(kib: u64) -> f64 {
    kib as f64 / f64::from(1024 * 1024)
}

fn read_field(path: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// What a program prints about itself with `--version`, if it can be asked.
pub(crate) fn version_of(program: &Path) -> Option<String> {
    let output = Command::new(program).arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// Clock ticks per second, the unit of `/proc/PID/stat`.
pub(crate) fn ticks_per_second() -> u32 {
    let output = Command::new("getconf").arg("CLK_TCK").output().ok();
    output.and_then(|output| String::from_utf8(output.stdout).ok()?.trim().parse().ok()).unwrap_or(100)
}

/// User and system time of all threads of a process since its start.
pub(crate) fn processor_time(pid: u32, ticks_per_second: u32) -> anyhow::Result<Duration> {
    let path = format!("/proc/{pid}/stat");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    let ticks = parse_ticks(&text).with_context(|| format!("{path} is not understood"))?;
    Ok(Duration::from_secs(ticks) / ticks_per_second.max(1))
}

/// User and system time of a process's children, those that have ended among them.
pub(crate) fn children_time(pid: u32, ticks_per_second: u32) -> anyhow::Result<Duration> {
    let own = std::fs::read_to_string(format!("/proc/{pid}/stat")).context("the process is gone")?;
    // Behind `utime` and `stime` come those of children that were waited for.
    let ended = parse_two(&own, 13).context("/proc/PID/stat is not understood")?;
    let mut ticks = ended;
    for entry in std::fs::read_dir("/proc").context("cannot read /proc")? {
        // A process may end while it is looked at.
        let Ok(stat) = std::fs::read_to_string(entry?.path().join("stat")) else { continue };
        if parse_parent(&stat) == Some(pid) {
            ticks += parse_ticks(&stat).unwrap_or(0);
        }
    }
    Ok(Duration::from_secs(ticks) / ticks_per_second.max(1))
}

fn parse_parent(stat: &str) -> Option<u32> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

/// `utime` + `stime`; the name in front of them may hold spaces and parentheses.
fn parse_ticks(stat: &str) -> Option<u64> {
    parse_two(stat, 11)
}

fn parse_two(stat: &str, skipped: usize) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(skipped);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// Time that all cores together have been busy since the machine's start, with whatever it was, and with what the
/// host took away.
pub(crate) fn busy_time(ticks_per_second: u32) -> anyhow::Result<Duration> {
    let text = std::fs::read_to_string("/proc/stat").context("cannot read /proc/stat")?;
    let ticks = parse_busy_ticks(&text).context("/proc/stat is not understood")?;
    Ok(Duration::from_secs(ticks) / ticks_per_second.max(1))
}

/// `user nice system idle iowait irq softirq steal` of the first line, without `idle` and `iowait`.
fn parse_busy_ticks(stat: &str) -> Option<u64> {
    let fields = stat.lines().next()?.strip_prefix("cpu ")?.split_whitespace();
    let ticks: Vec<u64> = fields.map_while(|field| field.parse().ok()).collect();
    let [user, nice, system, _, _, irq, softirq, steal, ..] = ticks[..] else { return None };
    Some(user + nice + system + irq + softirq + steal)
}

/// Pins a running process to a core; false when that cannot be done here.
pub(crate) fn pin(pid: u32, core: usize) -> bool {
    let mut command = Command::new("taskset");
    command.args(["-a", "-c", "-p", &core.to_string(), &pid.to_string()]);
    command.output().is_ok_and(|output| output.status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_behind_a_name_with_parentheses() {
        let stat = "42 (a) b (c)) S 1 42 42 0 -1 4194560 100 0 0 0 250 130 0 0 20 0 3 0 100 1000 200";
        assert_eq!(parse_ticks(stat), Some(380));
        assert_eq!((parse_two(stat, 13), parse_parent(stat)), (Some(0), Some(1)));
        assert_eq!(parse_ticks("42 (short) S 1"), None);
    }

    #[test]
    fn the_machine_is_busy_with_all_but_waiting() {
        let stat = "cpu  10 1 20 5000 300 2 3 4 0 0\ncpu0 5 0 10 2500 150 1 1 2 0 0\n";
        assert_eq!(parse_busy_ticks(stat), Some(40));
        assert_eq!(parse_busy_ticks("intr 1"), None);
    }

    #[test]
    fn cores_are_counted_from_the_machine_and_not_from_the_process() {
        assert_eq!(count_cores("processor\t: 0\nmodel name\t: x\n\nprocessor\t: 1\n"), 2);
    }

    #[test]
    fn the_own_process_has_used_time() {
        let before = processor_time(std::process::id(), 100).unwrap();
        let mut sum = 0_u64;
        while processor_time(std::process::id(), 100).unwrap() == before {
            sum = sum.wrapping_add(1);
        }
        assert!(processor_time(std::process::id(), 100).unwrap() > before);
    }
}
