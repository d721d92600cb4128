//! Days and microseconds to calendar dates and back, in the proleptic Gregorian calendar.
//!
//! Own arithmetic instead of a library's, because it must hold for any integer without a panic. Source: Howard
//! Hinnant, *chrono-Compatible Low-Level Date Algorithms*.

/// Microseconds of a day of 24 hours.
pub const MICROSECONDS_PER_DAY: i64 = 86_400_000_000;

/// The first and last microsecond that a timestamp may have: the years 1 to 9999.
pub(crate) const TIMESTAMPS: std::ops::RangeInclusive<i64> =
    -62_135_596_800_000_000..=253_402_300_799_999_999;

/// The shortest and longest duration in microseconds: 10,000 years of 365.25 days, as protobuf has it.
pub(crate) const DURATIONS: std::ops::RangeInclusive<i64> =
    -315_576_000_000_000_000..=315_576_000_000_000_000;

/// Year, month (1 to 12) and day (1 to 31) of a number of days since 1970-01-01.
pub fn civil(days: i64) -> (i64, u8, u8) {
    let days = days.saturating_add(719_468);
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month as u8, day as u8)
}

/// Days since 1970-01-01; [`None`] when there is no such date, or its year is not 1 to 9999.
pub fn days_of(year: i64, month: u8, day: u8) -> Option<i32> {
    if !(1..=9999).contains(&year)
        || !(1..=12).contains(&month)
        || day < 1
        || day > days_in_month(year, month)
    {
        return None;
    }
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let month = i64::from(month);
    let day_of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    i32::try_from(era * 146_097 + day_of_era - 719_468).ok()
}

/// The microseconds since the epoch of a day and a time of day.
pub fn timestamp_of(days: i32, time: i64) -> i64 {
    i64::from(days).saturating_mul(MICROSECONDS_PER_DAY).saturating_add(time)
}

/// Days of a month.
pub(crate) fn days_in_month(year: i64, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}
