//! Batch subscribe (simulator 16, 20, 22 to 29, 40 to 42).

use super::{Chimp, person};
use classy_sync::simulator::{Act, Switches};
use serde_json::{Value, json};

#[tokio::test]
async fn new_ones_are_made_and_old_ones_updated_without_a_status() {
    let chimp = Chimp::new(&[]).await;
    chimp.sign_up("old@x.org");
    chimp.sign_up("left@x.org");
    chimp.act(Act::Unsubscribe("left@x.org".to_owned()));
    let answer = chimp
        .subscribe(json!([
            {"email_address": "Old@X.org", "status_if_new": "subscribed", "merge_fields": {"FNAME": "Olga", "NOSUCH": "x"}, "tags": ["Donor"]},
            {"email_address": "left@x.org", "status_if_new": "subscribed", "merge_fields": {"FNAME": "Lea"}},
            {"email_address": "new@x.org", "status_if_new": "pending", "ip_signup": "203.0.113.9", "tags": ["Donor", "donor"]},
        ]))
        .await;
    assert_eq!(
        (
            &answer["total_created"],
            &answer["total_updated"],
            &answer["error_count"]
        ),
        (&json!(1), &json!(2), &json!(0))
    );
    assert_eq!(answer["new_members"][0]["status"], "pending");
    assert_eq!(
        answer["updated_members"][0]["email_address"], "old@x.org",
        "as it was written first"
    );
    assert_eq!(answer["updated_members"][0]["tags"][0]["name"], "Donor");
    assert_eq!(answer["updated_members"][1]["merge_fields"]["FNAME"], "Lea");
    assert_eq!(chimp.status("left@x.org"), "unsubscribed");
    assert_eq!(chimp.tags("new@x.org"), ["Donor"], "in whatever letters");
    let state = chimp.simulator.mailchimp();
    assert_eq!(
        (
            state.ledger.confirmation_mails.len(),
            state.ledger.automations_fired
        ),
        (1, 2)
    );
    assert_eq!(
        state.ledger.writes[0].keys(),
        [
            "email_address",
            "status_if_new",
            "merge_fields.FNAME",
            "merge_fields.NOSUCH",
            "tags"
        ]
    );
    assert_eq!(
        state.audiences[&chimp.audience].billed(),
        2,
        "pending is free"
    );
}

