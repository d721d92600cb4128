//! When a schedule is due.

use formwork_language::program::{CalendarDays, Schedule};
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Span, Timestamp};

/// Days that are tried before a schedule counts as never due: 31 February is, 31 March is not.
const MOST_DAYS: usize = 400;

/// The first instant after `now` at which a schedule is due; none for what runs once, or never again.
pub(super) fn next_after(schedule: &Schedule, now: i64) -> Option<i64> {
    match schedule {
        Schedule::StartUp => None,
        Schedule::Interval { every, offset } if *every > 0 => {
            let passed = now.checked_sub(*offset)?.div_euclid(*every);
            passed.checked_add(1)?.checked_mul(*every)?.checked_add(*offset)
        }
        Schedule::Interval { .. } => None,
        Schedule::Calendar { days, at, zone } => calendar(*days, *at, zone, now),
    }
}

fn calendar(days: CalendarDays, at: i64, zone: &str, now: i64) -> Option<i64> {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    let time = Time::midnight().checked_add(Span::new().microseconds(at.clamp(0, 86_399_999_999))).ok()?;
    let today = Timestamp::from_microsecond(now).ok()?.to_zoned(zone.clone()).date();
    let mut date = today;
    for _ in 0..MOST_DAYS {
        if fits(days, date) {
            let due = instant(date.to_datetime(time), &zone)?.as_microsecond();
            if due > now {
                return Some(due);
            }
        }
        date = date.tomorrow().ok()?;
    }
    None
}

/// When a time of day is: one that the day skips is the minute that follows the gap, of a doubled one the first
/// counts.
fn instant(at: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let ambiguous = zone.to_ambiguous_timestamp(at);
    match ambiguous.offset() {
        AmbiguousOffset::Gap { after, .. } => {
            // Read with the offset of behind the gap, the time lies before it.
            let before = after.to_timestamp(at).ok()?;
            zone.following(before).next().map(|transition| transition.timestamp())
        }
        AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => ambiguous.earlier().ok(),
    }
}

fn fits(days: CalendarDays, date: Date) -> bool {
    match days {
        CalendarDays::Every => true,
        CalendarDays::Weekday(day) => i16::from(date.weekday().to_monday_one_offset()) == i16::from(day),
        CalendarDays::DayOfMonth(day) => i16::from(date.day()) == i16::from(day),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forms::{format_timestamp, parse_timestamp};

    fn next(schedule: &Schedule, now: &str) -> Option<String> {
        next_after(schedule, parse_timestamp(now).expect("an instant")).map(format_timestamp)
    }

    #[test]
    fn intervals_fall_on_their_multiples() {
        let ten = Schedule::Interval { every: 600_000_000, offset: 0 };
        assert_eq!(next(&ten, "2030-01-01T00:00:00Z").as_deref(), Some("2030-01-01T00:10:00Z"));
        assert_eq!(next(&ten, "2030-01-01T00:09:59.999999Z").as_deref(), Some("2030-01-01T00:10:00Z"));
        let daily = Schedule::Interval { every: 86_400_000_000, offset: 3_600_000_000 };
        assert_eq!(next(&daily, "2030-01-01T00:30:00Z").as_deref(), Some("2030-01-01T01:00:00Z"));
        assert_eq!(next_after(&Schedule::Interval { every: 0, offset: 0 }, 0), None);
        assert_eq!(next_after(&ten, i64::MAX), None);
    }

    #[test]
    fn calendars_follow_their_zone_through_changes_of_the_clock() {
        let berlin = |days, at| Schedule::Calendar { days, at, zone: "Europe/Berlin".into() };
        let half_past_two = 9_000_000_000;
        let nightly = berlin(CalendarDays::Every, half_past_two);
        assert_eq!(next(&nightly, "2030-01-01T00:00:00Z").as_deref(), Some("2030-01-01T01:30:00Z"));
        // 02:30 does not exist on 31 March 2030: after 01:59 comes 03:00, which counts.
        assert_eq!(next(&nightly, "2030-03-30T12:00:00Z").as_deref(), Some("2030-03-31T01:00:00Z"));
        assert_eq!(next(&nightly, "2030-03-31T01:00:00Z").as_deref(), Some("2030-04-01T00:30:00Z"));
        // 02:30 comes twice on 27 October 2030: the first counts, once.
        assert_eq!(next(&nightly, "2030-10-26T12:00:00Z").as_deref(), Some("2030-10-27T00:30:00Z"));
        assert_eq!(next(&nightly, "2030-10-27T00:30:00Z").as_deref(), Some("2030-10-28T01:30:00Z"));
        // Where the clock goes on by half an hour, at two.
        let howe = Schedule::Calendar {
            days: CalendarDays::Every,
            at: half_past_two - 600_000_000,
            zone: "Australia/Lord_Howe".into(),
        };
        assert_eq!(next(&howe, "2030-10-05T12:00:00Z").as_deref(), Some("2030-10-05T15:30:00Z"));
        let mondays = berlin(CalendarDays::Weekday(1), 0);
        assert_eq!(next(&mondays, "2030-01-01T00:00:00Z").as_deref(), Some("2030-01-06T23:00:00Z"));
    }

    #[test]
    fn a_month_without_the_day_is_skipped() {
        let monthly =
            |day| Schedule::Calendar { days: CalendarDays::DayOfMonth(day), at: 0, zone: "UTC".into() };
        assert_eq!(next(&monthly(31), "2030-01-31T00:00:00Z").as_deref(), Some("2030-03-31T00:00:00Z"));
        assert_eq!(next(&monthly(32), "2030-01-01T00:00:00Z"), None);
    }
}
