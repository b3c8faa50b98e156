//! Places where tests make the program panic or hang. In the program itself they are nothing.

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
    pub(crate) enum Mischief {
        Panic,
        Hang,
    }

    static PLANS: LazyLock<Mutex<HashMap<String, Mischief>>> = LazyLock::new(Mutex::default);

    /// Plans mischief. It strikes whoever comes by first in this process.
    pub(crate) fn plan(place: &str, hang: bool) {
        let mischief = if hang { Mischief::Hang } else { Mischief::Panic };
        PLANS.lock().unwrap().insert(place.to_owned(), mischief);
    }

    /// Whether it has happened.
    pub(crate) fn struck(place: &str) -> bool {
        !PLANS.lock().unwrap().contains_key(place)
    }

    pub(crate) fn here(place: &str) {
        let planned = PLANS.lock().unwrap().remove(place);
        assert!(planned.is_none(), "mischief at {place}");
    }

    pub(crate) async fn there(place: &str) {
        let planned = PLANS.lock().unwrap().remove(place);
        match planned {
            None => {}
            Some(Mischief::Panic) => panic!("mischief at {place}"),
            Some(Mischief::Hang) => std::future::pending().await,
        }
    }
}
