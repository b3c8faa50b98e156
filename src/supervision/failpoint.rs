//! Places where tests make the program panic or hang; empty in the program itself. Not the `fail`
//! crate: its points are compiled in by a feature, and the tests of the tree would need a build of
//! their own.

/// A place inside a handler or a run, named `actor::step`.
#[cfg(not(test))]
pub(crate) const fn here(_: &str) {}

/// A place inside a run where it may also hang.
#[cfg(not(test))]
pub(crate) async fn there(_: &str) {}

#[cfg(test)]
pub(crate) use planned::{here, plan, struck, there};

#[cfg(test)]
mod planned {
    use std::collections::HashMap;
    use std::sync::{LazyLock, Mutex};

    /// What is to happen at a place, once.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) enum Failure {
        Panic,
        Hang,
    }

    static PLANS: LazyLock<Mutex<HashMap<String, Failure>>> = LazyLock::new(Mutex::default);

    /// Makes whoever comes first to this place, in this process, panic or hang.
    pub(crate) fn plan(place: &str, hang: bool) {
        let failure = if hang { Failure::Hang } else { Failure::Panic };
        PLANS.lock().unwrap().insert(place.to_owned(), failure);
    }

    /// Whether it has happened.
    pub(crate) fn struck(place: &str) -> bool {
        !PLANS.lock().unwrap().contains_key(place)
    }

    pub(crate) fn here(place: &str) {
        let planned = PLANS.lock().unwrap().remove(place);
        assert!(planned.is_none(), "failpoint at {place}");
    }

    pub(crate) async fn there(place: &str) {
        let planned = PLANS.lock().unwrap().remove(place);
        match planned {
            None => {}
            Some(Failure::Panic) => panic!("failpoint at {place}"),
            Some(Failure::Hang) => std::future::pending().await,
        }
    }
}
