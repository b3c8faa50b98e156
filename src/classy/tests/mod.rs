//! The client against scripted answers, in paused time.

mod breaker;
mod pages;
mod refused_paths;
mod status;
mod tokens;
mod waits;

use super::transport::script::{Script, Seen};
use super::transport::{Reply, Transport};
use super::{Client, Error, Settings};
use crate::domain::{Page, Query};
use crate::entities::Supporter;
use std::sync::Arc;
use std::time::Duration;

/// A list with one supporter.
const ONE: &str = r#"{"current_page":1,"data":[{"id":7,"updated_at":"2025-01-02T03:04:05+0000","opt_in":true}],"last_page":1,"total":1}"#;

/// How a permission that is lacking is told.
const JSON_403: &str = r#"{"error":"This action is unauthorized.","permissions":[{"action":"fetch","entity":"transaction"}]}"#;

/// A status, its headers and its body.
type Row = (u16, &'static [(&'static str, &'static str)], &'static str);

fn row(status: u16, headers: &'static [(&'static str, &'static str)], body: &'static str) -> Row {
    (status, headers, body)
}

fn settings() -> Settings {
    let base = "https://api.example.org/2.0".parse().unwrap();
    let token = "https://api.example.org/oauth2/auth".parse().unwrap();
    let mut settings = Settings::new(
        10_001,
        base,
        token,
        "an-app".to_owned(),
        "a-secret-word".to_owned().into(),
    );
    settings.requests_per_minute = 0.into();
    settings.max_concurrency = 1000;
    settings
}

fn is_token(seen: &Seen) -> bool {
    seen.url.ends_with("/oauth2/auth")
}

/// The token with a number, good for so many seconds.
fn token(number: usize, seconds: u32) -> Reply {
    Reply::scripted(
        200,
        &[],
        &format!(
            r#"{{"access_token":"token-{number}","expires_in":{seconds},"queries_log":[],"token_type":"bearer"}}"#
        ),
    )
}

fn ok(body: &str) -> Result<Reply, Error> {
    Ok(Reply::scripted(
        200,
        &[
            ("content-type", "application/json"),
            ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ],
        body,
    ))
}

/// A client whose tokens are numbered and last for two hours; `data` answers the data requests,
/// told how many came before.
fn client_with(
    settings: Settings,
    mut data: impl FnMut(usize, &Seen) -> Result<Reply, Error> + Send + 'static,
) -> (Client, Arc<Script>) {
    let (mut tokens, mut requests) = (0, 0);
    let (transport, script) = Transport::scripted(move |seen| {
        if is_token(seen) {
            tokens += 1;
            return Ok(token(tokens, 7200));
        }
        requests += 1;
        data(requests - 1, seen)
    });
    (Client::new(&transport, settings).unwrap(), script)
}

fn client(
    data: impl FnMut(usize, &Seen) -> Result<Reply, Error> + Send + 'static,
) -> (Client, Arc<Script>) {
    client_with(settings(), data)
}

async fn first_page(client: &Client) -> Result<Page<Supporter>, Error> {
    client.page(Query::All, 1, 100).await
}

/// The data requests that were seen.
fn data(script: &Script) -> Vec<Seen> {
    script
        .seen
        .lock()
        .unwrap()
        .iter()
        .filter(|seen| !is_token(seen))
        .cloned()
        .collect()
}

/// The waits between the data requests.
fn waits(script: &Script) -> Vec<Duration> {
    data(script)
        .windows(2)
        .map(|pair| pair[1].at - pair[0].at)
        .collect()
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}