#[tokio::test]
async fn every_member_has_an_answer_of_its_own_and_the_call_is_200() {
    let chimp = Chimp::new(&[]).await;
    chimp
        .post(
            "/lists/A/merge-fields",
            json!({"tag": "WHEN", "name": "When", "type": "date"}),
        )
        .await;
    chimp.sign_up("gone@x.org");
    chimp.act(Act::Erase("gone@x.org".to_owned()));
    let answer = chimp
        .subscribe(json!([
            {"email_address": "no address", "status_if_new": "subscribed"},
            {"email_address": "a@example.com", "status_if_new": "subscribed"},
            {"email_address": "b@x.org", "status_if_new": "subscribed", "merge_fields": {"WHEN": "someday"}},
            {"email_address": "c@x.org"},
            {"email_address": "d@x.org", "status_if_new": "subscribed", "ip_signup": "nowhere"},
            {"email_address": "gone@x.org", "status_if_new": "subscribed"},
            {"email_address": "e@x.org", "status_if_new": "subscribed", "interests": {"abc": true}},
        ]))
        .await;
    let texts: Vec<&str> = answer["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["error"].as_str().unwrap())
        .collect();
    let invalid = "The resource submitted could not be validated. For field-specific details, see the 'errors' array.";
    let expected = [
        "Please provide a valid email address.",
        "a@example.com looks fake or invalid, please enter a real email address.",
        "Your merge fields were invalid.",
        invalid,
        invalid,
        "gone@x.org was permanently deleted and cannot be re-imported. The contact must re-subscribe to get back on the list.",
        "Invalid interest ID: 'abc'.",
    ];
    assert_eq!(texts, expected);
    assert_eq!(
        (
            &answer["errors"][2]["field"],
            &answer["errors"][2]["field_message"]
        ),
        (&json!("WHEN"), &json!("Please enter the date"))
    );
    assert_eq!(
        (&answer["error_count"], &answer["total_created"]),
        (&json!(7), &json!(0))
    );
    assert!(
        answer["errors"]
            .as_array()
            .unwrap()
            .iter()
            .all(|error| error["error_code"] == "ERROR_GENERIC")
    );
    // Back by a form, and the address is good again.
    chimp.sign_up("gone@x.org");
    assert_eq!(
        chimp.subscribe(json!([person("gone@x.org", "G")])).await["total_updated"],
        1
    );
}

#[tokio::test]
async fn some_things_refuse_the_whole_call_and_write_nothing() {
    let chimp = Chimp::new(&[]).await;
    let refused = async |path: &str, members: Value| {
        let answer = chimp
            .post(path, json!({"members": members, "update_existing": true}))
            .await;
        assert_eq!(answer.status, 400, "{}", answer.text);
        assert_eq!(chimp.status("a@x.org"), "nobody");
        assert!(
            chimp
                .simulator
                .mailchimp()
                .ledger
                .writes
                .last()
                .unwrap()
                .refused
                .is_some(),
            "it was sent all the same"
        );
    };
    refused(
        "/lists/A",
        json!([person("a@x.org", "A"), person("A@X.org", "B")]),
    )
    .await;
    refused(
        "/lists/A",
        json!([person("a@x.org", "A"), {"email_address": 7, "status_if_new": "subscribed"}]),
    )
    .await;
    refused(
        "/lists/A",
        json!([person("a@x.org", "A"), {"email_address": "b@x.org", "status_if_new": "archived"}]),
    )
    .await;
    let many: Vec<Value> = std::iter::once(person("a@x.org", "A"))
        .chain((0..500).map(|n| person(&format!("p{n}@x.org"), "P")))
        .collect();
    refused("/lists/A", json!(many)).await;
    // Told to, it takes the first and says nothing of the others.
    let body = json!({"members": [person("a@x.org", "First"), person("a@x.org", "Second")]});
    let answer = chimp
        .post("/lists/A?skip_duplicate_check=true", body)
        .await
        .json();
    assert_eq!(
        (&answer["total_created"], &answer["error_count"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(answer["new_members"][0]["merge_fields"]["FNAME"], "First");
}

#[tokio::test]
async fn whoever_is_there_is_not_touched_without_update_existing() {
    let chimp = Chimp::new(&[]).await;
    chimp.sign_up("a@x.org");
    let answer = chimp
        .post("/lists/A", json!({"members": [person("a@x.org", "Ada")]}))
        .await
        .json();
    assert_eq!(answer["errors"][0]["error_code"], "ERROR_CONTACT_EXISTS");
    assert!(
        answer["errors"][0]["error"]
            .as_str()
            .unwrap()
            .starts_with("a@x.org is already a list member, do you want to update?")
    );
    assert_eq!(
        chimp.get("/lists/A/members/a@x.org").await.json()["merge_fields"]["FNAME"],
        ""
    );
}

#[tokio::test]
async fn an_archived_contact_counts_as_new_or_stays_archived() {
    let chimp = Chimp::new(&[]).await;
    chimp.sign_up("a@x.org");
    chimp.act(Act::Archive("a@x.org".to_owned()));
    chimp.simulator.mailchimp().switches.batch_revives_archived = false;
    assert_eq!(
        chimp.subscribe(json!([person("a@x.org", "A")])).await["total_updated"],
        1
    );
    assert_eq!(
        (chimp.status("a@x.org"), chimp.harm().len()),
        ("archived", 0)
    );
    chimp.simulator.mailchimp().switches = Switches::default();
    assert_eq!(
        chimp.subscribe(json!([person("a@x.org", "A")])).await["total_created"],
        1
    );
    assert_eq!(chimp.status("a@x.org"), "subscribed");
    assert_eq!(
        chimp.harm(),
        [format!(
            "resubscribed: {} a@x.org (archived by hand)",
            chimp.audience
        )]
    );
}

#[tokio::test]
async fn a_required_field_is_enforced_unless_it_is_skipped() {
    let chimp = Chimp::new(&[]).await;
    chimp.act(Act::Require {
        field: "LNAME".to_owned(),
        required: true,
    });
    let answer = chimp.subscribe(json!([person("a@x.org", "A")])).await;
    assert_eq!(
        (
            &answer["errors"][0]["field"],
            &answer["errors"][0]["field_message"]
        ),
        (&json!("LNAME"), &json!("Please enter a value"))
    );
    let bad = json!({"email_address": "b@x.org", "status_if_new": "subscribed", "merge_fields": {"BIRTHDAY": "13/13"}});
    let body = json!({"members": [person("a@x.org", "A"), bad]});
    let answer = chimp
        .post("/lists/A?skip_merge_validation=true", body)
        .await
        .json();
    assert_eq!(
        (&answer["total_created"], &answer["error_count"]),
        (&json!(1), &json!(1)),
        "that does not excuse what is malformed"
    );
}

#[tokio::test]
async fn an_address_that_comes_and_goes_is_refused_for_some_hours() {
    let chimp = Chimp::new(&[]).await;
    let again = async || {
        let answer = chimp.subscribe(json!([person("a@x.org", "A")])).await;
        chimp
            .send(
                reqwest::Method::DELETE,
                "/lists/A/members/a@x.org",
                json!(null),
            )
            .await;
        answer["errors"][0]["error"].as_str().map(str::to_owned)
    };
    let mut text = None;
    let mut tries = 0;
    while text.is_none() {
        text = again().await;
        tries += 1;
        assert!(tries < 30);
    }
    assert_eq!(
        text.unwrap(),
        "a@x.org has signed up to a lot of lists very recently; we're not allowing more signups for now"
    );
    assert_eq!(tries, 13);
    chimp.later(7 * 3_600);
    assert_eq!(again().await, None);
}
