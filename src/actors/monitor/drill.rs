//! Trying the alerts: something is made to look wrong for one look, and goes the whole way that real alerts go.

use crate::domain::CheckResult;
use crate::health::{Finding, Notice, Occasion, Undelivered};
use std::sync::Arc;
use tokio::sync::{Mutex, mpsc, oneshot};

/// The check that is none.
const NAME: &str = "test";

/// Somebody who waits to hear whether an alert arrives.
pub(super) type Drill = oneshot::Sender<Result<(), String>>;

/// Orders to try the alerts. Clones are the same.
#[derive(Debug, Clone)]
pub struct Drills {
    orders: mpsc::Sender<Drill>,
    next: Arc<Mutex<mpsc::Receiver<Drill>>>,
}

impl Default for Drills {
    fn default() -> Self {
        let (orders, next) = mpsc::channel(8);
        Drills { orders, next: Arc::new(Mutex::new(next)) }
    }
}

impl Drills {
    /// Orders one, and answers whether its notice arrived.
    ///
    /// # Errors
    /// Why it did not.
    pub async fn order(&self) -> Result<(), String> {
        let (drill, answer) = oneshot::channel();
        let gone = || "nobody watches".to_owned();
        self.orders.send(drill).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }

    pub(super) async fn next(&self) -> Drill {
        match self.next.lock().await.recv().await {
            Some(drill) => drill,
            // The other end lives here, too.
            None => std::future::pending().await,
        }
    }
}

pub(super) fn finding() -> Finding {
    Finding::here(NAME, "", CheckResult::failing("this is a test: somebody ordered it; nothing is wrong"))
}

/// Tells those who wait.
pub(super) fn answer(drills: &mut Vec<Drill>, notice: &Notice, result: &Result<(), Undelivered>) {
    let is_drill = notice.alert.key.split('@').next() == Some(NAME) && notice.occasion != Occasion::Resolved;
    if is_drill {
        for drill in drills.drain(..) {
            // Whoever hung up does not want to know.
            let _ = drill.send(result.clone().map_err(|error| error.to_string()));
        }
    }
}
