//! Tags, segments and merge fields (simulator 30 to 35).

use super::{Chimp, person};
use classy_sync::simulator::Act;
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn tags_of_a_member_change_by_name_only() {
    let chimp = Chimp::new(&[]).await;
    chimp.sign_up("a@x.org");
    let path = "/lists/A/members/a@x.org/tags";
    let tags = json!({"tags": [{"name": "One", "status": "active"}, {"name": "Nosuch", "status": "inactive"}]});
    assert_eq!(
        (chimp.post(path, tags).await.status, chimp.tags("a@x.org")),
        (204, vec!["One".to_owned()])
    );
    let quiet = json!({"tags": [{"name": "Two", "status": "active"}], "is_syncing": true});
    chimp.post(path, quiet).await;
    chimp.post(path, json!({"tags": []})).await;
    assert_eq!(
        chimp
            .post(path, json!([{"name": "One", "status": "inactive"}]))
            .await
            .status,
        204,
        "wrongly nested, silently nothing"
    );
    assert_eq!(chimp.tags("a@x.org"), ["One", "Two"]);
    assert_eq!(chimp.simulator.mailchimp().ledger.automations_fired, 1);
    assert_eq!(chimp.get(path).await.json()["total_items"], 2);
    assert_eq!(
        chimp
            .post("/lists/A/members/b@x.org/tags", json!({"tags": []}))
            .await
            .status,
        404
    );
    let found = chimp.get("/lists/A/tag-search?name=o").await.json();
    assert_eq!(
        (&found["tags"][0]["name"], &found["total_items"]),
        (&json!("One"), &json!(1))
    );
    assert_eq!(
        chimp.get("/lists/A/tag-search").await.json()["total_items"],
        5,
        "with those that the staff made"
    );
}

async fn tag(chimp: &Chimp, name: &str, emails: Value) -> u64 {
    chimp
        .post(
            "/lists/A/segments",
            json!({"name": name, "static_segment": emails}),
        )
        .await
        .json()["id"]
        .as_u64()
        .unwrap()
}

