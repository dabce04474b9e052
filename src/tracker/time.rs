//! The three ways in which times stand in requests and answers: ISO 8601 out, ISO 8601 in, HTTP dates in.

/// ISO 8601 in UTC of milliseconds since 1970.
pub fn iso(at: i64) -> String {
    let (day, second) = (at.div_euclid(86_400_000), at.rem_euclid(86_400_000) / 1_000);
    // The inverse of `days`: at most a few steps, since a year has at most 366 days.
    let mut year = 1970 + day.div_euclid(366);
    while days(year + 1, 1, 1) <= day {
        year += 1;
    }
    let mut month = 1;
    while month < 12 && days(year, month + 1, 1) <= day {
        month += 1;
    }
    let date = day - days(year, month, 1) + 1;
    format!("{year:04}-{month:02}-{date:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

/// Milliseconds since 1970 of an ISO 8601 date-time; without an offset it counts as UTC (ASSUMPTION U17).
pub fn millis_of(text: &str) -> Option<i64> {
    let text = text.trim();
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) =
        (number(11, 13).unwrap_or(0), number(14, 16).unwrap_or(0), number(17, 19).unwrap_or(0));
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let rest = text.get(19..).unwrap_or_default();
    let offset_at = rest.find(['+', '-']);
    let offset = offset_at.map_or(Some(0), |at| {
        let zone = rest.get(at..)?;
        let sign = if zone.starts_with('-') { -1 } else { 1 };
        let hours: i64 = zone.get(1..3)?.parse().ok()?;
        let minutes: i64 = zone.get(zone.len().saturating_sub(2)..).filter(|_| zone.len() > 3)?.parse().ok()?;
        Some(sign * (hours * 60 + minutes))
    })?;
    let fraction: i64 = rest.strip_prefix('.').map_or(0, |digits| {
        let digits: String = digits.chars().take_while(char::is_ascii_digit).chain("000".chars()).take(3).collect();
        digits.parse().unwrap_or(0)
    });
    Some((((days(year, month, day) * 24 + hour) * 60 + minute - offset) * 60 + second) * 1_000 + fraction)
}

/// Days since 1970 of a date of the Gregorian calendar (Howard Hinnant's formula).
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` as seconds since 1970.
pub fn seconds_of_http_date(text: &str) -> Option<i64> {
    let mut parts = text.split_once(", ")?.1.split(' ');
    let day: i64 = parts.next().filter(|day| day.len() <= 2)?.parse().ok()?;
    let name = parts.next()?;
    let month = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        .iter()
        .position(|month| *month == name)?;
    let year: i64 = parts.next().filter(|year| year.len() == 4)?.parse().ok()?;
    let mut clock = parts.next().filter(|clock| clock.len() == 8)?.split(':').map(|part| part.parse::<i64>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    Some(days(year, i64::try_from(month).ok()? + 1, day) * 86_400 + hour * 3_600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_utc() {
        assert_eq!(iso(0), "1970-01-01T00:00:00Z");
        assert_eq!(iso(1_772_366_400_250), "2026-03-01T12:00:00Z");
        assert_eq!(iso(951_782_400_000), "2000-02-29T00:00:00Z");
        for at in (0..40_000).map(|day| day * 86_400_000 + 1_000) {
            assert_eq!(millis_of(&iso(at)), Some(at));
        }
    }

    #[test]
    fn date_times_are_read_with_and_without_offset() {
        assert_eq!(millis_of("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(millis_of("2026-03-01T12:00:00.250Z"), Some(1_772_366_400_250));
        assert_eq!(millis_of("2026-03-01T13:00:00+01:00"), Some(1_772_366_400_000));
        assert_eq!(millis_of("2026-03-01T12:00:00"), Some(1_772_366_400_000));
        assert_eq!(millis_of("2026-03-01"), Some(1_772_323_200_000));
        assert_eq!(millis_of("tomorrow"), None);
        assert_eq!(millis_of("2026-13-01T00:00:00Z"), None);
    }

    #[test]
    fn http_dates_are_read() {
        assert_eq!(seconds_of_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(seconds_of_http_date("yesterday"), None);
    }
}
