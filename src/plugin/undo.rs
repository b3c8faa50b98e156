//! What pushes changed is taken back, as a person ordered: previewed, held when it is much, and
//! done before anything else is sent.
//!
//! The order is in the database, and so is what was there before each push. A run that is cut off
//! is taken up by the next one, whoever makes it: what is as before already is not written again.

use super::guard::{Push, Sight};
use super::seen::{Seen, reader};
use super::{Budget, GuardSettings, Plugin, PluginContext, PluginError, Said};
use crate::domain::{
    GuardedChange, Harm, Harms, Held, Image, Outcome, Planned, Profile, Step, Taking, Time,
    UndoScope, plan_id,
};
use crate::store::{Fence, Taken, TenantStore, UndoOrder};
use chrono::TimeDelta;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// So long an order waits for approval; then it ends by itself, so that nothing is taken back which
/// nobody thinks of any more.
const WAITS: TimeDelta = TimeDelta::hours(24);

/// People between two times that what was done is written down.
const PEOPLE: u64 = 50;

/// What an order would do.
#[derive(Debug, Clone)]
pub struct UndoPreview {
    /// The place that it is about.
    pub destination: String,
    /// What is meant, up to the last push that was made when somebody looked.
    pub scope: UndoScope,
    /// Each person, with what would be taken back.
    pub people: Vec<(Profile, Taking)>,
    /// What of it would wait for approval.
    pub held: Vec<Held>,
    /// Nothing is done before a person has looked, since then and for this reason.
    pub suspended: Option<(Time, String)>,
}

impl UndoPreview {
    /// The name of the plan that would be held.
    pub fn plan(&self) -> String {
        plan_id(&self.destination, &self.held)
    }
}

/// Whom an order comes to, as far as known.
struct Due {
    person: Profile,
    taking: Taking,
    /// What a person would approve.
    guarded_change: GuardedChange,
}

impl Due {
    fn writes(&self) -> bool {
        self.taking.outcome == Outcome::TakenBack
    }

    fn held(&self) -> Held {
        Held {
            supporter_id: self.person.supporter_id,
            guarded_change: self.guarded_change,
        }
    }
}

/// A trace of which pushes to a person are taken back.
fn mark(images: &[Image]) -> i64 {
    let mut digest = Sha256::new();
    images
        .iter()
        .for_each(|image| digest.update(image.id.to_be_bytes()));
    let mut first = [0; 8];
    first.copy_from_slice(&digest.finalize()[..8]);
    i64::from_be_bytes(first)
}

/// Some of those whom an order comes to.
struct Page {
    due: Vec<Due>,
    images: BTreeMap<i64, Vec<Image>>,
    /// The highest id among them.
    last: i64,
}

/// The next people after one whom an order comes to; `None` when there is nobody else.
async fn page(
    ctx: &PluginContext,
    plugin: &dyn Plugin,
    scope: &UndoScope,
    order: i64,
    after: i64,
) -> Result<Option<Page>, PluginError> {
    ctx.mark();
    let images = ctx
        .store()
        .images_after(ctx.key(), scope, order, after, PEOPLE)
        .await?;
    let Some(last) = images.keys().next_back().copied() else {
        return Ok(None);
    };
    let people = ctx
        .profiles(&images.keys().copied().collect::<Vec<_>>())
        .await?;
    let takings = plugin.take_back(ctx, &people, &images, false).await?;
    let mut people: BTreeMap<i64, Profile> = people
        .into_iter()
        .map(|person| (person.supporter_id, person))
        .collect();
    let due = takings.into_iter().filter_map(|taking| {
        let person = people.remove(&taking.supporter_id)?;
        let guarded_change = GuardedChange {
            kind: Harm::Undo,
            mark: mark(images.get(&taking.supporter_id)?),
            contacts: 1,
        };
        Some(Due {
            person,
            taking,
            guarded_change,
        })
    });
    Ok(Some(Page {
        due: due.collect(),
        images,
        last,
    }))
}

