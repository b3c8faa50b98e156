//! What pages show of money and people, against sums made by hand: on each database by itself, and
//! on the pages of a running daemon.

use crate::backend::{Kind, kinds};
use crate::place::place;
use crate::site::{ORGANIZATION, Site, world};
use crate::web::{Daemon, TOKEN, until};
use classy_sync::domain::{Item, Money, Time, Zone};
use classy_sync::entities::{RecurringPlan, Supporter, Transaction};
use classy_sync::store::{Batch, Span};
use reqwest::Method;
use sea_orm::{ConnectionTrait, Statement};
use std::collections::BTreeMap;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);

fn at(text: &str) -> Time {
    text.parse().unwrap()
}

fn money(text: &str) -> Money {
    Money::parse(text).unwrap()
}

fn gift(id: i64, who: i64, amount: &str, when: &str) -> Transaction {
    Transaction {
        id,
        supporter_id: Some(who),
        status: "success".to_owned(),
        total_gross_amount: Money::parse(amount).ok(),
        currency_code: Some("USD".to_owned()),
        purchased_at: Some(at(when)),
        ..Transaction::default()
    }
}

/// Gifts of two years and what is none: a refund, a registration without a price.
fn gifts() -> Vec<Transaction> {
    let of_plan = |gift: Transaction| Transaction {
        recurring_plan_id: Some(70),
        ..gift
    };
    let refunded = Transaction {
        status: "refunded".to_owned(),
        ..gift(6, 1, "500", "2026-02-03T00:00:00Z")
    };
    let euros = Transaction {
        currency_code: Some("EUR".to_owned()),
        ..gift(8, 3, "40", "2026-02-04T00:00:00Z")
    };
    let nobodys = Transaction {
        supporter_id: None,
        ..gift(9, 0, "11.11", "2026-02-05T00:00:00Z")
    };
    vec![
        gift(1, 1, "10.01", "2025-02-01T00:00:00Z"),
        gift(2, 2, "99.99", "2025-12-31T23:59:59Z"),
        gift(3, 1, "25", "2026-02-01T00:00:00Z"),
        of_plan(gift(4, 2, "7.5", "2026-02-02T00:00:00Z")),
        of_plan(gift(5, 4, "6000", "2026-02-28T23:59:59Z")),
        refunded,
        gift(7, 5, "0", "2026-02-03T00:00:00Z"),
        euros,
        nobodys,
        gift(10, 1, "3", "2026-03-01T00:00:00Z"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn sums_by_time_tell_currency_and_plans_apart_and_count_gifts_alone() {
    let spans: [Span; 3] = [
        (at("2025-01-01T00:00:00Z"), at("2026-01-01T00:00:00Z")),
        (at("2026-02-01T00:00:00Z"), at("2026-03-01T00:00:00Z")),
        (at("2024-01-01T00:00:00Z"), at("2025-01-01T00:00:00Z")),
    ];
    for kind in kinds() {
        let place = place(kind).await;
        let items = gifts().into_iter().map(Item::Good).collect();
        place
            .tenant
            .commit(&place.fence, &Batch::of(items))
            .await
            .unwrap();
        let mut told: Vec<String> = place
            .tenant
            .sums(&spans)
            .await
            .unwrap()
            .into_iter()
            .map(|sum| {
                format!(
                    "{} {} {} {} {}",
                    sum.place,
                    sum.currency.unwrap_or_default(),
                    if sum.is_recurring { "plan" } else { "once" },
                    sum.gifts,
                    sum.total
                )
            })
            .collect();
        told.sort_unstable();
        assert_eq!(
            told,
            [
                "0 USD once 2 110",
                "1 EUR once 1 40",
                "1 USD once 2 36.11",
                "1 USD plan 2 6007.5",
            ],
            "{kind:?}"
        );
        // More spans than one statement takes, the last of which is one of those.
        let many: Vec<Span> = (0..250).map(|_| spans[2]).chain([spans[0]]).collect();
        let found = place.tenant.sums(&many).await.unwrap();
        assert_eq!((found.len(), found[0].place), (1, 250), "{kind:?}");

        // Spans: before 2026, February, March. 1 gave in all of them, 2 in the first two, 3 and 4 in
        // February; 5 gave nothing, and a gift of nobody is nobody's.
        let spans = [
            (at("2000-01-01T00:00:00Z"), at("2026-01-01T00:00:00Z")),
            spans[1],
            (at("2026-03-01T00:00:00Z"), at("2026-04-01T00:00:00Z")),
        ];
        let patterns = place.tenant.giving_patterns(&spans).await.unwrap();
        let patterns: BTreeMap<u64, u64> = patterns
            .into_iter()
            .map(|pattern| (pattern.spans, pattern.people))
            .collect();
        let expected = BTreeMap::from([(0b111, 1), (0b011, 1), (0b010, 2)]);
        assert_eq!(patterns, expected, "{kind:?}");

        let all = (at("2000-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z"));
        let sizes: Vec<String> = place
            .tenant
            .gift_sizes(all)
            .await
            .unwrap()
            .into_iter()
            .filter(|band| band.currency.as_deref() == Some("USD"))
            .map(|band| format!("{} {} {}", band.place, band.gifts, band.total))
            .collect();
        // Below 10, 10 to 25, 25 to 50, 50 to 100, and 5,000 or more.
        assert_eq!(
            sizes,
            ["0 2 10.5", "1 2 21.12", "2 1 25", "3 1 99.99", "8 1 6000"],
            "{kind:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn plans_and_people_are_counted_as_they_are() {
    for kind in kinds() {
        let place = place(kind).await;
        let person = |id, opt_in, address: Option<&str>| {
            Item::Good(Supporter {
                id,
                email_opt_in: opt_in,
                email_address: address.map(str::to_owned),
                ..Supporter::default()
            })
        };
        let people = Batch::of(vec![
            person(1, Some(true), Some("one@example.org")),
            person(2, Some(true), None),
            person(3, Some(false), Some("three@example.org")),
            person(4, None, Some("four@example.org")),
        ]);
        place.tenant.commit(&place.fence, &people).await.unwrap();
        let plan = |id, amount: &str, frequency: &str, status: &str| RecurringPlan {
            id,
            supporter_id: Some(1),
            amount: Money::parse(amount).ok(),
            currency_code: Some("USD".to_owned()),
            frequency: Some(frequency.to_owned()),
            status: status.to_owned(),
            started_at: Some(at("2026-01-05T00:00:00Z")),
            source_updated_at: Some(at("2026-03-05T00:00:00Z")),
            ..RecurringPlan::default()
        };
        let canceled = RecurringPlan {
            canceled_at: Some(at("2026-02-05T00:00:00Z")),
            ..plan(3, "10", "monthly", "canceled")
        };
        let paused = RecurringPlan {
            is_paused: true,
            ..plan(4, "9", "monthly", "active")
        };
        let plans = vec![
            plan(1, "20", "monthly", "active"),
            plan(2, "30", "quarterly", "active"),
            canceled,
            paused,
        ];
        let plans = plans.into_iter().map(Item::Good).collect();
        place
            .tenant
            .commit(&place.fence, &Batch::of(plans))
            .await
            .unwrap();
        let found = place.tenant.people().await.unwrap();
        assert_eq!(
            (found.supporters, found.reachable, found.with_plan),
            (4, 1, 1),
            "{kind:?}"
        );
        assert_eq!(found.monthly, money("30"), "20 and 30 a quarter, {kind:?}");
        let plans = place.tenant.plans().await.unwrap();
        let worth = |when: &str| -> rust_decimal::Decimal {
            let active = plans.iter().filter(|plan| plan.is_active_at(at(when)));
            active.map(|plan| plan.monthly.decimal()).sum()
        };
        assert_eq!(worth("2026-01-01T00:00:00Z"), 0.into());
        assert_eq!(worth("2026-02-01T00:00:00Z"), 49.into());
        assert_eq!(worth("2026-03-01T00:00:00Z"), 39.into(), "one was canceled");
        assert_eq!(worth("2026-04-01T00:00:00Z"), 30.into(), "one is paused");

        assert_eq!(place.tenant.people_by(" 3 ").await.unwrap(), [3]);
        let by_address = place.tenant.people_by("ONE@Example.org").await.unwrap();
        assert_eq!(by_address, [1], "in any spelling");
        assert!(
            place
                .tenant
                .people_by("no' OR 1=1")
                .await
                .unwrap()
                .is_empty()
        );
        let one = place.tenant.person(1).await.unwrap().unwrap();
        assert_eq!(one.email_address.as_deref(), Some("one@example.org"));
        assert_eq!(place.tenant.plans_of(1).await.unwrap().len(), 4);
        assert!(place.tenant.person(99).await.unwrap().is_none());
    }
}

/// Rows of the database as they lie there.
async fn rows(site: &Site, text: &str) -> Vec<sea_orm::QueryResult> {
    let connection = site.database.connect().await;
    let statement = Statement::from_string(connection.get_database_backend(), text);
    let rows = connection.query_all_raw(statement).await.unwrap();
    connection.close().await.unwrap();
    rows
}

/// All gifts: when, and how many cents.
async fn stored_gifts(site: &Site) -> Vec<(Time, i64)> {
    let text = "SELECT purchased_at, \
                CAST(ROUND(COALESCE(total_gross_amount, 0) * 100) AS INTEGER) AS cents \
                FROM transactions WHERE status = 'success' AND absent_since IS NULL \
                AND purchased_at IS NOT NULL";
    let read = |row: &sea_orm::QueryResult| {
        let purchased_at: String = row.try_get("", "purchased_at").unwrap();
        (at(&purchased_at), row.try_get("", "cents").unwrap())
    };
    rows(site, text).await.iter().map(read).collect()
}

fn dollars(cents: i64) -> String {
    let whole = (cents + 50) / 100;
    let digits = whole.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    format!("${out}")
}

#[tokio::test(flavor = "multi_thread")]
async fn home_shows_this_year_and_month_as_they_add_up_by_hand_and_no_address() {
    let site = Site::new(Kind::Sqlite, world(150, 510)).await;
    let daemon = Daemon::start(&site, TOKEN).await;
    until("it is loaded", LONG, async || {
        site.is_read(ORGANIZATION).await
    })
    .await;
    let zone = rows(&site, "SELECT timezone FROM organizations").await;
    let zone: Option<String> = zone[0].try_get("", "timezone").unwrap();
    let zone = Zone::of(zone.as_deref());
    let gifts = stored_gifts(&site).await;
    let now = chrono::Utc::now();
    let today = zone.day(now);
    let year = chrono::Datelike::year(&today);
    let since = |day: &str| {
        let first = zone.start_of(day.parse().unwrap());
        let of = gifts.iter().filter(|(at, _)| first <= *at && *at < now);
        of.map(|(_, cents)| *cents).sum::<i64>()
    };
    let this_year = dollars(since(&format!("{year}-01-01")));
    let this_month = dollars(since(&today.format("%Y-%m-01").to_string()));
    let mut page = String::new();
    until("the page shows the sums", LONG, async || {
        page = daemon.get("/").await.body;
        page.contains(&format!("<strong class=\"large\">{this_year}</strong>"))
    })
    .await;
    assert!(page.contains(&format!(
        "Gifts this month</span><strong>{this_month}</strong>"
    )));
    assert!(
        page.contains("aria-current=\"page\">Overview"),
        "its own page"
    );
    let giving = daemon.get("/organizations/10001/giving").await.body;
    let month = today.format("%b %Y so far").to_string();
    let row = giving.split(&month).find(|part| part.starts_with("</th>"));
    assert!(row.unwrap().contains(&this_month), "{month}: {this_month}");

    // Whoever may only read sees no donor on any page.
    for path in [
        "",
        "/giving",
        "/mailchimp",
        "/runs",
        "/records",
        "/audit",
        "/held",
    ] {
        let page = daemon.get(&format!("/organizations/10001{path}")).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(!page.body.contains('@'), "{path} shows an address");
        assert!(page.body.contains("<nav class=\"tabs\""), "{path}");
    }
    let who = site
        .number("SELECT MIN(supporter_id) AS n FROM transactions WHERE status = 'success'")
        .await;
    let path = format!("/organizations/10001/people/{who}");
    let refused = daemon.get(&path).await;
    assert_eq!(
        (refused.status, refused.headers["location"].as_str()),
        (303, "/login")
    );
    let bearer = ("authorization", format!("Bearer {TOKEN}"));
    let bearer = [(bearer.0, bearer.1.as_str())];
    let shown = daemon.ask(Method::GET, &path, &bearer, "").await;
    assert!(shown.body.contains("Where they were sent") && shown.body.contains('@'));
    let found = daemon
        .ask(
            Method::POST,
            "/organizations/10001/people",
            &bearer,
            &format!("who={who}"),
        )
        .await;
    assert_eq!(
        (found.status, found.headers["location"].as_str()),
        (303, path.as_str())
    );
    let nobody = daemon
        .ask(
            Method::POST,
            "/organizations/10001/people",
            &bearer,
            "who=nobody%40example.org",
        )
        .await;
    assert!(nobody.body.contains("Nobody here has"), "{}", nobody.body);
    let refused = daemon
        .ask(Method::POST, "/organizations/10001/people", &[], "who=1")
        .await;
    assert_eq!(refused.status, 401);
}
