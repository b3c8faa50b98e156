//! Work: one task on the shared runtime that ends in exactly one value, handed back to its actor. A
//! panic is a value too.
//!
//! An actor with work in hand does not stop when its last address goes: actix waits for the work.
//! So work hangs on a [`KillSwitch`], and whoever falls cancels what is below.

use super::KillSwitch;
use actix::fut::WrapFuture;
use actix::{Actor, ActorFutureExt, AsyncContext};
use std::any::Any;
use std::future::Future;
use tokio::runtime::Handle;
use tokio::task::{AbortHandle, JoinError};

/// How a run ended.
#[derive(Debug)]
pub enum Ended<T> {
    /// With its value.
    Done(T),
    /// With a panic, and its text.
    Panicked(String),
    /// It was cancelled, and why.
    Cancelled(String),
}

/// Ends the task with the actor that waits for it.
struct Leash(AbortHandle);

impl Drop for Leash {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Starts work and calls `ended` in the actor when it is over. It ends at once when `kill` is
/// cancelled, and when the actor goes.
pub fn spawn<A, T>(
    context: &mut A::Context,
    actor: &A,
    runtime: &Handle,
    kill: KillSwitch,
    work: impl Future<Output = T> + Send + 'static,
    ended: impl FnOnce(&mut A, Ended<T>, &mut A::Context) + 'static,
) where
    A: Actor,
    A::Context: AsyncContext<A>,
    T: Send + 'static,
{
    let killed = kill.clone();
    let task = runtime.spawn(async move {
        tokio::select! {
            biased;
            () = killed.cancelled() => None,
            value = work => Some(value),
        }
    });
    let leash = Leash(task.abort_handle());
    let joined = async move {
        let result = task.await;
        drop(leash);
        result
    };
    context.spawn(
        joined
            .into_actor(actor)
            .map(move |result, actor, context| ended(actor, verdict(result, &kill), context)),
    );
}

fn verdict<T>(result: Result<Option<T>, JoinError>, kill: &KillSwitch) -> Ended<T> {
    let cancelled = || Ended::Cancelled(kill.cause().unwrap_or("it was let go").to_owned());
    match result {
        Ok(Some(value)) => Ended::Done(value),
        Ok(None) => cancelled(),
        Err(error) => match error.try_into_panic() {
            Ok(panic) => Ended::Panicked(text(&*panic)),
            Err(_) => cancelled(),
        },
    }
}

fn text(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "a panic without a text".to_owned())
}
