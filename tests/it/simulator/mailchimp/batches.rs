//! Batches of operations (simulator 36).

use super::{Chimp, person};
use crate::simulator::sent;
use classy_sync::simulator::{Fault, Options};
use reqwest::Method;
use serde_json::{Value, json};
use std::io::Read;
use std::time::Duration;

fn tag_of(email: &str, id: &str) -> Value {
    let body =
        json!({"tags": [{"name": "Donor", "status": "active"}], "is_syncing": true}).to_string();
    json!({"method": "POST", "path": format!("/lists/A/members/{email}/tags"), "operation_id": id, "body": body})
}

impl Chimp {
    async fn batch(&self, operations: Vec<Value>) -> Value {
        let text = json!({ "operations": operations })
            .to_string()
            .replace("/lists/A", &format!("/lists/{}", self.audience));
        let answer = sent(self.request(Method::POST, "/batches").body(text)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }

    async fn finished(&self, id: &Value) -> Value {
        for _ in 0..200 {
            let batch = self
                .get(&format!("/batches/{}", id.as_str().unwrap()))
                .await
                .json();
            if batch["status"] == "finished" {
                return batch;
            }
            assert_eq!(batch["response_body_url"], "", "nothing to fetch yet");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("it never ended");
    }

    /// What an address of results gives: the names in the archive, and all results.
    async fn fetched(&self, url: &Value) -> Result<(Vec<String>, Vec<Value>), u16> {
        let answer = self.http.get(url.as_str().unwrap()).send().await.unwrap();
        if answer.status() != 200 {
            return Err(answer.status().as_u16());
        }
        let bytes = answer.bytes().await.unwrap();
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(&bytes[..]));
        let (mut names, mut results) = (Vec::new(), Vec::new());
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            names.push(String::from_utf8(entry.path_bytes().into_owned()).unwrap());
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            if !text.is_empty() {
                results.extend(serde_json::from_str::<Vec<Value>>(&text).unwrap());
            }
        }
        Ok((names, results))
    }
}

#[tokio::test]
async fn a_batch_ends_with_what_became_of_each_operation() {
    let chimp = Chimp::new(&[]).await;
    chimp.simulator.mailchimp().switches.batch_ms = 1_000;
    let members: Vec<Value> = (0..150)
        .map(|number| person(&format!("p{number}@x.org"), "P"))
        .collect();
    chimp.subscribe(json!(members)).await;
    let mut operations: Vec<Value> = (0..150)
        .map(|number| tag_of(&format!("p{number}@x.org"), &format!("op{number}")))
        .collect();
    operations.push(tag_of("nobody@x.org", "missing"));
    let batch = chimp.batch(operations).await;
    assert_eq!(
        (
            &batch["status"],
            &batch["total_operations"],
            &batch["finished_operations"]
        ),
        (&json!("pending"), &json!(151), &json!(0))
    );
    assert_eq!(chimp.tags("p0@x.org"), [] as [&str; 0], "not at once");
    let batch = chimp.finished(&batch["id"]).await;
    assert_eq!(
        (&batch["finished_operations"], &batch["errored_operations"]),
        (&json!(151), &json!(1))
    );
    let (names, results) = chimp.fetched(&batch["response_body_url"]).await.unwrap();
    assert_eq!(
        (names[0].as_str(), names.len()),
        ("./", 3),
        "two files behind an odd first entry"
    );
    assert_eq!(results.len(), 151);
    let missing = results
        .iter()
        .find(|result| result["operation_id"] == "missing")
        .unwrap();
    let response: Value = serde_json::from_str(missing["response"].as_str().unwrap()).unwrap();
    assert_eq!(
        (&missing["status_code"], &response["title"]),
        (&json!(404), &json!("Resource Not Found"))
    );
    assert!(
        results
            .iter()
            .filter(|result| result["status_code"] == 204)
            .count()
            == 150
    );
    assert_ne!(results[0]["operation_id"], "op0", "in no order");
    assert_eq!(chimp.tags("p149@x.org"), ["Donor"]);
    assert_eq!(chimp.simulator.mailchimp().ledger.automations_fired, 0);
    // The address is good for ten minutes; asking again gives another.
    chimp.later(601);
    assert_eq!(
        chimp
            .fetched(&batch["response_body_url"])
            .await
            .unwrap_err(),
        403
    );
    let again = chimp.finished(&batch["id"]).await;
    assert_eq!(
        chimp
            .fetched(&again["response_body_url"])
            .await
            .unwrap()
            .1
            .len(),
        151
    );
    chimp.later(7 * 86_400);
    assert_eq!(
        chimp
            .get(&format!("/batches/{}", batch["id"].as_str().unwrap()))
            .await
            .status,
        404,
        "kept for a week"
    );
}

#[tokio::test]
async fn reading_in_a_batch_goes_on_through_all_pages() {
    let chimp = Chimp::with(Options {
        strangers: 2_100,
        ..Options::default()
    })
    .await;
    let read = json!({"method": "GET", "path": "/lists/A/members", "operation_id": "all", "params": {"fields": "members.id,total_items"}});
    let batch = chimp.batch(vec![read]).await;
    let batch = chimp.finished(&batch["id"]).await;
    let (_, results) = chimp.fetched(&batch["response_body_url"]).await.unwrap();
    let seen = |result: &Value| {
        let page: Value = serde_json::from_str(result["response"].as_str().unwrap()).unwrap();
        page["members"].as_array().unwrap().len()
    };
    assert_eq!(results.len(), 3);
    let archived = chimp.simulator.mailchimp().audiences[&chimp.audience]
        .members()
        .filter(|member| member.status.as_str() == "archived")
        .count();
    assert_eq!(results.iter().map(seen).sum::<usize>(), 2_100 - archived);
}

#[tokio::test]
async fn results_may_not_be_there_the_first_time_and_a_batch_can_be_stopped() {
    let chimp = Chimp::new(&[Fault::MailchimpLateResults]).await;
    chimp.sign_up("a@x.org");
    let batch = chimp.batch(vec![tag_of("a@x.org", "one")]).await;
    let batch = chimp.finished(&batch["id"]).await;
    assert_eq!(
        chimp
            .fetched(&batch["response_body_url"])
            .await
            .unwrap_err(),
        400
    );
    assert!(chimp.fetched(&batch["response_body_url"]).await.is_ok());
    chimp.sign_up("b@x.org");
    chimp.simulator.mailchimp().switches.batch_ms = 1_000;
    let batch = chimp.batch(vec![tag_of("b@x.org", "two")]).await;
    let path = format!("/batches/{}", batch["id"].as_str().unwrap());
    assert_eq!(
        chimp.send(Method::DELETE, &path, json!(null)).await.status,
        204
    );
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(
        (chimp.tags("b@x.org").len(), chimp.get(&path).await.status),
        (0, 404)
    );
    let object = json!({"operations": [{"method": "PUT", "path": "/lists/A/members/a@x.org", "body": {"status": "subscribed"}}]});
    assert_eq!(
        chimp.post("/batches", object).await.status,
        400,
        "a body is a text"
    );
}

#[tokio::test]
async fn no_more_than_five_hundred_wait_at_once() {
    let chimp = Chimp::new(&[]).await;
    chimp.simulator.mailchimp().switches.batch_ms = 60_000;
    let operations = json!({"operations": [{"method": "GET", "path": "/ping"}]});
    for _ in 0..500 {
        assert_eq!(chimp.post("/batches", operations.clone()).await.status, 200);
    }
    assert_eq!(
        chimp.post("/batches", operations).await.json()["title"],
        "Too Many Requests"
    );
}
