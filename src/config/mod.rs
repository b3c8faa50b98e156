//! The configuration: what a person wrote, read from all its places, checked, and told back when it is wrong.
//!
//! Later places win: the defaults compiled in, the file, the environment. Every complaint names the place and the key.

mod error;
mod init;
mod keys;
mod load;
mod organization;
mod secret;
mod show;
mod write;

pub use error::ConfigError;
pub use init::{EXAMPLE_ORGANIZATION, MAIN_FILE};
use keys::flat_keys;
pub use keys::nearest;
pub use load::Config;
pub use load::{Alerts, Daemon, Database, Guard, Http, Log, LogFormat, Organizations, PerEntity, Sync, Vault};
pub use organization::{ClassySettings, Hooks, OrganizationFile, check_url, load_organizations};
pub use secret::Secret;
pub use show::{REFERENCE, show};
pub use write::{NewOrganization, forget_secret, set_client_id, write_organization};
