//! The results as Markdown: what was measured on what, a table of throughput and cost, a table of latencies.

use std::fmt::Write;
use std::time::Duration;

use crate::closed::ClosedRun;
use crate::compare::medians;
use crate::open::OpenRun;
use crate::statistics::{Percentiles, median_percentiles};
use crate::workload::Workload;

/// Everything that a report says.
pub(crate) struct Report {
    pub(crate) names: [&'static str; 2],
    pub(crate) versions: [String; 2],
    pub(crate) date: String,
    pub(crate) machine: String,
    pub(crate) compiler: Option<String>,
    pub(crate) arguments: Vec<String>,
    /// Whether servers and generator had a core each.
    pub(crate) pinned: bool,
    pub(crate) rounds: usize,
    pub(crate) preloaded: u64,
    /// Measured per closed and per open loop.
    pub(crate) seconds: [f64; 2],
    pub(crate) took: Duration,
    /// 4 KiB write with `fdatasync`.
    pub(crate) flush: Percentiles,
    pub(crate) closed: Vec<ClosedRow>,
    pub(crate) open: Vec<OpenRow>,
}

/// Medians of the closed loops of one workload at one number of connections.
pub(crate) struct ClosedRow {
    pub(crate) case: (Workload, usize),
    per_second: [f64; 2],
    server_micros: [f64; 2],
    generator_busy: [f64; 2],
    others_busy: [f64; 2],
    valid: bool,
}

impl ClosedRow {
    pub(crate) fn from_rounds(case: (Workload, usize), rounds: &[Vec<ClosedRun>; 2]) -> Self {
        Self {
            case,
            per_second: medians(rounds, |run| run.per_second),
            server_micros: medians(rounds, |run| run.server_micros),
            generator_busy: medians(rounds, |run| run.generator_busy),
            others_busy: medians(rounds, |run| run.others_busy),
            valid: rounds.iter().flatten().all(|run| !run.is_disturbed()),
        }
    }

    /// The throughput of the slower server, by which the open loops are set.
    pub(crate) fn slower(&self) -> f64 {
        self.per_second[0].min(self.per_second[1])
    }
}

/// Medians of the open loops at one rate.
pub(crate) struct OpenRow {
    case: (Workload, usize),
    percent: u32,
    per_second: f64,
    latency: [Percentiles; 2],
    lagged: [f64; 2],
    others_busy: [f64; 2],
    dropped: [u64; 2],
    valid: bool,
}

impl OpenRow {
    pub(crate) fn from_rounds(
        case: (Workload, usize),
        percent: u32,
        per_second: f64,
        rounds: &[Vec<OpenRun>; 2],
    ) -> Self {
        let latency = [0, 1].map(|side| {
            let all: Vec<Percentiles> = rounds[side].iter().map(|run: &OpenRun| run.latency).collect();
            median_percentiles(&all)
        });
        Self {
            case,
            percent,
            per_second,
            latency,
            lagged: medians(rounds, |run| run.lagged),
            others_busy: medians(rounds, |run| run.others_busy),
            dropped: [0, 1].map(|side: usize| rounds[side].iter().map(|run: &OpenRun| run.dropped).sum()),
            valid: rounds.iter().flatten().all(|run| !run.is_disturbed()),
        }
    }
}

impl Report {
    /// Both tables, under the facts that they depend on.
    pub(crate) fn to_markdown(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = self.write_facts(&mut text);
        let _ = self.write_closed(&mut text);
        let _ = self.write_open(&mut text);
        text
    }

    fn write_facts(&self, text: &mut String) -> std::fmt::Result {
        let [first, second] = self.names;
        writeln!(text, "- **Date:** {}", self.date)?;
        writeln!(text, "- **Machine:** {}", self.machine)?;
        writeln!(
            text,
            "- **Cores:** {}",
            if self.pinned {
                "servers on core 0, generator on core 1"
            } else {
                "not pinned (`taskset` failed): the figures are not comparable"
            }
        )?;
        writeln!(text, "- **Versions:** {first}: {}; {second}: {}", self.versions[0], self.versions[1])?;
        let compiler = self.compiler.as_deref().unwrap_or("unknown");
        writeln!(
            text,
            "- **Built with:** {compiler}{}; SQLite {} in the baseline",
            profile(),
            rusqlite::version()
        )?;
        let arguments = self.arguments.join(" ");
        writeln!(text, "- **Command:** `cargo run --release -p bench-load -- {arguments}`")?;
        let [closed, open] = self.seconds;
        writeln!(
            text,
            "- **Runs:** medians of {} rounds, {closed} s per closed and {open} s per open loop, {} links made before; {:.0} s in all",
            self.rounds,
            self.preloaded,
            self.took.as_secs_f64()
        )?;
        writeln!(
            text,
            "- **Disk:** 4 KiB write with fdatasync: p50 {} µs, p99 {} µs",
            micros(self.flush.p50),
            micros(self.flush.p99)
        )?;
        writeln!(
            text,
            "- **Failed requests:** 0; acknowledged links and events equal to the rows kept, on both"
        )
    }

