//! Who is due: changed since the plugin's cursor, or to be tried or looked at again; and with each everybody who has the same address.

use super::PluginContext;
use crate::domain::{Address, Profile};
use crate::store::Error;
use std::collections::{BTreeMap, BTreeSet};

/// Walks over everybody who is due, batch by batch. The walk itself writes nothing.
#[derive(Debug)]
pub(super) struct Pending {
    stage: Stage,
    size: u64,
}

#[derive(Debug)]
enum Stage {
    /// Up to a place in the change feed.
    Changed {
        after: i64,
    },
    /// Up to an id.
    Due {
        after: i64,
    },
    Done,
}

/// Some of them.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) people: Vec<Profile>,
    /// The place in the change feed that is reached with this batch.
    pub(super) cursor: Option<i64>,
}

impl Batch {
    /// The address of each.
    pub(super) fn addresses(&self) -> BTreeMap<i64, Address> {
        self.people.iter().filter_map(|person| Some((person.supporter_id, person.address.clone()?))).collect()
    }
}

impl Pending {
    pub(super) async fn begin(ctx: &PluginContext, size: usize) -> Result<Pending, Error> {
        let cursor = ctx.store().plugin_state(ctx.key()).await?.cursor;
        Ok(Pending { stage: Stage::Changed { after: cursor }, size: size.max(1) as u64 })
    }

    /// The next batch; `None` when nobody is left.
    pub(super) async fn next(&mut self, ctx: &PluginContext) -> Result<Option<Batch>, Error> {
        loop {
            match self.stage {
                Stage::Changed { after } => {
                    let people = ctx.store().changed_after(after, self.size).await?;
                    match people.last().map(|last| last.change_seq) {
                        Some(last) => {
                            self.stage = Stage::Changed { after: last };
                            return Ok(Some(Batch { people: widen(ctx, people).await?, cursor: Some(last) }));
                        }
                        None => self.stage = Stage::Due { after: i64::MIN },
                    }
                }
                Stage::Due { after } => {
                    let ids = ctx.store().due_after(ctx.key(), after, ctx.now(), self.size).await?;
                    let Some(last) = ids.last().copied() else {
                        self.stage = Stage::Done;
                        continue;
                    };
                    self.stage = Stage::Due { after: last };
                    let people = ctx.store().profiles(&ids).await?;
                    return Ok(Some(Batch { people: widen(ctx, people).await?, cursor: None }));
                }
                Stage::Done => return Ok(None),
            }
        }
    }
}

/// Adds those who share an address with somebody of the batch, now or when that one was last sent: who speaks for it may have changed.
async fn widen(ctx: &PluginContext, mut people: Vec<Profile>) -> Result<Vec<Profile>, Error> {
    let ids: Vec<i64> = people.iter().map(|person| person.supporter_id).collect();
    let mut addresses: BTreeSet<Address> = people.iter().filter_map(|person| person.address.clone()).collect();
    addresses.extend(ctx.store().deliveries(ctx.key(), &ids).await?.into_values().filter_map(|row| row.address));
    let mut others: BTreeSet<i64> = ctx.store().holders(&addresses).await?.into_iter().collect();
    others.extend(ctx.store().sent_to(ctx.key(), &addresses).await?);
    for id in &ids {
        others.remove(id);
    }
    if !others.is_empty() {
        people.extend(ctx.store().profiles(&others.into_iter().collect::<Vec<_>>()).await?);
    }
    Ok(people)
}
