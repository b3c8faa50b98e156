//! A tree of cancellations: whoever is cancelled takes everything below along, and everybody can
//! tell the first cause.

use std::sync::{Arc, OnceLock};
use tokio_util::sync::CancellationToken;

/// A place in the tree. Clones are the same place.
#[derive(Debug, Clone, Default)]
pub struct KillSwitch {
    token: CancellationToken,
    /// This place's own cause, then those of the places above.
    causes: Vec<Arc<OnceLock<String>>>,
}

impl KillSwitch {
    /// The root of a tree.
    pub fn root() -> KillSwitch {
        KillSwitch {
            token: CancellationToken::new(),
            causes: vec![Arc::default()],
        }
    }

    /// A place below this one.
    #[must_use]
    pub fn child(&self) -> KillSwitch {
        let mut causes = vec![Arc::default()];
        causes.extend(self.causes.iter().cloned());
        KillSwitch {
            token: self.token.child_token(),
            causes,
        }
    }

    /// Cancels this place and everything below. Of several causes the first is kept.
    pub fn cancel(&self, cause: impl Into<String>) {
        if !self.token.is_cancelled()
            && let Some(own) = self.causes.first()
        {
            let _ = own.set(cause.into());
        }
        self.token.cancel();
    }

    /// Whether it is over.
    pub fn is_cancelled(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Waits until it is over.
    pub async fn cancelled(&self) {
        self.token.cancelled().await;
    }

    /// For those who take a plain token.
    pub const fn token(&self) -> &CancellationToken {
        &self.token
    }

    /// Why it is over: the nearest cause.
    pub fn cause(&self) -> Option<&str> {
        self.causes
            .iter()
            .find_map(|cause| cause.get())
            .map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_cause_is_kept_and_told_below() {
        let root = KillSwitch::root();
        let branch = root.child();
        let (leaf, other) = (branch.child(), root.child());
        branch.cancel("the lease was lost");
        branch.cancel("again");
        root.cancel("stopped");
        assert_eq!(leaf.cause(), Some("the lease was lost"));
        assert_eq!(
            (other.is_cancelled(), other.cause()),
            (true, Some("stopped"))
        );
        assert_eq!(KillSwitch::root().cause(), None);
    }
}
