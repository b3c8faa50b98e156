//! The ledger of harm, people who act, and the same from outside (simulator 27, 34, 43).

use super::Chimp;
use crate::simulator::sent;
use classy_sync::simulator::{Act, Options};
use reqwest::Method;
use serde_json::json;

async fn with_strangers() -> Chimp {
    Chimp::with(Options::default()).await
}

/// A supporter who has a tag of the staff's.
fn known(chimp: &Chimp) {
    let (email, tags) = ("a@x.org".to_owned(), vec!["Newsletter".to_owned()]);
    chimp.act(Act::Import {
        email,
        tags,
        fields: serde_json::Map::new(),
        foreign: false,
    });
}

#[tokio::test]
async fn syncing_tags_loses_those_of_others() {
    let chimp = with_strangers().await;
    known(&chimp);
    let member =
        json!({"email_address": "a@x.org", "status_if_new": "subscribed", "tags": ["Donor"]});
    chimp.subscribe(json!([member])).await;
    assert_eq!(
        (chimp.tags("a@x.org"), chimp.harm().len()),
        (vec!["Newsletter".to_owned(), "Donor".to_owned()], 0)
    );
    chimp
        .post(
            "/lists/A",
            json!({"members": [member], "update_existing": true, "sync_tags": true}),
        )
        .await;
    assert_eq!(chimp.tags("a@x.org"), ["Donor"]);
    assert_eq!(
        chimp.harm(),
        [format!(
            "foreign tag lost: {} a@x.org (Newsletter)",
            chimp.audience
        )]
    );
}

#[tokio::test]
async fn what_others_made_is_missed_when_it_is_changed_or_gone() {
    let chimp = with_strangers().await;
    let found = chimp
        .get("/lists/A/tag-search?name=Volunteers")
        .await
        .json();
    assert_eq!(
        chimp
            .send(
                Method::DELETE,
                &format!("/lists/A/segments/{}", found["tags"][0]["id"]),
                json!(null)
            )
            .await
            .status,
        204
    );
    let fields = chimp.get("/lists/A/merge-fields?count=100").await.json();
    let field = fields["merge_fields"]
        .as_array()
        .unwrap()
        .iter()
        .find(|field| field["tag"] == "MEMBERNO")
        .unwrap();
    chimp
        .send(
            Method::DELETE,
            &format!("/lists/A/merge-fields/{}", field["merge_id"]),
            json!(null),
        )
        .await;
    chimp
        .send(
            Method::PATCH,
            "/lists/A/members/reader0@friends.example.net",
            json!({"status": "unsubscribed"}),
        )
        .await;
    let state = chimp.simulator.mailchimp();
    assert_eq!(
        state.ledger.foreign_tags_lost.len(),
        8,
        "a third of the strangers had it"
    );
    assert_eq!(
        state.ledger.foreign_segments_changed[0].what,
        "Volunteers: deleted"
    );
    assert_eq!(
        state.ledger.foreign_fields_changed[0].what,
        "MEMBERNO: deleted"
    );
    let changed = &state.ledger.foreign_members_changed;
    assert_eq!(changed.last().unwrap().what, "status");
    assert_eq!(state.ledger.unsubscriptions.len(), 1);
}

#[tokio::test]
async fn reading_harms_nobody_and_is_counted() {
    let chimp = with_strangers().await;
    for path in [
        "/lists/A",
        "/lists/A/members?count=1000",
        "/lists/A/segments",
        "/lists/A/merge-fields",
        "/search-members?query=x@x.org",
    ] {
        assert_eq!(chimp.get(path).await.status, 200, "{path}");
    }
    let ledger = chimp.simulator.mailchimp().ledger.clone();
    assert_eq!(
        (
            ledger.total_calls(),
            ledger.writes.len(),
            ledger.writes_per_audience.len()
        ),
        (5, 0, 0)
    );
    assert_eq!(ledger.calls_of("GET /lists/{list_id}/members"), 1);
    assert_eq!(ledger.found(), [] as [&str; 0]);
}

#[tokio::test]
async fn all_of_it_can_be_seen_and_turned_from_outside() {
    let chimp = with_strangers().await;
    let url = |path: &str| {
        format!(
            "http://{}/__sim/mailchimp/{path}",
            chimp.simulator.address()
        )
    };
    let post = async |path: &str, body: serde_json::Value| {
        sent(chimp.http.post(url(path)).body(body.to_string())).await
    };
    let acts = json!([{"sign_up": "a@x.org"}, {"tag": {"email": "a@x.org", "tag": "Gala 2024"}}, {"unsubscribe": "a@x.org"}]);
    assert_eq!(post("people", json!({ "acts": acts })).await.status, 200);
    assert_eq!(
        (chimp.status("a@x.org"), chimp.tags("a@x.org")),
        ("unsubscribed", vec!["Gala 2024".to_owned()])
    );
    assert_eq!(
        post("people", json!({"acts": [{"unsubscribe": "nobody@x.org"}]}))
            .await
            .status,
        400
    );
    assert_eq!(
        post("switches", json!({"compliance": "error"}))
            .await
            .json()["compliance"],
        "error"
    );
    assert_eq!(post("switches", json!({"nosuch": 1})).await.status, 400);
    let refused = chimp
        .send(
            Method::PATCH,
            "/lists/A/members/a@x.org",
            json!({"status": "subscribed"}),
        )
        .await;
    assert_eq!(refused.status, 400);
    let ledger = sent(chimp.http.get(url("ledger"))).await.json();
    assert_eq!(ledger["resubscriptions_prevented"][0]["email"], "a@x.org");
    assert_eq!(
        ledger["contacts_billed"][&chimp.audience],
        json!(chimp.simulator.mailchimp().audiences[&chimp.audience].billed())
    );
    assert_eq!(
        sent(chimp.http.get(url("accounts"))).await.json()[0]["api_key"],
        json!(chimp.key)
    );
    let truth = sent(chimp.http.get(url(&format!("truth/{}", chimp.audience))))
        .await
        .json();
    assert_eq!(truth.as_array().unwrap().len(), 25);
    assert_eq!(sent(chimp.http.delete(url("ledger"))).await.status, 200);
    assert_eq!(chimp.simulator.mailchimp().ledger.total_calls(), 0);
}
