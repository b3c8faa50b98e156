//! Numbers, moments and verdicts as people read them.

use crate::clock;
use crate::domain::{Health, Import, Money, Time};
use crate::entities::Entity;
use crate::status::FeedStatus;
use maud::{Markup, html};

/// `12,345`
pub(super) fn count(number: u64) -> String {
    grouped(&number.to_string())
}

fn grouped(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `12,345.60`
pub(super) fn amount(money: Money) -> String {
    let text = format!("{:.2}", money.decimal());
    let (sign, text) = text
        .strip_prefix('-')
        .map_or(("", text.as_str()), |rest| ("−", rest));
    let (whole, cents) = text.split_once('.').unwrap_or((text, "00"));
    format!("{sign}{}.{cents}", grouped(whole))
}

/// One word for a feed: `recurring plans`.
pub(super) fn plain(word: &str) -> String {
    word.replace('_', " ")
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

/// A moment, told by how long ago it was; the moment itself is in its title.
pub(super) fn ago(at: Option<Time>) -> Markup {
    let Some(at) = at else {
        return html! { "never" };
    };
    let seconds = (clock::now() - at).num_seconds();
    let text = if seconds >= 0 {
        format!("{} ago", span(seconds))
    } else {
        format!("in {}", span(-seconds))
    };
    html! { time datetime=(at.to_rfc3339()) title=(at.format("%Y-%m-%d %H:%M:%S UTC")) { (text) } }
}

/// When a feed was last up to date. Before its first import is done it never was.
pub(super) fn fresh(feed: &FeedStatus) -> Markup {
    match feed.fresh_at {
        _ if !feed.is_loaded => html! { "first import not done" },
        at => ago(at),
    }
}

/// What is shown while an organization is read for the first time: its figures are not to be
/// believed yet.
pub(super) fn first_import(imports: &[(Entity, Import)]) -> Markup {
    let now = clock::now();
    html! {
        div.callout.importing {
            strong { "First import" }
            " – figures are incomplete until it is done."
            ul {
                @for (entity, import) in imports {
                    li {
                        (plain(entity.as_str())) ": " (import.told(now))
                        @if let Some(total) = import.total.filter(|total| *total > 0) {
                            " " progress max=(total) value=(import.done.min(total)) aria-label={ "First import of " (plain(entity.as_str())) } {}
                        }
                    }
                }
            }
        }
    }
}

/// A verdict as a badge: a mark and a word, so that it needs no colour.
pub(super) fn badge(verdict: Health) -> Markup {
    let mark = match verdict {
        Health::Ok => "✓",
        Health::Degraded => "!",
        Health::Failing => "✕",
    };
    html! { span class={ "badge " (verdict.as_str()) } { span aria-hidden="true" { (mark) } " " (verdict.as_str()) } }
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
        assert_eq!(amount(Money::parse("-1234.5").unwrap()), "−1,234.50");
        assert_eq!(amount(Money::parse("999999.99").unwrap()), "999,999.99");
    }
}
