//! The configuration told back: what is in force, and what there is.

use super::Config;
use secrecy::ExposeSecret;

/// Every key with its default and what it does.
pub const REFERENCE: &str = include_str!("../../config/default.toml");

/// The values in force as TOML; secrets hidden.
pub fn show(config: &Config) -> String {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let path = |path: &std::path::Path| quoted(&path.display().to_string());
    let span = |duration: std::time::Duration| quoted(&humantime::format_duration(duration).to_string());
    let Config { database, vault, sync, guard, http, alerts, log, daemon, organizations, file: _ } = config;
    let keys = if vault.keys.expose_secret().is_empty() { "" } else { "[hidden]" };
    let format = match log.format {
        super::LogFormat::Bunyan => "bunyan",
        super::LogFormat::Pretty => "pretty",
    };
    [
        "[database]".to_owned(),
        format!("url = {}", quoted(&without_password(database.url.expose_secret()))),
        format!("max_connections = {}", database.max_connections),
        "\n[vault]".to_owned(),
        format!("key_file = {}", path(&vault.key_file)),
        format!("keys = {}", quoted(keys)),
        "\n[sync]".to_owned(),
        format!("supporters = {}", span(sync.supporters)),
        format!("campaigns = {}", span(sync.campaigns)),
        format!("transactions = {}", span(sync.transactions)),
        format!("recurring_plans = {}", span(sync.recurring_plans)),
        format!("overlap = {}", span(sync.overlap)),
        format!("max_concurrent_runs = {}", sync.max_concurrent_runs),
        "\n[sync.reconcile]".to_owned(),
        format!("supporters = {}", span(sync.reconcile.supporters)),
        format!("campaigns = {}", span(sync.reconcile.campaigns)),
        format!("transactions = {}", span(sync.reconcile.transactions)),
        format!("recurring_plans = {}", span(sync.reconcile.recurring_plans)),
        "\n[guard]".to_owned(),
        format!("audience_share = {}", guard.audience_share),
        format!("audience_min = {}", guard.audience_min),
        format!("absent_share = {}", guard.absent_share),
        "\n[http]".to_owned(),
        format!("listen = {}", quoted(&http.listen.to_string())),
        format!("token = {}", http.token.describe()),
        "\n[alerts]".to_owned(),
        format!("webhook = {}", alerts.webhook.describe()),
        format!("dead_man = {}", alerts.dead_man.describe()),
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

fn without_password(url: &str) -> String {
    match url::Url::parse(url) {
        Ok(mut parsed) if parsed.password().is_some() => {
            let _ = parsed.set_password(Some("hidden"));
            parsed.to_string()
        }
        Ok(_) => url.to_owned(),
        Err(_) => "[hidden]".to_owned(),
    }
}
