//! Plugins through the real program: who is told of whom, once, signed, and with nobody lost;
//! `webhook` is the one that shows it.

use crate::backend::{Kind, kinds};
use crate::site::{ORGANIZATION, Site, world};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const SECRET: &str = "a-webhook-secret";

/// What a request to the hook carried.
#[derive(Clone)]
struct Call {
    headers: BTreeMap<String, String>,
    body: String,
}

impl Call {
    fn supporters(&self) -> Vec<Value> {
        serde_json::from_str::<Value>(&self.body).unwrap()["supporters"]
            .as_array()
            .unwrap()
            .clone()
    }

    fn assert_signed(&self) {
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
        let (id, at) = (
            &self.headers["webhook-id"],
            &self.headers["webhook-timestamp"],
        );
        mac.update(format!("{id}.{at}.{}", self.body).as_bytes());
        assert_eq!(
            self.headers["webhook-signature"],
            format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
        );
    }
}

/// A status for a request.
type Answer = Box<dyn Fn(&Call) -> u16 + Send>;

/// Somebody's server behind the hook: answers as it is told to, and keeps what it was sent.
struct Hook {
    url: String,
    calls: Arc<Mutex<Vec<Call>>>,
    /// Decides the status.
    answer: Arc<Mutex<Answer>>,
}

impl Hook {
    async fn start() -> Hook {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let hook = Hook {
            url,
            calls: Arc::default(),
            answer: Arc::new(Mutex::new(Box::new(|_| 200))),
        };
        let (calls, answer) = (Arc::clone(&hook.calls), Arc::clone(&hook.answer));
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let (calls, answer) = (Arc::clone(&calls), Arc::clone(&answer));
                tokio::spawn(async move {
                    let mut bytes = Vec::new();
                    let mut part = [0; 65_536];
                    loop {
                        let count = stream.read(&mut part).await.unwrap_or(0);
                        bytes.extend_from_slice(&part[..count]);
                        let text = String::from_utf8_lossy(&bytes).into_owned();
                        let Some((head, body)) = text.split_once("\r\n\r\n") else {
                            if count == 0 {
                                return;
                            }
                            continue;
                        };
                        let headers: BTreeMap<String, String> = head
                            .lines()
                            .skip(1)
                            .filter_map(|line| {
                                line.split_once(": ").map(|(name, value)| {
                                    (name.to_ascii_lowercase(), value.to_owned())
                                })
                            })
                            .collect();
                        let length: usize = headers["content-length"].parse().unwrap();
                        if body.len() < length {
                            continue;
                        }
                        let call = Call {
                            headers,
                            body: body.to_owned(),
                        };
                        let status = answer.lock().unwrap()(&call);
                        if status < 300 {
                            calls.lock().unwrap().push(call);
                        }
                        let reply = format!(
                            "HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                        );
                        let _ = stream.write_all(reply.as_bytes()).await;
                        return;
                    }
                });
            }
        });
        hook
    }

    fn take(&self) -> Vec<Call> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }

    fn answers(&self, answer: impl Fn(&Call) -> u16 + Send + 'static) {
        *self.answer.lock().unwrap() = Box::new(answer);
    }
}

fn hooked(site: &Site, hook: &Hook, secret: &str) {
    let path = site
        .path()
        .join(format!("organizations/{ORGANIZATION}.toml"));
    let before = std::fs::read_to_string(&path).unwrap();
    let before = before.split("[plugins").next().unwrap();
    std::fs::write(
        &path,
        format!("{before}[plugins.webhook]\nurl = {:?}\n{secret}", hook.url),
    )
    .unwrap();
}

fn secret() -> String {
    format!("secret = {SECRET:?}\n")
}

