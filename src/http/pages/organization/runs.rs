//! `/organizations/{classy_id}/runs`: what was read, when, and how it ended. Runs that found
//! nothing are folded.

use super::super::chart::sparkline;
use super::super::unanswered;
use super::super::words::{ago, count, counted, plain, span, title};
use super::frame::{Frame, Tab};
use crate::domain::{Time, Zone};
use crate::entities::Entity;
use crate::http::access::Caller;
use crate::http::site::Site;
use crate::store::{Error, RunRow, Store};
use axum::extract::{Extension, Path, State};
use axum::response::Response;
use maud::{Markup, html};

/// Runs that are looked at.
const SHOWN: u64 = 200;
/// Points of a rate chart.
const POINTS: u64 = 60;

/// Records a second, by feed.
type Rates = Vec<(Entity, Vec<(Time, f64)>)>;

async fn known(store: Store, classy_id: i64) -> Result<(Vec<RunRow>, Rates), Error> {
    let mut rates = Vec::new();
    for entity in Entity::ALL {
        let metric = format!("{entity}.rate");
        let values = store.samples(Some(classy_id), &metric, POINTS).await?;
        rates.push((entity, values));
    }
    Ok((store.runs(Some(classy_id), SHOWN).await?, rates))
}

pub(in super::super::super) async fn page(
    State(site): State<Site>,
    Extension(caller): Extension<Caller>,
    Path(classy_id): Path<i64>,
) -> Response {
    let frame = match Frame::of(&site, caller, classy_id) {
        Ok(frame) => frame,
        Err(missing) => return *missing,
    };
    let known = site
        .ask(known(site.sources().store.clone(), classy_id))
        .await;
    let body = html! {
        @match &known {
            Err(refusal) => { (unanswered(refusal)) }
            Ok((rows, rates)) => {
                section #runs data-live aria-labelledby="runs-title" {
                    h2 #runs-title { "Runs" }
                    (runs(rows, frame.zone))
                }
                section #pace data-live aria-labelledby="pace-title" {
                    h2 #pace-title { "Pace" }
                    (pace(rates))
                }
            }
        }
    };
    frame.show(Tab::Runs, None, &body)
}

/// Runs one after the other of which none found anything, or one that did.
enum Line<'a> {
    One(&'a RunRow),
    Nothing(Vec<&'a RunRow>),
}

fn lines(rows: &[RunRow]) -> Vec<Line<'_>> {
    let mut lines: Vec<Line<'_>> = Vec::new();
    for row in rows {
        let is_nothing = found_nothing(row);
        match lines.last_mut() {
            Some(Line::Nothing(folded)) if is_nothing => folded.push(row),
            _ if is_nothing => lines.push(Line::Nothing(vec![row])),
            _ => lines.push(Line::One(row)),
        }
    }
    lines
}

fn found_nothing(row: &RunRow) -> bool {
    let counts = &row.counts;
    row.outcome.as_deref() == Some("complete")
        && row.error.is_none()
        && counts.inserted + counts.updated + counts.restored + counts.absent == 0
        && counts.rejected + counts.older == 0
}

