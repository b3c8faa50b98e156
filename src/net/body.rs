//! Reads an answer's body piece by piece, up to a size and not below a rate: what the other side
//! sends must neither fill the memory nor hold a run for as long as it likes.

use std::ops::ControlFlow;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How much is read, and how slowly it may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes, counted after decompression: a small body can unfold into a huge one.
    pub bytes: usize,
    /// Over each window of this length ...
    pub window: Duration,
    /// ... at least so many bytes must come, unless the body ends in it.
    pub least: usize,
}

impl Limits {
    /// How long a window is, unless somebody says otherwise.
    pub const WINDOW: Duration = Duration::from_secs(15);

    /// At most so many bytes, at 1 KiB a second or more.
    pub const fn of(bytes: usize) -> Limits {
        Limits {
            bytes,
            window: Limits::WINDOW,
            least: 15 * 1024,
        }
    }

    /// The same with another window.
    #[must_use]
    pub const fn over(self, window: Duration) -> Limits {
        Limits { window, ..self }
    }
}

/// Why a body was not read to its end.
#[derive(Debug)]
pub enum Cut {
    /// It is larger than the limit.
    TooLarge,
    /// It comes so slowly that it is not worth the wait: so many bytes came within the last window.
    TooSlow {
        /// Bytes of the last window.
        bytes: usize,
        /// The window's length.
        window: Duration,
    },
    /// The connection broke, or the body cannot be decompressed.
    Broken(reqwest::Error),
}

/// Hands each piece of the body to `take`, until the end or until `take` wants no more. Answers how
/// many bytes were read.
///
/// # Errors
/// See [`Cut`]; what came before was handed over.
pub async fn read(
    response: &mut reqwest::Response,
    limits: Limits,
    mut take: impl FnMut(&[u8]) -> ControlFlow<()>,
) -> Result<usize, Cut> {
    let (mut read, mut in_window, mut end) = (0_usize, 0_usize, Instant::now() + limits.window);
    loop {
        // Nothing is lost when the wait for a piece is given up: pieces stay where they are until
        // they are taken.
        if let Ok(chunk) = timeout_at(end, response.chunk()).await {
            let Some(chunk) = chunk.map_err(Cut::Broken)? else {
                return Ok(read);
            };
            read += chunk.len();
            in_window += chunk.len();
            if read > limits.bytes {
                return Err(Cut::TooLarge);
            }
            if take(&chunk).is_break() {
                return Ok(read);
            }
        }
        if Instant::now() >= end {
            if in_window < limits.least {
                return Err(Cut::TooSlow {
                    bytes: in_window,
                    window: limits.window,
                });
            }
            (in_window, end) = (0, Instant::now() + limits.window);
        }
    }
}

/// Reads the whole body.
///
/// # Errors
/// See [`Cut`].
pub async fn collect(response: &mut reqwest::Response, limits: Limits) -> Result<Vec<u8>, Cut> {
    let mut body = Vec::new();
    read(response, limits, |chunk| {
        body.extend_from_slice(chunk);
        ControlFlow::Continue(())
    })
    .await?;
    Ok(body)
}
