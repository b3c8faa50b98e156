//! Does something again until it succeeds or its policy says that it was the last time.

use super::backoff::Backoff;
use std::time::Duration;

/// Says after each failure whether there is another try.
pub trait RetryPolicy<E> {
    /// How long to wait before the next try.
    ///
    /// # Errors
    /// There is none: what is to be told.
    fn next(&mut self, failed: E) -> Result<Duration, E>;
}

/// Does it again as the policy says.
///
/// # Errors
/// The last failure.
pub async fn retry<T, E, F>(
    mut policy: impl RetryPolicy<E>,
    mut operation: impl FnMut() -> F,
) -> Result<T, E>
where
    F: Future<Output = Result<T, E>>,
{
    loop {
        let wait = match operation().await {
            Ok(value) => return Ok(value),
            Err(failed) => policy.next(failed)?,
        };
        tokio::time::sleep(wait).await;
    }
}

/// So many tries of what may succeed later, with growing waits between them.
#[derive(Debug)]
pub struct UpTo<E> {
    tries: u32,
    failed: u32,
    backoff: Backoff,
    may_pass: fn(&E) -> bool,
}

impl<E> UpTo<E> {
    /// `may_pass` says of which failures there is hope.
    pub const fn new(tries: u32, backoff: Backoff, may_pass: fn(&E) -> bool) -> UpTo<E> {
        UpTo {
            tries,
            failed: 0,
            backoff,
            may_pass,
        }
    }
}

impl<E> RetryPolicy<E> for UpTo<E> {
    fn next(&mut self, failed: E) -> Result<Duration, E> {
        let wait = self.backoff.wait(self.failed);
        self.failed += 1;
        if self.failed < self.tries && (self.may_pass)(&failed) {
            Ok(wait)
        } else {
            Err(failed)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    const BACKOFF: Backoff = Backoff {
        base: Duration::from_secs(1),
        cap: Duration::from_secs(4),
    };

    async fn tried(outcomes: &[Result<u32, &'static str>]) -> (Result<u32, &'static str>, usize) {
        let tries = Cell::new(0);
        let result = retry(UpTo::new(3, BACKOFF, |failed| *failed != "never"), || {
            let outcome = outcomes[tries.replace(tries.get() + 1)];
            async move { outcome }
        });
        (result.await, tries.get())
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_pass_is_tried_so_often_and_what_may_not_once() {
        assert_eq!(tried(&[Ok(7)]).await, (Ok(7), 1));
        assert_eq!(tried(&[Err("busy"), Err("busy"), Ok(7)]).await, (Ok(7), 3));
        assert_eq!(
            tried(&[Err("first"), Err("second"), Err("third")]).await,
            (Err("third"), 3)
        );
        assert_eq!(tried(&[Err("busy"), Err("never")]).await, (Err("never"), 2));
    }
}
