//! Work on a thread of its own, so that what blocks there (files on a disk that does not answer)
//! keeps nobody from heeding signals.

use std::future::Future;
use std::io::{Error, Result};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

/// How long work may take to its next step once it was told to end. One that hangs in the system is
/// left behind; it ends with the process.
const FALL: Duration = Duration::from_secs(1);

/// Does work until it is done, or until `stop`; then the answer is `None`.
///
/// # Errors
/// The system gives no thread; the work panicked.
pub async fn apart<T: Send + 'static>(
    runtime: &Handle,
    stop: impl Future<Output = ()>,
    work: impl Future<Output = T> + Send + 'static,
) -> Result<Option<T>> {
    let (done, mut ended) = oneshot::channel();
    let (over, runtime) = (CancellationToken::new(), runtime.clone());
    // The work ends, too, when this future is dropped.
    let leash = over.clone().drop_guard();
    std::thread::Builder::new()
        .name("apart".to_owned())
        .spawn(move || {
            let result = runtime.block_on(async {
                tokio::select! {
                    biased;
                    () = over.cancelled() => None,
                    value = work => Some(value),
                }
            });
            // Whoever does not wait any more does not want to know.
            let _ = done.send(result);
        })?;
    let result = tokio::select! {
        result = &mut ended => Some(result),
        () = stop => None,
    };
    drop(leash);
    match result {
        Some(Ok(value)) => Ok(value),
        Some(Err(_)) => Err(Error::other("the work on a thread of its own panicked")),
        None => {
            let _ = tokio::time::timeout(FALL, ended).await;
            Ok(None)
        }
    }
}
