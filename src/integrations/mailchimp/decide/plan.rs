//! What is to be done about one person: consent, the mirror and the ledger in, a decision out.
//! Pure, since donors' consent hangs on it.
//!
//! The rules, in the order in which they are asked:
//!
//! 1. Who is not consented is never sent. If they, or somebody with the same address, *said* no,
//!    members that we subscribed are unsubscribed; who merely says nothing, or is gone at the
//!    source, is left as they are. The only member at a refuser's address that is spared is one
//!    that moves away in this delivery: the moves are made first, and a member whose move was not
//!    answered with success is looked at again (`Moves`).
//! 2. Who left Mailchimp is left alone, under any address and in any audience, until Mailchimp
//!    itself shows them subscribed. A member of ours at their address that is somebody else's, or
//!    that they said no to elsewhere, is treated like one at a refuser's (`owners`), unless
//!    somebody else who did not leave says yes there.
//! 3. Who changed the address in Mailchimp keeps it; the contact goes on getting its tags and
//!    fields there.
//! 4. A member that we subscribed moves along with its supporter's new address, unless somebody
//!    else has the old one, or the new one is a member already; then the old one is left alone.
//! 5. Who was asked to confirm is left alone until they do, and is not asked again unless they say
//!    yes once more.
//! 6. What a person had taken back is not sent again as it was.
//! 7. Everybody else is added, or gets what differs of our fields and tags.

use super::case::{Case, MemberPlace};
use super::claims::{
    Claims, is_in, is_ours_and_in, is_same_contact, owners, refused, why_not_theirs,
};
use super::decision::{Decision, Plan};
use super::desired::DesiredMember;
use crate::domain::{Harm, Member, STILL_SUBSCRIBED, Time, Way, Why};
use crate::integrations::mailchimp::mirror::managed_tags::{Family, ManagedTags};
use crate::integrations::mailchimp::mirror::status::{
    PENDING, has_left, is_given_up, is_live, is_out, out_reason, said_no,
};
use crate::integrations::mailchimp::settings::{OnOptOut, OptOutScope};
use chrono::TimeDelta;
use std::collections::{BTreeMap, BTreeSet};

/// So long Mailchimp waits for the answer; then the contact is dropped.
const CONFIRMATION: TimeDelta = TimeDelta::days(60);

/// Why nothing is sent to somebody of whom a person had the last push taken back.
const TAKEN_BACK: &str = "taken back by `plugin undo`; sent again when data or settings change, or after `plugin resume --undone`";

/// What decisions depend on besides the person.
pub(crate) struct Rules<'a> {
    pub(crate) managed: &'a ManagedTags,
    pub(crate) on_opt_out: OnOptOut,
    pub(crate) opt_out_scope: OptOutScope,
    pub(crate) moves: Moves,
    /// Whoever is added is asked by mail to confirm.
    pub(crate) double_optin: bool,
    pub(crate) now: Time,
}

impl Rules<'_> {
    /// What it is to be added.
    const fn arrival(&self) -> Harm {
        if self.double_optin {
            Harm::Confirm
        } else {
            Harm::Add
        }
    }
}

/// Whether the moves of a delivery are still to come. Only a member that is about to move is spared
/// for that; once the moves were answered, whoever still stands at the address of somebody who
/// refuses is unsubscribed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moves {
    ToCome,
    Done,
}

/// Decides for people who were handed over together: one address is everybody's who has it.
pub(crate) fn plan_all(cases: &[Case<'_>], rules: &Rules<'_>) -> Vec<Plan> {
    let claims = Claims::of(cases);
    let of_consented = |case: &Case<'_>| {
        let desired = DesiredMember::of(case.profile, rules.managed, rules.now)
            .filter(|_| why_not_theirs(case).is_none())?;
        Some(plan_mailable(case, desired, &claims.spoken_for, rules))
    };
    let plans: Vec<Option<Plan>> = cases.iter().map(of_consented).collect();
    let moving = match rules.moves {
        Moves::ToCome => plans
            .iter()
            .flatten()
            .filter_map(Plan::moves_from)
            .collect(),
        Moves::Done => BTreeSet::new(),
    };
    let owners = owners(cases, &claims, &moving, rules.opt_out_scope);
    let mut taken: BTreeSet<MemberPlace> = owners.keys().cloned().collect();
    cases
        .iter()
        .zip(plans)
        .map(|(case, plan)| match plan {
            Some(plan) => once_each(plan, &mut taken),
            None => plan_not_mailable(case, &owners, rules),
        })
        .collect()
}