    fn write_closed(&self, text: &mut String) -> std::fmt::Result {
        let [first, second] = self.names;
        writeln!(text, "\n### Throughput and cost (closed loop)\n")?;
        writeln!(
            text,
            "| workload | connections | {first} req/s | {second} req/s | ratio | {first} CPU µs/req | {second} CPU µs/req | ratio | generator busy | others busy |"
        )?;
        writeln!(text, "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|")?;
        for row in &self.closed {
            let (workload, connections) = row.case;
            let [busy, busy_too] = row.generator_busy.map(|share| share * 100.0);
            let [others, others_too] = row.others_busy.map(|share| share * 100.0);
            writeln!(
                text,
                "| {} | {connections} | {:.0} | {:.0} | {} | {:.1} | {:.1} | {} | {busy:.0} / {busy_too:.0} % | {others:.0} / {others_too:.0} %{} |",
                workload.name(),
                row.per_second[0],
                row.per_second[1],
                ratio(row.per_second),
                row.server_micros[0],
                row.server_micros[1],
                ratio(row.server_micros),
                mark(row.valid),
            )?;
        }
        Ok(())
    }

    fn write_open(&self, text: &mut String) -> std::fmt::Result {
        let [first, second] = self.names;
        writeln!(text, "\n### Latency in µs (open loop, from the intended start)\n")?;
        writeln!(
            text,
            "| workload | connections | load | req/s | {first} p50 | p99 | p99.9 | {second} p50 | p99 | p99.9 | ratio p50 | p99 | p99.9 | lagged | others busy | dropped |"
        )?;
        writeln!(text, "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|")?;
        for row in &self.open {
            let (workload, connections) = row.case;
            write!(
                text,
                "| {} | {connections} | {} % | {:.0} |",
                workload.name(),
                row.percent,
                row.per_second
            )?;
            for found in row.latency {
                write!(text, " {} | {} | {} |", micros(found.p50), micros(found.p99), micros(found.p999))?;
            }
            for figure in PERCENTILES {
                write!(text, " {} |", ratio(row.latency.map(figure)))?;
            }
            let [lagged, lagged_too] = row.lagged.map(|share| share * 100.0);
            let [others, others_too] = row.others_busy.map(|share| share * 100.0);
            write!(
                text,
                " {lagged:.2} / {lagged_too:.2} % | {others:.0} / {others_too:.0} %{} |",
                mark(row.valid)
            )?;
            writeln!(text, " {} / {} |", row.dropped[0], row.dropped[1])?;
        }
        if self.open.iter().any(|row| !row.valid) || self.closed.iter().any(|row| !row.valid) {
            writeln!(
                text,
                "\n† Disturbed, not a valid measurement: in at least one round, after every retry, others used more than 10 % of a core, or the generator sent more than 1 % of the requests over 100 µs late."
            )?;
        }
        Ok(())
    }
}

/// In the order of the columns.
const PERCENTILES: [fn(Percentiles) -> f64; 3] = [|found| found.p50, |found| found.p99, |found| found.p999];

fn mark(valid: bool) -> &'static str {
    if valid { "" } else { " †" }
}

fn profile() -> &'static str {
    if cfg!(debug_assertions) { " **without optimisation: not a measurement**" } else { "" }
}

/// The second figure in parts of the first.
fn ratio([first, second]: [f64; 2]) -> String {
    if first > 0.0 { format!("{:.2}", second / first) } else { "–".to_owned() }
}

/// Microseconds to three figures or so: a tenth below 100.
fn micros(value: f64) -> String {
    if value < 100.0 { format!("{value:.1}") } else { format!("{value:.0}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATENCY: Percentiles = Percentiles { p50: 40.0, p99: 400.0, p999: 900.04 };

    fn report(lagged: f64) -> Report {
        let closed = |per_second| ClosedRun {
            per_second,
            server_micros: 1e6 / per_second,
            generator_busy: 0.5,
            others_busy: 0.02,
        };
        let open = |lagged| OpenRun { latency: LATENCY, lagged, dropped: 2, others_busy: 0.02 };
        Report {
            names: ["baseline", "formwork"],
            versions: ["1".to_owned(), "2".to_owned()],
            date: "2030-01-01".to_owned(),
            machine: "a machine".to_owned(),
            compiler: None,
            arguments: vec!["compare".to_owned()],
            pinned: true,
            rounds: 1,
            preloaded: 10,
            seconds: [2.0, 1.0],
            took: Duration::from_secs(3),
            flush: LATENCY,
            closed: vec![ClosedRow::from_rounds(
                (Workload::Reads, 16),
                &[vec![closed(50_000.0)], vec![closed(40_000.0)]],
            )],
            open: vec![OpenRow::from_rounds(
                (Workload::Mix, 64),
                80,
                1234.5,
                &[vec![open(0.0)], vec![open(lagged)]],
            )],
        }
    }

    #[test]
    fn a_row_shows_both_servers_and_their_ratio() {
        let text = report(0.0).to_markdown();
        assert!(
            text.contains("| reads | 16 | 50000 | 40000 | 0.80 | 20.0 | 25.0 | 1.25 | 50 / 50 % | 2 / 2 % |"),
            "{text}"
        );
        assert!(
            text.contains(
                "| 80/20 mix | 64 | 80 % | 1234 | 40.0 | 400 | 900 | 40.0 | 400 | 900 | 1.00 | 1.00 | 1.00 | 0.00 / 0.00 % | 2 / 2 % | 2 / 2 |"
            ),
            "{text}"
        );
        assert!(!text.contains('†'));
    }

    #[test]
    fn a_round_in_which_the_generator_lagged_is_marked() {
        let text = report(0.02).to_markdown();
        assert!(text.contains("0.00 / 2.00 % | 2 / 2 % † |"), "{text}");
        assert!(text.contains("† Disturbed"));
    }

    #[test]
    fn the_slower_server_sets_the_rates() {
        assert!((report(0.0).closed[0].slower() - 40_000.0).abs() < 1e-6);
    }
}
