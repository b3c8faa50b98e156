//! An organization with its audience at Mailchimp, and who holds which address, for tests with the
//! real program.

use crate::site::{ORGANIZATION, Site};
use sea_orm::{ConnectionTrait, Statement};
use std::collections::BTreeMap;

/// Enables the plugin; `more` are further keys.
pub fn with_mailchimp(site: &Site, more: &str) {
    with_mailchimp_of(site, ORGANIZATION, more);
}

pub fn with_mailchimp_of(site: &Site, classy_id: i64, more: &str) {
    let path = site.path().join(format!("organizations/{classy_id}.toml"));
    let before = std::fs::read_to_string(&path).unwrap();
    let world = site.simulator.world();
    let organization = &world.organizations[&classy_id];
    let table = format!(
        "[plugins.mailchimp]\nbase_url = {:?}\napi_key = {:?}\naudience_id = {:?}\n{more}",
        site.simulator.mailchimp_url(),
        organization.mailchimp_key,
        organization.mailchimp_audience
    );
    std::fs::write(path, before + &table).unwrap();
}

pub fn audience_id(site: &Site) -> String {
    site.simulator.world().organizations[&ORGANIZATION]
        .mailchimp_audience
        .clone()
}

/// What is known of one address.
#[derive(Default)]
pub struct Holder {
    pub consents: bool,
    pub refuses: bool,
}

/// Every address that Classy knows, in one spelling, read from the database by other means than the
/// program's.
pub async fn addresses(site: &Site) -> BTreeMap<String, Holder> {
    let connection = site.database.connect().await;
    let text = "SELECT email_address, email_opt_in FROM supporters WHERE absent_since IS NULL AND email_address IS NOT NULL";
    let statement = Statement::from_string(connection.get_database_backend(), text.to_owned());
    let mut found: BTreeMap<String, Holder> = BTreeMap::new();
    for row in connection.query_all_raw(statement).await.unwrap() {
        let address: String = row.try_get("", "email_address").unwrap();
        let opt_in: Option<bool> = row.try_get("", "email_opt_in").unwrap();
        let holder = found.entry(address.trim().to_lowercase()).or_default();
        holder.consents |= opt_in == Some(true);
        holder.refuses |= opt_in == Some(false);
    }
    connection.close().await.unwrap();
    found
}
