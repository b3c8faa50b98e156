//! `alerts`: what is wrong, that a person knows, and whether anybody would be told.

use super::app::{App, done, require};
use super::args::{Alerts, Cli};
use super::exit::{Code, Failure};
use super::output;
use super::remote::{Daemon, absence};
use crate::clock;
use crate::domain::CheckResult;
use crate::health::{Book, Finding, Messenger, Way};
use crate::store::AlertRow;
use serde_json::json;

pub(super) async fn run(cli: &Cli, order: &Alerts) -> Result<(), Failure> {
    let app = App::start(cli)?;
    if matches!(order, Alerts::Test) {
        return test(&app).await;
    }
    let store = if matches!(order, Alerts::List(_)) {
        app.store_to_read().await?
    } else {
        app.store_that_exists().await?
    };
    match order {
        Alerts::List(which) => {
            require(&store, which.org).await?;
            let rows = store
                .alerts(which.org, which.all, which.limit.saturating_add(1))
                .await?;
            let rows = output::at_most(rows, which.limit).iter().map(row).collect();
            let headings = [
                "id",
                "organization",
                "cause",
                "severity",
                "message",
                "opened_at",
                "acknowledged_at",
                "resolved_at",
                "told",
                "told_by",
            ];
            output::rows(
                cli.output,
                &headings,
                rows,
                if which.all {
                    "there was no alert yet"
                } else {
                    "no alert is open"
                },
            )?;
        }
        Alerts::Ack { id } => {
            if !store.acknowledge_alert(*id, clock::now()).await? {
                return Err(Failure::usage(format!("there is no open alert {id}"))
                    .hint("`classy-sync alerts list` shows those there are"));
            }
            store
                .audit(
                    None,
                    "alert.acknowledged",
                    &format!("alert:{id}"),
                    json!({}),
                )
                .await?;
            done(&format!(
                "alert {id} is acknowledged: it is not repeated any more"
            ));
        }
        Alerts::Test => {}
    }
    Ok(store.close().await?)
}

fn row(alert: &AlertRow) -> Vec<serde_json::Value> {
    let moment = |at: Option<crate::domain::Time>| json!(at.map(|at| at.to_rfc3339()));
    vec![
        json!(alert.id),
        json!(alert.classy_id),
        json!(alert.key.split('@').next()),
        json!(alert.severity),
        json!(alert.message),
        moment(Some(alert.opened_at)),
        moment(alert.acknowledged_at),
        moment(alert.resolved_at),
        json!(alert.notices),
        json!(alert.notified_by.as_deref().map(|way| if way == "log" {
            "the log alone: alerts.webhook is not set"
        } else {
            way
        })),
    ]
}

/// Sends a test alert the way that real ones go: through the daemon when one runs.
async fn test(app: &App) -> Result<(), Failure> {
    if let Some(daemon) = Daemon::of(&app.config.daemon.pid_file).await {
        let answer = daemon.post("/api/v1/alerts/test").await?;
        let way = if answer["webhook"] == true {
            "to its log and the webhook"
        } else {
            "to its log; no webhook is configured"
        };
        done(&format!("the daemon sent a test alert {way}"));
        return Ok(());
    }
    let messenger = Messenger::new(app.config.alerts_webhook()?, None);
    let (mut book, now) = (Book::new("alerts test"), clock::now());
    let finding = Finding::here(
        "test",
        "",
        CheckResult::failing("this is a test: somebody ordered it; nothing is wrong"),
    );
    book.evaluate(&[finding], now);
    for notice in book.due(messenger.way(), now) {
        let hint = "check alerts.webhook";
        messenger
            .tell(&notice)
            .await
            .map_err(|error| Failure::new(Code::Remote, error).hint(hint))?;
    }
    let way = if messenger.way() == Way::Webhook {
        "to the webhook"
    } else {
        "nowhere: alerts.webhook is not set"
    };
    done(&format!(
        "{}; a test alert was sent {way}",
        absence(&app.config.daemon.pid_file)
    ));
    Ok(())
}
