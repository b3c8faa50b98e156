//! Another prefix of the tags reaches everybody, and what has the old one is taken off, guarded.

use super::Charity;
use crate::backend::{Kind, kinds};
use crate::site::world;
use classy_sync::domain::{Harm, Step};
use classy_sync::plugin::{FirstPush, GuardSettings, Word};
use classy_sync::simulator::Act;

#[tokio::test(flavor = "multi_thread")]
async fn another_prefix_reaches_everybody_and_the_old_tags_are_taken_off() {
    for kind in kinds() {
        let mut charity = Charity::new(kind, world(60, 160)).await;
        // There and back is more than goes unasked in one day.
        charity.guard.audience_min = 10_000;
        charity.sync().await;
        let tagged = charity.tagged("Classy-");
        assert!(tagged > 20, "{tagged}");
        let person = charity.givers(1).await[0];
        charity.act(Act::Tag {
            email: charity.email(person),
            tag: "Classy-Gala".to_owned(),
        });
        charity.table = "tag_prefix = 'Giving-'".to_owned();
        // The preview knows it, and changes nothing.
        let seen = charity.preview().await;
        assert_eq!(
            seen.people
                .iter()
                .filter(|one| one.planned.step == Step::Change && !one.planned.untags.is_empty())
                .count(),
            tagged
        );
        charity.sync().await;
        assert_eq!(charity.tagged("Giving-"), tagged, "{kind:?}");
        let left: Vec<Vec<String>> = charity
            .consented()
            .keys()
            .map(|email| charity.tags(email))
            .collect();
        let old = left
            .iter()
            .flatten()
            .filter(|tag| tag.starts_with("Classy-"))
            .collect::<Vec<_>>();
        assert_eq!(old, ["Classy-Gala"], "only ours are taken off");
        charity.forget_calls();
        charity.sync().await;
        assert_eq!(
            (charity.harm().total_calls(), charity.harm().writes.len()),
            (3, 0),
            "and it is done once"
        );
        // Back again.
        charity.table = String::new();
        charity.sync().await;
        charity.assert_complete(&[person]).await;
        assert_eq!(charity.tagged("Giving-"), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn taking_the_tags_of_another_prefix_off_is_guarded() {
    let mut charity = Charity::new(Kind::Sqlite, world(160, 161)).await;
    charity.sync().await;
    let tagged = charity.tagged("Classy-");
    charity.guard = GuardSettings {
        first_push: FirstPush::Send,
        ..GuardSettings::default()
    };
    charity.table = "tag_prefix = 'New-'".to_owned();
    let seen = charity.preview().await;
    let done = charity.sync().await;
    assert_eq!(
        (done.holds.of(Harm::Untag) as usize, seen.holds()),
        (tagged, done.holds)
    );
    assert_eq!(
        (charity.tagged("Classy-"), charity.tagged("New-")),
        (tagged, tagged),
        "new ones come, and old ones wait"
    );
    charity
        .approve(Word {
            actor: "cli",
            ..Word::default()
        })
        .await
        .unwrap();
    assert_eq!(charity.sync().await.held, 0);
    assert_eq!(
        (charity.tagged("Classy-"), charity.tagged("New-")),
        (0, tagged)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prefix_in_other_letters_takes_nothing_off() {
    let mut charity = Charity::new(Kind::Sqlite, world(40, 162)).await;
    charity.sync().await;
    let person = charity.email(charity.givers(1).await[0]);
    let before = charity.tags(&person).len();
    charity.table = "tag_prefix = 'CLASSY-'".to_owned();
    charity.sync().await;
    charity.sync().await;
    assert_eq!(
        charity.tags(&person).len(),
        before,
        "{:?}",
        charity.tags(&person)
    );
}

impl Charity {
    /// So many people have tags that begin like this.
    fn tagged(&self, prefix: &str) -> usize {
        self.consented()
            .keys()
            .filter(|email| self.tags(email).iter().any(|tag| tag.starts_with(prefix)))
            .count()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prefix_that_had_other_letters_for_a_while_leaves_no_tag_behind() {
    let mut charity = Charity::new(Kind::Sqlite, world(60, 161)).await;
    charity.guard.audience_min = 10_000;
    charity.sync().await;
    let tagged = charity.tagged("Classy-");
    for prefix in ["CLASSY-", "Classy-", "Z-"] {
        charity.table = format!("tag_prefix = {prefix:?}");
        charity.sync().await;
        // Each contact is seen again as it is.
        for email in charity.consented().keys() {
            charity.act(Act::Tag {
                email: email.clone(),
                tag: format!("Seen {prefix}"),
            });
        }
        charity.sync().await;
    }
    assert_eq!(
        ["Classy-", "CLASSY-", "Z-"].map(|prefix| charity.tagged(prefix)),
        [0, 0, tagged]
    );
}
