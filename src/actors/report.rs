//! How runs ended, put into the words of their reports.

use crate::domain::{Fault, FaultKind, Forecast, Reconciled, RunCounts, RunEnd};
use crate::plugin::Delivered;
use crate::status::{FeedReport, ForecastReport, PluginReport, Reconcile};
use crate::sync::FeedOutcome;

/// Of a run that came to its end.
pub(super) fn feed_report(outcome: &FeedOutcome) -> FeedReport {
    let RunCounts {
        requests,
        pages,
        bytes,
        seen,
        inserted,
        updated,
        restored,
        upgraded,
        unchanged,
        older,
        rejected,
        absent,
    } = outcome.counts;
    let lacks = outcome.state.lacks();
    let fault = match &outcome.result {
        Err(error) => Some(error.fault()),
        Ok(RunEnd::Incomplete) => Some(fell_short(
            lacks.clone().or_else(|| outcome.notes.first().cloned()),
        )),
        Ok(RunEnd::Complete | RunEnd::Stopped) => None,
    };
    let undecided = outcome
        .state
        .shortfall
        .as_ref()
        .map_or(0, |short| short.undecided);
    let found = outcome.state.reconciled.as_ref();
    FeedReport {
        entity: outcome.entity.to_string(),
        mode: outcome.mode.to_string(),
        outcome: outcome.word().to_owned(),
        lacks,
        undecided,
        notes: outcome.notes.clone(),
        requests,
        pages,
        bytes,
        seen,
        inserted,
        updated,
        restored,
        upgraded,
        unchanged,
        older,
        rejected,
        absent,
        watermark: outcome.state.watermark.map(|at| at.to_rfc3339()),
        reconciled_at: found.map(|found| found.at.to_rfc3339()),
        reconcile: found.map(|found| {
            let Reconciled {
                missing,
                stale,
                restored,
                absent,
                ..
            } = *found;
            Reconcile {
                missing,
                stale,
                restored,
                absent,
            }
        }),
        duration_ms: u64::try_from(outcome.took.as_millis()).unwrap_or(u64::MAX),
        ..FeedReport::default()
    }
    .with(fault)
}

/// Of a run that came to its end and knows that records are lacking.
fn fell_short(lacks: Option<String>) -> Fault {
    let text = format!(
        "not everything could be read: {}",
        lacks.unwrap_or_default()
    );
    Fault {
        kind: FaultKind::Partial,
        text,
        hint: Some(
            "what lacks is asked for again by the next passes; `classy-sync status` shows it"
                .to_owned(),
        ),
    }
}

/// Of a delivery that came to its end, or to a failure.
pub(super) fn plugin_report(
    plugin: &str,
    result: Result<Delivered, Fault>,
    took: std::time::Duration,
) -> PluginReport {
    let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let report = PluginReport {
        plugin: plugin.to_owned(),
        duration_ms,
        ..PluginReport::default()
    };
    match result {
        Ok(Delivered {
            waits,
            is_partial,
            delivered,
            skipped,
            deferred,
            held,
            holds,
            forecast,
            rejected,
            trouble,
        }) => {
            let outcome = match (waits, is_partial) {
                (true, _) => "waiting",
                (_, true) => "stopped",
                _ => "complete",
            };
            let holds = holds
                .each()
                .map(|(kind, count)| (kind.as_str().to_owned(), count))
                .collect();
            let forecast = forecast.map(forecast_report);
            let outcome = outcome.to_owned();
            PluginReport {
                outcome,
                delivered,
                skipped,
                deferred,
                held,
                holds,
                forecast,
                rejected,
                trouble,
                ..report
            }
        }
        Err(Fault { kind, text, hint }) => PluginReport {
            outcome: "failed".to_owned(),
            fault: Some(kind.to_string()),
            error: Some(text),
            hint,
            ..report
        },
    }
}

/// What a first push would do.
fn forecast_report(forecast: Forecast) -> ForecastReport {
    ForecastReport {
        contacts: forecast.contacts,
        contacts_after: forecast.after(),
        confirmation_mails: forecast.confirmations,
        people_who_gain_tags: forecast.gaining,
        tags_gained: forecast.tags,
        text: forecast.to_string(),
    }
}
