//! The token endpoint and what a token is good for (simulator 1 to 4).

use super::{Answer, Api, sent};
use classy_sync::simulator::{Fault, Kind, Options};
use serde_json::{Value, json};
use std::time::Duration;

const ASKED: [(&str, &str); 3] = [
    ("grant_type", "client_credentials"),
    ("client_id", "client-10001"),
    ("client_secret", "secret-of-10001"),
];

async fn form(api: &Api, fields: &[(&str, &str)]) -> Answer {
    sent(api.http.post(api.simulator.token_url()).form(fields)).await
}

async fn json_body(api: &Api, body: &str) -> Answer {
    let request = api
        .http
        .post(api.simulator.token_url())
        .header("content-type", "application/json; charset=utf-8");
    sent(request.body(body.to_owned())).await
}

#[tokio::test]
async fn a_form_and_json_both_get_a_token() {
    let api = Api::new(3, &[]).await;
    let as_json = json!({"grant_type": "client_credentials", "client_id": "client-10001", "client_secret": "secret-of-10001"}).to_string();
    for answer in [form(&api, &ASKED).await, json_body(&api, &as_json).await] {
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, Some("application/json; charset=utf-8"))
        );
        let body = answer.json();
        let keys: Vec<&String> = body.as_object().unwrap().keys().collect();
        assert_eq!(
            keys,
            ["access_token", "expires_in", "queries_log", "token_type"]
        );
        assert_eq!(
            (
                &body["expires_in"],
                &body["queries_log"],
                &body["token_type"]
            ),
            (&json!(7200), &json!([]), &json!("bearer"))
        );
        let token = body["access_token"].as_str().unwrap();
        assert!(token.len() == 32 && token.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
    // The old name of the secret.
    assert_eq!(
        form(
            &api,
            &[ASKED[0], ASKED[1], ("secret_key", "secret-of-10001")]
        )
        .await
        .status,
        200
    );
}

#[tokio::test]
async fn every_refusal_is_a_400_with_its_body() {
    let api = Api::new(3, &[]).await;
    let client_id =
        json!({"error": {"client_id": ["The client id field is required."]}, "queries_log": []});
    let secret = json!({"error": {"secret_key": ["The secret key field is required when client secret is not present."],
        "client_secret": ["The client secret field is required when secret key is not present."]}, "queries_log": []});
    let both = json!({"error": {"client_id": client_id["error"]["client_id"], "secret_key": secret["error"]["secret_key"],
        "client_secret": secret["error"]["client_secret"]}, "queries_log": []});
    let grant = |text: &str| json!({"error": {"grant_type": [text]}, "queries_log": []});
    let wrong = json!({"error": "Invalid client authentication", "queries_log": []});
    let cases: [(&[(&str, &str)], &Value); 9] = [
        (&[ASKED[0], ASKED[2]], &client_id),
        (&[ASKED[0], ("client_id", ""), ASKED[2]], &client_id),
        (&[ASKED[0], ASKED[1]], &secret),
        (&[ASKED[0]], &both),
        (
            &[ASKED[1], ASKED[2]],
            &grant("The grant type field is required."),
        ),
        (
            &[("grant_type", "password"), ASKED[1], ASKED[2]],
            &grant("The selected grant type is invalid."),
        ),
        (&[ASKED[0], ASKED[1], ("client_secret", "another")], &wrong),
        (&[ASKED[0], ("client_id", "nobody"), ASKED[2]], &wrong),
        (
            &[
                ASKED[0],
                ("client_id", "client-10002"),
                ("client_secret", "secret-of-10001"),
            ],
            &wrong,
        ),
    ];
    for (fields, expected) in cases {
        let answer = form(&api, fields).await;
        assert_eq!(
            (answer.status, &answer.json()),
            (400, expected),
            "{fields:?}"
        );
        let fields: serde_json::Map<String, Value> = fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!(value)))
            .collect();
        let answer = json_body(&api, &Value::Object(fields.clone()).to_string()).await;
        assert_eq!(
            (answer.status, &answer.json()),
            (400, expected),
            "{fields:?}"
        );
    }
    let answer = json_body(&api, "{\"grant_type\":").await;
    assert_eq!(
        (answer.status, answer.json()),
        (400, json!({"errors": ["Malformed JSON payload."]}))
    );
    // Credentials in the query do not count, and are noted.
    let url = format!(
        "{}?grant_type=client_credentials&client_id=client-10001&client_secret=secret-of-10001",
        api.simulator.token_url()
    );
    assert_eq!(sent(api.http.post(url)).await.status, 400);
    assert_eq!(api.simulator.ledger().secrets_in_query, 1);
    let answer = sent(api.http.get(api.simulator.token_url())).await;
    assert_eq!((answer.status, answer.text.as_str()), (405, ""));
}

#[tokio::test]
async fn without_a_token_and_with_a_wrong_one_401_says_which() {
    let api = Api::new(3, &[]).await;
    let path = "/2.0/organizations/10001/supporters";
    let missing =
        json!({"error": "invalid_request", "error_description": "The access token is missing"});
    let invalid = json!({"error": "invalid_token", "error_description": "The access token is invalid or has expired"});
    let answer = sent(api.http.get(api.url(path))).await;
    assert_eq!((answer.status, answer.json()), (401, missing.clone()));
    // Neither is Basic a token, nor is the token endpoint at the data's address.
    assert_eq!(
        sent(
            api.http
                .get(api.url(path))
                .basic_auth("client-10001", Some("secret"))
        )
        .await
        .json(),
        missing
    );
    assert_eq!(
        sent(api.http.post(api.url("/api/2.0/oauth2/auth")).form(&ASKED))
            .await
            .json(),
        missing
    );
    let answer = sent(
        api.http
            .get(api.url(path))
            .bearer_auth("0123456789abcdef0123456789abcdef"),
    )
    .await;
    assert_eq!((answer.status, answer.json()), (401, invalid.clone()));
    // In the middle of a walk.
    assert_eq!(
        api.list(Kind::Supporters, &[("page", "1")]).await.status,
        200
    );
    api.simulator.revoke_tokens();
    let answer = api.list(Kind::Supporters, &[("page", "2")]).await;
    assert_eq!((answer.status, answer.json()), (401, invalid));
}

#[tokio::test]
async fn a_token_lives_as_long_as_it_says_or_ends_early() {
    let api = Api::with(Options {
        supporters: 3,
        token_life: Duration::from_secs(1),
        ..Options::default()
    })
    .await;
    assert_eq!(form(&api, &ASKED).await.json()["expires_in"], 1);
    assert_eq!(api.get("/organizations/10001").await.status, 200);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(api.get("/organizations/10001").await.status, 401, "honest");
    for life_s in [60, 3_600, 43_200] {
        api.simulator.options().token_life = Duration::from_secs(life_s);
        assert_eq!(form(&api, &ASKED).await.json()["expires_in"], life_s);
    }
    // An older token stays good beside a newer one.
    let api = Api::new(3, &[Fault::TokenExpiry]).await;
    let _newer = api.new_token(10001).await;
    assert_eq!(api.get("/organizations/10001").await.status, 200);
    let mut good = 1;
    while api.get("/organizations/10001").await.status == 200 {
        good += 1;
        assert!(good < 500, "revoked before its time");
    }
}
