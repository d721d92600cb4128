//! Processor time: what a test that judges time measures, so that a busy machine does not look like a slow reader.

use std::time::{Duration, Instant};

/// The processor time of the calling thread since a moment. Where the system does not tell it (it stands in `/proc`),
/// the time that has passed.
#[derive(Debug)]
pub struct Work {
    began: Instant,
    before: Option<Duration>,
}

impl Work {
    /// From now on.
    pub fn begin() -> Self {
        Self { began: Instant::now(), before: of_thread() }
    }

    /// Until now; to be asked by the thread that began.
    pub fn done(&self) -> Duration {
        match (self.before, of_thread()) {
            (Some(before), Some(now)) => now.saturating_sub(before),
            _ => self.began.elapsed(),
        }
    }
}

/// The processor time of the calling thread since it began.
fn of_thread() -> Option<Duration> {
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(Duration::from_nanos(statistics.split(' ').next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_is_no_work_and_working_is() {
        let work = Work::begin();
        let (sender, receiver) = std::sync::mpsc::channel::<()>();
        let other = std::thread::spawn(move || {
            let work = Work::begin();
            let mut sum = 0_u64;
            while work.done() < Duration::from_millis(50) {
                sum = (0..10_000).fold(sum, |sum, number| std::hint::black_box(sum ^ number));
            }
            drop(sender);
            sum
        });
        assert!(receiver.recv().is_err());
        other.join().unwrap();
        if of_thread().is_some() {
            assert!(work.done() < Duration::from_millis(40), "{:?}", work.done());
        }
    }
}
