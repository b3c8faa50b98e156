//! The tables, parents before children.
//!
//! `organization_id` is `organizations.id`. The ids of records are Classy's, unique at Classy, and the primary keys; foreign keys
//! carry the organization as well, so that the database itself refuses a link from one organization to another.

use crate::dialect::Dialect;

/// A table with its indexes.
pub(crate) struct Table {
    pub(crate) name: &'static str,
    body: &'static str,
    /// Name and columns.
    indexes: &'static [(&'static str, &'static str)],
}

impl Table {
    /// The statements that make it; each may be repeated.
    pub(crate) fn create(&self, dialect: Dialect) -> Vec<String> {
        let body = dialect.render(self.body.trim());
        if dialect == Dialect::MySql {
            // MySQL has no CREATE INDEX IF NOT EXISTS, and its server's character set is whatever somebody once chose.
            let indexes: String = self
                .indexes
                .iter()
                .map(|(name, columns)| {
                    format!(", INDEX {name} ({})", dialect.render(&columns.replace("email_address", "email_address(190)")))
                })
                .collect();
            return vec![format!(
                "CREATE TABLE IF NOT EXISTS {} ({body}{indexes}) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
                self.name
            )];
        }
        let index =
            |(name, columns): &(&str, &str)| format!("CREATE INDEX IF NOT EXISTS {name} ON {} ({})", self.name, dialect.render(columns));
        std::iter::once(format!("CREATE TABLE IF NOT EXISTS {} ({body})", self.name)).chain(self.indexes.iter().map(index)).collect()
    }
}