/// A contact is unsubscribed for one person: two who have to do with it would be two calls and count
/// twice.
fn once_each(plan: Plan, taken: &mut BTreeSet<MemberPlace>) -> Plan {
    match plan.decision {
        Decision::Unsubscribe { mut members, why } => {
            members.retain(|member| taken.insert(member.clone()));
            let decision = if members.is_empty() {
                Decision::Skip(why)
            } else {
                Decision::Unsubscribe { members, why }
            };
            Plan { decision, ..plan }
        }
        _ => plan,
    }
}

fn plan_not_mailable(
    case: &Case<'_>,
    owners: &BTreeMap<MemberPlace, i64>,
    rules: &Rules<'_>,
) -> Plan {
    let id = case.profile.supporter_id;
    let of_leaver = || why_not_theirs(case).map(left_elsewhere);
    let why = case
        .profile
        .refusal()
        .or_else(of_leaver)
        .unwrap_or_else(|| "not consented".to_owned());
    let members: Vec<MemberPlace> = owners
        .iter()
        .filter(|(_, owner)| **owner == id)
        .map(|(member, _)| member.clone())
        .collect();
    if members.is_empty() {
        // Where everybody's opt-outs are passed on, another holder of the address is the one for
        // whom it is done.
        let foreign = rules.opt_out_scope == OptOutScope::Ours
            && refused(case)
                .iter()
                .any(|member| is_in(member) && !member.subscribed_by_us);
        let reason = if foreign {
            format!("{why}; {STILL_SUBSCRIBED}")
        } else {
            why
        };
        return Plan::nothing(id, Decision::Skip(reason));
    }
    if rules.on_opt_out == OnOptOut::Ignore {
        return Plan::nothing(
            id,
            Decision::Skip(format!("{why}; left subscribed, as on_opt_out says")),
        );
    }
    Plan::nothing(id, Decision::Unsubscribe { members, why })
}

fn left_elsewhere(why: &Why) -> String {
    format!(
        "left under another address or in another audience: {}",
        why.reason
    )
}

fn plan_mailable(
    case: &Case<'_>,
    desired: DesiredMember,
    claimed: &BTreeSet<String>,
    rules: &Rules<'_>,
) -> Plan {
    let id = case.profile.supporter_id;
    let ours_elsewhere = || {
        case.elsewhere
            .iter()
            .find(|member| is_ours_and_in(member) && !claimed.contains(&member.remote_id))
    };
    let take_off = |member: &Member, why: String| {
        Plan::nothing(
            id,
            Decision::Unsubscribe {
                members: vec![MemberPlace::here(&member.remote_id)],
                why,
            },
        )
    };
    // Of two words of one person the stricter counts: whatever we put elsewhere for somebody who
    // said no goes, too. Not so for somebody who only was at an address that we took off.
    let takes_off = rules.on_opt_out == OnOptOut::Unsubscribe;
    let no = case
        .suppressed
        .filter(|why| takes_off && why.way == Way::SaidNo);
    match case.here {
        Some(member) if is_given_up(member) => match (
            case.elsewhere
                .iter()
                .find(|other| is_same_contact(member, other)),
            no,
        ) {
            (Some(there), Some(why))
                if is_ours_and_in(there) && !claimed.contains(&there.remote_id) =>
            {
                take_off(there, left_elsewhere(why))
            }
            (Some(there), _)
                if there.remote_status == PENDING || claimed.contains(&there.remote_id) =>
            {
                Plan::nothing(id, Decision::Skip(out_reason(member)))
            }
            (Some(_), _) if is_taken_back(case, &desired, rules) => {
                Plan::nothing(id, Decision::Skip(TAKEN_BACK.to_owned()))
            }
            (Some(there), _) => {
                let plan = compare(case, there, desired, rules);
                let follows = plan.decision == Decision::Change;
                let decision = if follows {
                    Decision::Follow {
                        member: there.remote_id.clone(),
                    }
                } else {
                    plan.decision
                };
                Plan { decision, ..plan }
            }
            (None, _) => Plan::nothing(id, Decision::Skip(out_reason(member))),
        },
        Some(member) if is_out(member) => match ours_elsewhere() {
            Some(old) if takes_off && said_no(member) => take_off(
                old,
                format!("under the present address: {}", out_reason(member)),
            ),
            _ => Plan::nothing(id, Decision::Skip(out_reason(member))),
        },
        Some(member) if member.remote_status == PENDING && is_live(member) => {
            plan_unconfirmed(case, member, desired, rules.now)
        }
        Some(member) if is_live(member) && is_taken_back(case, &desired, rules) => {
            Plan::nothing(id, Decision::Skip(TAKEN_BACK.to_owned()))
        }
        Some(member) if is_live(member) => compare(case, member, desired, rules),
        Some(_) => Plan::nothing(
            id,
            Decision::Skip("Mailchimp shows a status that is not known here".to_owned()),
        ),
        None if case.suppressed.is_some()
            || case.elsewhere.iter().any(|member| has_left(member)) =>
        {
            match (no, ours_elsewhere()) {
                (Some(why), Some(old)) => take_off(old, left_elsewhere(why)),
                _ => {
                    let other = || {
                        "left Mailchimp under an earlier address; only they can come back, by a form".to_owned()
                    };
                    Plan::nothing(
                        id,
                        Decision::Skip(
                            case.suppressed.map_or_else(other, |why| why.reason.clone()),
                        ),
                    )
                }
            }
        }
        None => match ours_elsewhere() {
            // Dropped by now: nothing is there to be moved, and nobody erased it.
            Some(old) if old.remote_status == PENDING && is_unconfirmed(old, rules.now) => {
                plan_unconfirmed(case, old, desired, rules.now)
            }
            Some(old) => Plan {
                decision: Decision::Move {
                    from: old.remote_id.clone(),
                },
                ..compare(case, old, desired, rules)
            },
            None => {
                let (adds, name) = (
                    desired.tags.iter().cloned().collect(),
                    desired.name.against(None),
                );
                Plan {
                    desired: Some(desired),
                    fields_differ: true,
                    name,
                    adds,
                    entry: Some(rules.arrival()),
                    ..Plan::nothing(id, Decision::Add)
                }
            }
        },
    }
}

