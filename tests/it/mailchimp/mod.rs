//! The Mailchimp plugin against the double over HTTP, with a real world read from Classy into a
//! real database: who is in the audience, with what, and that nobody is harmed.

mod additions;
mod addresses;
mod adopt;
mod ahead;
mod answers;
mod between;
mod bounced;
mod busy;
mod calls;
mod consent;
mod deleted;
mod doing;
mod donors;
mod earlier;
mod emptied;
mod erased;
mod faults;
mod full;
mod guard;
mod guarding;
mod hanging;
mod heard;
mod histories;
mod kept_out;
mod lacks;
mod late;
mod leavers;
mod lives;
mod moving;
mod opt_outs;
mod oracle;
mod people;
mod prefix;
mod preview;
mod program;
mod quiet;
mod reaper;
mod remembered;
mod restored;
pub mod schema;
mod shared;
mod undo;
mod undo_lasting;
mod undoing;
mod unheard;
mod unstorable;
mod wanted;
mod webhooks;
mod word_since;
mod zones;

use crate::backend::Kind;
use crate::site::{ORGANIZATION, Site};
use chrono::{TimeDelta, Utc};
use classy_sync::domain::Time;
use classy_sync::integrations::{Settings, mailchimp};
use classy_sync::plugin::{
    Delivered, Delivery, Finding, FirstPush, GuardSettings, Plugin, PluginError, audit, deliver,
};
use classy_sync::simulator::{Harm, Options};
use classy_sync::store::{DeliveryRow, PluginKey, Settings as StoreSettings, Store, TenantStore};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const PREFIX: &str = "Classy-";

/// A nonprofit with its Classy, its audience, and this program in between.
struct Charity {
    site: Site,
    key: String,
    audience: String,
    /// More of `[plugins.mailchimp]`.
    table: String,
    guard: GuardSettings,
    /// Another address to reach Mailchimp by.
    via: Option<String>,
    /// Everybody who consented at any time, by address.
    ever_consented: std::sync::Mutex<BTreeSet<String>>,
}

impl Charity {
    async fn new(kind: Kind, options: Options) -> Charity {
        let site = Site::new(kind, options).await;
        let (key, audience) = {
            let world = site.simulator.world();
            let one = &world.organizations[&ORGANIZATION];
            (one.mailchimp_key.clone(), one.mailchimp_audience.clone())
        };
        let charity = Charity {
            site,
            key,
            audience,
            table: String::new(),
            // Most tests are about other things than how much of them may be done at once.
            guard: GuardSettings {
                first_push: FirstPush::Send,
                small_share: 1.0,
                small_min: 10_000,
                additions_min: 10_000,
                ..GuardSettings::default()
            },
            via: None,
            ever_consented: std::sync::Mutex::default(),
        };
        charity.read();
        charity
    }

    /// Brings the database up to date.
    fn read(&self) {
        self.ever_consented
            .lock()
            .unwrap()
            .extend(self.consented().into_keys());
        self.site.json(&["sync", "--no-plugins"], 0);
    }

    fn plugin(&self) -> Box<dyn Plugin> {
        let url = self
            .via
            .clone()
            .unwrap_or_else(|| self.site.simulator.mailchimp_url());
        let table = format!(
            "audience_id = {:?}\nbase_url = {url:?}\n{}",
            self.audience, self.table
        );
        let secrets = BTreeMap::from([("api_key".to_owned(), self.key.clone().into())]);
        (mailchimp::KIND.make)(Settings {
            classy_id: ORGANIZATION,
            table: table.parse().unwrap(),
            secrets,
        })
        .unwrap()
    }

    async fn store(&self) -> (Store, TenantStore) {
        let settings = StoreSettings {
            url: self.site.database.url.clone().into(),
            max_connections: 4,
        };
        let store = Store::connect(&settings).await.unwrap();
        let tenant = store.tenant(&store.organization(ORGANIZATION).await.unwrap().unwrap());
        (store, tenant)
    }

    fn ledger_key(&self) -> PluginKey {
        PluginKey {
            plugin: "mailchimp".to_owned(),
            destination: self.audience.clone(),
        }
    }

    /// A delivery as a new process does it.
    async fn deliver(&self) -> Result<Delivered, PluginError> {
        self.deliver_at(Utc::now()).await
    }

    async fn deliver_at(&self, now: Time) -> Result<Delivered, PluginError> {
        self.deliver_with(&mut *self.plugin(), true, now).await
    }

