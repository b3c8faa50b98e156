//! Sums of gifts in one currency. Those in other currencies are kept apart: they are named, and
//! never added.

use crate::domain::Money;
use crate::store::Sum;
use std::collections::BTreeMap;

/// So many gifts, of so much in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in super::super) struct Amount {
    /// How many.
    pub(in super::super) gifts: u64,
    /// In the currency that is told beside it.
    pub(in super::super) total: Money,
}

impl Amount {
    /// With another one of the same currency.
    pub(in super::super) fn plus(self, other: Amount) -> Amount {
        Amount {
            gifts: self.gifts + other.gifts,
            total: Money::total(self.total.decimal() + other.total.decimal()),
        }
    }
}

/// Sums of several spans in one currency.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Sums {
    /// By span: given once, and by plans.
    by: BTreeMap<usize, [Amount; 2]>,
    /// What is not in it, by its currency.
    others: BTreeMap<String, BTreeMap<usize, Amount>>,
}

impl Sums {
    /// Those in a currency; sums that do not tell theirs are of it.
    pub(in super::super) fn of(sums: Vec<Sum>, currency: &str) -> Sums {
        let mut all = Sums::default();
        for sum in sums {
            let amount = Amount {
                gifts: sum.gifts,
                total: sum.total,
            };
            let place = match sum.currency.filter(|of| of != currency && !of.is_empty()) {
                None => &mut all.by.entry(sum.place).or_default()[usize::from(sum.is_recurring)],
                Some(other) => all
                    .others
                    .entry(other)
                    .or_default()
                    .entry(sum.place)
                    .or_default(),
            };
            *place = place.plus(amount);
        }
        all
    }

    /// One span: given once, and by plans.
    pub(in super::super) fn parts(&self, place: usize) -> [Amount; 2] {
        self.by.get(&place).copied().unwrap_or_default()
    }

    /// One span.
    pub(in super::super) fn at(&self, place: usize) -> Amount {
        let [once, by_plans] = self.parts(place);
        once.plus(by_plans)
    }

    /// What came in during one span in other currencies.
    pub(in super::super) fn others(&self, place: usize) -> Vec<(String, Amount)> {
        let found = self
            .others
            .iter()
            .filter_map(|(currency, by)| Some((currency.clone(), *by.get(&place)?)));
        found.collect()
    }
}

/// The currency in which most gifts of these sums are, for an organization that does not tell its
/// own.
pub(super) fn usual_currency(sums: &[Sum]) -> String {
    let mut gifts: BTreeMap<&str, u64> = BTreeMap::new();
    for sum in sums {
        *gifts
            .entry(sum.currency.as_deref().unwrap_or_default())
            .or_default() += sum.gifts;
    }
    gifts
        .into_iter()
        .filter(|(currency, _)| !currency.is_empty())
        .max_by_key(|(_, gifts)| *gifts)
        .map_or_else(String::new, |(currency, _)| currency.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn currencies_are_never_added() {
        let sum = |place, currency: Option<&str>, is_recurring, gifts, total: &str| Sum {
            place,
            currency: currency.map(str::to_owned),
            is_recurring,
            gifts,
            total: Money::parse(total).unwrap(),
        };
        let all = vec![
            sum(0, Some("USD"), false, 2, "10.10"),
            sum(0, None, false, 1, "0.05"),
            sum(0, Some("USD"), true, 1, "5"),
            sum(0, Some("EUR"), false, 1, "99"),
            sum(0, Some("EUR"), true, 1, "1"),
            sum(1, Some("EUR"), true, 1, "7"),
        ];
        assert_eq!(usual_currency(&all), "USD");
        let sums = Sums::of(all, "USD");
        let amount = |gifts, total: &str| Amount {
            gifts,
            total: Money::parse(total).unwrap(),
        };
        assert_eq!(sums.parts(0), [amount(3, "10.15"), amount(1, "5")]);
        assert_eq!(sums.at(0), amount(4, "15.15"));
        assert_eq!(sums.at(1), Amount::default());
        assert_eq!(sums.others(0), [("EUR".to_owned(), amount(2, "100"))]);
        assert_eq!(sums.others(1), [("EUR".to_owned(), amount(1, "7"))]);
    }
}