#[tokio::test]
async fn a_segment_is_filled_in_batches_and_says_little_of_whom_it_does_not_know() {
    let chimp = Chimp::new(&[]).await;
    for email in ["a@x.org", "b@x.org", "left@x.org"] {
        chimp.sign_up(email);
    }
    let id = tag(&chimp, "Donor", json!(["a@x.org", "left@x.org"])).await;
    chimp.act(Act::Unsubscribe("left@x.org".to_owned()));
    let path = format!("/lists/A/segments/{id}");
    let body = json!({"members_to_add": ["a@x.org", "b@x.org", "nobody@x.org"], "members_to_remove": ["left@x.org", "b@x.org"]});
    let answer = chimp.post(&path, body).await.json();
    assert_eq!(
        (&answer["total_added"], &answer["total_removed"]),
        (&json!(1), &json!(1))
    );
    let expected = json!([{"email_addresses": ["a@x.org"], "error": "Email addresses already exist in the static segment"}]);
    assert_eq!(
        answer["errors"], expected,
        "nothing of who is unknown or left"
    );
    let answer = chimp
        .post(&path, json!({"members_to_remove": ["b@x.org"]}))
        .await
        .json();
    assert_eq!(
        answer["errors"][0]["error"],
        "Email addresses do not exist in the static segment"
    );
    let refused = chimp
        .post(&path, json!({"members_to_remove": ["left@x.org"]}))
        .await;
    let error = json!([{"field": "members_to_remove", "message": "None of the emails provided were subscribed to the list"}]);
    assert_eq!((refused.status, &refused.json()["errors"]), (400, &error));
    chimp.simulator.mailchimp().switches.segments_know_all = true;
    assert_eq!(
        chimp
            .post(&path, json!({"members_to_remove": ["left@x.org"]}))
            .await
            .json()["total_removed"],
        1
    );
    let many: Vec<String> = (0..501).map(|number| format!("p{number}@x.org")).collect();
    assert_eq!(
        chimp
            .post(&path, json!({"members_to_add": many}))
            .await
            .status,
        400
    );
    let saved = chimp.get("/lists/A/segments?type=saved").await.json()["segments"][0]["id"].clone();
    assert_eq!(
        chimp
            .post(
                &format!("/lists/A/segments/{saved}"),
                json!({"members_to_add": ["a@x.org"]})
            )
            .await
            .status,
        404
    );
    assert_eq!(
        chimp
            .post(
                "/lists/A/segments/7",
                json!({"members_to_add": ["a@x.org"]})
            )
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn the_same_name_twice_is_two_tags_and_replacing_or_deleting_takes_from_all() {
    let chimp = Chimp::new(&[]).await;
    chimp.sign_up("a@x.org");
    chimp.sign_up("b@x.org");
    let (first, second) = (
        tag(&chimp, "Donor", json!([])).await,
        tag(&chimp, "Donor", json!(["a@x.org"])).await,
    );
    assert_ne!(first, second);
    chimp
        .subscribe(
            json!([{"email_address": "b@x.org", "status_if_new": "subscribed", "tags": ["donor"]}]),
        )
        .await;
    let members = async |id: u64| {
        chimp
            .get(&format!("/lists/A/segments/{id}/members"))
            .await
            .json()["total_items"]
            .clone()
    };
    assert_eq!(
        (members(first).await, members(second).await),
        (json!(1), json!(1)),
        "by name the older one"
    );
    chimp
        .send(
            Method::PATCH,
            &format!("/lists/A/segments/{second}"),
            json!({"static_segment": ["b@x.org"]}),
        )
        .await;
    assert_eq!(
        (chimp.tags("a@x.org").len(), chimp.tags("b@x.org").len()),
        (0, 2)
    );
    assert_eq!(
        chimp
            .send(
                Method::DELETE,
                &format!("/lists/A/segments/{second}"),
                json!(null)
            )
            .await
            .status,
        204
    );
    assert_eq!(chimp.tags("b@x.org"), ["Donor"]);
    assert_eq!(chimp.harm(), [] as [&str; 0], "its own tags are its own");
    let refused = chimp.post("/lists/A/segments", json!({"name": "X"})).await;
    assert_eq!(
        refused.json()["detail"],
        "Must provide either an \"options\" field or a \"static_segment\" field"
    );
}

#[tokio::test]
async fn a_segment_s_members_leave_out_who_gets_no_mail() {
    let chimp = Chimp::new(&[]).await;
    chimp.subscribe(json!([person("a@x.org", "A"), {"email_address": "t@x.org", "status_if_new": "transactional", "tags": ["T"]}])).await;
    chimp
        .subscribe(
            json!([{"email_address": "a@x.org", "status_if_new": "subscribed", "tags": ["T"]}]),
        )
        .await;
    let found = chimp
        .get("/lists/A/segments?type=static&count=1000")
        .await
        .json();
    let one = found["segments"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"] == "T")
        .unwrap()
        .clone();
    assert_eq!(one["member_count"], 1);
    let path = format!("/lists/A/segments/{}/members", one["id"]);
    assert_eq!(chimp.get(&path).await.json()["total_items"], 1);
    assert_eq!(
        chimp
            .get(&format!("{path}?include_transactional=true"))
            .await
            .json()["total_items"],
        2
    );
}

#[tokio::test]
async fn merge_fields_are_few_and_their_tags_short() {
    let chimp = Chimp::new(&[]).await;
    let create = async |body| chimp.post("/lists/A/merge-fields", body).await;
    let made = create(json!({"tag": "total amount given", "name": "Total", "type": "number"}))
        .await
        .json();
    assert_eq!(
        (
            &made["tag"],
            &made["merge_field_limit"],
            &made["total_items"]
        ),
        (&json!("TOTALAMOUN"), &json!(30), &json!(5))
    );
    assert_eq!(
        create(json!({"tag": "TOTALAMOUN", "name": "Again", "type": "number"}))
            .await
            .status,
        400
    );
    assert_eq!(
        create(json!({"name": "No tag", "type": "text"}))
            .await
            .json()["tag"],
        "MMERGE6"
    );
    for number in 0..24 {
        assert_eq!(
            create(json!({"tag": format!("F{number}"), "name": "F", "type": "text"}))
                .await
                .status,
            200
        );
    }
    assert_eq!(
        create(json!({"tag": "TOOMANY", "name": "F", "type": "text"}))
            .await
            .status,
        400
    );
    let listed = chimp.get("/lists/A/merge-fields").await.json();
    assert_eq!(
        (
            listed["merge_fields"].as_array().unwrap().len(),
            &listed["total_items"]
        ),
        (10, &json!(30)),
        "ten, unless told otherwise"
    );
    let long = "é".repeat(200);
    chimp
        .subscribe(
            json!([{"email_address": "a@x.org", "status_if_new": "subscribed", "merge_fields": {"FNAME": long, "totalamoun": 12.5}}]),
        )
        .await;
    let fields = chimp.get("/lists/A/members/a@x.org").await.json()["merge_fields"].clone();
    assert_eq!(
        (
            fields["FNAME"].as_str().unwrap().len(),
            &fields["TOTALAMOUN"],
            &fields["LNAME"]
        ),
        (254, &json!(12.5), &json!(""))
    );
}
