//! What is to be done about one person: consent, the mirror and the ledger in, a decision out. Pure, since donors' consent hangs on it.
//!
//! The rules, in the order in which they are asked:
//!
//! 1. Who is not consented is never sent. If they, or somebody with the same address, *said* no, members that we subscribed are
//!    unsubscribed; who merely says nothing, or is gone at the source, is left as they are.
//! 2. Who left Mailchimp is left alone, under any address, until Mailchimp itself shows them subscribed.
//! 3. A member that we subscribed moves along with its supporter's new address, unless somebody else has the old one, or the new one is
//!    a member already; then the old one is left alone.
//! 4. Everybody else is added, or gets what differs of our fields and tags.

use super::member::{hash_of, is_given_up, is_live, is_out, out_reason};
use super::name::Difference;
use super::picture::{FIRST_NAME, LAST_NAME, Picture};
use super::settings::OnOptOut;
use super::tags::{Family, Managed};
use crate::domain::{Harm, Harms, Member, Planned, Profile, Standing, Step, Time};
use crate::plugin::DeliveryRow;
use std::collections::{BTreeMap, BTreeSet};

/// One person, with what is known of them.
pub(super) struct Case<'a> {
    pub(super) profile: &'a Profile,
    /// The member at the present address.
    pub(super) here: Option<&'a Member>,
    /// Members at other addresses that were delivered for this supporter.
    pub(super) elsewhere: Vec<&'a Member>,
    pub(super) row: Option<&'a DeliveryRow>,
}

/// What decisions depend on besides the person.
pub(super) struct Rules<'a> {
    pub(super) managed: &'a Managed,
    pub(super) on_opt_out: OnOptOut,
    pub(super) now: Time,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decision {
    Skip(String),
    Keep,
    Add,
    Change,
    /// From the member with this id.
    Move {
        from: String,
    },
    /// The members with these ids.
    Unsubscribe {
        members: Vec<String>,
        why: String,
    },
}

/// A decision with what it takes.
pub(super) struct Plan {
    pub(super) supporter_id: i64,
    pub(super) decision: Decision,
    /// Of people who may be mailed.
    pub(super) picture: Option<Picture>,
    pub(super) fields_differ: bool,
    pub(super) name: Difference,
    pub(super) adds: Vec<String>,
    /// Tags to take off that another one of their family replaces.
    pub(super) replaced: Vec<String>,
    /// Tags to take off that nothing replaces.
    pub(super) lost: Vec<String>,
}

impl Plan {
    fn nothing(supporter_id: i64, decision: Decision) -> Plan {
        let (picture, adds, replaced, lost) = (None, Vec::new(), Vec::new(), Vec::new());
        Plan { supporter_id, decision, picture, fields_differ: false, name: Difference::default(), adds, replaced, lost }
    }

    /// The harm in it, each kind at most once a person.
    pub(super) fn harms(&self) -> Harms {
        let mut harms = Harms::default();
        let (unsubscribes, moves) = (matches!(self.decision, Decision::Unsubscribe { .. }), matches!(self.decision, Decision::Move { .. }));
        for (kind, applies) in
            [(Harm::Unsubscribe, unsubscribes), (Harm::Rename, moves || self.name.replaces), (Harm::Untag, !self.lost.is_empty())]
        {
            harms.add(kind, u64::from(applies));
        }
        harms
    }

    /// For a preview.
    pub(super) fn planned(&self) -> Planned {
        let (step, reason) = match &self.decision {
            Decision::Skip(reason) => (Step::Skip, Some(reason.clone())),
            Decision::Keep => (Step::Keep, None),
            Decision::Add => (Step::Add, None),
            Decision::Change => (Step::Change, None),
            Decision::Move { .. } => (Step::Move, None),
            Decision::Unsubscribe { why, .. } => (Step::Unsubscribe, Some(why.clone())),
        };
        let is_name = |tag: &str| [FIRST_NAME, LAST_NAME].contains(&tag);
        let wanted = |tag: &str| if is_name(tag) { self.name.differs } else { self.fields_differ };
        let values = self.picture.iter().flat_map(|picture| picture.values(true));
        Planned {
            supporter_id: self.supporter_id,
            step,
            reason,
            fields: values.map(|(tag, _)| tag).filter(|tag| wanted(tag)).map(str::to_owned).collect(),
            tags: self.adds.clone(),
            untags: self.replaced.iter().chain(&self.lost).cloned().collect(),
            harms: self.harms(),
        }
    }
}

