//! One organization as the supervisor holds it, and whether it is to be served.

use crate::actors::organization::{Organization, Start};
use crate::credentials::Applied;
use crate::status::Condition;
use crate::store::{Fence, Status};
use crate::supervision::ChildSlot;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

/// So long runs may take to their next page when a person waits for their end. Then they are cut
/// off, which costs that page.
pub(super) const GRACE: Duration = Duration::from_secs(5);

/// Who serves what, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::actors) enum Mode {
    /// For months, beside others.
    Daemon,
    /// A command: feeds run on order only, and nothing is shared out.
    Command,
}

/// An organization that this process serves.
pub(super) struct Slot {
    pub(super) child_slot: ChildSlot<Organization>,
    pub(super) fence: Fence,
    /// What its next life is made from.
    pub(super) start: Rc<RefCell<Start>>,
    /// It is being drained, and what comes then.
    pub(super) going: Option<Going>,
}

/// What comes after draining.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Going {
    /// The lease is given back.
    Release,
    /// It begins anew with what is known now.
    Restart,
}

/// Whether an organization is one that this process would serve.
pub(super) fn may_run(applied: &Applied, mode: Mode) -> bool {
    let wanted = match applied.organization.status {
        Status::Active => true,
        // A person who names it wants to know whether it works again.
        Status::Suspended => mode == Mode::Command,
        Status::Paused => false,
    };
    wanted && applied.problem.is_none()
}

pub(super) fn standing(applied: &Applied) -> Condition {
    let reason = || {
        applied
            .organization
            .status_reason
            .clone()
            .unwrap_or_default()
    };
    match (&applied.problem, applied.organization.status) {
        (Some(problem), _) => Condition::Broken(problem.text.clone()),
        (None, Status::Paused) => Condition::Paused(reason()),
        (None, Status::Suspended) => Condition::Suspended(reason()),
        (None, Status::Active) => Condition::Elsewhere,
    }
}