/// All tables, parents before children.
pub(crate) const TABLES: &[Table] = &[
    Table {
        name: "organizations",
        body: "
            id {auto}, classy_id {int} NOT NULL UNIQUE, name {text} NOT NULL, status {word} NOT NULL, status_reason {text},
            credentials_encrypted {text}, timezone {text}, currency_code {text}, change_seq {int} NOT NULL DEFAULT 0,
            created_at {time} NOT NULL, updated_at {time} NOT NULL",
        indexes: &[],
    },
    Table {
        name: "supporters",
        body: "
            id {key} PRIMARY KEY, organization_id {int} NOT NULL, email_address {text}, first_name {text}, last_name {text}, phone {text},
            address1 {text}, address2 {text}, city {text}, state {text}, postal_code {text}, country {text}, email_opt_in {bool},
            consent_decided_at {time}, origin {text}, source_campaign_id {int}, member_id {int},
            lifetime_donation_amount {money} NOT NULL DEFAULT 0, lifetime_donation_count {int} NOT NULL DEFAULT 0,
            monthly_recurring_amount {money} NOT NULL DEFAULT 0, first_donation_at {time}, last_donation_at {time},
            largest_donation_amount {money} NOT NULL DEFAULT 0, source_created_at {time}, source_updated_at {time},
            change_seq {int} NOT NULL DEFAULT 0, absent_since {time}, is_stub {bool} NOT NULL DEFAULT {false}, fingerprint {int},
            first_seen_at {time} NOT NULL, last_sync_at {time} NOT NULL,
            UNIQUE (organization_id, id), FOREIGN KEY (organization_id) REFERENCES organizations (id)",
        indexes: &[
            ("supporters_change", "organization_id, change_seq"),
            ("supporters_email", "organization_id, email_address"),
            ("supporters_updated", "organization_id, source_updated_at"),
        ],
    },
    Table {
        name: "campaigns",
        body: "
            id {key} PRIMARY KEY, organization_id {int} NOT NULL, name {text}, status {text}, [type] {text}, goal {money},
            total_raised {money} NOT NULL DEFAULT 0, donors_count {int} NOT NULL DEFAULT 0, transactions_count {int} NOT NULL DEFAULT 0,
            currency_code {text}, timezone {text}, canonical_url {text}, started_at {time}, ended_at {time}, source_created_at {time},
            source_updated_at {time}, absent_since {time}, is_stub {bool} NOT NULL DEFAULT {false}, fingerprint {int},
            last_sync_at {time} NOT NULL,
            UNIQUE (organization_id, id), FOREIGN KEY (organization_id) REFERENCES organizations (id)",
        indexes: &[("campaigns_updated", "organization_id, source_updated_at")],
    },
    Table {
        name: "recurring_plans",
        body: "
            id {key} PRIMARY KEY, organization_id {int} NOT NULL, supporter_id {int}, campaign_id {int}, amount {money},
            currency_code {text}, frequency {text}, status {text}, is_paused {bool} NOT NULL DEFAULT {false}, started_at {time},
            next_payment_date {time}, canceled_at {time}, source_created_at {time}, source_updated_at {time}, absent_since {time},
            is_stub {bool} NOT NULL DEFAULT {false}, fingerprint {int}, last_sync_at {time} NOT NULL,
            UNIQUE (organization_id, id), FOREIGN KEY (organization_id) REFERENCES organizations (id),
            FOREIGN KEY (organization_id, supporter_id) REFERENCES supporters (organization_id, id),
            FOREIGN KEY (organization_id, campaign_id) REFERENCES campaigns (organization_id, id)",
        indexes: &[
            ("recurring_plans_supporter", "organization_id, supporter_id"),
            ("recurring_plans_campaign", "organization_id, campaign_id"),
            ("recurring_plans_updated", "organization_id, source_updated_at"),
        ],
    },
    Table {
        name: "transactions",
        body: "
            id {key} PRIMARY KEY, organization_id {int} NOT NULL, supporter_id {int}, campaign_id {int}, recurring_plan_id {int},
            parent_transaction_id {int}, designation_id {int}, status {text} NOT NULL, total_gross_amount {money},
            donation_gross_amount {money}, donation_net_amount {money}, fees_amount {money}, currency_code {text},
            raw_total_gross_amount {money}, raw_currency_code {text}, charged_total_gross_amount {money}, charged_currency_code {text},
            frequency {text}, payment_method {text}, payment_type {text}, is_anonymous {bool} NOT NULL DEFAULT {false},
            purchased_at {time}, refunded_at {time}, source_created_at {time}, source_updated_at {time}, absent_since {time},
            fingerprint {int}, last_sync_at {time} NOT NULL,
            UNIQUE (organization_id, id), FOREIGN KEY (organization_id) REFERENCES organizations (id),
            FOREIGN KEY (organization_id, supporter_id) REFERENCES supporters (organization_id, id),
            FOREIGN KEY (organization_id, campaign_id) REFERENCES campaigns (organization_id, id),
            FOREIGN KEY (organization_id, recurring_plan_id) REFERENCES recurring_plans (organization_id, id)",
        indexes: &[
            ("transactions_supporter", "organization_id, supporter_id"),
            ("transactions_campaign", "organization_id, campaign_id, supporter_id"),
            ("transactions_plan", "organization_id, recurring_plan_id"),
            ("transactions_updated", "organization_id, source_updated_at"),
            ("transactions_purchased", "organization_id, purchased_at"),
        ],
    },
    Table {
        name: "checkpoints",
        body: "
            organization_id {int} NOT NULL, entity {word} NOT NULL, mode {word} NOT NULL, watermark {time}, swept_at {time},
            first_pass_at {time}, page {int}, pass_id {int} NOT NULL DEFAULT 0, pass_started_at {time}, pass_per_page {int},
            pass_last_id {int}, pass_max_id {int}, pass_total {int}, pass_met {int}, pass_walks {int}, pass_total_before {int}, pass_met_before {int}, pass_stage {word},
            pass_missing {int}, pass_stale {int}, reconciled_at {time}, [missing] {int}, [stale] {int}, [absent] {int},
            next_run_at {time}, window_at {time}, updated_at {time} NOT NULL,
            PRIMARY KEY (organization_id, entity), FOREIGN KEY (organization_id) REFERENCES organizations (id)",
        indexes: &[],
    },
    Table {
        name: "absence_suspects",
        body: "
            organization_id {int} NOT NULL, entity {word} NOT NULL, source_id {int} NOT NULL,
            PRIMARY KEY (organization_id, entity, source_id), FOREIGN KEY (organization_id) REFERENCES organizations (id)",
        indexes: &[],
    },
    Table {
        name: "sync_runs",
        body: "
            id {auto}, organization_id {int} NOT NULL, entity {word} NOT NULL, mode {word} NOT NULL, reason {text}, outcome {word},
            started_at {time} NOT NULL, finished_at {time}, requests {int} NOT NULL DEFAULT 0, pages {int} NOT NULL DEFAULT 0,
            bytes {int} NOT NULL DEFAULT 0, seen {int} NOT NULL DEFAULT 0, inserted {int} NOT NULL DEFAULT 0,
            updated {int} NOT NULL DEFAULT 0, unchanged {int} NOT NULL DEFAULT 0, older {int} NOT NULL DEFAULT 0,
            rejected {int} NOT NULL DEFAULT 0, [absent] {int} NOT NULL DEFAULT 0, error {text},
            FOREIGN KEY (organization_id) REFERENCES organizations (id)",
        indexes: &[("sync_runs_started", "organization_id, started_at")],
    },
    Table {
        name: "rejects",
        body: "
            organization_id {int} NOT NULL, entity {word} NOT NULL, source_id {int} NOT NULL, reason {word} NOT NULL, detail {text},
            first_seen_at {time} NOT NULL, last_seen_at {time} NOT NULL, resolved_at {time},
            PRIMARY KEY (organization_id, entity, source_id, reason), FOREIGN KEY (organization_id) REFERENCES organizations (id)",
        indexes: &[],
    },
    Table {
        name: "leases",
        body: "
            organization_id {int} NOT NULL PRIMARY KEY, holder {text} NOT NULL, epoch {int} NOT NULL, expires_at {time} NOT NULL,
            FOREIGN KEY (organization_id) REFERENCES organizations (id)",
        indexes: &[],
    },
    Table {
        name: "daemons",
        body: "holder {word} NOT NULL PRIMARY KEY, expires_at {time} NOT NULL",
        indexes: &[],
    },
    Table {
        name: "plugin_states",
        body: "
            organization_id {int} NOT NULL, plugin {word} NOT NULL, [cursor] {int} NOT NULL DEFAULT 0, state {text}, updated_at {time} NOT NULL,
            PRIMARY KEY (organization_id, plugin), FOREIGN KEY (organization_id) REFERENCES organizations (id)",
        indexes: &[],
    },
    Table {
        name: "plugin_deliveries",
        body: "
            organization_id {int} NOT NULL, plugin {word} NOT NULL, destination {word} NOT NULL, supporter_id {int} NOT NULL,
            fingerprint {int}, state {word} NOT NULL, reason {text}, attempts {int} NOT NULL DEFAULT 0, next_attempt_at {time},
            review_at {time}, delivered_at {time}, updated_at {time} NOT NULL,
            PRIMARY KEY (organization_id, plugin, destination, supporter_id), FOREIGN KEY (organization_id) REFERENCES organizations (id)",
        indexes: &[
            ("plugin_deliveries_due", "organization_id, plugin, next_attempt_at"),
            ("plugin_deliveries_review", "organization_id, plugin, review_at"),
        ],
    },
    Table {
        name: "plugin_members",
        body: "
            organization_id {int} NOT NULL, plugin {word} NOT NULL, destination {word} NOT NULL, remote_id {word} NOT NULL,
            supporter_id {int}, remote_status {word}, managed_tags {text}, subscribed_by_us {bool} NOT NULL DEFAULT {false},
            ever_left_at {time}, last_seen_at {time},
            PRIMARY KEY (organization_id, plugin, destination, remote_id), FOREIGN KEY (organization_id) REFERENCES organizations (id)",
        indexes: &[("plugin_members_supporter", "organization_id, plugin, supporter_id")],
    },
    Table {
        name: "audit_log",
        body: "
            id {auto}, [at] {time} NOT NULL, actor {word} NOT NULL, organization_id {int}, action {word} NOT NULL, subject {text} NOT NULL,
            detail {text}, FOREIGN KEY (organization_id) REFERENCES organizations (id)",
        indexes: &[("audit_log_at", "organization_id, [at]")],
    },
    Table {
        name: "alerts",
        body: "
            id {auto}, organization_id {int}, [key] {word} NOT NULL, severity {word} NOT NULL, message {text} NOT NULL,
            opened_at {time} NOT NULL, last_seen_at {time} NOT NULL, acknowledged_at {time}, resolved_at {time},
            [count] {int} NOT NULL DEFAULT 1, FOREIGN KEY (organization_id) REFERENCES organizations (id)",
        indexes: &[("alerts_key", "organization_id, [key]")],
    },
    Table {
        name: "health_samples",
        body: "
            id {auto}, [at] {time} NOT NULL, organization_id {int}, metric {word} NOT NULL, resolution {word} NOT NULL, [value] DOUBLE PRECISION NOT NULL,
            FOREIGN KEY (organization_id) REFERENCES organizations (id)",
        indexes: &[("health_samples_metric", "organization_id, metric, [at]")],
    },
];
