//! Small sums over rounds: medians, ratios, and the three percentiles that are reported.

use std::time::Duration;

use hdrhistogram::Histogram;

/// Latencies in microseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Percentiles {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
}

/// Latencies from 1 µs to a minute, kept in nanoseconds to three digits.
pub(crate) fn new_histogram() -> anyhow::Result<Histogram<u64>> {
    Ok(Histogram::new_with_bounds(1_000, 60_000_000_000, 3)?)
}

/// Notes one latency; what is beyond a minute counts as a minute.
pub(crate) fn record(histogram: &mut Histogram<u64>, latency: Duration) {
    histogram.saturating_record(u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX));
}

/// The percentiles of what was recorded; zeros when nothing was.
pub(crate) fn percentiles(histogram: &Histogram<u64>) -> Percentiles {
    #[expect(clippy::cast_precision_loss, reason = "a minute in nanoseconds is below 2^52")]
    let at = |quantile| histogram.value_at_quantile(quantile) as f64 / 1_000.0;
    Percentiles { p50: at(0.5), p99: at(0.99), p999: at(0.999) }
}

/// The middle value, or the mean of the two in the middle; 0 of nothing.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => 0.0,
        length if length % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

/// Each percentile's median over rounds.
pub(crate) fn median_percentiles(rounds: &[Percentiles]) -> Percentiles {
    Percentiles {
        p50: median(rounds.iter().map(|round| round.p50)),
        p99: median(rounds.iter().map(|round| round.p99)),
        p999: median(rounds.iter().map(|round| round.p999)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_of_a_known_series_are_within_a_thousandth() {
        let mut histogram = new_histogram().unwrap();
        for micros in 1..=10_000 {
            record(&mut histogram, Duration::from_micros(micros));
        }
        let found = percentiles(&histogram);
        for (found, expected) in [(found.p50, 5_000.0), (found.p99, 9_900.0), (found.p999, 9_990.0)] {
            assert!((found - expected).abs() / expected < 0.001, "{found} instead of {expected}");
        }
    }

    #[test]
    fn a_latency_beyond_the_scale_is_kept_at_its_end() {
        let mut histogram = new_histogram().unwrap();
        record(&mut histogram, Duration::from_secs(3_600));
        let found = percentiles(&histogram).p50;
        assert!((found - 60_000_000.0).abs() / 60_000_000.0 < 0.001, "{found}");
    }

    #[test]
    fn one_bad_round_of_three_does_not_move_the_median() {
        assert_eq!(median([10.0, 900.0, 11.0]), 11.0);
        assert_eq!(median([10.0, 20.0]), 15.0);
        assert_eq!(median([]), 0.0);
    }
}
