//! Trying the alerts: something is made to look wrong for one look, and goes the whole way that
//! real alerts go.

use crate::domain::CheckResult;
use crate::health::{Finding, Notice, Occasion, Undelivered, Way};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{Mutex, mpsc, oneshot};

/// The check that is none.
const NAME: &str = "test";

/// Somebody who waits to hear whether an alert arrives. Each order is an alert of its own: one that
/// came back while that of the order before is still open would bring no notice, and whoever waits
/// for it would wait for ever.
#[derive(Debug)]
pub(super) struct TestAlert {
    number: u64,
    told: oneshot::Sender<Result<(), String>>,
}

/// Orders to try the alerts. Clones are the same.
#[derive(Debug, Clone)]
pub struct TestAlerts {
    orders: mpsc::Sender<TestAlert>,
    ordered: Arc<AtomicU64>,
    next: Arc<Mutex<mpsc::Receiver<TestAlert>>>,
}

impl Default for TestAlerts {
    fn default() -> Self {
        let (orders, next) = mpsc::channel(8);
        TestAlerts {
            orders,
            ordered: Arc::default(),
            next: Arc::new(Mutex::new(next)),
        }
    }
}

impl TestAlerts {
    /// Orders one, and answers whether its notice arrived.
    ///
    /// # Errors
    /// Why it did not.
    pub async fn order(&self) -> Result<(), String> {
        let (told, answer) = oneshot::channel();
        let gone = || "nobody watches".to_owned();
        let number = self.ordered.fetch_add(1, Ordering::Relaxed) + 1;
        self.orders
            .send(TestAlert { number, told })
            .await
            .map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }

    pub(super) async fn next(&self) -> TestAlert {
        match self.next.lock().await.recv().await {
            Some(test_alert) => test_alert,
            // The other end lives here, too.
            None => std::future::pending().await,
        }
    }
}

pub(super) fn finding(test_alert: &TestAlert) -> Finding {
    Finding::here(
        NAME,
        test_alert.number.to_string(),
        CheckResult::failing("this is a test: somebody ordered it; nothing is wrong"),
    )
}

/// Tells those who wait for this notice.
pub(super) fn answer(
    test_alerts: &mut Vec<TestAlert>,
    notice: &Notice,
    result: &Result<Way, Undelivered>,
) {
    if notice.occasion == Occasion::Resolved {
        return;
    }
    let key = notice.alert.key.split('@').next();
    for test_alert in test_alerts.extract_if(.., |test_alert| {
        key == Some(finding(test_alert).key().as_str())
    }) {
        // Whoever hung up does not want to know.
        let _ = test_alert.told.send(
            result
                .clone()
                .map(|_| ())
                .map_err(|error| error.to_string()),
        );
    }
}
