//! Every fault by name: no panic, nothing lost, the documented exit code, and no token to a
//! stranger.

use crate::backend::Kind as Backend;
use crate::site::{ORGANIZATION, Site, feed, world};
use classy_sync::simulator::{Fault, Kind, Options};

async fn exact_in_spite_of(faults: &[Fault], seed: u64) -> Site {
    let site = Site::new(
        Backend::Sqlite,
        Options {
            faults: faults.to_vec(),
            ..world(250, seed)
        },
    )
    .await;
    site.sync();
    site.simulator.world().live(ORGANIZATION, 50);
    site.sync();
    site.assert_exact().await;
    {
        let ledger = site.simulator.ledger();
        assert_eq!(
            (ledger.leaks, ledger.writes, ledger.secrets_in_query),
            (0, 0, 0)
        );
        let named = |fault: &Fault| {
            ledger
                .requests
                .iter()
                .any(|entry| entry.fault.as_deref() == Some(fault.as_str()))
        };
        // The others are how the source is, and strike no request by name.
        let strikes = |fault: &&Fault| {
            matches!(
                fault,
                Fault::RateLimit
                    | Fault::ServerErrors
                    | Fault::Slow
                    | Fault::TruncatedBody
                    | Fault::Reset
                    | Fault::Html200
                    | Fault::WrongShape200
                    | Fault::InvalidJson
            )
        };
        assert!(faults.iter().filter(strikes).all(named), "it struck");
    }
    site
}

macro_rules! survives {
    ($($test:ident: $($fault:ident),+;)*) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                exact_in_spite_of(&[$(Fault::$fault),+], 20).await;
            }
        )*
    };
}

survives! {
    a_rate_limit_is_waited_for: RateLimit;
    a_rate_limit_that_does_not_say_how_long_is_waited_for: RateLimit, NoRetryAfter;
    a_rate_limit_that_is_called_503_is_waited_for: RateLimit, RateLimit503;
    server_errors_are_tried_again_at_the_token_endpoint_too: ServerErrors, TokenErrors;
    cut_bodies_are_read_again: TruncatedBody, Reset;
    web_pages_and_wrong_shapes_with_status_200_are_not_no_records: Html200, WrongShape200, InvalidJson;
    packed_bodies_with_newer_keys_and_large_payloads_are_read: Packed, NewKeys, NoLinks, BigMetadata;
    gifts_of_people_that_no_list_has_are_kept: Orphans;
    an_organization_that_does_not_answer_for_itself_is_read: NoOrganization;
    tokens_that_end_in_the_middle_are_renewed: TokenExpiry;
    foreign_page_addresses_are_not_followed: ForeignNextUrl;
    totals_that_shrink_are_not_believed: ShrinkingTotal;
    a_source_without_a_clock_and_with_404_past_the_end_is_read: NoDate, PastEnd404;
    slow_answers_are_waited_for: Slow;
}

#[tokio::test(flavor = "multi_thread")]
async fn noise_in_types_and_unknown_keys_change_no_value() {
    let site = Site::new(
        Backend::Sqlite,
        Options {
            faults: vec![Fault::TypeNoise],
            ..world(250, 21)
        },
    )
    .await;
    site.sync();
    // The new word is kept as the source spells it; the truth has the old one.
    assert!(
        site.number("SELECT COUNT(*) AS n FROM campaigns WHERE type = 'something_new'")
            .await
            > 0
            || site.number("SELECT COUNT(*) AS n FROM campaigns").await < 5
    );
    site.simulator.world().faults.clear();
    site.json(&["sync", "--full"], 0);
    site.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_now_and_then_is_not_followed_and_nothing_reaches_the_other_host() {
    let site = exact_in_spite_of(&[Fault::Redirect], 22).await;
    assert_eq!(site.simulator.ledger().strangers, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_records_are_kept_with_their_reason_and_the_rest_arrives() {
    let site = Site::new(
        Backend::Sqlite,
        Options {
            faults: vec![Fault::BadRecord],
            ..world(300, 23)
        },
    )
    .await;
    let report = site.json(&["sync"], 3);
    let bad = site.simulator.world().organizations[&ORGANIZATION].lists[&Kind::Supporters]
        .iter()
        .filter(|record| record.broken)
        .count();
    assert_eq!(feed(&report, "supporters")["rejected"], bad);
    assert_eq!(feed(&report, "supporters")["inserted"], 300 - bad);
    let rejects = site.json(&["rejects", "--limit", "1000"], 0);
    let reasons: Vec<&str> = rejects
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["reason"].as_str().unwrap())
        .collect();
    assert!(reasons.contains(&"invalid") && reasons.contains(&"foreign_organization"));
    let details = rejects.to_string();
    assert!(
        details.contains("total_gross_amount: not a decimal number")
            && !details.contains("dollars"),
        "the field, never the value"
    );
    site.simulator.world().faults.clear();
    site.simulator.world().heal();
    site.sync();
    site.assert_exact().await;
    assert_eq!(
        site.json(&["rejects"], 0).as_array().unwrap().len(),
        0,
        "good versions close them"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn records_without_a_time_of_change_are_loaded_and_reconciled() {
    let site = Site::new(
        Backend::Sqlite,
        Options {
            faults: vec![Fault::NullUpdatedAt],
            ..world(300, 24)
        },
    )
    .await;
    site.sync();
    site.assert_exact().await;
    let id = site.simulator.world().organizations[&ORGANIZATION].lists[&Kind::Supporters]
        .iter()
        .find(|record| record.updated_at.is_none())
        .unwrap()
        .id;
    site.simulator.world().edit(
        ORGANIZATION,
        Kind::Supporters,
        id,
        &[("city", "\"Nowhen\"".to_owned())],
        false,
    );
    site.json(&["sync", "--full"], 0);
    site.assert_exact().await;
}
