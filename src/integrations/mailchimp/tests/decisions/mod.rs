//! Who is sent what: every combination of consent, mirror and ledger that matters.

mod left;
mod sent;

use crate::domain::{Address, Member, Money, Profile};
use crate::integrations::mailchimp::decide::case::Case;
use crate::integrations::mailchimp::decide::decision::{Decision, Plan};
use crate::integrations::mailchimp::decide::desired::DesiredMember;
use crate::integrations::mailchimp::decide::plan::{Moves, Rules, plan_all};
use crate::integrations::mailchimp::decide::tags::tags_of;
use crate::integrations::mailchimp::mirror::managed_tags::ManagedTags;
use crate::integrations::mailchimp::mirror::member::hash_of;
use crate::integrations::mailchimp::mirror::name::Name;
use crate::integrations::mailchimp::settings::{OnOptOut, OptOutScope};
use crate::integrations::mailchimp::tests::{day, person};
use crate::plugin::DeliveryRow;
use std::collections::BTreeSet;

/// Nothing was taken off.
static NOWHERE: BTreeSet<String> = BTreeSet::new();

fn managed() -> ManagedTags {
    ManagedTags::new("Classy-")
}

/// A supporter with gifts: Classy-Regular, Classy-Repeat, Classy-Recent on day 100.
fn giver(id: i64) -> Profile {
    Profile {
        lifetime_amount: Money::parse("100").unwrap(),
        lifetime_count: 2,
        last_gift_at: Some(day(90)),
        ..person(id)
    }
}

/// The member as a delivery for this supporter leaves it.
fn member(person: &Profile) -> Member {
    Member {
        remote_id: hash_of(person.address.as_ref().unwrap()),
        contact_id: None,
        supporter_id: Some(person.supporter_id),
        remote_status: "subscribed".to_owned(),
        managed_tags: tags_of(&managed(), person, day(100)),
        name_hash: Name::of(
            person.first_name.as_deref().unwrap_or_default(),
            person.last_name.as_deref().unwrap_or_default(),
        )
        .hash(),
        values: None,
        subscribed_by_us: true,
        ever_left_at: None,
        last_seen_at: Some(day(1)),
    }
}

fn with(status: &str, member: Member) -> Member {
    let left = ["unsubscribed", "cleaned", "archived"]
        .contains(&status)
        .then(|| day(2));
    Member {
        remote_status: status.to_owned(),
        ever_left_at: left,
        ..member
    }
}

/// The ledger after a delivery.
fn delivered(person: &Profile) -> DeliveryRow {
    DeliveryRow {
        supporter_id: person.supporter_id,
        state: "delivered".to_owned(),
        reason: None,
        fingerprint: DesiredMember::of(person, &managed(), day(100))
            .map(|desired| desired.fingerprint()),
        attempts: 0,
        address: person.address.clone(),
        intent: None,
        next_attempt_at: None,
        delivered_at: None,
        undone_mark: None,
        updated_at: day(1),
    }
}

fn plans(
    people: &[Profile],
    members: &[Member],
    rows: &[DeliveryRow],
    on_opt_out: OnOptOut,
) -> Vec<Plan> {
    let case = |profile| {
        let profile: &Profile = profile;
        let here = profile.address.as_ref().map(hash_of);
        Case {
            profile,
            taken_off: None,
            addresses_taken_off: &NOWHERE,
            here: members
                .iter()
                .find(|member| Some(&member.remote_id) == here.as_ref()),
            elsewhere: members
                .iter()
                .filter(|member| {
                    member.supporter_id == Some(profile.supporter_id)
                        && Some(&member.remote_id) != here.as_ref()
                })
                .collect(),
            earlier: Vec::new(),
            row: rows
                .iter()
                .find(|row| row.supporter_id == profile.supporter_id),
            suppressed: None,
        }
    };
    let cases: Vec<Case<'_>> = people.iter().map(case).collect();
    plan_all(
        &cases,
        &Rules {
            managed: &managed(),
            on_opt_out,
            opt_out_scope: OptOutScope::Ours,
            moves: Moves::ToCome,
            double_optin: false,
            now: day(100),
        },
    )
}

fn decide(people: &[Profile], members: &[Member]) -> Vec<Decision> {
    plans(people, members, &[], OnOptOut::Unsubscribe)
        .into_iter()
        .map(|plan| plan.decision)
        .collect()
}

fn one(person: &Profile, members: &[Member]) -> Decision {
    decide(std::slice::from_ref(person), members).remove(0)
}

fn reason(decision: &Decision) -> &str {
    match decision {
        Decision::Skip(reason) => reason,
        other => panic!("{other:?}"),
    }
}

fn at(mut person: Profile, address: &str) -> Profile {
    person.address = Address::parse(address);
    person
}

fn says(mut person: Profile, opt_in: Option<bool>) -> Profile {
    person.email_opt_in = opt_in;
    person
}
