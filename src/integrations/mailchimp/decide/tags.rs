//! The tags that somebody should have.

use crate::domain::{Profile, Time};
use crate::integrations::mailchimp::mirror::managed_tags::{MONTHLY, ManagedTags};
use std::collections::BTreeSet;

/// The tags that somebody should have at a moment.
pub(crate) fn tags_of(managed: &ManagedTags, person: &Profile, now: Time) -> BTreeSet<String> {
    let monthly =
        (person.monthly_amount.decimal() > rust_decimal::Decimal::ZERO).then_some(MONTHLY);
    let words = [
        person.value(),
        person.frequency(),
        person.engagement(now),
        monthly,
    ];
    words
        .into_iter()
        .flatten()
        .map(|word| managed.name(word))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Money;
    use crate::integrations::mailchimp::tests::{day, person};

    #[test]
    fn people_get_one_tag_of_each_family_that_applies() {
        let managed = ManagedTags::new("Classy-");
        let mut somebody = person(1);
        let tags = |person: &Profile| {
            tags_of(&managed, person, day(100))
                .into_iter()
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(tags(&somebody), "", "nobody without gifts has a tag");
        somebody.lifetime_amount = Money::parse("1000").unwrap();
        somebody.lifetime_count = 2;
        somebody.last_gift_at = Some(day(70));
        assert_eq!(tags(&somebody), "Classy-Major Classy-Recent Classy-Repeat");
        somebody.last_gift_at = Some(day(69));
        assert_eq!(tags(&somebody), "Classy-Active Classy-Major Classy-Repeat");
        somebody.monthly_amount = Money::parse("0.01").unwrap();
        somebody.has_active_plan = true;
        assert_eq!(
            tags(&somebody),
            "Classy-Active Recurring Classy-Major Classy-Monthly Recurring Classy-Repeat"
        );
    }
}
