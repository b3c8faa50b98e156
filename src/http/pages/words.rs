//! Numbers, moments and verdicts as people read them.

use crate::clock;
use crate::domain::{Health, Time, Zone};
use chrono::NaiveDate;
use maud::{Markup, html};

/// `12,345`
pub(super) fn count(number: u64) -> String {
    grouped(&number.to_string())
}

/// Digits in groups of three.
pub(super) fn grouped(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 gift`, `12 gifts`
pub(super) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// `41 %` of a share from 0 to 1; less than ten with a decimal.
pub(super) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent > 0.0 && percent < 9.95 {
        format!("{percent:.1} %")
    } else {
        format!("{percent:.0} %")
    }
}

/// One word for a feed: `recurring plans`.
pub(super) fn plain(word: &str) -> String {
    word.replace('_', " ")
}

/// The same at the beginning of a line: `Recurring plans`.
pub(super) fn title(word: &str) -> String {
    let plain = plain(word);
    let mut letters = plain.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// `45 s`, `12 min`, `3 h`, `5 d`
pub(super) fn span(seconds: i64) -> String {
    match seconds.max(0) {
        s @ 0..120 => format!("{s} s"),
        s @ 120..7_200 => format!("{} min", s / 60),
        s @ 7_200..172_800 => format!("{} h", s / 3_600),
        s => format!("{} d", s / 86_400),
    }
}

/// `Nov 2024`
pub(super) fn month(first: NaiveDate) -> String {
    first.format("%b %Y").to_string()
}

/// A moment, told by how long ago it was; the moment itself, in the zone, is in its title.
pub(super) fn ago(at: Option<Time>, zone: Zone) -> Markup {
    let Some(at) = at else {
        return html! { "never" };
    };
    let now = clock::now();
    let seconds = (now - at).num_seconds();
    let text = if at <= now {
        format!("{} ago", span(seconds))
    } else {
        // Within the next second is not yet past.
        format!("in {}", span((-seconds).max(1)))
    };
    html! { time datetime=(at.to_rfc3339()) title=(moment(at, zone)) { (text) } }
}

/// A day in the zone; the moment itself is in its title.
pub(super) fn day(at: Option<Time>, zone: Zone) -> Markup {
    html! {
        @match at {
            Some(at) => {
                time datetime=(at.to_rfc3339()) title=(moment(at, zone)) {
                    (zone.day(at).format("%-d %b %Y"))
                }
            }
            None => { "–" }
        }
    }
}

fn moment(at: Time, zone: Zone) -> String {
    format!(
        "{} {}",
        zone.local(at).format("%Y-%m-%d %H:%M:%S"),
        zone.name()
    )
}

/// A verdict as a badge: a mark and a word, so that it needs no colour.
pub(super) fn badge(verdict: Health) -> Markup {
    let mark = match verdict {
        Health::Ok => "✓",
        Health::Degraded => "!",
        Health::Failing => "✕",
    };
    html! {
        span class={ "badge " (verdict.as_str()) } {
            span aria-hidden="true" { (mark) } " " (verdict.as_str())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_000), "1,000");
        assert_eq!(count(12_345_678), "12,345,678");
        assert_eq!(counted(1, "gift", "gifts"), "1 gift");
        assert_eq!(percent(0.0), "0 %");
        assert_eq!(percent(0.025), "2.5 %");
        assert_eq!(percent(0.414), "41 %");
        assert_eq!(title("recurring_plans"), "Recurring plans");
    }

    #[test]
    fn a_moment_is_told_in_the_zone() {
        let zone = Zone::parse("America/New_York").unwrap();
        let at: Time = "2026-01-01T01:30:00Z".parse().unwrap();
        let told = day(Some(at), zone).into_string();
        assert!(told.contains("31 Dec 2025"), "{told}");
        assert!(
            told.contains("2025-12-31 20:30:00 America/New_York"),
            "{told}"
        );
        assert_eq!(month("2024-11-01".parse().unwrap()), "Nov 2024");
    }
}
