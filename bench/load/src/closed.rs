//! The closed loop: every connection asks as soon as it is answered. It tells the throughput, and what a
//! request costs the server in processor time.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::bail;
use tokio::task::JoinSet;

use crate::machine;
use crate::workload::{Traffic, Workload, connect};

/// How long to run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timing {
    pub(crate) warm_up: Duration,
    pub(crate) measure: Duration,
}

/// What one run found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClosedRun {
    pub(crate) per_second: f64,
    /// Processor time of the server per request, user and system.
    pub(crate) server_micros: f64,
    /// Share of its core that the generator used; near 1 it is the generator that was measured.
    pub(crate) generator_busy: f64,
    /// What neither server nor generator used of the machine, in parts of one core; the kernel's own work for them
    /// (interrupts, the disk) is in it.
    pub(crate) others_busy: f64,
}

/// Runs the workload on `connections` connections.
///
/// # Errors
/// When any request was not answered as it should be.
pub(crate) async fn run(
    traffic: &Rc<Traffic>,
    workload: Workload,
    connections: usize,
    timing: Timing,
    ticks_per_second: u32,
) -> anyhow::Result<ClosedRun> {
    let answered = Rc::new(Cell::new(0_u64));
    let stopped = Rc::new(Cell::new(false));
    let mut tasks = JoinSet::new();
    for mut connection in connect(traffic, connections).await? {
        let (traffic, answered, stopped) = (Rc::clone(traffic), Rc::clone(&answered), Rc::clone(&stopped));
        tasks.spawn_local(async move {
            let mut request = Vec::new();
            while !stopped.get() {
                if !traffic.exchange(&mut connection, workload, &mut request).await {
                    return;
                }
                answered.set(answered.get() + 1);
            }
        });
    }
    tokio::time::sleep(timing.warm_up).await;
    let before = Reading::take(traffic, ticks_per_second, answered.get())?;
    tokio::time::sleep(timing.measure).await;
    let after = Reading::take(traffic, ticks_per_second, answered.get())?;
    stopped.set(true);
    while let Some(ended) = tasks.join_next().await {
        ended?;
    }
    if let Some(failure) = traffic.failure() {
        bail!("{}, {}, {connections} connections: {failure}", traffic.target().name, workload.name());
    }
    Ok(before.until(&after))
}

/// What has been used and answered up to one moment.
pub(crate) struct Reading {
    at: Instant,
    answered: u64,
    server: Duration,
    generator: Duration,
    machine: Duration,
}

impl Reading {
    /// Reads the clocks of server, generator and machine.
    pub(crate) fn take(traffic: &Traffic, ticks_per_second: u32, answered: u64) -> anyhow::Result<Self> {
        Ok(Self {
            at: Instant::now(),
            answered,
            server: machine::processor_time(traffic.target().pid, ticks_per_second)?,
            generator: machine::processor_time(std::process::id(), ticks_per_second)?,
            machine: machine::busy_time(ticks_per_second)?,
        })
    }

    /// What lies between two readings.
    pub(crate) fn until(&self, after: &Self) -> ClosedRun {
        let seconds = (after.at - self.at).as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 requests")]
        let answered = (after.answered - self.answered) as f64;
        let (server, generator) = (after.server - self.server, after.generator - self.generator);
        let others = (after.machine - self.machine).saturating_sub(server + generator);
        ClosedRun {
            per_second: answered / seconds,
            server_micros: server.as_secs_f64() * 1e6 / answered.max(1.0),
            generator_busy: generator.as_secs_f64() / seconds,
            others_busy: others.as_secs_f64() / seconds,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_follow_from_two_readings() {
        let at = Instant::now();
        let first = Reading {
            at,
            answered: 100,
            server: Duration::from_millis(500),
            generator: Duration::from_millis(100),
            machine: Duration::from_millis(1_000),
        };
        let second = Reading {
            at: at + Duration::from_secs(2),
            answered: 20_100,
            server: Duration::from_millis(1_500),
            generator: Duration::from_millis(1_100),
            machine: Duration::from_millis(3_200),
        };
        let run = first.until(&second);
        assert!((run.per_second - 10_000.0).abs() < 1e-6);
        assert!((run.server_micros - 50.0).abs() < 1e-6);
        assert!((run.generator_busy - 0.5).abs() < 1e-6);
        assert!((run.others_busy - 0.1).abs() < 1e-6);
    }
}