    /// A delivery with a plugin that is kept.
    async fn deliver_with(
        &self,
        plugin: &mut (dyn Plugin + 'static),
        is_new: bool,
        now: Time,
    ) -> Result<Delivered, PluginError> {
        let (store, tenant) = self.store().await;
        let fence = tenant
            .acquire("test", Duration::from_secs(600))
            .await
            .unwrap();
        let delivery = Delivery {
            store: tenant.clone(),
            fence: fence.clone(),
            plugin: "mailchimp".to_owned(),
            now,
            guard: self.guard,
            stop: CancellationToken::new(),
            pulse: Arc::new(|| {}),
        };
        let done = deliver(&delivery, plugin, is_new).await;
        tenant.release(&fence).await.unwrap();
        store.close().await.unwrap();
        done
    }

    /// What an audit finds.
    async fn audit(&self) -> Vec<Finding> {
        let (store, tenant) = self.store().await;
        let mut plugin = self.plugin();
        let findings = audit(&tenant, "mailchimp", &mut *plugin, Utc::now())
            .await
            .unwrap();
        store.close().await.unwrap();
        findings
    }

    /// A process that was killed holds its lease no more.
    async fn end_lease(&self) {
        let (store, tenant) = self.store().await;
        let fence = tenant
            .acquire("test", Duration::from_secs(1))
            .await
            .unwrap();
        tenant.release(&fence).await.unwrap();
        store.close().await.unwrap();
    }

    /// Reads and delivers; must succeed, and do no harm.
    async fn sync(&self) -> Delivered {
        self.read();
        let done = self.deliver().await.unwrap();
        self.assert_harmless();
        done
    }

    /// The same so much later that whoever is not shown is not merely shown late.
    async fn sync_later(&self) {
        self.read();
        self.deliver_at(Utc::now() + TimeDelta::minutes(11))
            .await
            .unwrap();
    }

    async fn row(&self, supporter: i64) -> Option<DeliveryRow> {
        let (store, tenant) = self.store().await;
        let row = tenant
            .deliveries(&self.ledger_key(), &[supporter])
            .await
            .unwrap()
            .remove(&supporter);
        store.close().await.unwrap();
        row
    }

    /// State and reason in the ledger.
    async fn fate(&self, supporter: i64) -> String {
        self.row(supporter).await.map_or_else(String::new, |row| {
            format!("{}: {}", row.state, row.reason.unwrap_or_default())
        })
    }

    // What is there.

    fn status(&self, email: &str) -> &'static str {
        self.site.simulator.mailchimp().audiences[&self.audience]
            .member(email)
            .map_or("nobody", |member| member.status.as_str())
    }

    fn field(&self, email: &str, tag: &str) -> Value {
        let chimp = self.site.simulator.mailchimp();
        chimp.audiences[&self.audience]
            .member(email)
            .and_then(|member| member.fields.get(tag).cloned())
            .unwrap_or_default()
    }

    /// A member's tags: all of them, in order.
    fn tags(&self, email: &str) -> Vec<String> {
        let mut tags = self.site.simulator.mailchimp().audiences[&self.audience].tags_of(email);
        tags.sort();
        tags
    }

    fn harm(&self) -> Harm {
        self.site.simulator.mailchimp().ledger.clone()
    }

    fn forget_calls(&self) {
        self.assert_harmless();
        self.site.simulator.mailchimp().ledger.clear();
    }

    /// Nobody was brought back, nothing of anybody else's was touched, and nobody was written about
    /// who never consented.
    fn assert_harmless(&self) {
        let harm = self.harm();
        assert_eq!(harm.found(), [] as [String; 0]);
        assert_eq!(
            harm.requests
                .iter()
                .flat_map(schema::faults)
                .collect::<Vec<_>>(),
            [] as [String; 0]
        );
        let consented = self.ever_consented.lock().unwrap();
        for write in &harm.writes {
            assert!(
                consented.contains(&write.email),
                "{} was written about without consent: {:?}",
                write.email,
                write.keys()
            );
            assert!(!write.sent.contains_key("sync_tags"));
            let status = write.sent.get("status").and_then(Value::as_str);
            assert!(
                status.is_none() || status == Some("unsubscribed"),
                "{:?}",
                write.sent.keys()
            );
        }
        assert!(harm.archived.is_empty());
    }
}

/// So many days from now.
fn in_days(days: i64) -> Time {
    Utc::now() + TimeDelta::days(days)
}
