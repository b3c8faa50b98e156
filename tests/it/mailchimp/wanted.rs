//! Who should be in the audience with what, as the database has it, told a second time and apart
//! from the program.

use super::{Charity, PREFIX, lives};
use crate::backend::Kind;
use chrono::Utc;
use std::collections::{BTreeMap, BTreeSet};

impl Charity {
    /// Everybody who may be mailed is there, with the right tags and fields, and nobody else of
    /// ours.
    pub(super) async fn assert_complete(&self, except: &[i64]) {
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
    pub(super) async fn wanted(&self) -> BTreeMap<String, (BTreeSet<String>, f64)> {
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
