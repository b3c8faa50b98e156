//! Answers that grow with the fleet: made on another thread than the one that serves, once for all
//! who ask at the same time, and kept for a moment.
//!
//! An answer is kept for twenty times as long as it took to make, a second at most: making one and
//! the same answer again and again takes a twentieth of one core, and a small fleet's answers are
//! as good as new. After an order they are made anew.

use axum::body::Bytes;
use axum::http::header::{CONTENT_TYPE, LINK};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// An answer is kept no longer.
const LONGEST: Duration = Duration::from_secs(1);
/// How much longer than it took to make.
const TIMES: u32 = 20;
/// Different answers that are kept.
const KEPT: usize = 64;
/// Answers that are made at once.
const MADE_AT_ONCE: usize = 2;

/// An answer that is made.
#[derive(Debug, Clone)]
pub(super) struct Made {
    pub(super) status: StatusCode,
    pub(super) kind: &'static str,
    /// Where the list goes on.
    pub(super) link: Option<String>,
    /// How long the whole list is.
    pub(super) total: Option<usize>,
    pub(super) body: Bytes,
}

impl Made {
    pub(super) fn json(body: impl Into<Bytes>) -> Made {
        Made {
            status: StatusCode::OK,
            kind: "application/json",
            link: None,
            total: None,
            body: body.into(),
        }
    }

    pub(super) fn page(body: String) -> Made {
        Made {
            kind: "text/html; charset=utf-8",
            ..Made::json(body)
        }
    }
}

impl IntoResponse for Made {
    fn into_response(self) -> Response {
        let Made {
            status,
            kind,
            link,
            total,
            body,
        } = self;
        let mut response = (status, [(CONTENT_TYPE, kind)], body).into_response();
        if let Some(link) = link.and_then(|link| HeaderValue::from_str(&link).ok()) {
            response.headers_mut().insert(LINK, link);
        }
        if let Some(total) = total {
            response
                .headers_mut()
                .insert("x-total-count", HeaderValue::from(total));
        }
        response
    }
}

#[derive(Debug)]
struct Kept {
    made: Made,
    until: Instant,
    orders: u64,
}

/// Whoever makes the answer holds the lock; the others wait for it.
type Slot = Arc<tokio::sync::Mutex<Option<Kept>>>;

/// Answers that were made a moment ago, by what was asked. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct Cache {
    slots: Arc<Mutex<HashMap<String, Slot>>>,
    making: Arc<Semaphore>,
    orders: Arc<AtomicU64>,
}

impl Default for Cache {
    fn default() -> Self {
        Cache {
            slots: Arc::default(),
            making: Arc::new(Semaphore::new(MADE_AT_ONCE)),
            orders: Arc::default(),
        }
    }
}

impl Cache {
    /// An order was carried out: nothing that was made before is shown.
    pub(super) fn forget(&self) {
        self.orders.fetch_add(1, Ordering::Relaxed);
    }

    fn slot(&self, key: &str) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(key) {
            return Arc::clone(slot);
        }
        if slots.len() >= KEPT {
            let now = Instant::now();
            // One that is locked is being made.
            slots.retain(|_, slot| {
                slot.try_lock().map_or(true, |kept| {
                    kept.as_ref().is_some_and(|kept| now < kept.until)
                })
            });
        }
        let slot = Slot::default();
        if slots.len() < KEPT {
            slots.insert(key.to_owned(), Arc::clone(&slot));
        }
        slot
    }

    /// The kept answer of this name, or a new one, made on a thread of `runtime`.
    pub(super) async fn answer(
        &self,
        runtime: &tokio::runtime::Handle,
        key: &str,
        is_kept: bool,
        make: impl FnOnce() -> Made + Send + 'static,
    ) -> Option<Made> {
        let slot = self.slot(key);
        let mut kept = slot.lock().await;
        let orders = self.orders.load(Ordering::Relaxed);
        if let Some(kept) = kept
            .as_ref()
            .filter(|kept| is_kept && kept.orders == orders && Instant::now() < kept.until)
        {
            return Some(kept.made.clone());
        }
        // Never closed. It goes along, since a thread works on after whoever asked has left.
        let turn = Arc::clone(&self.making).acquire_owned().await.ok()?;
        let begin = Instant::now();
        let made = runtime.spawn_blocking(move || {
            let made = make();
            drop(turn);
            made
        });
        let made = made
            .await
            .inspect_err(|error| tracing::error!(%error, key, "making an answer broke"))
            .ok()?;
        let now = Instant::now();
        *kept = Some(Kept {
            made: made.clone(),
            until: now + LONGEST.min(TIMES * (now - begin)),
            orders,
        });
        Some(made)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    fn counted(
        count: &Arc<AtomicUsize>,
        takes: Duration,
    ) -> impl FnOnce() -> Made + Send + 'static {
        let count = Arc::clone(count);
        move || {
            std::thread::sleep(takes);
            Made::json(count.fetch_add(1, Ordering::SeqCst).to_string())
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_hundred_who_ask_at_once_are_answered_by_one_and_an_order_makes_it_old() {
        let (cache, count, runtime) = (
            Cache::default(),
            Arc::default(),
            tokio::runtime::Handle::current(),
        );
        let takes = Duration::from_millis(100);
        let ask = async || {
            cache
                .answer(&runtime, "a", true, counted(&count, takes))
                .await
                .unwrap()
                .body
        };
        let all = futures_util::future::join_all((0..100).map(|_| ask())).await;
        // One memory for all, not a copy for each.
        assert!(
            all.iter()
                .all(|body| body == "0" && body.as_ptr() == all[0].as_ptr())
        );
        assert_eq!(ask().await, "0");
        cache.forget();
        assert_eq!(ask().await, "1");
        assert_eq!(
            cache
                .answer(&runtime, "a", false, counted(&count, takes))
                .await
                .unwrap()
                .body,
            "2",
            "as new as it can be"
        );
        tokio::time::sleep(LONGEST).await;
        assert_eq!(ask().await, "3");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn however_many_different_answers_are_asked_for_few_are_kept_and_one_that_breaks_harms_none()
     {
        let (cache, count, runtime) = (
            Cache::default(),
            Arc::default(),
            tokio::runtime::Handle::current(),
        );
        for number in 0..3 * KEPT {
            assert!(
                cache
                    .answer(
                        &runtime,
                        &number.to_string(),
                        true,
                        counted(&count, Duration::from_millis(1))
                    )
                    .await
                    .is_some()
            );
        }
        assert!(cache.slots.lock().unwrap().len() <= KEPT);
        for _ in 0..2 * MADE_AT_ONCE {
            assert!(
                cache
                    .answer(&runtime, "broken", true, || panic!("failpoint"))
                    .await
                    .is_none()
            );
        }
        assert!(
            cache
                .answer(&runtime, "broken", true, counted(&count, Duration::ZERO))
                .await
                .is_some()
        );
    }
}
