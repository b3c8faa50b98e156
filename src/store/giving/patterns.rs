//! In which of several spans of time the same people gave: enough to say who is new, kept, regained
//! or lost in each of them, and few rows however many people there are.

use super::Span;
use crate::store::statement::GIFT;
use crate::store::statement::sql;
use crate::store::{Error, TenantStore, tuple};
use sea_orm::Value;

/// So many spans have a bit of their own.
const MOST: usize = 62;

/// People who gave in the same spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pattern {
    /// A bit for each span: the first span is the lowest bit.
    pub spans: u64,
    /// How many people.
    pub people: u64,
}

impl Pattern {
    /// Whether they gave in one of the spans.
    pub const fn has(&self, place: usize) -> bool {
        place < MOST && self.spans & (1 << place) != 0
    }
}

impl TenantStore {
    /// How many supporters gave in which of these spans; at most 62 are looked at. Gifts without a
    /// supporter are nobody's.
    pub async fn giving_patterns(&self, spans: &[Span]) -> Result<Vec<Pattern>, Error> {
        let failed = |error| Error::query("reading in which years people gave", error);
        let dialect = self.dialect();
        let spans = &spans[..spans.len().min(MOST)];
        if spans.is_empty() {
            return Ok(Vec::new());
        }
        let part = |place: usize| {
            format!(
                "SELECT DISTINCT t.supporter_id AS supporter_id, {flag} AS flag \
                 FROM transactions AS t {index} WHERE t.organization_id = ${a} \
                 AND t.purchased_at >= ${b} AND t.purchased_at < ${c} \
                 AND t.supporter_id IS NOT NULL AND {GIFT}",
                flag = dialect.as_bigint(&(1_u64 << place).to_string()),
                index = dialect.by_index("transactions_purchased"),
                a = place * 3 + 1,
                b = place * 3 + 2,
                c = place * 3 + 3,
            )
        };
        let parts = (0..spans.len()).map(part).collect::<Vec<_>>();
        let text = format!(
            "SELECT p.spans AS spans, {people} AS people \
             FROM (SELECT b.supporter_id, {spans} AS spans FROM ({all}) AS b GROUP BY b.supporter_id) AS p GROUP BY p.spans",
            people = dialect.as_bigint("COUNT(*)"),
            spans = dialect.as_bigint("SUM(b.flag)"),
            all = parts.join(" UNION ALL "),
        );
        let values = spans.iter().flat_map(|(from, to)| {
            [
                Value::from(self.organization_id),
                (*from).into(),
                (*to).into(),
            ]
        });
        let rows: Vec<(i64, i64)> = tuple::all(self.connection(), sql(dialect, &text, values))
            .await
            .map_err(failed)?;
        let pattern = |(spans, people): (i64, i64)| Pattern {
            spans: spans.cast_unsigned(),
            people: people.cast_unsigned(),
        };
        Ok(rows.into_iter().map(pattern).collect())
    }
}
