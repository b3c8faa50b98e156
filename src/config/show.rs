//! The configuration told back: what is in force, and what there is.

use super::{Config, FirstPush, PerEntity};
use crate::entities::Entity;
use secrecy::ExposeSecret;

/// A line for each kind of record.
fn each(every: &PerEntity) -> String {
    Entity::ALL
        .map(|entity| {
            format!(
                "{entity} = \"{}\"",
                humantime::format_duration(every.of(entity))
            )
        })
        .join("\n")
}

/// The values in force as TOML; secrets hidden.
pub fn show(config: &Config) -> String {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let path = |path: &std::path::Path| quoted(&path.display().to_string());
    let span =
        |duration: std::time::Duration| quoted(&humantime::format_duration(duration).to_string());
    let Config {
        database,
        vault,
        sync,
        guard,
        http,
        alerts,
        retention,
        log,
        daemon,
        organizations,
        file: _,
        variables: _,
    } = config;
    let keys = if vault.keys.expose_secret().is_empty() {
        ""
    } else {
        "[hidden]"
    };
    let format = match log.format {
        super::LogFormat::Bunyan => "bunyan",
        super::LogFormat::Pretty => "pretty",
    };
    [
        "[database]".to_owned(),
        format!(
            "url = {}",
            quoted(&super::shown_database_address(database.url.expose_secret()))
        ),
        format!("max_connections = {}", database.max_connections),
        "\n[vault]".to_owned(),
        format!("key_file = {}", path(&vault.key_file)),
        format!("keys = {}", quoted(keys)),
        "\n[sync]".to_owned(),
        each(&sync.changes),
        format!("overlap = {}", span(sync.overlap)),
        format!("max_concurrent_runs = {}", sync.max_concurrent_runs),
        "\n[sync.reconcile]".to_owned(),
        each(&sync.reconcile),
        "\n[guard]".to_owned(),
        format!("audience_share = {}", guard.audience_share),
        format!("audience_min = {}", guard.audience_min),
        format!(
            "first_push = {:?}",
            if guard.first_push == FirstPush::Ask {
                "ask"
            } else {
                "send"
            }
        ),
        format!("additions_share = {}", guard.additions_share),
        format!("additions_min = {}", guard.additions_min),
        format!("daily_additions = {}", guard.daily_additions),
        format!("absent_share = {}", guard.absent_share),
        "\n[http]".to_owned(),
        format!("listen = {}", quoted(&http.listen.to_string())),
        format!("token = {}", http.token.describe()),
        format!("public_url = {}", quoted(&http.public_url)),
        format!("open_on_loopback = {}", http.open_on_loopback),
        format!(
            "metrics_per_organization = {}",
            http.metrics_per_organization
        ),
        "\n[alerts]".to_owned(),
        format!("webhook = {}", alerts.webhook.describe()),
        format!("dead_man = {}", alerts.dead_man.describe()),
        "\n[retention]".to_owned(),
        format!(
            "runs_without_changes = {}",
            span(retention.runs_without_changes)
        ),
        format!("runs = {}", span(retention.runs)),
        format!("alerts = {}", span(retention.alerts)),
        format!("harms = {}", span(retention.harms)),
        format!("before_images = {}", span(retention.before_images)),
        format!("audit = {}", span(retention.audit)),
        "\n[log]".to_owned(),
        format!("format = {}", quoted(format)),
        format!("level = {}", quoted(&log.level)),
        format!("file = {}", path(&log.file)),
        format!("keep = {}", log.keep),
        "\n[daemon]".to_owned(),
        format!("pid_file = {}", path(&daemon.pid_file)),
        format!("shutdown_timeout = {}", span(daemon.shutdown_timeout)),
        "\n[organizations]".to_owned(),
        format!("dir = {}", path(&organizations.dir)),
    ]
    .join("\n")
}
