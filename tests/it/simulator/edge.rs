//! What is refused, where, and with which of the bodies that look alike (simulator 5 to 7, 39, 40).

use super::{Api, id_at, sent};
use classy_sync::simulator::{Fault, Kind, Options};
use serde_json::json;

#[tokio::test]
async fn both_versions_of_the_path_answer_and_page_addresses_follow_the_host_that_was_called() {
    let api = Api::new(30, &[]).await;
    for version in ["/2.0", "/api/2.0"] {
        let path = format!("{version}/organizations/10001/supporters");
        let body = sent(api.http.get(api.url(&path)).bearer_auth(&api.token))
            .await
            .json();
        assert_eq!(body["path"], api.url(&path));
        assert_eq!(body["next_page_url"], format!("{}?page=2", api.url(&path)));
    }
    api.simulator
        .world()
        .set_faults(vec![Fault::ForeignNextUrl]);
    let body = api.list(Kind::Supporters, &[]).await.json();
    let next = body["next_page_url"].as_str().unwrap();
    assert!(
        next.starts_with("http://127.0.0.1:")
            && !next.contains(&api.simulator.address().to_string()),
        "{next}"
    );
    // Whoever follows it with a token is found out.
    sent(api.http.get(next).bearer_auth(&api.token)).await;
    let ledger = api.simulator.ledger();
    assert_eq!((ledger.strangers, ledger.leaks), (1, 1));
}

#[tokio::test]
async fn another_organization_is_forbidden_with_its_permissions() {
    let api = Api::with(Options {
        supporters: 20,
        organizations: vec![10001, 10002],
        ..Options::default()
    })
    .await;
    let body = |entity: &str| json!({"error": "This action is unauthorized.", "permissions": [{"action": "fetch", "entity": entity}]});
    let theirs = |kind: Kind| {
        api.simulator.world().organizations[&10002].lists[&kind]
            .nth(0)
            .unwrap()
            .id
    };
    for (path, entity) in [
        ("/organizations/10002".to_owned(), "organization"),
        ("/organizations/10002/supporters".to_owned(), "organization"),
        (
            format!("/transactions/{}", theirs(Kind::Transactions)),
            "transaction",
        ),
        (
            format!("/supporters/{}", theirs(Kind::Supporters)),
            "supporter",
        ),
        (
            format!("/campaigns/{}", theirs(Kind::Campaigns)),
            "campaign",
        ),
        (
            format!("/campaigns/{}/transactions", theirs(Kind::Campaigns)),
            "campaign",
        ),
        (
            format!("/campaigns/{}/overview", theirs(Kind::Campaigns)),
            "campaign",
        ),
        (
            format!("/recurring-donation-plans/{}", theirs(Kind::Plans)),
            "recurring_donation_plan",
        ),
    ] {
        let answer = api.get(&path).await;
        assert_eq!(
            (answer.status, answer.json()),
            (403, body(entity)),
            "{path}"
        );
    }
    // With its own credentials it sees its own, and no id is in both; all lie above 2^31.
    let token = api.new_token(10002).await;
    let other = sent(
        api.http
            .get(api.url("/2.0/organizations/10002/supporters"))
            .bearer_auth(token),
    )
    .await
    .ids();
    let own = api.list(Kind::Supporters, &[]).await.ids();
    assert!(own.iter().chain(&other).all(|id| *id > 1 << 31) && other.len() == 20);
    assert!(!own.iter().any(|id| other.contains(id)));
}

