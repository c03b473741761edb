//! A moment said as a date, a weekday or a time of day, with or without a zone.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// Most bytes after a word such as `resets` that are looked at.
const PHRASE_BYTES: usize = 80;
/// A time of day that has passed by less than this is over, not tomorrow's.
const JUST_PASSED_MINUTES: i64 = 15;

/// What was read of a moment.
#[derive(Default)]
struct Said {
    year: Option<i16>,
    month: Option<i8>,
    day: Option<i8>,
    weekday: Option<Weekday>,
    tomorrow: bool,
    clock: Option<(i8, i8)>,
    zone: Option<TimeZone>,
    whole: Option<Timestamp>,
}

/// The first moment that is said after a word that announces one.
pub(super) fn end(lower: &str, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let announced = ["reset", "resets", "again", "until", "available", "retry"];
    let words = announced.iter().flat_map(|word| lower.match_indices(word));
    let mut starts: Vec<usize> = words.map(|(at, word)| at + word.len()).collect();
    starts.sort_unstable();
    starts.into_iter().filter(|at| !lower[*at..].starts_with(char::is_alphanumeric)).find_map(|at| {
        let phrase = lower[at..].char_indices().take_while(|(n, _)| *n < PHRASE_BYTES);
        let length = phrase.last().map_or(0, |(n, c)| n + c.len_utf8());
        read(&lower[at..at + length])?.resolve(now, zone)
    })
}

/// Reads words as long as they belong to a moment. None where there is none.
fn read(phrase: &str) -> Option<Said> {
    let mut said = Said::default();
    let mut words = phrase.split([' ', ',', '\t', '\n']).filter(|word| !word.is_empty()).peekable();
    while let Some(word) = words.next() {
        let word = word.trim_end_matches(['.', ';', '!', ')']).trim_start_matches('(');
        if matches!(word, "at" | "on" | "after" | "by" | "around" | "about" | "is" | "from" | "s" | ":" | "")
        {
            continue;
        }
        let half = words.peek().map(|next| next.trim_end_matches(['.', ';', '!', ')', '·']));
        let half = half.filter(|next| matches!(*next, "am" | "pm" | "a.m" | "p.m"));
        if let Ok(whole) = word.to_uppercase().parse::<Timestamp>() {
            said.whole = Some(whole);
        } else if let Some(clock) = clock(word, half).filter(|_| said.clock.is_none()) {
            said.clock = Some(clock);
            if half.is_some() {
                words.next();
            }
        } else if let Some(month) = month(word) {
            said.month = Some(month);
        } else if let Some(weekday) = weekday(word) {
            said.weekday = Some(weekday);
        } else if let Ok(date) = word.parse::<Date>() {
            (said.year, said.month, said.day) = (Some(date.year()), Some(date.month()), Some(date.day()));
        } else if let Some(zone) = zone(word) {
            said.zone = Some(zone);
        } else if matches!(word, "tomorrow" | "today" | "midnight" | "noon") {
            said.tomorrow |= matches!(word, "tomorrow" | "midnight");
            match word {
                "midnight" => said.clock = Some((0, 0)),
                "noon" => said.clock = Some((12, 0)),
                _ => {}
            }
        } else if let Some(number) = number(word) {
            match number {
                1..=31 if said.day.is_none() => said.day = i8::try_from(number).ok(),
                2000..=2999 => said.year = Some(number),
                _ => break,
            }
        } else {
            break;
        }
    }
    let dated = said.month.is_some() && said.day.is_some();
    (said.whole.is_some() || said.clock.is_some() || dated).then_some(said)
}

