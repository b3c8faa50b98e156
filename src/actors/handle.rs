//! What those outside hold: begin the tree, order something of it, stop it. Knows no actor but the
//! root.

use super::Shared;
use super::supervisor::messages::{CheckLeases, Configure, Nudge, Settle, StartSync, StopAll};
use super::supervisor::{Mode, Supervisor};
use crate::credentials::Applied;
use crate::domain::{Fault, FaultKind};
use crate::entities::Entity;
use crate::status::{Answer, Order, Orders, OrganizationReport};
use actix::{Actor, Addr, ArbiterHandle};
use std::sync::Arc;
use tokio::sync::oneshot;

/// Speaks to the tree. Clones speak to the same.
#[derive(Debug, Clone)]
pub struct Handle {
    root: Addr<Supervisor>,
    shared: Arc<Shared>,
}

impl Handle {
    /// Begins a tree that keeps to its schedules, beside other processes. `watch` is where the
    /// health actor lives.
    pub fn daemon(shared: Arc<Shared>, watch: ArbiterHandle) -> Handle {
        Handle::begin(shared, Mode::Daemon, watch)
    }

    /// Begins a tree that only does what it is ordered to.
    pub fn command(shared: Arc<Shared>, watch: ArbiterHandle) -> Handle {
        Handle::begin(shared, Mode::Command, watch)
    }

    fn begin(shared: Arc<Shared>, mode: Mode, watch: ArbiterHandle) -> Handle {
        let root = Supervisor::new(Arc::clone(&shared), mode, watch).start();
        Handle { root, shared }
    }

    /// What the actors share, for reading.
    pub const fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Tells the tree which organizations there are.
    pub fn configure(&self, organizations: Vec<Applied>) {
        self.root.do_send(Configure { organizations });
    }

    /// Syncs one organization (Classy's id) and answers when it is done.
    ///
    /// # Errors
    /// Why nothing was done.
    pub async fn sync(&self, classy_id: i64, order: Order) -> Result<OrganizationReport, Fault> {
        let (reply, report) = oneshot::channel();
        self.root.do_send(StartSync {
            classy_id,
            order,
            reply,
        });
        let gone = |_| Fault {
            kind: FaultKind::Bug,
            text: "the supervisor is gone".to_owned(),
            hint: None,
        };
        report.await.map_err(gone).flatten()
    }

    /// Something may have changed at an organization: these feeds look soon; without any, the
    /// plugins do. Waits for nobody.
    pub fn nudge(&self, classy_id: i64, entities: Vec<Entity>) {
        self.root.do_send(Nudge {
            classy_id,
            entities,
        });
    }

    /// A person changed an organization in the database: it takes effect now. Waits for nobody.
    pub fn check_leases(&self) {
        self.root.do_send(CheckLeases);
    }

    /// The same, answered when it is in force: whatever was to end has ended, whatever was to begin
    /// was begun. Of one organization, or of all.
    ///
    /// # Errors
    /// Why that is not known.
    pub async fn settle(&self, classy_id: Option<i64>) -> Result<(), Fault> {
        let (done, settled) = oneshot::channel();
        self.root.do_send(Settle { classy_id, done });
        let gone = |_| Fault {
            kind: FaultKind::Busy,
            text: "the process is stopping".to_owned(),
            hint: None,
        };
        settled.await.map_err(gone).flatten()
    }

    /// Ends everything in order: runs at their next page, then actors, leaves first. Answers when
    /// they are gone.
    pub async fn stop(&self) {
        let (done, stopped) = oneshot::channel();
        self.root.do_send(StopAll { done });
        // A root that is gone already has stopped, too.
        let _ = stopped.await;
    }

    /// Whether the root lives.
    pub fn is_alive(&self) -> bool {
        self.root.connected()
    }
}

impl Orders for Handle {
    fn sync(&self, classy_id: i64, order: Order) -> Answer<'_, OrganizationReport, Fault> {
        Box::pin(Handle::sync(self, classy_id, order))
    }

    fn nudge(&self, classy_id: i64, entities: Vec<Entity>) {
        Handle::nudge(self, classy_id, entities);
    }

    fn settle(&self, classy_id: Option<i64>) -> Answer<'_, (), Fault> {
        Box::pin(Handle::settle(self, classy_id))
    }

    fn try_alerts(&self) -> Answer<'_, (), String> {
        Box::pin(self.shared.test_alerts.order())
    }

    fn is_alive(&self) -> bool {
        Handle::is_alive(self)
    }
}
