//! Times as people say them.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// How long something is or was: `12s`, `3m 5s`, `2h 10m`, `4d 3h`.
pub(crate) fn span(millis: u64) -> String {
    let seconds = millis / 1000;
    match seconds {
        0 if millis > 0 => format!("{millis}ms"),
        0..60 => format!("{seconds}s"),
        60..3600 => pair(seconds / 60, "m", seconds % 60, "s"),
        3600..86_400 => pair(seconds / 3600, "h", seconds % 3600 / 60, "m"),
        _ => pair(seconds / 86_400, "d", seconds % 86_400 / 3600, "h"),
    }
}

/// How long ago, in one unit: `12s`, `3m`, `2h`, `4d`.
pub(crate) fn age(since: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(since).as_secs().max(0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// A moment on the person's clock: `14:05` today, `Tue 14:05` within a week, `5 May 14:05` later.
pub(crate) fn clock(moment: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let (there, here) = (moment.to_zoned(zone.clone()), now.to_zoned(zone.clone()));
    let days = there.date().since(here.date()).map_or(i32::MAX, |span| span.get_days());
    let form = match days {
        0 => "%H:%M",
        1..=6 => "%a %H:%M",
        _ => "%-d %b %H:%M",
    };
    there.strftime(form).to_string()
}

fn pair(large: u64, large_unit: &str, small: u64, small_unit: &str) -> String {
    if small == 0 {
        format!("{large}{large_unit}")
    } else {
        format!("{large}{large_unit} {small}{small_unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_at_most_two_units() {
        let shown: Vec<_> = [0, 7, 1500, 60_000, 185_000, 7_800_000, 90_000_000].map(span).into();
        assert_eq!(shown, ["0s", "7ms", "1s", "1m", "3m 5s", "2h 10m", "1d 1h"]);
    }

    #[test]
    fn moments_are_said_as_on_the_wall() {
        let zone = TimeZone::get("Asia/Kolkata").unwrap();
        let now: Timestamp = "2026-11-21T08:00:00Z".parse().unwrap();
        let at = |text: &str| clock(text.parse().unwrap(), now, &zone);
        assert_eq!(at("2026-11-21T08:35:00Z"), "14:05");
        assert_eq!(at("2026-11-21T19:00:00Z"), "Sun 00:30");
        assert_eq!(at("2026-12-05T08:35:00Z"), "5 Dec 14:05");
    }

    #[test]
    fn ages_have_one_and_are_never_negative() {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        assert_eq!(age(at(0), at(59)), "59s");
        assert_eq!(age(at(0), at(3 * 3600 + 100)), "3h");
        assert_eq!(age(at(10), at(0)), "0s");
    }
}
