//! What must always hold, as far as SQL can see it.

use super::dialect::Dialect;
use super::statement::{GIFT, sql};
use super::{Error, Store, tuple};
use crate::entities::{Entity, ForRecord, Record};

/// One invariant and how often it is violated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violations {
    /// A short name.
    pub name: String,
    /// What must hold.
    pub holds: String,
    /// Rows for which it does not.
    pub count: u64,
}

impl Store {
    /// Counts the violations of each invariant.
    pub async fn check(&self) -> Result<Vec<Violations>, Error> {
        let dialect = self.dialect();
        let mut found = Vec::new();
        let fixed = file_integrity(dialect)
            .into_iter()
            .chain(invariants(dialect))
            .map(|(name, holds, text)| (name.to_owned(), holds.to_owned(), text));
        let of_records = Entity::ALL
            .into_iter()
            .flat_map(|entity| entity.with(Linked(dialect)));
        for (name, holds, text) in fixed.chain(of_records) {
            let failed = |error| Error::query("checking an invariant", error);
            let count: i64 = tuple::one(self.connection(), sql(dialect, &text, []))
                .await
                .map_err(failed)?
                .ok_or(Error::NoOrganization)?;
            found.push(Violations {
                name,
                holds,
                count: count.max(0) as u64,
            });
        }
        Ok(found)
    }
}

fn file_integrity(dialect: Dialect) -> Option<(&'static str, &'static str, String)> {
    let meaning = "SQLite finds no damage in its file (it counts up to 100)";
    let text = dialect.count_damage()?;
    Some(("file", meaning, text.to_owned()))
}

/// What must hold of every kind of record: its parents are there, and a stub is empty.
struct Linked(Dialect);

impl ForRecord for Linked {
    type Output = Vec<(String, String, String)>;

    fn call<R: Record>(self) -> Self::Output {
        let (table, one) = (R::ABOUT.table, R::ABOUT.singular);
        let mut found: Vec<_> = R::LINKS
            .iter()
            .map(|link| {
                let (column, parent) = (link.column, link.parent);
                let text = format!(
                    "SELECT COUNT(*) AS n FROM {table} AS c LEFT JOIN {parent} AS p ON p.id = c.{column} AND p.organization_id = c.organization_id \
                     WHERE c.{column} IS NOT NULL AND p.id IS NULL"
                );
                (format!("{one}_{column}"), format!("whatever a {one}'s {column} names is there, in its own organization"), text)
            })
            .collect();
        if R::ABOUT.is_linked_to {
            let is_stub = self.0.is("s.is_stub");
            let text = format!(
                "SELECT COUNT(*) AS n FROM {table} AS s WHERE ({is_stub} AND s.fingerprint IS NOT NULL) OR (NOT ({is_stub}) AND s.fingerprint IS NULL)"
            );
            found.push((
                format!("{one}_stubs"),
                format!("a {one} that is a stub has no content, and whatever is no stub has"),
                text,
            ));
        }
        found
    }
}

/// Totals are summed when the first pass of the gifts is over.
const LOADED: &str = "EXISTS (SELECT 1 FROM checkpoints AS k WHERE k.organization_id = s.organization_id \
     AND k.entity = 'transactions' AND k.first_pass_at IS NOT NULL)";

/// Name, meaning, and a statement that counts violations as `n`.
fn invariants(dialect: Dialect) -> Vec<(&'static str, &'static str, String)> {
    let gifts = |key: &str| {
        format!(
            "SELECT t.organization_id, t.{key} AS id, {} AS total, COUNT(*) AS gifts FROM transactions AS t WHERE {GIFT} GROUP BY t.organization_id, t.{key}",
            dialect.exact_sum("t.total_gross_amount")
        )
    };
    let totals = |table: &str, key: &str, amount: &str, count: &str| {
        format!(
            "SELECT COUNT(*) AS n FROM {table} AS s LEFT JOIN ({}) AS g ON g.organization_id = s.organization_id AND g.id = s.id \
             WHERE ({} <> COALESCE(g.total, 0) OR s.{count} <> COALESCE(g.gifts, 0)) AND {LOADED}",
            gifts(key),
            dialect.exact(&format!("s.{amount}"))
        )
    };
    vec![
        (
            "supporter_totals",
            "giving totals of supporters equal a fresh sum of their gifts, once all were read",
            totals("supporters", "supporter_id", "lifetime_donation_amount", "lifetime_donation_count"),
        ),
        (
            "campaign_totals",
            "totals of campaigns equal a fresh sum of their gifts, once all were read",
            totals("campaigns", "campaign_id", "total_raised", "transactions_count"),
        ),
        (
            "campaign_donors",
            "donors of campaigns equal a fresh count, once all gifts were read",
            format!(
                "SELECT COUNT(*) AS n FROM campaigns AS s LEFT JOIN (SELECT t.organization_id, t.campaign_id, COUNT(DISTINCT t.supporter_id) AS donors \
             FROM transactions AS t WHERE {GIFT} GROUP BY t.organization_id, t.campaign_id) AS g \
             ON g.organization_id = s.organization_id AND g.campaign_id = s.id WHERE s.donors_count <> COALESCE(g.donors, 0) AND {LOADED}"
            ),
        ),
        (
            "change_seq_unique",
            "no two supporters of an organization have the same place in the change feed",
            "SELECT COUNT(*) AS n FROM (SELECT s.organization_id FROM supporters AS s WHERE s.change_seq > 0 \
             GROUP BY s.organization_id, s.change_seq HAVING COUNT(*) > 1) AS d"
                .to_owned(),
        ),
        (
            "change_seq_bound",
            "no supporter is ahead of its organization's change feed",
            "SELECT COUNT(*) AS n FROM supporters AS s JOIN organizations AS o ON o.id = s.organization_id WHERE s.change_seq > o.change_seq"
                .to_owned(),
        ),
        (
            "checkpoints",
            "a feed whose first pass is complete has a watermark",
            "SELECT COUNT(*) AS n FROM checkpoints AS c WHERE c.first_pass_at IS NOT NULL AND c.watermark IS NULL".to_owned(),
        ),
        (
            "credentials_sealed",
            "credentials are ciphertext",
            "SELECT COUNT(*) AS n FROM organizations AS o WHERE o.credentials_encrypted IS NOT NULL AND o.credentials_encrypted NOT LIKE 'csx1.%'"
                .to_owned(),
        ),
    ]
}