/// Everybody whom an order comes to.
async fn all(
    ctx: &PluginContext,
    plugin: &dyn Plugin,
    scope: &UndoScope,
    order: i64,
) -> Result<Vec<Due>, PluginError> {
    let (mut due, mut after) = (Vec::new(), i64::MIN);
    while let Some(page) = page(ctx, plugin, scope, order, after).await? {
        ctx.go_on()?;
        after = page.last;
        due.extend(page.due);
    }
    Ok(due)
}

/// What the guard leaves to an order.
async fn budget(
    ctx: &PluginContext,
    plugin: &dyn Plugin,
    guard: &GuardSettings,
    due: &[Due],
) -> Result<Budget, PluginError> {
    let grants = ctx.store().grants(ctx.key(), ctx.now()).await?;
    let is_granted = |one: &&Due| {
        grants.get(&(one.person.supporter_id, Harm::Undo)) == Some(&one.guarded_change.mark)
    };
    let mut pending = Harms::default();
    pending.add(
        Harm::Undo,
        due.iter()
            .filter(|one| one.writes() && !is_granted(one))
            .count() as u64,
    );
    let lately = ctx.store().harms(ctx.key(), ctx.now()).await?;
    let sight = Sight {
        audience: plugin.audience(),
        pending: &pending,
        lately: &lately,
        push: Push::Later,
    };
    Ok(guard.budget(&sight, grants))
}

/// Those who would wait for approval.
fn held(budget: &Budget, due: &[Due]) -> Vec<Held> {
    let waits = |one: &&Due| {
        one.writes() && budget.ask(one.person.supporter_id, one.guarded_change) != Said::Go
    };
    due.iter().filter(waits).map(Due::held).collect()
}

