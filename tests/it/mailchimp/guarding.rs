//! What tests of the guard share: a charity with its settings as they come, previews and
//! approvals.

use super::Charity;
use crate::backend::Kind;
use crate::site::world;
use chrono::Utc;
use classy_sync::plugin::{
    Allowed, Disallowed, FirstPush, GuardSettings, Preview, Word, approve, preview,
};
use std::collections::BTreeSet;

impl Charity {
    /// As it is configured where nobody says otherwise, but for the first push.
    pub(super) async fn guarded(kind: Kind, supporters: usize, seed: u64) -> Charity {
        let guard = GuardSettings {
            first_push: FirstPush::Send,
            ..GuardSettings::default()
        };
        Charity {
            guard,
            ..Charity::new(kind, world(supporters, seed)).await
        }
    }

    pub(super) async fn preview(&self) -> Preview {
        let (store, tenant) = self.store().await;
        let seen = preview(
            &tenant,
            "mailchimp",
            &mut *self.plugin(),
            &self.guard,
            Utc::now(),
        )
        .await
        .unwrap();
        store.close().await.unwrap();
        seen
    }

    pub(super) async fn approve(&self, word: Word<'_>) -> Result<Allowed, Disallowed> {
        let seen = self.preview().await;
        let (store, tenant) = self.store().await;
        let allowed = approve(
            &tenant,
            &self.ledger_key(),
            &self.guard,
            &seen.held(),
            seen.asks_first,
            &word,
            Utc::now(),
        )
        .await;
        store.close().await.unwrap();
        allowed
    }

    pub(super) async fn approve_all(&self) -> Allowed {
        self.approve(Word {
            actor: "cli",
            ..Word::default()
        })
        .await
        .unwrap()
    }

    /// Who is unsubscribed by us, by address.
    pub(super) fn off(&self) -> BTreeSet<String> {
        self.harm()
            .unsubscriptions
            .iter()
            .map(|mark| mark.email.clone())
            .collect()
    }
}
