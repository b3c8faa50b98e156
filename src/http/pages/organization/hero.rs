//! Money and people at a glance: what came in, against the same days of last year, and who.

use super::super::chart::sparkline;
use super::super::currency::{Currency, float};
use super::super::words::{count, counted, month, percent};
use crate::http::figures::{Compared, Figures, Returning};
use maud::{Markup, html};

/// Months of the line.
const MONTHS: usize = 12;

/// All of it; `subscribed` is how many may be mailed in the audience, where one is connected.
pub(super) fn hero(figures: &Figures, subscribed: Option<u64>) -> Markup {
    let currency = Currency::of(&figures.currency);
    html! {
        div.hero {
            (year(figures, &currency))
            div.tiles {
                (compared("Gifts today", figures.today, &currency, "the same day last year"))
                (compared("Gifts this month", figures.month, &currency, "the same days last year"))
                (recurring(figures, &currency))
                (new(figures.returning))
                (kept(figures.returning))
                (reachable(figures, subscribed))
            }
        }
        @if !figures.others.is_empty() {
            p.note {
                "Not in these figures, since currencies are not added: "
                @for (place, (code, amount)) in figures.others.iter().enumerate() {
                    @if place > 0 { ", " }
                    (Currency::of(code).whole(amount.total)) " from "
                    (counted(amount.gifts, "gift", "gifts"))
                }
                " this year."
            }
        }
    }
}

/// The year so far, with its last twelve months as a line.
fn year(figures: &Figures, currency: &Currency) -> Markup {
    let first = figures.months.len().saturating_sub(MONTHS);
    let months = &figures.months[first..];
    let values: Vec<f64> = months
        .iter()
        .map(|month| float(month.all().total))
        .collect();
    html! {
        div.card.year {
            span.name { "Gifts this year" }
            strong.large { (currency.whole(figures.year.now.total)) }
            (difference(figures.year, currency, "the same days last year"))
            p.note { (counted(figures.year.now.gifts, "gift", "gifts")) }
            @if let (Some(from), Some(to)) = (months.first(), months.last()) {
                (sparkline(
                    &values,
                    &format!(
                        "Gifts by month from {} to {} so far: {} then, {} now",
                        month(from.first),
                        month(to.first),
                        currency.whole(from.all().total),
                        currency.whole(to.all().total),
                    ),
                ))
                p.note.ends {
                    span { (month(from.first)) } span { (month(to.first)) " so far" }
                }
            }
        }
    }
}

fn tile(name: &str, value: &str, more: &Markup) -> Markup {
    html! {
        div.tile { span.name { (name) } strong { (value) } (more) }
    }
}

fn compared(name: &str, what: Compared, currency: &Currency, with: &str) -> Markup {
    let more = html! {
        (difference(what, currency, with))
        span.note { (counted(what.now.gifts, "gift", "gifts")) }
    };
    tile(name, &currency.whole(what.now.total), &more)
}

/// How much more or less it is, in words for whoever does not see the colour.
pub(in super::super) fn difference(what: Compared, currency: &Currency, with: &str) -> Markup {
    let (now, before) = (float(what.now.total), float(what.before.total));
    let told = format!("{} in {with}", currency.exact(what.before.total));
    html! {
        @if before <= 0.0 { span.note title=(told) { "nothing in " (with) } }
        @else {
            span.delta title=(told) {
                (change(now / before - 1.0))
                span.note { " vs " span.then { (currency.whole(what.before.total)) } " last year" }
                span.hidden { ", compared with " (with) }
            }
        }
    }
}

/// A share of more or less, as a mark and a number.
fn change(share: f64) -> Markup {
    html! {
        @if share.abs() < 0.005 { b.same { "± 0 %" } }
        @else if share > 0.0 { b.up { "▲ " (percent(share)) span.hidden { " more" } } }
        @else { b.down { "▼ " (percent(-share)) span.hidden { " less" } } }
    }
}

fn recurring(figures: &Figures, currency: &Currency) -> Markup {
    let (gained, lost) = figures
        .plans
        .last()
        .map(|month| (month.gained, month.lost))
        .unwrap_or_default();
    let total = figures.plans.last().map(|month| month.total);
    let more = html! {
        span.delta {
            b.up { "+" (currency.whole(gained)) } " " b.down { "−" (currency.whole(lost)) }
            span.note { " this month" }
        }
        span.note {
            (counted(
                figures.plans.last().map_or(0, |month| month.plans),
                "active plan",
                "active plans",
            ))
        }
    };
    tile(
        "Recurring, a month",
        &currency.whole(total.unwrap_or_default()),
        &more,
    )
}

fn new([now, before]: [Returning; 2]) -> Markup {
    let more = html! {
        @if before.new > 0 {
            span.delta {
                (change(now.new as f64 / before.new as f64 - 1.0))
                span.note { " vs " span.then { (count(before.new)) } " last year" }
                span.hidden { ", compared with the same days last year" }
            }
        } @else { span.note { "none in the same days last year" } }
        span.note { "gave for the first time this year" }
    };
    tile("New donors", &count(now.new), &more)
}

fn kept([now, before]: [Returning; 2]) -> Markup {
    let more = html! {
        @if let Some(then) = before.share() {
            span.delta {
                b.same { (percent(then)) }
                span.note { " by this day last year" }
            }
        } @else { span.note { "no year to compare with" } }
        span.note {
            @if now.of == 0 { "nobody gave last year" }
            @else { (count(now.kept)) " of last year's " (count(now.of)) " gave again" }
        }
    };
    tile(
        "Donors kept",
        &now.share().map_or_else(|| "–".to_owned(), percent),
        &more,
    )
}

fn reachable(figures: &Figures, subscribed: Option<u64>) -> Markup {
    let people = figures.people;
    let more = html! {
        span.note { "of " (counted(people.supporters, "supporter", "supporters")) }
        @if let Some(subscribed) = subscribed {
            span.note { (count(subscribed)) " subscribed in the audience" }
        } @else { span.note { "no audience is connected" } }
    };
    tile("May be mailed", &count(people.reachable), &more)
}
