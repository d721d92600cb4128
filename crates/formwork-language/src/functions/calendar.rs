//! Timestamps, dates and durations; time zones by their IANA names.

use super::{Function, Gives, NO_OVERLOAD, OVERFLOW, Style, Takes, invalid, pure};
use crate::eval::{EvaluationError, Work};
use crate::value::{MICROSECONDS_PER_DAY, Value, civil, days_of, text, timestamp_of};
use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use std::sync::LazyLock;

type Evaluated = Result<Value, EvaluationError>;

/// The zones that come with the binary, so that a document means the same on every machine.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

const SECOND: i64 = 1_000_000;

pub(super) fn functions() -> Vec<Function> {
    use Takes::{Date, Duration, Integer, Text, Timestamp};
    const START: &[super::Overload] = &[
        overload!(&[Timestamp], Gives::Timestamp),
        overload!(&[Timestamp, Text], Gives::Timestamp),
        overload!(&[Date], Gives::Date),
    ];
    const PART: &[super::Overload] = &[
        overload!(&[Timestamp], Gives::Integer),
        overload!(&[Timestamp, Text], Gives::Integer),
        overload!(&[Date], Gives::Integer),
    ];
    const CLOCK: &[super::Overload] = &[
        overload!(&[Timestamp], Gives::Integer),
        overload!(&[Timestamp, Text], Gives::Integer),
        overload!(&[Duration], Gives::Integer),
    ];
    const LENGTH: &[super::Overload] = &[overload!(&[Integer], Gives::Duration)];
    vec![
        pure(
            "date",
            Style::Call,
            &[
                overload!(&[Timestamp], Gives::Date),
                overload!(&[Timestamp, Text], Gives::Date),
                overload!(&[Text], Gives::Date),
                overload!(&[Date], Gives::Date),
            ],
            date,
        ),
        pure("start_of_day", Style::Call, START, |_, values| start(values, Start::Day)),
        pure("start_of_month", Style::Call, START, |_, values| start(values, Start::Month)),
        pure("start_of_year", Style::Call, START, |_, values| start(values, Start::Year)),
        pure(
            "add_months",
            Style::Call,
            &[overload!(&[Date, Integer], Gives::Date), overload!(&[Timestamp, Integer], Gives::Timestamp)],
            add_months,
        ),
        pure(
            "format",
            Style::Call,
            &[
                overload!(&[Timestamp, Text], Gives::Text),
                overload!(&[Timestamp, Text, Text], Gives::Text),
                overload!(&[Date, Text], Gives::Text),
            ],
            format,
        ),
        pure("seconds", Style::Call, LENGTH, |_, values| length(values, SECOND)),
        pure("minutes", Style::Call, LENGTH, |_, values| length(values, 60 * SECOND)),
        pure("hours", Style::Call, LENGTH, |_, values| length(values, 3600 * SECOND)),
        pure("days", Style::Call, LENGTH, |_, values| length(values, MICROSECONDS_PER_DAY)),
        pure("getFullYear", Style::Method, PART, |_, values| part(values, |local| local.year)),
        pure("getMonth", Style::Method, PART, |_, values| part(values, |local| i64::from(local.month) - 1)),
        pure("getDate", Style::Method, PART, |_, values| part(values, |local| i64::from(local.day))),
        pure("getDayOfMonth", Style::Method, PART, |_, values| {
            part(values, |local| i64::from(local.day) - 1)
        }),
        pure("getDayOfWeek", Style::Method, PART, |_, values| {
            part(values, |local| (local.days + 4).rem_euclid(7))
        }),
        pure("getDayOfYear", Style::Method, PART, |_, values| {
            part(values, |local| local.days - days_of(local.year, 1, 1).map_or(0, i64::from))
        }),
        pure("getHours", Style::Method, CLOCK, |_, values| clock(values, 3600 * SECOND, 24)),
        pure("getMinutes", Style::Method, CLOCK, |_, values| clock(values, 60 * SECOND, 60)),
        pure("getSeconds", Style::Method, CLOCK, |_, values| clock(values, SECOND, 60)),
        pure("getMilliseconds", Style::Method, CLOCK, |_, values| clock(values, 1000, 1000)),
    ]
}

