//! Figures that were read a moment ago: pages that many people have open must not make the
//! database add up the same gifts again and again.
//!
//! They are kept for fifty times as long as it took to read them, a minute at most. Where that was
//! long, whoever asks afterwards is given the old ones at once, and new ones are read meanwhile.

use super::read::Figures;
use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Figures are as good as new for no longer.
const LONGEST: Duration = Duration::from_secs(60);
/// How much longer than it took to read them.
const TIMES: u32 = 50;
/// Reading that takes longer is not waited for where there are older ones.
const SOON: Duration = Duration::from_millis(30);
/// Older ones are shown to nobody.
const OLDEST: Duration = Duration::from_secs(600);
/// Organizations whose figures are kept.
const KEPT: usize = 256;

#[derive(Debug, Clone)]
struct Known {
    figures: Arc<Figures>,
    read_at: Instant,
    took: Duration,
}

impl Known {
    fn is_new(&self) -> bool {
        self.read_at.elapsed() < LONGEST.min(TIMES * self.took)
    }

    fn will_do(&self) -> bool {
        self.took > SOON && self.read_at.elapsed() < OLDEST
    }
}

#[derive(Debug, Default)]
struct Place {
    known: tokio::sync::Mutex<Option<Known>>,
    is_reading: AtomicBool,
}

/// The figures of organizations. Clones share them.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Kept(Arc<Mutex<HashMap<i64, Arc<Place>>>>);

impl Kept {
    fn place(&self, classy_id: i64) -> Arc<Place> {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if places.len() >= KEPT && !places.contains_key(&classy_id) {
            // One that is locked is being read.
            places.retain(|_, place| {
                place
                    .known
                    .try_lock()
                    .map_or(true, |known| known.as_ref().is_some_and(Known::is_new))
            });
        }
        if places.len() >= KEPT && !places.contains_key(&classy_id) {
            return Arc::default();
        }
        Arc::clone(places.entry(classy_id).or_default())
    }

    /// The figures of an organization, kept ones or new ones. `read` reads them; when it is called
    /// nobody may be waiting for it.
    pub(in super::super) async fn of<E, R>(
        &self,
        classy_id: i64,
        read: impl FnOnce() -> R + Send + 'static,
    ) -> Result<Arc<Figures>, E>
    where
        E: Send + 'static,
        R: Future<Output = Result<Figures, E>> + Send + 'static,
    {
        let place = self.place(classy_id);
        let mut known = place.known.lock().await;
        match known.as_ref() {
            Some(known) if known.is_new() => return Ok(Arc::clone(&known.figures)),
            Some(old) if old.will_do() => {
                let figures = Arc::clone(&old.figures);
                drop(known);
                if !place.is_reading.swap(true, Ordering::AcqRel) {
                    tokio::spawn(async move {
                        let begin = Instant::now();
                        if let Ok(figures) = read().await {
                            *place.known.lock().await = Some(read_since(begin, figures));
                        }
                        place.is_reading.store(false, Ordering::Release);
                    });
                }
                return Ok(figures);
            }
            _ => {}
        }
        let begin = Instant::now();
        let read = read_since(begin, read().await?);
        let figures = Arc::clone(&read.figures);
        *known = Some(read);
        Ok(figures)
    }
}

fn read_since(begin: Instant, figures: Figures) -> Known {
    Known {
        figures: Arc::new(figures),
        read_at: Instant::now(),
        took: begin.elapsed(),
    }
}
