//! Secrets at rest: AES-256-GCM, each ciphertext bound to its organization and its purpose.
//!
//! A sealed text is `csx1.KEY-ID.BASE64URL(commitment ‖ nonce ‖ ciphertext ‖ tag)`. The key that
//! encrypts is derived from the named master key for one organization only. The commitment is
//! derived beside it, so that a text opens under one key and no other. Organization and purpose are
//! authenticated: a text moved to another row does not open.

mod error;
mod key;
mod seal;

pub use error::Error;
pub use key::{KeyRing, add_key_to_file, generate_key_line};
pub use seal::{PREFIX, Purpose, Vault};
