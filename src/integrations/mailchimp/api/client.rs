//! Carries requests to Mailchimp: the key, the gate, no redirects, bodies up to a size, and what an
//! answer means.
//!
//! A failure is told apart by its status first: Mailchimp's texts change, and a refusal without
//! JSON comes from something that only wants us to slow down.

use super::answers::Problem;
use super::gate::Gate;
use super::texts::RefusalClass;
use crate::domain::Time;
use crate::integrations::mailchimp::settings::{MOST_CONNECTIONS, Settings};
use crate::net::{self, Cut, Limits};
use crate::plugin::PluginError;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;
use std::time::Duration;
use url::Url;
use zeroize::Zeroizing;

/// Mailchimp gives up after 120 seconds by itself; whoever hangs up earlier does not know what
/// became of a write.
const TIMEOUT: Duration = Duration::from_secs(130);

/// A page of 1,000 members with all their fields is a few megabytes.
const MOST_BYTES: usize = 16 << 20;

/// The most that is read of a body that only says what went wrong.
const MOST_OF_A_PROBLEM: usize = 256 << 10;

/// What is shorter stands in texts by chance.
const SHORTEST_KEY: usize = 6;

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    Post,
    Patch,
    /// A PATCH that unsubscribes somebody: it waits for no place behind requests that take long.
    OptOut,
    Delete,
}

/// A request. Its body may hold donors' data, so it has no `Debug`.
pub(crate) struct Request<'a> {
    pub(crate) verb: Verb,
    /// Below the base address, unescaped.
    pub(crate) path: &'a [&'a str],
    pub(crate) query: Vec<(&'static str, String)>,
    pub(crate) body: Option<Vec<u8>>,
}

/// A good answer.
pub(crate) struct Answer {
    pub(crate) body: Vec<u8>,
    /// Mailchimp's clock.
    pub(crate) date: Option<Time>,
}

/// Why there is no good answer.
pub(crate) enum Failure {
    /// It did not work this time; whether a write was done is not known.
    Busy(String),
    /// Mailchimp itself says that it failed at it, perhaps at one of the people in it; whether a
    /// write was done is not known.
    Broken(String),
    /// The key is not accepted.
    Refused(String),
    /// The account as a whole may not do this, for a reason that may pass: its plan, its standing,
    /// the rights of its user.
    Blocked(Problem),
    /// There is no such thing.
    Missing,
    /// Mailchimp does not want this request, and would not want it again.
    Invalid(Problem),
    /// An answer that cannot be.
    Strange(String),
}

impl Failure {
    /// As the end of a delivery.
    pub(crate) fn into_error(self, what: &str) -> PluginError {
        match self {
            Failure::Busy(why) | Failure::Broken(why) => {
                PluginError::Unavailable(format!("{what}: {why}"))
            }
            Failure::Refused(why) => PluginError::Refused(format!("{what}: {why}")),
            Failure::Blocked(problem) => {
                PluginError::Blocked(format!("{what}: Mailchimp refused it: {}", problem.plain()))
            }
            Failure::Missing => {
                PluginError::Unexpected(format!("{what}: Mailchimp has no such thing"))
            }
            Failure::Invalid(problem) => PluginError::Unexpected(format!(
                "{what}: Mailchimp refused it: {}",
                problem.plain()
            )),
            Failure::Strange(why) => PluginError::Unexpected(format!("{what}: {why}")),
        }
    }
}

/// The way to one account.
pub(crate) struct Client {
    http: reqwest::Client,
    base: Url,
    authorization: HeaderValue,
    api_key: SecretString,
    gate: Arc<Gate>,
    connections: usize,
}

impl Client {
    pub(crate) fn new(settings: &Settings) -> Result<Client, PluginError> {
        let unusable = |error: &dyn std::fmt::Display| {
            PluginError::Unexpected(format!("no HTTP client: {error}"))
        };
        let http = net::client(|builder| {
            builder
                .user_agent(concat!(
                    "classy-sync/",
                    env!("CARGO_PKG_VERSION"),
                    " (+data sync for nonprofits)"
                ))
                .timeout(TIMEOUT)
                .pool_max_idle_per_host(MOST_CONNECTIONS)
        })
        .map_err(|error| unusable(&error))?;
        let key = settings.api_key.expose_secret();
        let pair = Zeroizing::new(format!("classy-sync:{key}"));
        let header = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
        let mut authorization = HeaderValue::from_str(&header).map_err(|error| unusable(&error))?;
        authorization.set_sensitive(true);
        let gate = Gate::of(key.as_bytes());
        Ok(Client {
            http,
            base: settings.base_url.clone(),
            authorization,
            api_key: settings.api_key.clone(),
            gate,
            connections: settings.connections,
        })
    }

