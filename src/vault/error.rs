//! What can go wrong with secrets at rest; never what they are.

use std::path::PathBuf;

/// Errors of the vault.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No key at all.
    #[error("there is no vault key: {} does not exist and vault.keys is empty", path.display())]
    NoKey {
        /// Where one was looked for.
        path: PathBuf,
    },
    /// A key file that cannot be used.
    #[error("the key file {}: {cause}", path.display())]
    File {
        /// The key file.
        path: PathBuf,
        /// What is wrong with it, without what it says.
        cause: String,
    },
    /// A line that is no key.
    #[error("key line {line}: {cause}")]
    Line {
        /// From 1.
        line: usize,
        /// Why; never its content.
        cause: &'static str,
    },
    /// Sealed with a key that is not here.
    #[error("sealed with the key '{id}', which is not among the vault's keys")]
    MissingKey {
        /// The key's id.
        id: String,
    },
    /// A key has the name of one that is in use and is another one.
    #[error("the key '{id}' is not the one that is in use under this name, so no key was taken")]
    AnotherKey {
        /// The key's id.
        id: String,
    },
    /// Not a sealed text, changed, or sealed for somebody else.
    #[error("the sealed text cannot be opened: {cause}")]
    Unreadable {
        /// Which of the three.
        cause: &'static str,
    },
    /// The random source or the cipher failed.
    #[error("sealing failed")]
    Sealing,
}

impl Error {
    /// What a person can do.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Error::NoKey { .. } => {
                "if there was one before, put it back from its copy: what is sealed with it opens with no other; for a first one, \
                 `classy-sync keys generate --write` makes it, and a copy belongs in a safe place"
            }
            Error::File { .. } => {
                "the file must be one of ours as it was made (put it back from its copy), belong to the user that runs classy-sync, and be writable \
                 and readable by nobody else (chmod 600)"
            }
            Error::Line { .. } => {
                "a key line is `id:base64 of 32 bytes`; `classy-sync keys generate` prints one"
            }
            Error::MissingKey { .. } => {
                "put that key's line back into the key file (below the current one)"
            }
            Error::AnotherKey { .. } => {
                "put that key's line back as it was, and give a new key another name"
            }
            Error::Unreadable { .. } => {
                "give the credentials anew: `classy-sync org set-credentials`"
            }
            Error::Sealing => return None,
        };
        Some(hint.to_owned())
    }
}
