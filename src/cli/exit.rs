//! How a command ends: one code for scripts, and for people `error:`, `caused by:` and `hint:`.

use super::stderr::say;
use crate::daemon::PidFileError;
use crate::domain::{Fault, FaultKind};
use crate::{classy, config, credentials, store, vault};
use serde_json::{Value, json};
use std::error::Error as StdError;

/// The documented exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    /// Something that should not happen.
    Bug = 1,
    /// Words that do not fit together.
    Usage = 2,
    /// Done, but some organization or record failed.
    Partial = 3,
    /// The database.
    Database = 65,
    /// The remote side refused or is out of reach.
    Remote = 69,
    /// Standard output takes nothing more.
    Output = 74,
    /// Another process is at work.
    Busy = 75,
    /// The credentials were refused.
    Credentials = 77,
    /// The configuration.
    Configuration = 78,
}

/// A command that failed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) code: Code,
    error: Box<dyn StdError + Send + Sync>,
    hint: Option<String>,
}

impl Failure {
    pub(super) fn new(code: Code, error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Failure {
            code,
            error: error.into(),
            hint: None,
        }
    }

    pub(super) fn usage(text: impl Into<String>) -> Self {
        Failure::new(Code::Usage, text.into())
    }

    #[must_use]
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Whether it is an error of this kind for which something holds.
    pub(super) fn is<E: StdError + 'static>(&self, holds: impl FnOnce(&E) -> bool) -> bool {
        self.error.downcast_ref::<E>().is_some_and(holds)
    }

    /// The error alone.
    pub(super) fn text(&self) -> String {
        self.error.to_string()
    }

    /// The error and its causes, outermost first. Whoever repeats another of them whole says
    /// nothing new and is left out.
    fn chain(&self) -> Vec<String> {
        let (mut all, mut cause) = (vec![self.error.to_string()], self.error.source());
        while let Some(error) = cause {
            all.push(error.to_string());
            cause = error.source();
        }
        let is_said = |place: usize, text: &String| {
            all.iter().enumerate().any(|(other, whole)| {
                other != place && whole.contains(text) && (whole != text || other < place)
            })
        };
        all.iter()
            .enumerate()
            .filter(|(place, text)| !is_said(*place, text))
            .map(|(_, text)| text.clone())
            .collect()
    }

    /// Tells a person.
    pub(super) fn print(&self) {
        for (place, text) in self.chain().iter().enumerate() {
            let word = if place == 0 { "error" } else { "caused by" };
            // Several faults of one kind are a line each.
            text.lines()
                .for_each(|line| say(&format!("{word}: {line}")));
        }
        if let Some(hint) = &self.hint {
            say(&format!("hint: {hint}"));
        }
    }

    /// The same for a program.
    pub(super) fn document(&self) -> Value {
        let mut chain = self.chain().into_iter();
        json!({ "error": chain.next(), "caused_by": chain.collect::<Vec<_>>(), "hint": self.hint, "exit_code": self.code as u8 })
    }

    /// The same as one of several.
    pub(super) fn problem(&self) -> Value {
        json!({ "error": self.text(), "hint": self.hint })
    }
}

fn failure<E: StdError + Send + Sync + 'static>(
    code: Code,
    hint: Option<String>,
    error: E,
) -> Failure {
    Failure {
        code,
        error: Box::new(error),
        hint,
    }
}

/// The code of a kind of failure.
pub(super) const fn code_of(kind: FaultKind) -> Code {
    match kind {
        FaultKind::Bug => Code::Bug,
        FaultKind::Partial => Code::Partial,
        FaultKind::Database => Code::Database,
        FaultKind::Remote => Code::Remote,
        FaultKind::Busy => Code::Busy,
        FaultKind::Credentials => Code::Credentials,
        FaultKind::Configuration => Code::Configuration,
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Failure {
            code: code_of(fault.kind),
            error: fault.text.into(),
            hint: fault.hint,
        }
    }
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        failure(code_of(error.kind()), error.hint(), error)
    }
}

impl From<classy::Error> for Failure {
    fn from(error: classy::Error) -> Self {
        failure(
            code_of(error.kind()),
            error.hint().map(str::to_owned),
            error,
        )
    }
}

impl From<config::ConfigError> for Failure {
    fn from(error: config::ConfigError) -> Self {
        failure(Code::Configuration, error.hint(), error)
    }
}

impl From<vault::Error> for Failure {
    fn from(error: vault::Error) -> Self {
        failure(Code::Configuration, error.hint(), error)
    }
}

impl From<credentials::Error> for Failure {
    fn from(error: credentials::Error) -> Self {
        match error {
            credentials::Error::Store(error) => error.into(),
            credentials::Error::Vault(error) => error.into(),
            credentials::Error::Config(error) => error.into(),
            credentials::Error::Classy(error) => error.into(),
            error => failure(Code::Configuration, error.hint(), error),
        }
    }
}

impl From<PidFileError> for Failure {
    fn from(error: PidFileError) -> Self {
        match error {
            PidFileError::Held { .. } => {
                let hint =
                    "wait for it to end, or give this one a pid file of its own (daemon.pid_file)"
                        .to_owned();
                failure(Code::Busy, Some(hint), error)
            }
            PidFileError::Foreign { .. } => {
                let hint = "it was left as it is; give daemon.pid_file the name of a file that is for nothing else".to_owned();
                failure(Code::Configuration, Some(hint), error)
            }
            PidFileError::Unusable { .. } => {
                let hint =
                    "see that its folder is there, has space, and lets this user write; or name another file (daemon.pid_file)".to_owned();
                failure(Code::Configuration, Some(hint), error)
            }
        }
    }
}