/// A timestamp as a clock in some zone shows it.
struct Local {
    days: i64,
    year: i64,
    month: u8,
    day: u8,
    time: i64,
}

impl Local {
    fn of(shifted: i64) -> Self {
        let days = shifted.div_euclid(MICROSECONDS_PER_DAY);
        let (year, month, day) = civil(days);
        Self { days, year, month, day, time: shifted.rem_euclid(MICROSECONDS_PER_DAY) }
    }

    fn date(&self) -> Result<i32, EvaluationError> {
        i32::try_from(self.days).map_err(|_| OVERFLOW)
    }
}

/// A zone: `UTC`, an IANA name, or an offset such as `+01:00`.
enum Zone {
    Offset(i64),
    Named(TimeZone),
}

impl Zone {
    fn of(name: &str) -> Result<Self, EvaluationError> {
        let sign = if name.starts_with('-') { -1 } else { 1 };
        if let Some((hours, minutes)) = name.trim_start_matches(['+', '-']).split_once(':') {
            let number = |text: &str| text.parse::<i64>().ok().filter(|number| (0..60).contains(number));
            let (Some(hours), Some(minutes)) = (number(hours).filter(|hours| *hours < 24), number(minutes))
            else {
                return Err(invalid("not a time zone"));
            };
            return Ok(Self::Offset(sign * (hours * 3600 + minutes * 60) * SECOND));
        }
        if name == "UTC" {
            return Ok(Self::Offset(0));
        }
        ZONES.get(name).map(Self::Named).map_err(|_| invalid("not a time zone"))
    }

    /// Microseconds since the epoch on the zone's own clock.
    fn shift(&self, time: i64) -> Result<i64, EvaluationError> {
        let offset = match self {
            Self::Offset(offset) => *offset,
            Self::Named(zone) => {
                let time = Timestamp::from_microsecond(time).map_err(|_| OVERFLOW)?;
                i64::from(zone.to_offset(time).seconds()) * SECOND
            }
        };
        time.checked_add(offset).ok_or(OVERFLOW)
    }

    /// The instant at which the zone's clock first shows midnight, or what follows a midnight that is skipped.
    fn midnight(&self, days: i32) -> Result<i64, EvaluationError> {
        match self {
            Self::Offset(offset) => timestamp_of(days, 0).checked_sub(*offset).ok_or(OVERFLOW),
            Self::Named(zone) => {
                let (year, month, day) = civil(i64::from(days));
                let year = i16::try_from(year).map_err(|_| OVERFLOW)?;
                let date = jiff::civil::Date::new(year, month as i8, day as i8).map_err(|_| OVERFLOW)?;
                let start = date.at(0, 0, 0, 0).to_zoned(zone.clone()).map_err(|_| OVERFLOW)?;
                Ok(start.timestamp().as_microsecond())
            }
        }
    }
}

/// Whether there is a zone of this IANA name.
pub(crate) fn is_zone(name: &str) -> bool {
    name == "UTC" || ZONES.get(name).is_ok()
}

fn zone_of(values: &[Value]) -> Result<Zone, EvaluationError> {
    match values.get(1) {
        None => Ok(Zone::Offset(0)),
        Some(Value::Text(name)) => Zone::of(name),
        Some(_) => Err(NO_OVERLOAD),
    }
}

/// `date(t)`, `date(t, zone)`, `date("2026-11-23")`
fn date(_: &mut Work<'_>, values: &[Value]) -> Evaluated {
    match values {
        [Value::Date(_)] => Ok(values[0].clone()),
        [Value::Text(text)] => text::parse_date(text).map(Value::Date).ok_or_else(|| invalid("not a date")),
        [Value::Timestamp(time), ..] => Local::of(zone_of(values)?.shift(*time)?).date().map(Value::Date),
        _ => Err(NO_OVERLOAD),
    }
}

#[derive(Clone, Copy)]
enum Start {
    Day,
    Month,
    Year,
}

