//! The organizations of this process as JSON: what is on the board and in the last verdict.

use super::cache::Made;
use crate::clock;
use crate::domain::{Health, Import, Time};
use crate::entities::Entity;
use crate::health::{Finding, HealthReport};
use crate::status::{Activity, Board, FeedStatus, OrganizationStatus, PluginStatus, imports};
use serde::Deserialize;
use serde_json::{Value, json};

/// Organizations in `/api/v1/status` at most; the paged list has them all.
const SUMMARY: usize = 200;
/// And so many bytes of them.
const SUMMARY_BYTES: usize = 240 * 1_024;
/// Organizations of a page of the list, when nothing else is said, and at most.
const PAGE: usize = 50;
/// See `PAGE`.
const LARGEST_PAGE: usize = 75;

/// The organizations of this process, and how well they are.
pub(super) struct Fleet<'a> {
    pub(super) board: &'a Board,
    pub(super) health: &'a HealthReport,
}

/// Which organizations of the list, which is ordered by id.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Which {
    /// The first page is 1.
    pub(super) page: Option<usize>,
    /// Only those beyond this id: nobody is missed or told twice, whatever changes meanwhile.
    pub(super) after: Option<i64>,
    pub(super) limit: Option<usize>,
}

/// What is said of the whole, and of as many organizations as is bearable.
pub(super) fn summary(head: &Value, fleet: &Fleet<'_>) -> Vec<u8> {
    let ids = fleet.board.ids();
    let (list, told) = fleet.list(ids.iter().copied(), SUMMARY, SUMMARY_BYTES);
    let more = told
        .filter(|told| ids.last() != Some(told))
        .map(|told| format!("/api/v1/organizations?after={told}"));
    let mut body = serde_json::to_vec(head).unwrap_or_default();
    // The object goes on.
    body.pop();
    for (name, value) in [
        ("organizations_total", json!(ids.len())),
        ("organizations_more", json!(more)),
    ] {
        body.extend_from_slice(format!(",\"{name}\":{value}").as_bytes());
    }
    body.extend_from_slice(b",\"organizations\":");
    body.extend_from_slice(&list);
    body.push(b'}');
    body
}

/// A page of the list of organizations.
pub(super) fn list_page(fleet: &Fleet<'_>, which: &Which) -> Made {
    let limit = which.limit.unwrap_or(PAGE).clamp(1, LARGEST_PAGE);
    let skipped = which
        .page
        .unwrap_or(1)
        .max(1)
        .saturating_sub(1)
        .saturating_mul(limit);
    let ids = fleet.board.ids();
    let wanted = ids
        .iter()
        .copied()
        .filter(|id| which.after.is_none_or(|after| *id > after))
        .skip(skipped);
    let (list, told) = fleet.list(wanted, limit, usize::MAX);
    let next = told.filter(|told| ids.last() != Some(told));
    let link = next
        .map(|told| format!("</api/v1/organizations?after={told}&limit={limit}>; rel=\"next\""));
    Made {
        link,
        total: Some(ids.len()),
        ..Made::json(list)
    }
}

impl Fleet<'_> {
    /// A list of organizations as JSON, until so many or so many bytes are told; and the last one
    /// that was. Each is written by itself: thousands as one tree of values would take megabytes.
    fn list(
        &self,
        ids: impl Iterator<Item = i64>,
        most: usize,
        bytes: usize,
    ) -> (Vec<u8>, Option<i64>) {
        let (mut list, mut last, mut count) = (vec![b'['], None, 0);
        for id in ids {
            if count == most || list.len() > bytes {
                break;
            }
            // One that went meanwhile is passed over.
            last = Some(id);
            let Some((organization, feeds)) = self.board.one(id) else {
                continue;
            };
            if count > 0 {
                list.push(b',');
            }
            count += 1;
            let one = organization_json(
                &organization,
                &feeds,
                &self.board.plugins(id),
                self.health,
                false,
            );
            list.extend_from_slice(one.to_string().as_bytes());
        }
        list.push(b']');
        (list, last)
    }
}

/// One organization; `all` with the checks that are well, too.
pub(super) fn organization_json(
    organization: &OrganizationStatus,
    feeds: &[(Entity, FeedStatus)],
    plugins: &[(String, PluginStatus)],
    health: &HealthReport,
    all: bool,
) -> Value {
    let id = organization.classy_id;
    let mut checks = health
        .of(Some(id))
        .filter(|finding| all || finding.verdict() != Health::Ok)
        .collect::<Vec<_>>();
    checks.sort_by_key(|finding| finding.is_consequence());
    json!({
        "classy_id": id,
        "name": organization.name,
        "verdict": health.verdict_of(id).as_str(),
        "condition": organization.condition.as_str(),
        "reason": organization.condition.reason(),
        "since": moment(Some(organization.since)),
        "generation": organization.generation,
        "importing": !imports(organization, feeds, clock::now()).is_empty(),
        "checks": checks.into_iter().map(finding_json).collect::<Vec<_>>(),
        "feeds": feeds.iter().map(|(entity, feed)| feed_json(*entity, feed)).collect::<Vec<_>>(),
        "plugins": plugins.iter().map(|(name, plugin)| plugin_json(name, plugin)).collect::<Vec<_>>(),
    })
}

fn plugin_json(name: &str, plugin: &PluginStatus) -> Value {
    json!({
        "plugin": name,
        "generation": plugin.generation,
        "delivering_since": moment(plugin.since),
        "runs": plugin.runs,
        "ended_at": moment(plugin.ended_at),
        "last": plugin.last.as_deref(),
    })
}

/// One feed.
pub(super) fn feed_json(entity: Entity, feed: &FeedStatus) -> Value {
    let (activity, run) = match feed.activity {
        Activity::Idle => ("idle", Value::Null),
        Activity::Waiting => ("waiting", Value::Null),
        Activity::Running(run) => {
            let mode = run.mode.as_str();
            (
                "running",
                json!({ "mode": mode, "since": moment(Some(run.since)), "done": run.done, "total": run.total }),
            )
        }
    };
    json!({
        "entity": entity.as_str(),
        "generation": feed.generation,
        "activity": activity,
        "run": run,
        "fresh_at": moment(feed.fresh_at),
        "next_at": moment(feed.next_at),
        "is_loaded": feed.is_loaded,
        "import": feed.importing(clock::now()).map(import_json),
        "failures": feed.failures,
        "lacks": feed.lacks.as_deref(),
        "runs": feed.runs,
        "last": feed.last.as_deref(),
    })
}

/// How far a first import is.
fn import_json(import: Import) -> Value {
    json!({ "since": moment(import.since), "done": import.done, "total": import.total, "left_s": import.left_s })
}

/// What a check found.
pub(super) fn finding_json(finding: &Finding) -> Value {
    json!({
        "check": finding.check,
        "classy_id": finding.classy_id,
        "subject": finding.subject,
        "verdict": finding.verdict().as_str(),
        "reason": finding.result.reason,
        "consequence": finding.is_consequence(),
    })
}

/// RFC 3339.
pub(super) fn moment(at: Option<Time>) -> Option<String> {
    at.map(|at| at.to_rfc3339())
}