fn is_taken_back(case: &Case<'_>, desired: &DesiredMember, rules: &Rules<'_>) -> bool {
    case.row
        .and_then(|row| row.undone_mark)
        .is_some_and(|mark| mark == desired.mark(rules.managed))
}

fn asked_at(member: &Member, now: Time) -> Time {
    member.last_seen_at.unwrap_or(now)
}

/// Whether Mailchimp has dropped whoever did not answer by now.
pub(crate) fn is_unconfirmed(member: &Member, now: Time) -> bool {
    now - asked_at(member, now) >= CONFIRMATION
}

/// Somebody whom Mailchimp asked to confirm. Nothing is written to them meanwhile, so that the
/// moment of the question is known; the fields and tags went along with it. Mailchimp drops whoever
/// does not answer, without a word: sending once more would ask once more.
fn plan_unconfirmed(case: &Case<'_>, member: &Member, desired: DesiredMember, now: Time) -> Plan {
    let id = case.profile.supporter_id;
    let asked_at = asked_at(member, now);
    let day = asked_at.format("%Y-%m-%d");
    if !is_unconfirmed(member, now) {
        return Plan::nothing(
            id,
            Decision::Skip(format!(
                "asked on {day} to confirm; nothing is sent before they do"
            )),
        );
    }
    if case.suppressed.is_none()
        && case
            .profile
            .consent_decided_at
            .is_some_and(|said| said > asked_at)
    {
        let (adds, name) = (
            desired.tags.iter().cloned().collect(),
            desired.name.against(None),
        );
        return Plan {
            desired: Some(desired),
            fields_differ: true,
            name,
            adds,
            entry: Some(Harm::Confirm),
            ..Plan::nothing(id, Decision::Add)
        };
    }
    Plan::nothing(
        id,
        Decision::Skip(format!(
            "did not confirm when asked on {day}; asked again only if they say yes once more"
        )),
    )
}

/// What a member lacks, and what it has too much.
fn compare(case: &Case<'_>, member: &Member, desired: DesiredMember, rules: &Rules<'_>) -> Plan {
    let id = case.profile.supporter_id;
    let known = case.row.and_then(|row| row.fingerprint);
    let fields_differ = known != Some(desired.fingerprint()) || member.supporter_id != Some(id);
    let name = desired.name.against(member.name_hash);
    // As they are spelled now: Mailchimp knows no difference between letters.
    let had: BTreeSet<String> = member
        .managed_tags
        .iter()
        .map(|tag| rules.managed.like_ours(tag).unwrap_or(tag).to_owned())
        .collect();
    let adds: Vec<String> = desired.tags.difference(&had).cloned().collect();
    let families: BTreeSet<Option<Family>> = desired
        .tags
        .iter()
        .map(|tag| rules.managed.family(tag))
        .collect();
    let surplus = had
        .difference(&desired.tags)
        .filter(|tag| rules.managed.is_ours(tag))
        .cloned();
    let (replaced, lost): (Vec<String>, Vec<String>) =
        surplus.partition(|tag| families.contains(&rules.managed.family(tag)));
    let is_same = !fields_differ
        && !name.differs
        && adds.is_empty()
        && replaced.is_empty()
        && lost.is_empty();
    let decision = if is_same {
        Decision::Keep
    } else {
        Decision::Change
    };
    let entry = (!is_same && member.supporter_id.is_none()).then_some(Harm::Change);
    Plan {
        supporter_id: id,
        decision,
        desired: Some(desired),
        fields_differ,
        name,
        adds,
        replaced,
        lost,
        entry,
    }
}
