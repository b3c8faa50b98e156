//! What keeps an outage cheap: the breaker, and the budget of retries.

use super::*;
use crate::domain::Remedy;

#[tokio::test(start_paused = true)]
async fn an_hour_of_503_costs_few_requests_and_one_probe_ends_it() {
    let down = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let (client, script) = client({
        let down = down.clone();
        move |_, _| {
            if down.load(std::sync::atomic::Ordering::Relaxed) {
                Ok(Reply::scripted(503, &[], ""))
            } else {
                ok(ONE)
            }
        }
    });
    let start = tokio::time::Instant::now();
    let (mut fast, mut asked) = (0, 0);
    while start.elapsed() < seconds(3600) {
        asked += 1;
        fast += usize::from(
            matches!(first_page(&client).await, Err(Error::BreakerOpen { after, .. }) if after <= seconds(300)),
        );
        tokio::time::advance(seconds(5)).await;
    }
    assert!(fast * 10 > asked * 9, "{fast} of {asked} failed fast");
    assert!(data(&script).len() < 60, "{} requests", data(&script).len());
    down.store(false, std::sync::atomic::Ordering::Relaxed);
    tokio::time::advance(seconds(300)).await;
    first_page(&client).await.unwrap();
    first_page(&client).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_meets_the_breaker_while_retrying_is_told_what_opened_it() {
    let mut settings = settings();
    settings.retries.breaker_threshold = 3;
    let (client, script) = client_with(settings, |_, _| Ok(Reply::scripted(503, &[], "")));
    assert_eq!(
        first_page(&client).await.unwrap_err(),
        Error::Unavailable { status: 503 }
    );
    assert!(matches!(
        first_page(&client).await.unwrap_err().remedy(),
        Remedy::Retry { after: Some(_) }
    ));
    assert_eq!(data(&script).len(), 3);
}

#[tokio::test(start_paused = true)]
async fn refusals_never_open_the_breaker() {
    let (client, script) = client(|before, _| {
        if before < 100 {
            Ok(Reply::scripted(403, &[], JSON_403))
        } else {
            ok(ONE)
        }
    });
    for _ in 0..100 {
        assert!(matches!(
            first_page(&client).await,
            Err(Error::Forbidden { .. })
        ));
    }
    first_page(&client).await.unwrap();
    assert_eq!(data(&script).len(), 101);
}

#[tokio::test(start_paused = true)]
async fn retries_run_out_of_budget_before_they_double_the_load() {
    let mut settings = settings();
    settings.retries.budget = 10;
    settings.retries.breaker_threshold = u32::MAX;
    let (client, _) = client_with(settings, |_, _| Ok(Reply::scripted(500, &[], "")));
    for _ in 0..100 {
        assert_eq!(
            first_page(&client).await.unwrap_err(),
            Error::Unavailable { status: 500 }
        );
    }
    assert_eq!(client.stats().retries, 10);
}