    /// How many requests may be under way at once.
    pub(crate) const fn connections(&self) -> usize {
        self.connections
    }

    /// Sends once.
    pub(crate) async fn send(&self, request: &Request<'_>) -> Result<Answer, Failure> {
        let reserve = usize::from(request.verb == Verb::OptOut);
        let pass = self.gate.pass(self.connections, reserve).await;
        let outcome = self.exchange(request).await;
        drop(pass);
        match &outcome {
            Ok(_) => self.gate.widen(),
            Err(Failure::Busy(_) | Failure::Broken(_)) => self.gate.narrow(self.connections),
            Err(_) => {}
        }
        outcome
    }

    async fn exchange(&self, request: &Request<'_>) -> Result<Answer, Failure> {
        let method = match request.verb {
            Verb::Get => Method::GET,
            Verb::Post => Method::POST,
            Verb::Patch | Verb::OptOut => Method::PATCH,
            Verb::Delete => Method::DELETE,
        };
        let mut builder = self
            .http
            .request(method, self.address(request)?)
            .header(AUTHORIZATION, self.authorization.clone());
        if let Some(body) = &request.body {
            builder = builder
                .header(CONTENT_TYPE, "application/json")
                .body(body.clone());
        }
        // Without the address, which may hold somebody's.
        let lost = |error: reqwest::Error| {
            Failure::Busy(format!(
                "Mailchimp cannot be reached: {}",
                error.without_url()
            ))
        };
        let mut response = builder.send().await.map_err(lost)?;
        let (status, headers) = (
            response.status().as_u16(),
            std::mem::take(response.headers_mut()),
        );
        let is_good = (200..300).contains(&status);
        let most = if is_good {
            MOST_BYTES
        } else {
            MOST_OF_A_PROBLEM
        };
        match net::collect(&mut response, Limits::of(most)).await {
            Ok(body) if is_good => evaluate(status, &headers, body),
            Ok(body) => evaluate(status, &headers, self.without_key(&body)),
            // The status says enough.
            Err(Cut::TooLarge | Cut::TooSlow { .. }) if !is_good => {
                evaluate(status, &headers, Vec::new())
            }
            Err(Cut::TooLarge) => Err(Failure::Strange(format!(
                "an answer of more than {most} bytes"
            ))),
            Err(Cut::TooSlow { bytes, window }) => Err(Failure::Busy(format!(
                "Mailchimp's answer is too slow: {bytes} bytes within {} s",
                window.as_secs()
            ))),
            Err(Cut::Broken(error)) => Err(lost(error)),
        }
    }

    /// A refusal may repeat the key that it refuses.
    fn without_key(&self, body: &[u8]) -> Vec<u8> {
        let (text, key) = (String::from_utf8_lossy(body), self.api_key.expose_secret());
        let start = key.rsplit_once('-').map_or(key, |(start, _)| start);
        let text = [key, start]
            .into_iter()
            .filter(|key| key.len() >= SHORTEST_KEY)
            .fold(text.into_owned(), |text, key| {
                text.replace(key, "(the key)")
            });
        text.into_bytes()
    }

    fn address(&self, request: &Request<'_>) -> Result<Url, Failure> {
        let mut url = self.base.clone();
        url.path_segments_mut()
            .map_err(|()| Failure::Strange("a base address without a path".to_owned()))?
            .pop_if_empty()
            .extend(request.path);
        if !request.query.is_empty() {
            // A plus is escaped here; unescaped it would arrive as a space.
            url.query_pairs_mut().extend_pairs(&request.query);
        }
        Ok(url)
    }
}

