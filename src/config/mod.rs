//! The configuration: what a person wrote, read from all its places, checked, and told back when it
//! is wrong.
//!
//! Later places win: the defaults compiled in, the file, the environment. Every complaint names the
//! place and the key.

mod address;
mod calendar;
mod duration;
mod error;
mod homes;
mod init;
mod keys;
mod layers;
mod load;
mod meaning;
mod organization;
mod pace;
mod places;
mod reason;
mod request_pace;
mod restart;
mod secret;
mod show;
mod signing;
#[cfg(test)]
mod tests;
mod write;

pub use address::{DatabaseAddress, DatabaseKind, shown_database_address};
pub use error::ConfigError;
pub use init::{EXAMPLE_ORGANIZATION, MAIN_FILE};
use keys::flat_keys;
pub use keys::nearest;
pub use layers::reference;
pub use load::Config;
pub use load::{
    Alerts, Daemon, Database, FirstPush, Guard, Http, Log, LogFormat, Organizations, Retention,
    Vault,
};
pub use meaning::LEAST_TOKEN;
pub use organization::{
    ClassySettings, Hooks, OrganizationFile, Read, check_url, load_organizations,
};
pub use pace::{PerEntity, Sync};
pub use reason::{misspelt, reason};
pub use request_pace::RequestsPerMinute;
pub use secret::{Secret, clean_secret, shown_variable};
pub use show::show;
pub use signing::{encoded_key, plain_key, signing_key};
pub use write::{NewOrganization, add_plugin, forget_secret, set_client_id, write_organization};