/// Decides for people who were handed over together: one address is everybody's who has it.
pub(super) fn plan_all(cases: &[Case<'_>], rules: &Rules<'_>) -> Vec<Plan> {
    let claimed: BTreeSet<String> = cases.iter().filter_map(|case| case.profile.consented()).map(hash_of).collect();
    let owners = owners(cases, &claimed);
    cases
        .iter()
        .map(|case| match Picture::of(case.profile, rules.managed, rules.now) {
            Some(picture) => consented(case, picture, &claimed, rules),
            None => not_consented(case, &owners, rules),
        })
        .collect()
}

/// Members that are to be unsubscribed, each with the one person for whom it is done.
fn owners(cases: &[Case<'_>], claimed: &BTreeSet<String>) -> BTreeMap<String, i64> {
    let mut owners: BTreeMap<String, i64> = BTreeMap::new();
    // Whoever moves away takes the member along.
    let leaving = |member: &Member| {
        let theirs = cases.iter().find(|case| Some(case.profile.supporter_id) == member.supporter_id);
        theirs.and_then(|case| case.profile.consented()).is_some_and(|address| hash_of(address) != member.remote_id)
    };
    for case in cases {
        let id = case.profile.supporter_id;
        for member in refused(case).into_iter().filter(|member| is_ours_and_in(member)) {
            if claimed.contains(&member.remote_id) || leaving(member) {
                continue;
            }
            // The one for whom it was delivered, else the lowest id.
            let owner = owners.entry(member.remote_id.clone()).or_insert(id);
            if member.supporter_id == Some(id) || (member.supporter_id != Some(*owner) && id < *owner) {
                *owner = id;
            }
        }
    }
    owners
}

/// Members to which somebody said no: all of a person who did, and the one at an address of which another holder did.
fn refused<'a>(case: &Case<'a>) -> Vec<&'a Member> {
    match (case.profile.email_opt_in, case.profile.standing) {
        (Some(false), _) => case.here.iter().chain(&case.elsewhere).copied().collect(),
        (_, Standing::Refused { .. }) => case.here.into_iter().collect(),
        _ => Vec::new(),
    }
}

fn is_ours_and_in(member: &Member) -> bool {
    member.subscribed_by_us && !is_out(member) && ["subscribed", "pending"].contains(&member.remote_status.as_str())
}

fn not_consented(case: &Case<'_>, owners: &BTreeMap<String, i64>, rules: &Rules<'_>) -> Plan {
    let id = case.profile.supporter_id;
    let why = case.profile.refusal().unwrap_or_else(|| "not consented".to_owned());
    let members: Vec<String> = owners.iter().filter(|(_, owner)| **owner == id).map(|(member, _)| member.clone()).collect();
    if members.is_empty() {
        let foreign = !refused(case).is_empty() && case.here.is_some_and(|member| is_live(member) && !member.subscribed_by_us);
        let note = if foreign { "; the contact was not subscribed by us, and is left alone" } else { "" };
        return Plan::nothing(id, Decision::Skip(format!("{why}{note}")));
    }
    if rules.on_opt_out == OnOptOut::Ignore {
        return Plan::nothing(id, Decision::Skip(format!("{why}; left subscribed, as on_opt_out says")));
    }
    Plan::nothing(id, Decision::Unsubscribe { members, why })
}

fn consented(case: &Case<'_>, picture: Picture, claimed: &BTreeSet<String>, rules: &Rules<'_>) -> Plan {
    let id = case.profile.supporter_id;
    let ours_elsewhere = || case.elsewhere.iter().find(|member| is_ours_and_in(member) && !claimed.contains(&member.remote_id));
    match case.here {
        Some(member) if is_out(member) => match ours_elsewhere() {
            // Of two words of one person the stricter counts.
            Some(old) if member.remote_status == "unsubscribed" && rules.on_opt_out == OnOptOut::Unsubscribe => {
                let why = "unsubscribed in Mailchimp under the present address".to_owned();
                Plan::nothing(id, Decision::Unsubscribe { members: vec![old.remote_id.clone()], why })
            }
            _ => Plan::nothing(id, Decision::Skip(out_reason(member))),
        },
        Some(member) if is_live(member) => compare(case, member, picture, rules),
        Some(_) => Plan::nothing(id, Decision::Skip("Mailchimp shows a status that is not known here".to_owned())),
        None if case.elsewhere.iter().any(|member| is_out(member) && !is_given_up(member)) => {
            let why = "left Mailchimp under an earlier address; only they can come back, by a form";
            Plan::nothing(id, Decision::Skip(why.to_owned()))
        }
        None => match ours_elsewhere() {
            Some(old) => Plan { decision: Decision::Move { from: old.remote_id.clone() }, ..compare(case, old, picture, rules) },
            None => {
                let (adds, name) = (picture.tags.iter().cloned().collect(), picture.name.against(None));
                Plan { picture: Some(picture), fields_differ: true, name, adds, ..Plan::nothing(id, Decision::Add) }
            }
        },
    }
}

/// What a member lacks, and what it has too much.
fn compare(case: &Case<'_>, member: &Member, picture: Picture, rules: &Rules<'_>) -> Plan {
    let id = case.profile.supporter_id;
    let known = case.row.and_then(|row| row.fingerprint);
    let fields_differ = known != Some(picture.fingerprint()) || member.supporter_id != Some(id);
    let name = picture.name.against(member.name_hash);
    let adds: Vec<String> = picture.tags.difference(&member.managed_tags).cloned().collect();
    let families: BTreeSet<Option<Family>> = picture.tags.iter().map(|tag| rules.managed.family(tag)).collect();
    let surplus = member.managed_tags.difference(&picture.tags).filter(|tag| rules.managed.is_ours(tag)).cloned();
    let (replaced, lost): (Vec<String>, Vec<String>) = surplus.partition(|tag| families.contains(&rules.managed.family(tag)));
    let is_same = !fields_differ && !name.differs && adds.is_empty() && replaced.is_empty() && lost.is_empty();
    let decision = if is_same { Decision::Keep } else { Decision::Change };
    Plan { supporter_id: id, decision, picture: Some(picture), fields_differ, name, adds, replaced, lost }
}
