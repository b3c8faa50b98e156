//! Which totals a batch touches, brought up to date within its transaction: equal to a fresh sum at
//! every commit, once the gifts were read whole. Until then batches leave them out, and they are
//! summed when the first pass is over.

use super::diff::Write;
use super::tx::PageTx;
use super::{campaign_totals, supporter_totals};
use crate::entities::record::Gift;
use crate::entities::{Entity, Record};
use crate::store::Error;
use crate::store::value::Stored;
use rust_decimal::Decimal;
use std::collections::BTreeSet;

/// An amount from which on its gift is summed at once, in a first pass, too: a sum that the database
/// cannot hold refuses the record that brings it there, which is known only while that record is
/// written. Smaller ones would have to be hundreds of thousands of one person or campaign.
const LARGE: i64 = 1_000_000;

/// Supporters whose totals are summed in one transaction when a pass is over.
const SUPPORTERS: u64 = 2_000;

/// The supporters whose gifts or plans a batch touched, and the gifts that came and went with it.
#[derive(Debug, Default)]
pub(super) struct Touched {
    supporters: BTreeSet<i64>,
    /// What each row brought in before, and what it does now.
    gifts: Vec<(Option<Gift>, Option<Gift>)>,
}

impl Touched {
    /// By the rows to be written, and those that are gone.
    pub(super) fn of<R: Record>(writes: &[Write<'_, R>], gone: &[Stored]) -> Touched {
        let mut touched = Touched::default();
        let written = writes
            .iter()
            .map(|write| (write.before.as_ref(), Some(write.row)));
        for (before, now) in written.chain(gone.iter().map(|stored| (Some(stored), None))) {
            for (index, link) in R::LINKS
                .iter()
                .enumerate()
                .filter(|(_, link)| link.parent == Entity::Supporters)
            {
                touched
                    .supporters
                    .extend(before.and_then(|stored| stored.links.get(index).copied().flatten()));
                touched.supporters.extend(now.and_then(link.get));
            }
            let gifts = (
                before.and_then(|stored| stored.gift.clone()),
                now.and_then(Record::gift),
            );
            if gifts.0 != gifts.1 {
                touched.gifts.push(gifts);
            }
        }
        touched
    }

    /// Whether the totals may be summed later: those of gifts, of which a person has many; plans are
    /// few.
    pub(super) fn may_wait(&self, entity: Entity) -> bool {
        let is_large = |gift: &Gift| gift.amount.decimal().abs() >= Decimal::from(LARGE);
        entity == Entity::Transactions
            && self
                .gifts
                .iter()
                .flat_map(|(before, now)| [before, now])
                .flatten()
                .all(|gift| !is_large(gift))
    }
}

/// Brings the totals of the touched supporters and campaigns up to date; a supporter whose totals
/// changed gets a new `change_seq`. When a pass is over the campaigns' are summed afresh.
pub(super) async fn refresh(
    page: &PageTx<'_>,
    touched: &Touched,
    pass_is_over: bool,
) -> Result<(), Error> {
    match page.entity {
        Entity::Transactions => {
            supporter_totals::refresh_gifts(page, &touched.supporters).await?;
            if pass_is_over {
                campaign_totals::sum_afresh(page).await
            } else {
                campaign_totals::apply(page, &touched.gifts).await
            }
        }
        Entity::RecurringPlans => {
            supporter_totals::refresh_monthly(page, &touched.supporters).await
        }
        _ => Ok(()),
    }
}

/// Brings the totals of the next supporters behind `after` up to date that have any, whatever a
/// batch touched; behind the last of them those of the campaigns. Answers where to go on.
pub(super) async fn refresh_next(page: &PageTx<'_>, after: i64) -> Result<Option<i64>, Error> {
    if page.entity != Entity::Transactions {
        return Ok(None);
    }
    let text = format!(
        "SELECT s.id FROM supporters AS s WHERE {} AND s.id > $2 AND (s.lifetime_donation_count <> 0 OR EXISTS (SELECT 1 FROM transactions AS t \
         WHERE t.organization_id = s.organization_id AND t.supporter_id = s.id)) ORDER BY s.id LIMIT {SUPPORTERS}",
        page.dialect.is_tenants("s", 1)
    );
    let doing = "reading whose totals are due";
    let values = [page.organization_id.into(), after.into()];
    let ids: Vec<i64> = page.tuples(doing, &text, values).await?;
    let ids = BTreeSet::from_iter(ids);
    let last = ids.last().copied();
    if last.is_none() {
        campaign_totals::sum_afresh(page).await?;
    } else {
        supporter_totals::refresh_gifts(page, &ids).await?;
    }
    Ok(last)
}
