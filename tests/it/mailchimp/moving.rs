//! A charity that goes to another audience, for tests of what is kept of the one before.

use super::Charity;
use crate::backend::Kind;
use crate::site::world;
use classy_sync::plugin::{Disallowed, Word};
use classy_sync::simulator::Options;

/// A charity whose account has three audiences, and their ids.
pub(super) async fn three(kind: Kind, seed: u64) -> (Charity, Vec<String>) {
    let organizations = vec![10001, 10002, 10003];
    let options = Options {
        organizations: organizations.clone(),
        shared_account: true,
        ..world(60, seed)
    };
    let charity = Charity::new(kind, options).await;
    let audiences = {
        let world = charity.site.simulator.world();
        organizations
            .iter()
            .map(|id| world.organizations[id].mailchimp_audience.clone())
            .collect()
    };
    (charity, audiences)
}

impl Charity {
    /// A delivery into another audience than before, with a person's word on it.
    pub(super) async fn move_in(&self) {
        self.sync().await;
        match self
            .approve(Word {
                actor: "cli",
                ..Word::default()
            })
            .await
        {
            Ok(_) | Err(Disallowed::Nothing) => {}
            Err(refusal) => panic!("{refusal}"),
        }
        assert_eq!(self.sync().await.held, 0);
    }

    pub(super) fn status_in(&self, audience: &str, email: &str) -> &'static str {
        self.site.simulator.mailchimp().audiences[audience]
            .member(email)
            .map_or("nobody", |member| member.status.as_str())
    }
}
