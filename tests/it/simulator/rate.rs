//! The rate limit (simulator 32).

use super::{Answer, Api};
use classy_sync::simulator::{Fault, Options};
use serde_json::json;

async fn exhausted(requests_per_minute: u32, faults: &[Fault]) -> (Api, Vec<Answer>) {
    let options = Options {
        supporters: 3,
        requests_per_minute,
        faults: faults.to_vec(),
        ..Options::default()
    };
    let api = Api::with(options).await;
    let mut answers = Vec::new();
    for _ in 0..=requests_per_minute {
        answers.push(api.get("/organizations/10001").await);
    }
    (api, answers)
}

#[tokio::test]
async fn a_bucket_empties_and_says_so() {
    let (api, answers) = exhausted(5, &[]).await;
    for (answer, left) in answers.iter().zip(["4", "3", "2", "1", "0"]) {
        assert_eq!(
            (
                answer.status,
                answer.header("x-ratelimit-limit"),
                answer.header("x-ratelimit-remaining")
            ),
            (200, Some("5"), Some(left))
        );
        assert_eq!(
            (
                answer.header("retry-after"),
                answer.header("x-ratelimit-reset")
            ),
            (None, None),
            "only when exceeded"
        );
    }
    let refused = &answers[5];
    let wait: i64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((10..=12).contains(&wait), "one in twelve seconds: {wait}");
    assert_eq!(
        (refused.status, refused.json()),
        (
            429,
            json!({"message": "Too Many Attempts.", "retry_after": wait})
        )
    );
    assert_eq!(refused.header("x-ratelimit-remaining"), Some("0"));
    let reset: i64 = refused
        .header("x-ratelimit-reset")
        .unwrap()
        .parse()
        .unwrap();
    assert!((reset - api.simulator.world().now() - wait).abs() <= 1);
    // Tokens are not counted, another rate is another bucket, none is none.
    api.new_token(10001).await;
    api.simulator.options().requests_per_minute = 0;
    let free = api.get("/organizations/10001").await;
    assert_eq!((free.status, free.header("x-ratelimit-limit")), (200, None));
}

#[tokio::test]
async fn it_fills_again_and_is_each_application_s_own() {
    let options = Options {
        supporters: 3,
        organizations: vec![10001, 10002],
        requests_per_minute: 120,
        ..Options::default()
    };
    let mut api = Api::with(options).await;
    let mut asked = 0;
    while api.get("/organizations/10001").await.status == 200 {
        asked += 1;
        assert!(asked < 1_000);
    }
    assert!(asked >= 120, "{asked}");
    tokio::time::sleep(std::time::Duration::from_millis(600)).await;
    assert_eq!(
        api.get("/organizations/10001").await.status,
        200,
        "two a second"
    );
    api.token = api.new_token(10002).await;
    assert_eq!(
        api.get("/organizations/10002")
            .await
            .header("x-ratelimit-remaining"),
        Some("119")
    );
}

#[tokio::test]
async fn it_can_refuse_in_other_ways() {
    let (_, answers) = exhausted(2, &[Fault::NoRetryAfter]).await;
    assert_eq!(
        (answers[2].status, answers[2].header("retry-after")),
        (429, None)
    );
    assert_eq!(answers[2].json(), json!({"message": "Too Many Attempts."}));
    let (_, answers) = exhausted(2, &[Fault::RateLimit503]).await;
    assert_eq!(
        (
            answers[2].status,
            answers[2].header("retry-after").is_some()
        ),
        (503, true)
    );
    let (_, answers) = exhausted(2, &[Fault::NoRateHeaders]).await;
    assert!(
        answers
            .iter()
            .all(|answer| answer.header("x-ratelimit-limit").is_none()
                && answer.header("x-ratelimit-remaining").is_none())
    );
    assert_eq!(answers[2].status, 429);
}
