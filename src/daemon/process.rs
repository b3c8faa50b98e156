//! The runtime of the process: one, with many threads, shared by all actors and all runs. Sockets
//! and pools live there, so that no blocked actor holds up another's connection.

use crate::actors::{Handle, Shared};
use actix_rt::Arbiter;
use std::future::Future;
use std::sync::Arc;
use tokio::runtime::Runtime;

/// The runtime.
#[derive(Debug)]
pub struct Process {
    runtime: Arc<Runtime>,
}

/// The tree of actors with the thread of the one that watches.
#[derive(Debug)]
pub struct Tree {
    /// Speaks to it.
    pub handle: Handle,
    watch: Arbiter,
}

impl Process {
    /// Makes the runtime.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn new() -> std::io::Result<Process> {
        Ok(Process {
            runtime: Arc::new(
                tokio::runtime::Builder::new_multi_thread()
                    .enable_all()
                    .build()?,
            ),
        })
    }

    /// Runs on this thread, where the actors live too, until the end.
    pub fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        actix_rt::System::with_tokio_rt(|| Arc::clone(&self.runtime)).block_on(work)
    }

    /// Where runs run.
    pub fn runtime(&self) -> tokio::runtime::Handle {
        self.runtime.handle().clone()
    }

    /// Begins a tree that keeps to its schedules. Called inside [`Process::block_on`].
    pub fn daemon(&self, shared: Shared) -> Tree {
        let watch = self.arbiter();
        Tree {
            handle: Handle::daemon(Arc::new(shared), watch.handle()),
            watch,
        }
    }

    /// Begins a tree that only does what it is ordered to. Called inside [`Process::block_on`].
    pub fn command(&self, shared: Shared) -> Tree {
        let watch = self.arbiter();
        Tree {
            handle: Handle::command(Arc::new(shared), watch.handle()),
            watch,
        }
    }

    fn arbiter(&self) -> Arbiter {
        let runtime = Arc::clone(&self.runtime);
        Arbiter::with_tokio_rt(move || runtime)
    }
}

impl Tree {
    /// Ends everything in order. Runs end at their next page, however long that takes.
    pub async fn stop(self) {
        self.handle.stop().await;
        self.watch.stop();
        // Its thread ends with its last actor; waiting for it here would block the thread that the
        // actors need.
        let watch = self.watch;
        let _ = tokio::task::spawn_blocking(move || watch.join()).await;
    }
}