fn start(values: &[Value], of: Start) -> Evaluated {
    let first = |local: &Local| {
        let (month, day) = match of {
            Start::Day => (local.month, local.day),
            Start::Month => (local.month, 1),
            Start::Year => (1, 1),
        };
        days_of(local.year, month, day).ok_or(OVERFLOW)
    };
    match values.first() {
        Some(Value::Date(days)) => first(&Local::of(timestamp_of(*days, 0))).map(Value::Date),
        Some(Value::Timestamp(time)) => {
            let zone = zone_of(values)?;
            let days = first(&Local::of(zone.shift(*time)?))?;
            zone.midnight(days).map(Value::Timestamp)
        }
        _ => Err(NO_OVERLOAD),
    }
}

/// `add_months(d, n)`: a day that the month does not have becomes its last one.
fn add_months(_: &mut Work<'_>, values: &[Value]) -> Evaluated {
    let (time, months) = match values {
        [Value::Date(days), Value::Integer(months)] => (timestamp_of(*days, 0), *months),
        [Value::Timestamp(time), Value::Integer(months)] => (*time, *months),
        _ => return Err(NO_OVERLOAD),
    };
    let local = Local::of(time);
    let month = (local.year * 12 + i64::from(local.month) - 1).checked_add(months).ok_or(OVERFLOW)?;
    let (year, month) = (month.div_euclid(12), month.rem_euclid(12) as u8 + 1);
    let last = crate::value::days_in_month(year, month);
    let days = days_of(year, month, local.day.min(last)).ok_or(OVERFLOW)?;
    Ok(match values[0] {
        Value::Date(_) => Value::Date(days),
        _ => Value::Timestamp(timestamp_of(days, local.time)),
    })
}

/// `format(t, "YYYY-MM-DD HH:mm:ss", zone)`; any other character stands for itself.
fn format(_: &mut Work<'_>, values: &[Value]) -> Evaluated {
    let (time, pattern) = match values {
        [Value::Timestamp(time), Value::Text(pattern), ..] => (*time, pattern),
        [Value::Date(days), Value::Text(pattern)] => (timestamp_of(*days, 0), pattern),
        _ => return Err(NO_OVERLOAD),
    };
    let local = Local::of(zone_of(values.get(1..).unwrap_or_default())?.shift(time)?);
    let seconds = local.time / SECOND;
    let parts = [
        ("YYYY", format!("{:04}", local.year)),
        ("MM", format!("{:02}", local.month)),
        ("DD", format!("{:02}", local.day)),
        ("HH", format!("{:02}", seconds / 3600)),
        ("mm", format!("{:02}", seconds / 60 % 60)),
        ("ss", format!("{:02}", seconds % 60)),
        ("SSS", format!("{:03}", local.time / 1000 % 1000)),
    ];
    let mut written = String::new();
    let mut rest = &**pattern;
    while let Some(character) = rest.chars().next() {
        let known = parts.iter().find(|(letters, _)| rest.starts_with(letters));
        let length = known.map_or(character.len_utf8(), |(letters, _)| letters.len());
        written.push_str(known.map_or(&rest[..length], |(_, shown)| shown));
        rest = &rest[length..];
    }
    Ok(Value::Text(written.into()))
}

fn length(values: &[Value], unit: i64) -> Evaluated {
    match values {
        [Value::Integer(count)] => count.checked_mul(unit).map(Value::Duration).ok_or(OVERFLOW),
        _ => Err(NO_OVERLOAD),
    }
}

fn part(values: &[Value], part: fn(&Local) -> i64) -> Evaluated {
    let time = match values.first() {
        Some(Value::Timestamp(time)) => *time,
        Some(Value::Date(days)) => timestamp_of(*days, 0),
        _ => return Err(NO_OVERLOAD),
    };
    Ok(Value::Integer(part(&Local::of(zone_of(values)?.shift(time)?))))
}

/// A part of the time of day; of a duration the whole number of units, but for milliseconds.
fn clock(values: &[Value], unit: i64, modulus: i64) -> Evaluated {
    match values.first() {
        Some(Value::Timestamp(time)) => {
            Ok(Value::Integer(Local::of(zone_of(values)?.shift(*time)?).time / unit % modulus))
        }
        Some(Value::Duration(length)) if unit == 1000 => Ok(Value::Integer(length / unit % modulus)),
        Some(Value::Duration(length)) => Ok(Value::Integer(length / unit)),
        _ => Err(NO_OVERLOAD),
    }
}
