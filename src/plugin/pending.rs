//! Who is due: changed since the plugin's cursor (whoever refuses first), or to be tried or looked
//! at again; and with each everybody who has the same address.

use super::PluginContext;
use crate::domain::{Address, AddressClaim, Profile};
use crate::store::Error;
use std::collections::{BTreeMap, BTreeSet};

/// Walks over everybody who is due, batch by batch. The walk itself writes nothing.
#[derive(Debug)]
pub(super) struct Pending {
    stage: Stage,
    size: u64,
    /// Where the plugin is in the change feed.
    cursor: i64,
    /// Those who came before their place in the change feed.
    early: BTreeSet<i64>,
    whom: Whom,
    /// How far in the change feed whoever refuses was met; nothing at a place that nothing was sent
    /// to yet.
    refused_to: Option<i64>,
}

/// Who is walked over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whom {
    Everybody,
    /// Those who refuse, also those who are to be tried again.
    Refusers,
    /// Those who refuse and changed.
    NewRefusers,
}

#[derive(Debug)]
enum Stage {
    /// Of those who changed whoever does not consent, up to a place in the change feed: an opt-out
    /// does not wait behind a large import.
    Refused {
        after: i64,
    },
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
        self.people
            .iter()
            .filter_map(|person| Some((person.supporter_id, person.address.clone()?)))
            .collect()
    }
}

impl Pending {
    pub(super) async fn begin(ctx: &PluginContext, size: usize) -> Result<Pending, Error> {
        let cursor = ctx.store().plugin_state(ctx.key()).await?.cursor;
        // Before the first delivery nobody is there who could be taken off.
        let stage = if cursor == 0 {
            Stage::Changed { after: cursor }
        } else {
            Stage::Refused { after: cursor }
        };
        Ok(Pending {
            stage,
            size: size.max(1) as u64,
            cursor,
            early: BTreeSet::new(),
            whom: Whom::Everybody,
            refused_to: (cursor != 0).then_some(cursor),
        })
    }

    /// Whoever refuses behind a place in the change feed, and nobody else.
    pub(super) fn newer_refusals(after: i64, size: usize) -> Pending {
        Pending {
            stage: Stage::Refused { after },
            size: size.max(1) as u64,
            cursor: after,
            early: BTreeSet::new(),
            whom: Whom::NewRefusers,
            refused_to: Some(after),
        }
    }

    /// How far in the change feed whoever refuses was met by now.
    pub(super) const fn refused_to(&self) -> Option<i64> {
        self.refused_to
    }

    /// Of those who are due only whoever refuses; nobody's place in the change feed is reached by
    /// it.
    pub(super) async fn refusals(ctx: &PluginContext, size: usize) -> Result<Pending, Error> {
        let all = Pending::begin(ctx, size).await?;
        Ok(Pending {
            stage: Stage::Refused { after: all.cursor },
            whom: Whom::Refusers,
            ..all
        })
    }

    /// The next batch; `None` when nobody is left.
    pub(super) async fn next(&mut self, ctx: &PluginContext) -> Result<Option<Batch>, Error> {
        loop {
            match self.stage {
                Stage::Refused { after } => {
                    let people = ctx.store().refused_after(after, self.size).await?;
                    match people.last().map(|last| last.change_seq) {
                        Some(last) => {
                            self.stage = Stage::Refused { after: last };
                            self.refused_to = self.refused_to.max(Some(last));
                            self.early
                                .extend(people.iter().map(|person| person.supporter_id));
                            return Ok(Some(Batch {
                                people: widen(ctx, people).await?,
                                cursor: None,
                            }));
                        }
                        None => {
                            self.stage = match self.whom {
                                Whom::Everybody => Stage::Changed { after: self.cursor },
                                Whom::Refusers => Stage::Due { after: i64::MIN },
                                Whom::NewRefusers => Stage::Done,
                            }
                        }
                    }
                }
                Stage::Changed { after } => {
                    let people = ctx.store().changed_after(after, self.size).await?;
                    match people.last().map(|last| last.change_seq) {
                        Some(last) => {
                            self.stage = Stage::Changed { after: last };
                            let people = people
                                .into_iter()
                                .filter(|person| !self.early.contains(&person.supporter_id))
                                .collect();
                            return Ok(Some(Batch {
                                people: widen(ctx, people).await?,
                                cursor: Some(last),
                            }));
                        }
                        None => self.stage = Stage::Due { after: i64::MIN },
                    }
                }
                Stage::Due { after } => {
                    let ids = ctx.due_after(after, self.size).await?;
                    let Some(last) = ids.last().copied() else {
                        self.stage = Stage::Done;
                        continue;
                    };
                    self.stage = Stage::Due { after: last };
                    let mut people = ctx.store().profiles(&ids).await?;
                    if self.whom == Whom::Refusers {
                        people.retain(|person| {
                            person.email_opt_in == Some(false)
                                || matches!(person.claim, AddressClaim::Refused { .. })
                        });
                    }
                    return Ok(Some(Batch {
                        people: widen(ctx, people).await?,
                        cursor: None,
                    }));
                }
                Stage::Done => return Ok(None),
            }
        }
    }
}

/// Adds those who share an address with somebody of the batch, now or when that one was last sent:
/// who is mailed there may have changed.
async fn widen(ctx: &PluginContext, mut people: Vec<Profile>) -> Result<Vec<Profile>, Error> {
    let ids: Vec<i64> = people.iter().map(|person| person.supporter_id).collect();
    let mut addresses: BTreeSet<Address> = people
        .iter()
        .filter_map(|person| person.address.clone())
        .collect();
    addresses.extend(
        ctx.store()
            .deliveries(ctx.key(), &ids)
            .await?
            .into_values()
            .filter_map(|row| row.address),
    );
    let mut others: BTreeSet<i64> = ctx.store().holders(&addresses).await?.into_iter().collect();
    others.extend(ctx.store().sent_to(ctx.key(), &addresses).await?);
    for id in &ids {
        others.remove(id);
    }
    if !others.is_empty() {
        people.extend(
            ctx.store()
                .profiles(&others.into_iter().collect::<Vec<_>>())
                .await?,
        );
    }
    Ok(people)
}
