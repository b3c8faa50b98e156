//! Organizations and their credentials: the file, the database and the vault brought together.
//!
//! The files are what a person wrote; secrets are sealed into the database when the files are
//! applied, and a file may leave out a secret that is sealed there already. A file that was removed
//! pauses its organization; nothing is deleted.

mod apply;
mod error;
mod preview;
mod replaced;
mod rotate;
mod sealed;

pub use apply::{Applied, REMOVED, SecretKeys, apply, folder, is_of};
pub use error::Error;
pub use preview::{ApplyPreview, preview};
pub use replaced::Replaced;
pub use rotate::{KeyUse, Rotated, key_use, require_keys, rotate};
pub use sealed::{Credentials, client, open, seal};
