//! What came in of the organizations that are shown, and of all of them where they are few; by
//! currency, since currencies are not added.

use super::super::currency::Currency;
use super::super::organization::difference;
use super::super::words::counted;
use crate::clock;
use crate::domain::Zone;
use crate::http::figures::{Compared, Sums, month_to_date, year_to_date};
use crate::http::site::Site;
use maud::{Markup, html};
use std::collections::BTreeMap;

/// What came in at one organization in its currency.
#[derive(Debug, Clone)]
pub(super) struct Of {
    pub(super) currency: Currency,
    pub(super) month: Compared,
    pub(super) year: Compared,
}

/// By Classy's id.
#[derive(Debug, Clone, Default)]
pub(super) struct Giving(BTreeMap<i64, Of>);

impl Giving {
    /// Of these organizations; of none where the database does not answer. It waits for that, and is
    /// called where that may be.
    pub(super) fn of(site: &Site, ids: impl Iterator<Item = i64>) -> Giving {
        let settings = site.sources().settings();
        let now = clock::now();
        let mut organizations = Vec::new();
        for id in ids {
            if let Some(applied) = settings.organizations.get(&id) {
                organizations.push(applied.organization.clone());
            }
        }
        let store = site.sources().store.clone();
        let found = site.sources().runtime.block_on(site.ask(async move {
            let mut spans = Vec::new();
            for organization in &organizations {
                let zone = Zone::of(organization.timezone.as_deref());
                let pairs = [month_to_date(now, zone), year_to_date(now, zone)];
                spans.extend(pairs.into_iter().flatten().map(|span| (organization, span)));
            }
            let sums = store.sums_of(&spans).await?;
            drop(spans);
            Ok((organizations, sums))
        }));
        let Ok((organizations, sums)) = found else {
            return Giving::default();
        };
        let mut giving = BTreeMap::new();
        for (place, organization) in organizations.iter().enumerate() {
            let first = 4 * place;
            let ours = sums.iter().filter(|sum| sum.place / 4 == place);
            let ours = ours.cloned().collect::<Vec<_>>();
            let currency = organization
                .currency_code
                .clone()
                .filter(|code| !code.is_empty())
                .or_else(|| ours.iter().find_map(|sum| sum.currency.clone()))
                .unwrap_or_default();
            let sums = Sums::of(ours, &currency);
            let pair = |at: usize| Compared {
                now: sums.at(first + at),
                before: sums.at(first + at + 1),
            };
            giving.insert(
                organization.classy_id,
                Of {
                    currency: Currency::of(&currency),
                    month: pair(0),
                    year: pair(2),
                },
            );
        }
        Giving(giving)
    }

    pub(super) fn get(&self, classy_id: i64) -> Option<&Of> {
        self.0.get(&classy_id)
    }

    /// Whether it is of all organizations there are.
    pub(super) fn is_of_all(&self, organizations: usize) -> bool {
        organizations > 0 && self.0.len() == organizations
    }

    /// Sums of all of them, currency by currency.
    pub(super) fn tiles(&self) -> Markup {
        let mut by: BTreeMap<&str, (Compared, Compared)> = BTreeMap::new();
        let plus = |a: Compared, b: Compared| Compared {
            now: a.now.plus(b.now),
            before: a.before.plus(b.before),
        };
        for of in self.0.values() {
            let (month, year) = by.entry(of.currency.code()).or_default();
            *month = plus(*month, of.month);
            *year = plus(*year, of.year);
        }
        // Whoever is being imported has no currency yet, and no money that could be shown without.
        if by.len() > 1 {
            by.retain(|code, sums| !code.is_empty() || *sums != Default::default());
        }
        html! {
            div.tiles {
                @for (code, (month, year)) in &by {
                    @let currency = Currency::of(code);
                    (tile("Gifts this month", *month, &currency))
                    (tile("Gifts this year", *year, &currency))
                }
            }
            @if by.len() > 1 { p.note { "Currencies are not added." } }
        }
    }
}

fn tile(name: &str, what: Compared, currency: &Currency) -> Markup {
    html! {
        div.tile {
            span.name { (name) @if !currency.code().is_empty() { ", " (currency.code()) } }
            strong { (currency.whole(what.now.total)) }
            (difference(what, currency, "the same days last year"))
            span.note { (counted(what.now.gifts, "gift", "gifts")) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_being_imported_has_no_tile_of_their_own_unless_nobody_has_another() {
        let of = |code: &str, gifts| {
            let mut compared = Compared::default();
            compared.now.gifts = gifts;
            Of {
                currency: Currency::of(code),
                month: compared,
                year: compared,
            }
        };
        let tiles = |all: Vec<Of>| {
            let html = Giving((1..).zip(all).collect()).tiles().into_string();
            html.matches("Gifts this year").count()
        };
        assert_eq!(tiles(vec![of("USD", 3), of("", 0)]), 1);
        assert_eq!(tiles(vec![of("", 0)]), 1);
        assert_eq!(tiles(vec![of("USD", 3), of("", 2), of("EUR", 1)]), 3);
    }
}