impl Said {
    fn resolve(self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        if self.whole.is_some() {
            return self.whole;
        }
        let zone = self.zone.unwrap_or_else(|| zone.clone());
        let here = now.to_zoned(zone.clone());
        let (hour, minute) = self.clock.unwrap_or((0, 0));
        // A time that the clocks jump over becomes the one right after; one that comes twice, the first.
        let at = |date: Date| Some(date.at(hour, minute, 0, 0).to_zoned(zone.clone()).ok()?.timestamp());
        let today = here.date();
        if let (Some(month), Some(day)) = (self.month, self.day) {
            let date = Date::new(self.year.unwrap_or(today.year()), month, day).ok()?;
            // Without a year it is the next one of that name, unless it has only just passed.
            let passed = self.year.is_none() && date < today.checked_sub(2.days()).ok()?;
            return at(if passed { date.checked_add(1.year()).ok()? } else { date });
        }
        self.clock?;
        if let Some(weekday) = self.weekday {
            let first = at(today)?;
            return match weekday == today.weekday() && first >= now {
                true => Some(first),
                false => at(today.nth_weekday(1, weekday).ok()?),
            };
        }
        if self.tomorrow {
            return at(today.tomorrow().ok()?);
        }
        let first = at(today)?;
        let passed = now.duration_since(first).as_secs();
        if (0..JUST_PASSED_MINUTES * 60).contains(&passed) {
            return None;
        }
        if passed < 0 { Some(first) } else { at(today.tomorrow().ok()?) }
    }
}

/// `3pm`, `3:15pm`, `3:15` before `pm`, `15:30`; a number alone is no time.
fn clock(word: &str, half: Option<&str>) -> Option<(i8, i8)> {
    let (digits, glued) = match word.find(|c: char| c.is_ascii_alphabetic()) {
        Some(at) => word.split_at(at),
        None => (word, ""),
    };
    let half = if glued.is_empty() { half.unwrap_or_default() } else { glued };
    let (hour, minute) = match digits.split_once(':') {
        Some((hour, minute)) => (hour.parse::<i8>().ok()?, minute.get(..2)?.parse::<i8>().ok()?),
        None if !half.is_empty() => (digits.parse::<i8>().ok()?, 0),
        None => return None,
    };
    let hour = match half.chars().next() {
        Some('p') if hour < 12 => hour + 12,
        Some('a') if hour == 12 => 0,
        Some('p' | 'a') | None => hour,
        Some(_) => return None,
    };
    let exact = glued.is_empty() || matches!(glued, "am" | "pm" | "a.m" | "p.m");
    (exact && (0..24).contains(&hour) && (0..60).contains(&minute)).then_some((hour, minute))
}

fn number(word: &str) -> Option<i16> {
    let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    matches!(&word[digits.len()..], "" | "st" | "nd" | "rd" | "th").then(|| digits.parse().ok())?
}

fn month(word: &str) -> Option<i8> {
    let names = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let full = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let at = names
        .iter()
        .zip(full)
        .position(|(short, long)| word == *short || word == long || word == "sept" && long == "september");
    i8::try_from(at? + 1).ok()
}

fn weekday(word: &str) -> Option<Weekday> {
    Some(match word {
        "mon" | "monday" => Weekday::Monday,
        "tue" | "tues" | "tuesday" => Weekday::Tuesday,
        "wed" | "wednesday" => Weekday::Wednesday,
        "thu" | "thur" | "thurs" | "thursday" => Weekday::Thursday,
        "fri" | "friday" => Weekday::Friday,
        "sat" | "saturday" => Weekday::Saturday,
        "sun" | "sunday" => Weekday::Sunday,
        _ => return None,
    })
}

/// A zone by its name in the system's tables, or one of the short names that American vendors write.
fn zone(word: &str) -> Option<TimeZone> {
    let word = word.trim_matches(['(', ')']);
    let name = match word {
        "utc" | "gmt" | "z" => return Some(TimeZone::UTC),
        "pt" | "pst" | "pdt" | "pacific" => "America/Los_Angeles",
        "et" | "est" | "edt" | "eastern" => "America/New_York",
        "ct" | "cst" | "cdt" | "central" => "America/Chicago",
        "mt" | "mst" | "mdt" | "mountain" => "America/Denver",
        "time" => return None,
        name if name.contains('/') => name,
        _ => return None,
    };
    TimeZone::get(name).ok()
}
