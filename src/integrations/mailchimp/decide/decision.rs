//! A decision about one person, and the plan of what it takes.

use super::case::MemberPlace;
use super::desired::DesiredMember;
use crate::domain::{GuardedChange, Harm, Planned, Step};
use crate::integrations::fingerprint;
use crate::integrations::mailchimp::mirror::merge_fields::{FIRST_NAME, LAST_NAME};
use crate::integrations::mailchimp::mirror::name::NameDifference;

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Decision {
    Skip(String),
    Keep,
    Add,
    Change,
    /// From the member with this id.
    Move {
        from: String,
    },
    /// What differs goes to the contact with this id, under the address that it was given in
    /// Mailchimp.
    Follow {
        member: String,
    },
    Unsubscribe {
        members: Vec<MemberPlace>,
        why: String,
    },
}

/// A decision with what it takes.
pub(crate) struct Plan {
    pub(crate) supporter_id: i64,
    pub(crate) decision: Decision,
    /// Of people who may be mailed.
    pub(crate) desired: Option<DesiredMember>,
    pub(crate) fields_differ: bool,
    pub(crate) name: NameDifference,
    pub(crate) adds: Vec<String>,
    /// Tags to take off that another one of their family replaces.
    pub(crate) replaced: Vec<String>,
    /// Tags to take off that nothing replaces.
    pub(crate) lost: Vec<String>,
    /// How they come to us: added, asked to confirm, or there before us and changed for the first
    /// time.
    pub(crate) entry: Option<Harm>,
}

impl Plan {
    pub(super) fn nothing(supporter_id: i64, decision: Decision) -> Plan {
        let (desired, adds, replaced, lost) = (None, Vec::new(), Vec::new(), Vec::new());
        Plan {
            supporter_id,
            decision,
            desired,
            fields_differ: false,
            name: NameDifference::default(),
            adds,
            replaced,
            lost,
            entry: None,
        }
    }

    /// Whether the person is written about.
    pub(crate) const fn sends(&self) -> bool {
        matches!(
            self.decision,
            Decision::Add | Decision::Change | Decision::Move { .. } | Decision::Follow { .. }
        )
    }

    /// Nothing of it, where the person would be written about.
    pub(crate) fn not_now(self, reason: &str) -> Plan {
        if self.sends() {
            Plan::nothing(self.supporter_id, Decision::Skip(reason.to_owned()))
        } else {
            self
        }
    }

    /// The member that is to move.
    pub(super) fn moves_from(&self) -> Option<String> {
        match &self.decision {
            Decision::Move { from } => Some(from.clone()),
            _ => None,
        }
    }

    /// The change of a kind, if there is one in it. Its mark is of all that an approval must know of
    /// it.
    pub(crate) fn guarded_change(&self, kind: Harm) -> Option<GuardedChange> {
        let is_done = match kind {
            Harm::Unsubscribe => matches!(self.decision, Decision::Unsubscribe { .. }),
            Harm::Rename => matches!(self.decision, Decision::Move { .. }) || self.name.replaces,
            Harm::Untag => !self.lost.is_empty(),
            Harm::Add | Harm::Confirm | Harm::Change => self.entry == Some(kind),
            // Only a person orders that.
            Harm::Undo => false,
        };
        let of_desired = |mark: fn(&DesiredMember) -> i64| self.desired.as_ref().map_or(0, mark);
        is_done.then(|| {
            let mark = match kind {
                Harm::Undo => 0,
                Harm::Unsubscribe => unsubscribe_mark(&self.decision),
                Harm::Rename => of_desired(DesiredMember::rename_mark),
                Harm::Untag => self
                    .desired
                    .as_ref()
                    .map_or(0, |desired| desired.untag_mark(&self.lost)),
                Harm::Add | Harm::Confirm | Harm::Change => of_desired(DesiredMember::entry_mark),
            };
            let contacts = match &self.decision {
                Decision::Unsubscribe { members, .. } => members.len() as u64,
                _ => 1,
            };
            GuardedChange {
                kind,
                mark,
                contacts,
            }
        })
    }

    /// The harm in it, each kind at most once a person; how they come to us first, since all else
    /// hangs on that.
    pub(crate) fn guarded_changes(&self) -> Vec<GuardedChange> {
        let order = [
            Harm::Add,
            Harm::Confirm,
            Harm::Change,
            Harm::Unsubscribe,
            Harm::Rename,
            Harm::Untag,
        ];
        order
            .into_iter()
            .filter_map(|kind| self.guarded_change(kind))
            .collect()
    }

    /// For a preview.
    pub(crate) fn planned(&self) -> Planned {
        let elsewhere = matches!(&self.decision, Decision::Unsubscribe { members, .. } if members.iter().all(|place| place.audience.is_some()));
        let (step, reason) = match &self.decision {
            Decision::Skip(reason) => (Step::Skip, Some(reason.clone())),
            Decision::Keep => (Step::Keep, None),
            Decision::Add => (Step::Add, None),
            Decision::Change | Decision::Follow { .. } => (Step::Change, None),
            Decision::Move { .. } => (Step::Move, None),
            Decision::Unsubscribe { why, .. } if elsewhere => (
                Step::Unsubscribe,
                Some(format!("{why}; in an earlier audience")),
            ),
            Decision::Unsubscribe { members, why } if members.len() > 1 => (
                Step::Unsubscribe,
                Some(format!("{why}; {} contacts", members.len())),
            ),
            Decision::Unsubscribe { why, .. } => (Step::Unsubscribe, Some(why.clone())),
        };
        let is_name = |tag: &str| [FIRST_NAME, LAST_NAME].contains(&tag);
        let wanted = |tag: &str| {
            if is_name(tag) {
                self.name.differs
            } else {
                self.fields_differ
            }
        };
        let values = self.desired.iter().flat_map(|desired| desired.values(true));
        Planned {
            supporter_id: self.supporter_id,
            step,
            reason,
            fields: values
                .map(|(tag, _)| tag)
                .filter(|tag| wanted(tag))
                .map(str::to_owned)
                .collect(),
            tags: self.adds.clone(),
            untags: self.replaced.iter().chain(&self.lost).cloned().collect(),
            guarded_changes: self.guarded_changes(),
            elsewhere,
        }
    }
}

/// Of what an approval of unsubscribing somebody is about: which members.
fn unsubscribe_mark(decision: &Decision) -> i64 {
    let Decision::Unsubscribe { members, .. } = decision else {
        return 0;
    };
    let members = members.iter().map(|place| {
        format!(
            "{} {}",
            place.audience.as_deref().unwrap_or_default(),
            place.member
        )
    });
    fingerprint(members.collect::<Vec<_>>().join("\n").as_bytes())
}