fn runs(rows: &[RunRow], zone: Zone) -> Markup {
    html! {
        @if rows.is_empty() { p.note { "Nothing ran yet." } }
        @else {
            div.scroll tabindex="0" role="region" aria-label="Runs" {
                table.stack.runs {
                    thead {
                        tr {
                            th { "Feed" } th { "Outcome" } th { "Began" } th.number { "Took" }
                            th.number { "Seen" } th.number { "New" } th.number { "Changed" }
                            th.number { "Requests" }
                        }
                    }
                    tbody {
                        @for line in lines(rows) {
                            @match line {
                                Line::One(run) => { (one(run, zone)) }
                                Line::Nothing(folded) if folded.len() == 1 => {
                                    (one(folded[0], zone))
                                }
                                Line::Nothing(folded) => { (nothing(&folded, zone)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn one(run: &RunRow, zone: Zone) -> Markup {
    let took = run
        .finished_at
        .map(|end| (end - run.started_at).num_milliseconds());
    let outcome = run.outcome.as_deref().unwrap_or("unfinished");
    html! {
        tr {
            th scope="row" {
                (title(&run.entity)) " "
                span.note { (run.mode) ", " (run.reason) }
            }
            td data-label="Outcome" {
                span class={ "outcome " (outcome) } { (outcome) }
                @if let Some(error) = &run.error { br; span.note { (error) } }
            }
            td data-label="Began" { (ago(Some(run.started_at), zone)) }
            td.number data-label="Took" {
                @match took {
                    Some(ms @ 0..1_000) => { (ms) " ms" }
                    Some(ms) => { (span(ms / 1_000)) }
                    None => { "–" }
                }
            }
            td.number data-label="Seen" { (count(run.counts.seen)) }
            td.number data-label="New" { (count(run.counts.inserted)) }
            td.number data-label="Changed" { (count(run.counts.updated)) }
            td.number data-label="Requests" { (count(run.counts.requests)) }
        }
    }
}

fn nothing(folded: &[&RunRow], zone: Zone) -> Markup {
    let runs: u64 = folded.iter().map(|run| 1 + run.folded).sum();
    let requests: u64 = folded.iter().map(|run| run.counts.requests).sum();
    let mut feeds: Vec<String> = folded.iter().map(|run| plain(&run.entity)).collect();
    feeds.sort_unstable();
    feeds.dedup();
    html! {
        tr.folded {
            td colspan="7" {
                details {
                    summary { (counted(runs, "run", "runs")) " found nothing new" }
                    p.note {
                        (feeds.join(", ")) "; the first "
                        (ago(folded.last().map(|run| run.started_at), zone)) ", the last "
                        (ago(folded.first().map(|run| run.started_at), zone))
                    }
                }
            }
            td.number data-label="Requests" { (count(requests)) }
        }
    }
}

fn pace(rates: &Rates) -> Markup {
    let of =
        |values: &[(Time, f64)]| -> Vec<f64> { values.iter().map(|(_, rate)| *rate).collect() };
    let shown: Vec<(Entity, Vec<f64>)> = rates
        .iter()
        .map(|(entity, values)| (*entity, of(values)))
        .filter(|(_, values)| values.len() > 1)
        .collect();
    html! {
        @if shown.is_empty() { p.note { "No rate was measured yet." } }
        div.cards {
            @for (entity, values) in &shown {
                @let last = values.last().copied().unwrap_or_default();
                @let most = values.iter().copied().fold(0.0, f64::max);
                @let name = plain(entity.as_str());
                div.card {
                    h3 { (title(entity.as_str())) }
                    (sparkline(
                        values,
                        &format!("Records a second of {name}: last {last:.0}, at most {most:.0}"),
                    ))
                    p.note {
                        (count(last as u64)) " records/s, at most " (count(most as u64))
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::RunCounts;

    fn run(outcome: &str, updated: u64) -> RunRow {
        RunRow {
            id: 1,
            classy_id: 7,
            entity: "supporters".to_owned(),
            mode: "incremental".to_owned(),
            reason: "schedule".to_owned(),
            outcome: Some(outcome.to_owned()),
            started_at: Time::UNIX_EPOCH,
            finished_at: None,
            counts: RunCounts {
                updated,
                ..RunCounts::default()
            },
            folded: 0,
            error: None,
        }
    }

    #[test]
    fn only_runs_that_found_nothing_are_folded() {
        let rows = [
            run("complete", 0),
            run("complete", 0),
            run("complete", 3),
            run("failed", 0),
            run("complete", 0),
        ];
        let told: Vec<usize> = lines(&rows)
            .iter()
            .map(|line| match line {
                Line::One(_) => 0,
                Line::Nothing(folded) => folded.len(),
            })
            .collect();
        assert_eq!(told, [2, 0, 0, 1]);
        let page = runs(&rows, Zone::default()).into_string();
        assert!(page.contains("2 runs found nothing new") && page.contains("failed"));
    }
}
