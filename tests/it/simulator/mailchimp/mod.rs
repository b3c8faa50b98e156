//! The Mailchimp half over plain HTTP, without the program: that it answers as the contract says,
//! and that harm shows.

mod batches;
mod door;
mod harm;
mod listing;
mod members;
mod subscribe;
mod tags;
mod webhooks;

use super::{Answer, http, sent};
use classy_sync::simulator::{Act, Fault, Options, Simulator};
use reqwest::Method;
use serde_json::{Value, json};

/// A double and a program with the key of its first account.
struct Chimp {
    simulator: Simulator,
    http: reqwest::Client,
    key: String,
    audience: String,
}

impl Chimp {
    async fn with(options: Options) -> Chimp {
        let simulator = Simulator::start(Options {
            supporters: 0,
            ..options
        })
        .await
        .unwrap();
        let first = simulator
            .world()
            .organizations
            .values()
            .next()
            .map(|one| (one.mailchimp_key.clone(), one.mailchimp_audience.clone()));
        let (key, audience) = first.unwrap();
        Chimp {
            simulator,
            http: http(),
            key,
            audience,
        }
    }

    /// With nobody in the audience yet.
    async fn new(faults: &[Fault]) -> Chimp {
        Chimp::with(Options {
            strangers: 0,
            faults: faults.to_vec(),
            ..Options::default()
        })
        .await
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let path = path.replace("/lists/A", &format!("/lists/{}", self.audience));
        self.http
            .request(method, format!("{}{path}", self.simulator.mailchimp_url()))
            .basic_auth("anybody", Some(&self.key))
    }

    /// Asks for a path after the version; `/lists/A` is the audience.
    async fn get(&self, path: &str) -> Answer {
        sent(self.request(Method::GET, path)).await
    }

    async fn send(&self, method: Method, path: &str, body: Value) -> Answer {
        sent(self.request(method, path).body(body.to_string())).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, body).await
    }

    /// Batch subscribe of members as they are, updating who is there.
    async fn subscribe(&self, members: Value) -> Value {
        let answer = self
            .post(
                "/lists/A",
                json!({"members": members, "update_existing": true}),
            )
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }

    /// Somebody does something by hand.
    fn act(&self, act: Act) {
        assert!(
            self.simulator.mailchimp().act(&self.audience, &act),
            "{act:?}"
        );
    }

    /// Somebody signs up by a form.
    fn sign_up(&self, email: &str) {
        self.act(Act::SignUp(email.to_owned()));
    }

    fn status(&self, email: &str) -> &'static str {
        self.simulator.mailchimp().audiences[&self.audience]
            .member(email)
            .map_or("nobody", |member| member.status.as_str())
    }

    fn tags(&self, email: &str) -> Vec<String> {
        self.simulator.mailchimp().audiences[&self.audience].tags_of(email)
    }

    fn harm(&self) -> Vec<String> {
        self.simulator.mailchimp().ledger.found()
    }

    fn later(&self, seconds: i64) {
        self.simulator.world().clock_offset += seconds;
    }
}

/// A member of a batch with a name.
fn person(email: &str, name: &str) -> Value {
    json!({"email_address": email, "status_if_new": "subscribed", "merge_fields": {"FNAME": name}})
}