fn told(calls: &[Call]) -> BTreeMap<i64, Value> {
    calls
        .iter()
        .flat_map(Call::supporters)
        .map(|one| (one["id"].as_i64().unwrap(), one))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_is_told_once_and_then_only_who_changed() {
    for kind in kinds() {
        let site = Site::new(kind, world(120, 70)).await;
        let hook = Hook::start().await;
        hooked(&site, &hook, &secret());
        let report = site.sync();
        assert_eq!(
            report["organizations"][0]["plugins"][0]["delivered"], 120,
            "{report}"
        );
        let calls = hook.take();
        calls.iter().for_each(Call::assert_signed);
        let people = told(&calls);
        assert_eq!(people.len(), 120);
        for (id, person) in &people {
            let consented = person["email_opt_in"] == true;
            assert!(
                consented || person["email_address"].is_null(),
                "supporter {id} did not consent and is told by address"
            );
        }
        // A secret that is sealed may be left out of the file.
        hooked(&site, &hook, "");
        site.sync();
        assert!(hook.take().is_empty(), "nothing changed");
        site.simulator.world().live(ORGANIZATION, 10);
        site.sync();
        let again = told(&hook.take());
        assert!(!again.is_empty() && again.len() < 60, "{}", again.len());
        // Not on order.
        site.simulator.world().live(ORGANIZATION, 10);
        site.json(&["sync", "--no-plugins"], 0);
        assert!(hook.take().is_empty());
        let preview = site.json(&["plugin", "preview"], 0);
        let due = preview
            .as_array()
            .unwrap()
            .iter()
            .filter(|row| row["action"] == "change" || row["action"] == "add")
            .count();
        assert!(due > 0 && hook.take().is_empty(), "a preview sends nothing");
        site.json(&["plugin", "run"], 0);
        assert_eq!(told(&hook.take()).len(), due);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_refused_and_tells_nothing_of_people_holds_up_nobody() {
    for kind in kinds() {
        let site = Site::new(kind, world(60, 74)).await;
        let (hook, front) = (Hook::start().await, crate::lacking::front(&site).await);
        hooked(&site, &hook, &secret());
        let lists = ["campaigns", "designations", "fundraising-pages"];
        for list in lists {
            front.answer(&format!("/{list}"), 403);
        }
        let report = site.json(&["sync"], 3);
        assert_eq!(told(&hook.take()).len(), 60, "{kind:?}: {report}");
        let there = site
            .simulator
            .world()
            .list(ORGANIZATION, classy_sync::simulator::Kind::Transactions)
            .unwrap()
            .len();
        let linked = "SELECT COUNT(*) AS n FROM transactions AS t JOIN designations AS d ON d.id = t.designation_id WHERE d.is_stub";
        let linked = if kind == Kind::Postgres {
            linked.to_owned()
        } else {
            format!("{linked} = 1")
        };
        assert_eq!(
            site.number(&linked).await,
            there as i64,
            "{kind:?}: gifts are here, each with its link"
        );
        for list in lists {
            front.answer(&format!("/{list}"), 200);
        }
        site.json(&["sync"], 0);
        site.assert_exact().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_who_is_refused_is_found_listed_and_tried_again_on_request() {
    let site = Site::new(Kind::Sqlite, world(60, 71)).await;
    let hook = Hook::start().await;
    hooked(&site, &hook, &secret());
    site.json(&["sync", "--no-plugins"], 0);
    let victim = site
        .number("SELECT id AS n FROM supporters ORDER BY id LIMIT 1 OFFSET 17")
        .await;
    hook.answers(move |call| {
        if call.supporters().iter().any(|one| one["id"] == victim) {
            422
        } else {
            200
        }
    });
    let report = site.json(&["sync"], 3);
    assert_eq!(
        report["organizations"][0]["plugins"][0]["rejected"], 1,
        "{report}"
    );
    assert_eq!(told(&hook.take()).len(), 59);
    let list = site.json(&["plugin", "list"], 0);
    assert_eq!(
        (
            &list[0]["delivered"],
            &list[0]["rejected"],
            &list[0]["pending"]
        ),
        (&59.into(), &1.into(), &0.into()),
        "{list}"
    );
    site.json(&["sync"], 0);
    assert!(
        hook.take().is_empty(),
        "who was rejected is not tried again by itself"
    );
    hook.answers(|_| 200);
    site.json(&["plugin", "retry"], 0);
    site.json(&["plugin", "run"], 0);
    assert_eq!(told(&hook.take()).into_keys().collect::<Vec<_>>(), [victim]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_that_is_down_stops_nobody_else_and_nobody_is_lost() {
    let site = Site::new(Kind::Sqlite, world(40, 72)).await;
    let hook = Hook::start().await;
    hooked(&site, &hook, &secret());
    hook.answers(|_| 404);
    let report = site.json(&["sync"], 3);
    let organization = &report["organizations"][0];
    assert_eq!(organization["plugins"][0]["outcome"], "failed", "{report}");
    assert!(
        organization["feeds"]
            .as_array()
            .unwrap()
            .iter()
            .all(|feed| feed["outcome"] == "complete")
    );
    site.assert_exact().await;
    hook.answers(|_| 200);
    site.json(&["sync"], 0);
    assert_eq!(told(&hook.take()).len(), 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_cannot_work_is_refused_with_its_key() {
    let site = Site::new(Kind::Sqlite, world(5, 73)).await;
    let path = site
        .path()
        .join(format!("organizations/{ORGANIZATION}.toml"));
    let before = std::fs::read_to_string(&path).unwrap();
    for (table, key) in [
        ("[plugins.webhok]\n", "plugins.webhok"),
        (
            "[plugins.webhook]\nurl = \"http://example.org/hook\"\n",
            "plugins.webhook.url",
        ),
        (
            "[plugins.webhook]\nurl = \"https://example.org/hook\"\nbatc = 5\n",
            "plugins.webhook.batc",
        ),
        (
            "[plugins.webhook]\nurl = \"https://example.org/hook\"\nbatch = 0\n",
            "plugins.webhook.batch",
        ),
    ] {
        std::fs::write(&path, format!("{before}{table}")).unwrap();
        let output = site.run(&["config", "check"]);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(78), "{table}: {text}");
        assert!(
            text.contains(key) && text.contains("hint:"),
            "{table}: {text}"
        );
    }
}
