//! The Mailchimp plugin against the double over HTTP, with a real world read from Classy into a
//! real database: who is in the audience, with what, and that nobody is harmed.

mod adopt;
mod answers;
mod between;
mod bounced;
mod busy;
mod calls;
mod consent;
mod deleted;
mod earlier;
mod emptied;
mod faults;
mod full;
mod guard;
mod histories;
mod leavers;
mod lives;
mod oracle;
mod people;
mod preview;
mod program;
mod quiet;
mod reaper;
mod remembered;
pub mod schema;
mod shared;
mod undo;
mod unheard;
mod webhooks;
mod zones;

use crate::backend::Kind;
use crate::site::{ORGANIZATION, Site};
use chrono::{TimeDelta, Utc};
use classy_sync::domain::Time;
use classy_sync::integrations::{Settings, mailchimp};
use classy_sync::plugin::{
    Delivered, Delivery, Finding, FirstPush, GuardSettings, Plugin, PluginError, audit, deliver,
};
use classy_sync::simulator::{Act, Harm, Kind as List, Options};
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

    // What people do.

    fn act(&self, act: Act) {
        // Whoever takes another address in Mailchimp takes their consent along.
        if let Act::Rename { email, to } = &act {
            let mut consented = self.ever_consented.lock().unwrap();
            if consented.contains(&email.to_lowercase()) {
                consented.insert(to.to_lowercase());
            }
        }
        assert!(
            self.site.simulator.mailchimp().act(&self.audience, &act),
            "{act:?}"
        );
    }

    fn edit(&self, supporter: i64, field: &str, literal: &str) {
        assert!(self.site.simulator.world().edit(
            ORGANIZATION,
            List::Supporters,
            supporter,
            &[(field, literal.to_owned())],
            true
        ));
    }

    fn opt(&self, supporter: i64, is_in: bool) {
        self.edit(supporter, "opt_in", &is_in.to_string());
    }

    /// Something of no consequence: the person comes along in the change feed.
    fn touch(&self, supporter: i64) {
        self.edit(
            supporter,
            "city",
            &format!("\"Town {}\"", rand::random::<u16>()),
        );
    }

    /// The gifts of a supporter become this large.
    fn give(&self, supporter: i64, amount: &str) {
        let mut world = self.site.simulator.world();
        let theirs = |record: &&classy_sync::simulator::Record| {
            record.get("supporter_id").as_deref() == Some(&supporter.to_string())
                && record.get("status").as_deref() == Some("\"success\"")
        };
        let gifts: Vec<i64> = world
            .list(ORGANIZATION, List::Transactions)
            .unwrap()
            .iter()
            .filter(theirs)
            .map(|record| record.id)
            .collect();
        assert!(!gifts.is_empty(), "supporter {supporter} never gave");
        for gift in gifts {
            world.edit(
                ORGANIZATION,
                List::Transactions,
                gift,
                &[("total_gross_amount", amount.to_owned())],
                true,
            );
        }
    }

    // What is there.

    fn text(&self, supporter: i64, field: &str) -> String {
        let mut world = self.site.simulator.world();
        let record = world
            .list(ORGANIZATION, List::Supporters)
            .unwrap()
            .get(supporter)
            .unwrap();
        record
            .get(field)
            .unwrap_or_default()
            .trim_matches('"')
            .to_owned()
    }

    fn email(&self, supporter: i64) -> String {
        self.text(supporter, "email_address").to_lowercase()
    }

    /// Addresses that may be mailed by what Classy says now, each with a supporter: any refusal
    /// wins.
    fn consented(&self) -> BTreeMap<String, i64> {
        let mut world = self.site.simulator.world();
        let mut all: BTreeMap<String, (i64, bool)> = BTreeMap::new();
        for record in world.list(ORGANIZATION, List::Supporters).unwrap().iter() {
            let email = record
                .get("email_address")
                .unwrap_or_default()
                .trim_matches('"')
                .trim()
                .to_lowercase();
            if email.contains('@') {
                let is_in = record.get("opt_in").as_deref() == Some("true");
                let entry = all.entry(email).or_insert((record.id, true));
                entry.1 &= is_in;
            }
        }
        all.into_iter()
            .filter(|(_, (_, is_in))| *is_in)
            .map(|(email, (id, _))| (email, id))
            .collect()
    }

    /// Consented supporters who share their address with nobody.
    fn alone(&self) -> BTreeSet<i64> {
        let consented: BTreeSet<i64> = self.consented().into_values().collect();
        let mut world = self.site.simulator.world();
        let mut holders: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        for record in world.list(ORGANIZATION, List::Supporters).unwrap().iter() {
            let email = record
                .get("email_address")
                .unwrap_or_default()
                .trim_matches('"')
                .trim()
                .to_lowercase();
            holders.entry(email).or_default().push(record.id);
        }
        holders
            .into_values()
            .filter(|ids| ids.len() == 1)
            .flatten()
            .filter(|id| consented.contains(id))
            .collect()
    }

    /// So many of them who gave, the lowest ids first.
    async fn givers(&self, count: usize) -> Vec<i64> {
        let consented = self.alone();
        let gave = self
            .site
            .numbers("SELECT id AS n FROM supporters WHERE lifetime_donation_count > 0 ORDER BY id")
            .await;
        let givers: Vec<i64> = gave
            .into_iter()
            .filter(|id| consented.contains(id))
            .take(count)
            .collect();
        assert_eq!(givers.len(), count);
        givers
    }

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

    /// Everybody who may be mailed is there, with the right tags and fields, and nobody else of
    /// ours.
    async fn assert_complete(&self, except: &[i64]) {
        let wanted = self.wanted().await;
        for (email, id) in self.consented() {
            if except.contains(&id) {
                continue;
            }
            assert_eq!(
                self.status(&email),
                "subscribed",
                "supporter {id}: {}",
                self.fate(id).await
            );
            let ours: BTreeSet<String> = self
                .tags(&email)
                .into_iter()
                .filter(|tag| tag.starts_with(PREFIX))
                .collect();
            assert_eq!(ours, wanted[&email].0, "supporter {id}");
            assert_eq!(
                self.field(&email, "TOTALAMT")
                    .to_string()
                    .trim_matches('"')
                    .parse::<f64>()
                    .unwrap(),
                wanted[&email].1,
                "supporter {id}"
            );
        }
    }

    /// Tags and lifetime amount of each address as the database has them, told a second time and
    /// apart from the program.
    async fn wanted(&self) -> BTreeMap<String, (BTreeSet<String>, f64)> {
        use sea_orm::{ConnectionTrait, Statement};
        let connection = self.site.database.connect().await;
        let text = |column: &str| self.site.database.text(column);
        let query = format!(
            "SELECT s.email_address AS email, {} AS amount, s.lifetime_donation_count AS gifts, {} AS monthly, {} AS last_at, \
             {} AS active, s.id FROM supporters AS s WHERE s.email_opt_in = {} AND s.absent_since IS NULL \
             ORDER BY s.last_donation_at IS NOT NULL, s.last_donation_at, s.id DESC",
            text("s.lifetime_donation_amount"),
            text("s.monthly_recurring_amount"),
            text("s.last_donation_at"),
            text(
                "(SELECT COUNT(*) FROM recurring_plans AS p WHERE p.supporter_id = s.id AND p.status = 'active' AND NOT p.is_paused)"
            ),
            if self.site.database.kind == Kind::Postgres {
                "TRUE"
            } else {
                "1"
            },
        );
        let rows = connection
            .query_all_raw(Statement::from_string(
                connection.get_database_backend(),
                query,
            ))
            .await
            .unwrap();
        let (store, tenant) = self.store().await;
        let zone = tenant.zone().await.unwrap();
        store.close().await.unwrap();
        let mut wanted = BTreeMap::new();
        for row in rows {
            let number = |name: &str| {
                row.try_get::<Option<String>>("", name)
                    .unwrap()
                    .map_or(0.0, |text| text.parse::<f64>().unwrap())
            };
            let (amount, monthly, active) =
                (number("amount"), number("monthly"), number("active") > 0.0);
            let gifts: i64 = row.try_get("", "gifts").unwrap();
            let last: Option<String> = row.try_get("", "last_at").unwrap();
            let days = last.map(|text| {
                let day = text.replace('T', " ");
                let at = chrono::NaiveDateTime::parse_from_str(&day[..19], "%Y-%m-%d %H:%M:%S")
                    .unwrap()
                    .and_utc();
                zone.days_between(at, Utc::now())
            });
            let tier = |tiers: &[(f64, &'static str)], number: f64| {
                tiers
                    .iter()
                    .find(|(from, _)| number >= *from)
                    .map(|(_, word)| *word)
            };
            let value = tier(
                &[
                    (10_000.0, "Transformational"),
                    (5_000.0, "Principal"),
                    (1_000.0, "Major"),
                    (500.0, "Mid-Level"),
                    (100.0, "Regular"),
                    (0.0001, "Small"),
                ],
                amount,
            );
            let frequency = tier(
                &[
                    (26.0, "Champion"),
                    (11.0, "Loyal"),
                    (4.0, "Frequent"),
                    (2.0, "Repeat"),
                    (1.0, "One-Time"),
                ],
                gifts as f64,
            );
            let by_days = |days: i64| match days {
                ..=30 => "Recent",
                31..=90 => "Active",
                91..=180 => "Warm",
                181..=365 => "Cooling",
                366..=730 => "Lapsed",
                _ => "Dormant",
            };
            let engagement = if active {
                Some("Active Recurring")
            } else {
                days.map(by_days)
            };
            let words = [
                value,
                frequency,
                engagement,
                (monthly > 0.0).then_some("Monthly Recurring"),
            ];
            let tags = words
                .into_iter()
                .flatten()
                .map(|word| format!("{PREFIX}{word}"))
                .collect();
            let email = row
                .try_get::<Option<String>>("", "email")
                .unwrap()
                .unwrap_or_default();
            wanted.insert(lives::canonical(&email), (tags, amount));
        }
        connection.close().await.unwrap();
        wanted
    }
}

/// So many days from now.
fn in_days(days: i64) -> Time {
    Utc::now() + TimeDelta::days(days)
}