/// What an order would do if it was given now; `None` of a plugin that cannot take anything back.
/// Nothing is written anywhere.
///
/// # Errors
/// What keeps the plugin from working.
pub async fn preview_undo(
    store: &TenantStore,
    name: &str,
    plugin: &mut (dyn Plugin + 'static),
    guard: &GuardSettings,
    (since, supporters): (Time, &[i64]),
    now: Time,
) -> Result<Option<UndoPreview>, PluginError> {
    if !plugin.takes_back() {
        return Ok(None);
    }
    let destination = plugin.destination().to_owned();
    let ctx = reader(store, name, &destination, now);
    let scope = UndoScope {
        since,
        last_image: store.last_image(ctx.key()).await?,
        supporters: supporters.to_vec(),
    };
    let suspended = store.guard_state(ctx.key()).await?.suspended;
    if store
        .images_after(ctx.key(), &scope, 0, i64::MIN, 1)
        .await?
        .is_empty()
    {
        return Ok(Some(UndoPreview {
            destination,
            scope,
            people: Vec::new(),
            held: Vec::new(),
            suspended,
        }));
    }
    plugin.initialize(&ctx).await?;
    plugin.refresh(&ctx).await?;
    let due = all(&ctx, plugin, &scope, 0).await?;
    let held = held(&budget(&ctx, plugin, guard, &due).await?, &due);
    Ok(Some(UndoPreview {
        destination,
        scope,
        people: due
            .into_iter()
            .map(|one| (one.person, one.taking))
            .collect(),
        held,
        suspended,
    }))
}

/// The order that is open, if it holds.
async fn open(ctx: &PluginContext, plugin: &dyn Plugin) -> Result<Option<UndoOrder>, PluginError> {
    let order = ctx.store().open_undo(ctx.key()).await?;
    Ok(order.filter(|order| plugin.takes_back() && (ctx.now() - order.asked_at).abs() < WAITS))
}

/// For a preview: what the next delivery would take back before anything else. Whatever is looked
/// at afterwards is as that would leave it.
pub(super) async fn ordered(
    ctx: &PluginContext,
    plugin: &dyn Plugin,
    guard: &GuardSettings,
) -> Result<Vec<Seen>, PluginError> {
    let Some(order) = open(ctx, plugin).await? else {
        return Ok(Vec::new());
    };
    let (mut due, mut images, mut after) = (Vec::new(), BTreeMap::new(), i64::MIN);
    while let Some(page) = page(ctx, plugin, &order.scope, order.id, after).await? {
        after = page.last;
        due.extend(page.due);
        images.extend(page.images);
    }
    let budget = budget(ctx, plugin, guard, &due).await?;
    let waiting: BTreeSet<i64> = held(&budget, &due)
        .into_iter()
        .map(|one| one.supporter_id)
        .collect();
    let (writes, done): (Vec<&Due>, Vec<&Due>) = due
        .iter()
        .filter(|one| !waiting.contains(&one.person.supporter_id))
        .partition(|one| one.writes());
    let people: Vec<Profile> = writes.into_iter().map(|one| one.person.clone()).collect();
    let mut told: Vec<Taking> = done.into_iter().map(|one| one.taking.clone()).collect();
    told.extend(plugin.take_back(ctx, &people, &images, true).await?);
    ctx.foresee_undone(&told);
    let seen = |one: Due| {
        let Taking {
            supporter_id,
            fields,
            tags,
            untags,
            ..
        } = &one.taking;
        let planned = Planned {
            supporter_id: *supporter_id,
            step: Step::Undo,
            reason: one.taking.detail(),
            fields: fields.clone(),
            tags: tags.clone(),
            untags: untags.clone(),
            guarded_changes: if one.writes() {
                vec![one.guarded_change]
            } else {
                Vec::new()
            },
            elsewhere: false,
        };
        let held = if waiting.contains(supporter_id) {
            vec![one.guarded_change]
        } else {
            Vec::new()
        };
        Seen {
            person: one.person,
            planned,
            held,
            later: false,
        }
    };
    Ok(due.into_iter().map(seen).collect())
}

/// Carries out the order that is open, as far as the guard lets it.
pub(super) async fn carry_out(
    ctx: &PluginContext,
    plugin: &dyn Plugin,
    guard: &GuardSettings,
    fence: &Fence,
) -> Result<(), PluginError> {
    let (store, key) = (ctx.store(), ctx.key());
    let Some(order) = open(ctx, plugin).await? else {
        if let Some(late) = store.open_undo(key).await? {
            store.end_undo(fence, key, late.id, "expired").await?;
        }
        return Ok(());
    };
    let budget = budget(
        ctx,
        plugin,
        guard,
        &all(ctx, plugin, &order.scope, order.id).await?,
    )
    .await?;
    let (mut waiting, mut after) = (Vec::new(), i64::MIN);
    while let Some(Page {
        due,
        mut images,
        last,
    }) = page(ctx, plugin, &order.scope, order.id, after).await?
    {
        ctx.go_on()?;
        after = last;
        let (writes, mut done): (Vec<Due>, Vec<Due>) = due.into_iter().partition(Due::writes);
        let (go, wait): (Vec<Due>, Vec<Due>) = writes
            .into_iter()
            .partition(|one| budget.ask(one.person.supporter_id, one.guarded_change) == Said::Go);
        waiting.extend(wait.iter().map(Due::held));
        let mut told: Vec<Taking> = done.drain(..).map(|one| one.taking).collect();
        let people: Vec<Profile> = go.into_iter().map(|one| one.person).collect();
        images.retain(|id, _| people.iter().any(|person| person.supporter_id == *id));
        if !people.is_empty() {
            told.extend(plugin.take_back(ctx, &people, &images, true).await?);
        }
        let changed: BTreeSet<i64> = told
            .iter()
            .filter(|one| one.outcome == Outcome::TakenBack)
            .map(|one| one.supporter_id)
            .collect();
        let taken: Taken = budget.settle(&changed, ctx.now());
        store
            .note_undone(fence, key, order.id, &order.scope, &told, &taken)
            .await?;
    }
    if waiting.is_empty() {
        store.end_undo(fence, key, order.id, "done").await?;
    } else {
        tracing::warn!(
            plugin = key.plugin,
            people = waiting.len(),
            "what pushes changed is taken back when a person approves it"
        );
        store.hold_undo(fence, key, &waiting).await?;
    }
    Ok(())
}
