//! The double itself over plain HTTP, without the program: that it answers as the contract says,
//! point by point.

mod asked;
mod content;
mod dials;
mod edge;
mod faults;
mod grammar;
mod life;
mod lists;
mod mailchimp;
mod overview;
mod rate;
mod samples;
mod shapes;
mod story;
mod tokens;
mod webhooks;

use classy_sync::simulator::{Fault, Kind, Options, Simulator};
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

const ORGANIZATION: i64 = 10001;

/// A double and somebody who asks it.
struct Api {
    simulator: Simulator,
    http: reqwest::Client,
    token: String,
}

/// What came back.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The records of a list.
    fn data(&self) -> Vec<Value> {
        assert_eq!(self.status, 200, "{}", self.text);
        self.json()["data"].as_array().unwrap().clone()
    }

    fn ids(&self) -> Vec<i64> {
        self.data()
            .iter()
            .map(|record| record["id"].as_i64().unwrap())
            .collect()
    }
}

/// Somebody who follows nothing, packs nothing and tries nothing twice.
fn http() -> reqwest::Client {
    // Plain HTTP only, but a client cannot be built without one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .build()
        .unwrap()
}

async fn sent(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answer {
        status,
        headers,
        text: response.text().await.unwrap(),
    }
}

impl Api {
    async fn with(options: Options) -> Api {
        let id = options.organizations[0];
        let simulator = Simulator::start(options).await.unwrap();
        let mut api = Api {
            simulator,
            http: http(),
            token: String::new(),
        };
        api.token = api.new_token(id).await;
        api
    }

    async fn new(supporters: usize, faults: &[Fault]) -> Api {
        Api::with(Options {
            supporters,
            faults: faults.to_vec(),
            ..Options::default()
        })
        .await
    }

    async fn new_token(&self, organization: i64) -> String {
        let form = [
            ("grant_type", "client_credentials".to_owned()),
            ("client_id", format!("client-{organization}")),
            ("client_secret", format!("secret-of-{organization}")),
        ];
        let answer = sent(self.http.post(self.simulator.token_url()).form(&form)).await;
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.simulator.address())
    }

    /// Asks for a path after the version, with its query as it stands.
    async fn get(&self, path: &str) -> Answer {
        sent(
            self.http
                .get(self.url(&format!("/2.0{path}")))
                .bearer_auth(&self.token),
        )
        .await
    }

    /// Asks for a list of the organization, with the values of its query encoded once.
    async fn list(&self, kind: Kind, query: &[(&str, &str)]) -> Answer {
        let mut url: url::Url = self
            .url(&format!(
                "/2.0/organizations/{ORGANIZATION}/{}",
                kind.path()
            ))
            .parse()
            .unwrap();
        url.query_pairs_mut().extend_pairs(query);
        sent(self.http.get(url).bearer_auth(&self.token)).await
    }

    /// All records of a list, by id.
    async fn all(&self, kind: Kind) -> Vec<Value> {
        let mut all = Vec::new();
        for page in 1.. {
            let data = self
                .list(
                    kind,
                    &[
                        ("page", &page.to_string()),
                        ("per_page", "100"),
                        ("sort", "id"),
                    ],
                )
                .await
                .data();
            if data.is_empty() {
                break;
            }
            all.extend(data);
        }
        all
    }

    async fn control(&self, path: &str, body: Value) -> Answer {
        sent(
            self.http
                .post(self.url(&format!("/__sim/{path}")))
                .body(body.to_string()),
        )
        .await
    }
}

/// The id of a record at a place.
fn id_at(simulator: &Simulator, kind: Kind, place: usize) -> i64 {
    simulator.world().organizations[&ORGANIZATION].lists[&kind]
        .nth(place)
        .unwrap()
        .id
}

/// The recorded body of a refused filter.
fn refused(field: &str) -> Value {
    json!({"error": format!("Invalid value and/or operator for {field} filtering condition.")})
}
