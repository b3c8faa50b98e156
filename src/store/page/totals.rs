//! Which totals a batch touches, brought up to date within its transaction: equal to a fresh sum at
//! every commit.

use super::diff::Write;
use super::tx::PageTx;
use super::{campaign_totals, supporter_totals};
use crate::entities::record::Gift;
use crate::entities::{Entity, Record};
use crate::store::Error;
use crate::store::value::Stored;
use std::collections::BTreeSet;

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
            .map(|write| (write.before.as_ref(), Some(&write.row)));
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
