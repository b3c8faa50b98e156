//! Single members (simulator 13 to 21, 41, 45).

use super::{Chimp, person};
use crate::simulator::sent;
use classy_sync::simulator::{Act, Compliance};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn a_member_is_found_by_hash_by_address_and_by_contact_id() {
    let chimp = Chimp::new(&[]).await;
    let put = chimp
        .send(
            Method::PUT,
            "/lists/A/members/A@x.org",
            json!({"email_address": "A@x.org", "status_if_new": "subscribed"}),
        )
        .await;
    let member = put.json();
    assert_eq!(
        (put.status, &member["id"]),
        (200, &json!(md5_of("a@x.org")))
    );
    for who in [
        member["id"].as_str().unwrap(),
        member["contact_id"].as_str().unwrap(),
        "a@X.ORG",
        "A%40x.org",
    ] {
        assert_eq!(
            chimp.get(&format!("/lists/A/members/{who}")).await.json()["id"],
            member["id"],
            "{who}"
        );
    }
    assert_eq!(
        chimp
            .get(&format!("/lists/A/members/{}", "0".repeat(32)))
            .await
            .status,
        404
    );
}

fn md5_of(text: &str) -> String {
    use md5::{Digest, Md5};
    Md5::digest(text.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[tokio::test]
async fn put_makes_or_updates_and_obeys_a_stated_status() {
    let chimp = Chimp::new(&[]).await;
    let put = async |body| {
        chimp
            .send(Method::PUT, "/lists/A/members/a@x.org", body)
            .await
    };
    assert_eq!(
        put(json!({"email_address": "a@x.org"})).await.status,
        400,
        "no status for a new one"
    );
    put(json!({"email_address": "a@x.org", "status_if_new": "subscribed", "tags": ["One"]})).await;
    put(json!({"email_address": "a@x.org", "status_if_new": "transactional", "merge_fields": {"FNAME": "Ada"}, "tags": ["Two"]})).await;
    assert_eq!(
        (chimp.status("a@x.org"), chimp.tags("a@x.org")),
        ("subscribed", vec!["One".to_owned()]),
        "tags only for a new one"
    );
    put(json!({"email_address": "a@x.org", "status": "unsubscribed"})).await;
    assert_eq!(chimp.status("a@x.org"), "unsubscribed");
    assert_eq!(chimp.simulator.mailchimp().ledger.unsubscriptions.len(), 1);
    let exists = chimp
        .post(
            "/lists/A/members",
            json!({"email_address": "a@x.org", "status": "subscribed"}),
        )
        .await;
    assert_eq!(exists.json()["title"], "Member Exists");
    assert_eq!(
        chimp
            .send(
                Method::PATCH,
                "/lists/A/members/b@x.org",
                json!({"status": "pending"})
            )
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn an_address_moves_with_its_member_unless_somebody_has_it() {
    let chimp = Chimp::new(&[]).await;
    chimp.sign_up("a@x.org");
    chimp.sign_up("taken@x.org");
    let moved = chimp
        .send(
            Method::PATCH,
            "/lists/A/members/a@x.org",
            json!({"email_address": "b@x.org"}),
        )
        .await;
    assert_eq!(
        (moved.status, &moved.json()["email_address"]),
        (200, &json!("b@x.org"))
    );
    assert_eq!(
        (chimp.status("a@x.org"), chimp.status("b@x.org")),
        ("nobody", "subscribed")
    );
    let taken = chimp
        .send(
            Method::PATCH,
            "/lists/A/members/b@x.org",
            json!({"email_address": "taken@x.org"}),
        )
        .await;
    assert_eq!((taken.status, chimp.status("b@x.org")), (400, "subscribed"));
}

#[tokio::test]
async fn whoever_left_comes_back_in_one_of_three_ways_and_it_shows() {
    for (compliance, status, after, harm, prevented) in [
        (Compliance::Error, 400, "unsubscribed", 0, 1),
        (Compliance::Ignored, 200, "unsubscribed", 0, 1),
        (Compliance::Succeeds, 200, "subscribed", 1, 0),
    ] {
        let chimp = Chimp::new(&[]).await;
        chimp.simulator.mailchimp().switches.compliance = compliance;
        chimp.sign_up("a@x.org");
        chimp.act(Act::Unsubscribe("a@x.org".to_owned()));
        let body = json!({"status": "subscribed", "merge_fields": {"FNAME": "Ada"}});
        let answer = chimp
            .send(Method::PATCH, "/lists/A/members/a@x.org", body)
            .await;
        assert_eq!((answer.status, chimp.status("a@x.org")), (status, after));
        if status == 400 {
            assert_eq!(answer.json()["title"], "Member In Compliance State");
        }
        assert_eq!(
            (
                chimp.harm().len(),
                chimp
                    .simulator
                    .mailchimp()
                    .ledger
                    .resubscriptions_prevented
                    .len()
            ),
            (harm, prevented)
        );
    }
}

#[tokio::test]
async fn pending_mails_once_and_is_a_resubscription_of_somebody_who_left() {
    let chimp = Chimp::new(&[]).await;
    chimp.sign_up("a@x.org");
    chimp.act(Act::Unsubscribe("a@x.org".to_owned()));
    for _ in 0..2 {
        assert_eq!(
            chimp
                .send(
                    Method::PATCH,
                    "/lists/A/members/a@x.org",
                    json!({"status": "pending"})
                )
                .await
                .status,
            200
        );
    }
    assert_eq!(
        chimp.simulator.mailchimp().ledger.confirmation_mails.len(),
        1
    );
    assert_eq!(
        chimp.harm()[0],
        format!(
            "resubscribed: {} a@x.org (left by themselves)",
            chimp.audience
        )
    );
    chimp.act(Act::Confirm("a@x.org".to_owned()));
    assert_eq!(chimp.status("a@x.org"), "subscribed");
}

#[tokio::test]
async fn delete_archives_without_a_body_and_erasing_is_for_ever() {
    let chimp = Chimp::new(&[]).await;
    chimp.sign_up("a@x.org");
    let delete = async || {
        chimp
            .send(Method::DELETE, "/lists/A/members/a@x.org", json!(null))
            .await
    };
    let answer = delete().await;
    assert_eq!(
        (
            answer.status,
            answer.text.as_str(),
            answer.header("content-type")
        ),
        (204, "", None)
    );
    let again = delete().await;
    assert_eq!(again.status, 405);
    assert!(
        again.json()["detail"]
            .as_str()
            .unwrap()
            .contains("member cannot be removed")
    );
    let put = json!({"email_address": "a@x.org", "status_if_new": "subscribed"});
    chimp
        .send(Method::PUT, "/lists/A/members/a@x.org", put.clone())
        .await;
    assert_eq!(chimp.status("a@x.org"), "archived", "not by status_if_new");
    assert_eq!(
        chimp
            .post(
                "/lists/A/members/a@x.org/actions/delete-permanent",
                json!({})
            )
            .await
            .status,
        204
    );
    let back = chimp
        .send(Method::PUT, "/lists/A/members/a@x.org", put)
        .await;
    assert_eq!(
        (back.status, &back.json()["title"]),
        (400, &json!("Forgotten Email Not Subscribed"))
    );
    assert_eq!(
        chimp.harm(),
        [format!("erased: {} a@x.org (erased)", chimp.audience)]
    );
}

#[tokio::test]
async fn permissions_are_given_singly_and_never_in_a_batch() {
    let chimp = Chimp::new(&[]).await;
    chimp
        .simulator
        .mailchimp()
        .audiences
        .get_mut(&chimp.audience)
        .unwrap()
        .permissions = vec![("e1".to_owned(), "Email".to_owned())];
    assert_eq!(
        chimp.get("/lists/A").await.json()["marketing_permissions"],
        true
    );
    let given = json!([{"marketing_permission_id": "e1", "enabled": true}]);
    let mut member = person("a@x.org", "A");
    member["marketing_permissions"] = given.clone();
    let answer = chimp.subscribe(json!([member])).await;
    assert_eq!(
        answer["new_members"][0]["marketing_permissions"][0]["enabled"],
        false
    );
    let answer = chimp
        .send(
            Method::PATCH,
            "/lists/A/members/a@x.org",
            json!({"marketing_permissions": given}),
        )
        .await;
    assert_eq!(
        answer.json()["marketing_permissions"],
        json!([{"marketing_permission_id": "e1", "text": "Email", "enabled": true}])
    );
}

#[tokio::test]
async fn an_audience_with_confirmation_does_as_it_is_told_all_the_same() {
    let chimp = Chimp::new(&[]).await;
    let url = format!(
        "http://{}/__sim/mailchimp/audiences/{}",
        chimp.simulator.address(),
        chimp.audience
    );
    assert_eq!(
        sent(
            chimp
                .http
                .post(url)
                .body(json!({"double_optin": true}).to_string())
        )
        .await
        .status,
        200
    );
    assert_eq!(chimp.get("/lists/A").await.json()["double_optin"], true);
    chimp.subscribe(json!([person("a@x.org", "A")])).await;
    assert_eq!(
        (
            chimp.status("a@x.org"),
            chimp.simulator.mailchimp().ledger.confirmation_mails.len()
        ),
        ("subscribed", 0)
    );
}