#[tokio::test]
async fn the_edge_stops_default_agents_and_whoever_lacks_its_header_with_a_web_page() {
    let api = Api::new(3, &[]).await;
    let ask = async |agent: Option<&str>| {
        let request = api
            .http
            .get(api.url("/2.0/organizations/10001"))
            .bearer_auth(&api.token);
        sent(agent.map_or(request.try_clone().unwrap(), |agent| {
            request.header("user-agent", agent)
        }))
        .await
    };
    assert_eq!(ask(None).await.status, 200);
    api.simulator.world().set_faults(vec![Fault::EdgeBlock]);
    for agent in [
        None,
        Some("curl/8.5.0"),
        Some("python-requests/2.31"),
        Some("Go-http-client/1.1"),
    ] {
        let answer = ask(agent).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (403, Some("text/html; charset=UTF-8")),
            "{agent:?}"
        );
        assert!(
            answer.header("cf-mitigated").is_some() && answer.text.contains("Just a moment...")
        );
    }
    // Twice: it strikes one of two at the most.
    let (first, second) = (
        ask(Some("classy-sync/0.1")).await,
        ask(Some("classy-sync/0.1")).await,
    );
    assert!(first.status == 200 || second.status == 200);
    assert_eq!(
        sent(api.http.post(api.simulator.token_url())).await.status,
        403,
        "the token endpoint is behind it as well"
    );
    api.simulator.world().set_faults(Vec::new());
    api.simulator.options().integration_id = Some("int-1".to_owned());
    assert_eq!(ask(Some("classy-sync/0.1")).await.status, 403);
    let request = api
        .http
        .get(api.url("/2.0/organizations/10001"))
        .bearer_auth(&api.token);
    assert_eq!(
        sent(request.header("x-integration-id", "int-1"))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn there_are_three_kinds_of_404() {
    let api = Api::new(20, &[]).await;
    let campaign = id_at(&api.simulator, Kind::Campaigns, 0);
    let not_found = json!({"error": "The resource cannot be found"});
    for path in [
        "/supporters/1",
        "/transactions/99999999999",
        "/transactions/abc",
        "/campaigns/7",
        "/organizations/99",
        "/organizations/99/supporters",
        "/campaigns/7/overview",
        "/campaigns/7/transactions",
    ] {
        let answer = api.get(path).await;
        assert_eq!(
            (answer.status, answer.json()),
            (404, not_found.clone()),
            "{path}"
        );
    }
    for path in [
        &format!("/organizations/10001/campaigns/{campaign}/transactions"),
        "/organizations/10001/members",
        "/supporters",
        "/organizations/10001/recurring-plans",
        "/",
    ] {
        let answer = api.get(path).await;
        assert_eq!(
            (answer.status, answer.json()["request_id"].is_string()),
            (404, true),
            "{path}"
        );
        assert_ne!(answer.json(), not_found, "the gateway's own");
    }
    assert_eq!(
        sent(api.http.get(api.url("/4.0/organizations/10001")))
            .await
            .status,
        404,
        "no such version, token or not"
    );
    assert_eq!(
        sent(api.http.get(api.url("/2.01/organizations/10001")))
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn the_ledger_has_everything_that_was_asked() {
    let api = Api::new(20, &[]).await;
    api.simulator.ledger().clear();
    api.get("/organizations/10001/supporters?filter=updated_at%3E%3D2020-01-01T00%3A00%3A00%2B0000&sort=id+").await;
    let answer = sent(
        api.http
            .delete(api.url("/2.0/supporters/1"))
            .bearer_auth(&api.token),
    )
    .await;
    assert_eq!((answer.status, answer.text.as_str()), (405, "{}"));
    api.get("/organizations/10001?access_token=abc").await;
    api.new_token(10001).await;
    sent(api.http.get(api.url("/2.0/organizations/10001"))).await;
    let ledger = sent(api.http.get(api.url("/__sim/ledger"))).await.json();
    let counts = [
        "token_requests",
        "data_requests",
        "writes",
        "secrets_in_query",
    ]
    .map(|name| ledger[name].as_u64().unwrap());
    assert_eq!(counts, [1, 4, 1, 1]);
    let first = &ledger["requests"][0];
    assert_eq!(
        first["query"],
        json!([
            ["filter", "updated_at>=2020-01-01T00:00:00+0000"],
            ["sort", "id "]
        ]),
        "decoded once"
    );
    assert_eq!(
        (&first["method"], &first["path"]),
        (&json!("GET"), &json!("/2.0/organizations/10001/supporters"))
    );
    assert_eq!(
        (&first["token"], &first["status"]),
        (&json!(1), &json!(400)),
        "no column is called 'id '"
    );
    assert_eq!(
        (
            &ledger["requests"][3]["path"],
            &ledger["requests"][4]["token"]
        ),
        (&json!("/oauth2/auth"), &json!(null))
    );
    assert!(!ledger.to_string().contains(&api.token), "never the token");
}