/// What an answer means.
fn evaluate(status: u16, headers: &HeaderMap, body: Vec<u8>) -> Result<Answer, Failure> {
    let header = |name| {
        headers
            .get(name)
            .and_then(|value: &HeaderValue| value.to_str().ok())
    };
    if (200..300).contains(&status) {
        let date = header(DATE)
            .and_then(|text| httpdate::parse_http_date(text).ok())
            .map(Time::from);
        return Ok(Answer { body, date });
    }
    let problem: Option<Problem> = serde_json::from_slice(&body).ok();
    Err(match (status, problem) {
        (401, problem) => Failure::Refused(problem.map_or_else(
            || "the API key is not accepted".to_owned(),
            |problem| problem.title(),
        )),
        (403, Some(problem)) => Failure::Blocked(problem),
        (400, Some(problem))
            if matches!(
                RefusalClass::of(&problem.all()),
                RefusalClass::Full | RefusalClass::Account
            ) =>
        {
            Failure::Blocked(problem)
        }
        // Without JSON it is something in front of Mailchimp that wants us to slow down.
        (403 | 429, _) => Failure::Busy(format!("Mailchimp asks to slow down ({status})")),
        (404, _) => Failure::Missing,
        (500..=599, Some(_)) => Failure::Broken(format!("Mailchimp failed at it ({status})")),
        (408 | 500..=599, None) => {
            Failure::Busy(format!("Mailchimp does not work at the moment ({status})"))
        }
        (400 | 405 | 414 | 422, problem) => Failure::Invalid(problem.unwrap_or_default()),
        (300..=399, _) => Failure::Strange(format!(
            "Mailchimp wants to send us elsewhere ({status}), which is not followed"
        )),
        _ => Failure::Strange(format!("Mailchimp answered {status}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(status: u16, body: &str) -> &'static str {
        match evaluate(status, &HeaderMap::new(), body.as_bytes().to_vec()) {
            Ok(_) => "ok",
            Err(Failure::Busy(_)) => "busy",
            Err(Failure::Broken(_)) => "broken",
            Err(Failure::Refused(_)) => "refused",
            Err(Failure::Blocked(_)) => "blocked",
            Err(Failure::Missing) => "missing",
            Err(Failure::Invalid(_)) => "invalid",
            Err(Failure::Strange(_)) => "strange",
        }
    }

    #[test]
    fn an_answer_is_evaluated_by_its_status_and_whether_it_is_json() {
        assert_eq!(kind(204, ""), "ok");
        assert_eq!(kind(401, ""), "refused");
        assert_eq!(
            kind(403, "{\"title\":\"User Disabled\",\"status\":403}"),
            "blocked"
        );
        assert_eq!(
            kind(
                400,
                "{\"title\":\"Bad Request\",\"detail\":\"The contact limit of your plan is reached.\"}"
            ),
            "blocked"
        );
        assert_eq!(
            (kind(403, ""), kind(403, "<html>Access Denied</html>")),
            ("busy", "busy")
        );
        assert_eq!(
            (
                kind(429, ""),
                kind(429, "{\"title\":\"Too Many Requests\"}")
            ),
            ("busy", "busy")
        );
        assert_eq!(
            (kind(502, "<html>"), kind(503, "{\"title\":\"akamai_503\"}")),
            ("busy", "broken")
        );
        assert_eq!(
            (
                kind(404, "{}"),
                kind(400, "{\"title\":\"Invalid Resource\"}"),
                kind(400, "")
            ),
            ("missing", "invalid", "invalid")
        );
        assert_eq!((kind(307, ""), kind(418, "")), ("strange", "strange"));
    }

    #[test]
    fn a_refusal_that_repeats_the_key_or_a_person_shows_neither() {
        let key = "kAnArY-us6";
        let secrets =
            std::collections::BTreeMap::from([("api_key".to_owned(), SecretString::from(key))]);
        let given = crate::integrations::Settings {
            classy_id: 1,
            table: "audience_id = 'a1'".parse().unwrap(),
            secrets,
        };
        let client = Client::new(&Settings::new(&given).ok().unwrap())
            .ok()
            .unwrap();
        for status in [401, 403, 400] {
            let body = format!(
                "{{\"title\":\"Key {key} of ada@x.org\\u001b[2J\",\"detail\":\"kAnArY is wrong\"}}"
            );
            let failure = evaluate(
                status,
                &HeaderMap::new(),
                client.without_key(body.as_bytes()),
            )
            .err()
            .unwrap();
            let told = failure.into_error("asking").to_string();
            assert!(told.contains("Key (the key) of (address)"), "{told}");
            assert!(
                !told.contains("kAnArY") && !told.contains('@') && !told.contains('\u{1b}'),
                "{told}"
            );
        }
    }
}
