//! The dashboard as a person meets it, in a browser. Without chromedriver the test is skipped
//! aloud, unless servers are required.

mod seen;

use crate::backend::Kind;
use crate::chromium::{Browser, LONG};
use crate::site::{ORGANIZATION, Site, world};
use crate::web::{Daemon, TOKEN, until};
use seen::{CLIPPED, LANDMARKS, PAGES, PALE};
use serde_json::json;
/// A daemon with one organization that loads and one whose credentials are refused, a reject and an
/// alert.
async fn troubled(seed: u64) -> (Site, Daemon) {
    let options = classy_sync::simulator::Options {
        organizations: vec![10001, 10002, 10003],
        ..world(400, seed)
    };
    let site = Site::new(Kind::Sqlite, options).await;
    {
        let mut world = site.simulator.world();
        let id = world.organizations[&ORGANIZATION].lists
            [&classy_sync::simulator::Kind::Transactions]
            .iter()
            .next()
            .unwrap()
            .id;
        world.edit(
            ORGANIZATION,
            classy_sync::simulator::Kind::Transactions,
            id,
            &[("total_gross_amount", "\"many\"".to_owned())],
            true,
        );
    }
    site.configure("[sync]\nsupporters = \"3s\"\ncampaigns = \"3s\"\ntransactions = \"3s\"\nrecurring_plans = \"3s\"\n");
    site.write_organization(
        10002,
        "client-10002",
        "wrong",
        &site.simulator.base_url(),
        &site.simulator.token_url(),
    );
    let daemon = Daemon::start(&site, TOKEN).await;
    until("it is loaded", LONG, async || {
        site.is_read(ORGANIZATION).await && site.is_read(10003).await
    })
    .await;
    until("an alert is open", LONG, async || {
        daemon.get("/api/v1/alerts").await.body.contains("10002")
    })
    .await;
    (site, daemon)
}

#[tokio::test(flavor = "multi_thread")]
async fn from_the_fleet_to_the_cause_in_two_clicks_an_alert_acknowledged_and_a_change_seen_as_it_arrives()
 {
    let Some(browser) = Browser::start(true, false).await else {
        return;
    };
    let (site, daemon) = troubled(401).await;
    browser.go(&format!("{}/login", daemon.base)).await;
    let field = browser.find("css selector", "#token").await;
    browser
        .call(
            "",
            &format!("element/{field}/value"),
            Some(json!({ "text": TOKEN })),
        )
        .await;
    browser.click("css selector", "form.login button").await;
    until("home is shown", LONG, async || {
        browser.text("h1").await.contains("need")
    })
    .await;
    // Why is it not well? One click away, in a sentence.
    browser
        .click("css selector", "#trouble a[href^='/organizations/10002']")
        .await;
    until("the cause is told", LONG, async || {
        browser.text("#why").await.contains("refused")
    })
    .await;
    browser
        .click("css selector", "#why form[action$='/ack'] button")
        .await;
    until("it is acknowledged", LONG, async || {
        browser.text("#why").await.contains("acknowledged")
    })
    .await;
    assert_eq!(
        site.number("SELECT COUNT(*) AS n FROM alerts WHERE acknowledged_at IS NOT NULL")
            .await,
        1
    );
    // The reject, from home.
    browser
        .click("css selector", "header nav a[href='/']")
        .await;
    browser.click("link text", "Test 10001").await;
    browser.click("link text", "Records").await;
    until("the reject is shown", LONG, async || {
        browser
            .text("#rejects")
            .await
            .contains("total_gross_amount")
    })
    .await;
    // Live: nothing is loaded anew, and yet it changes.
    browser.click("link text", "Overview").await;
    until("the feeds are shown", LONG, async || {
        browser.text("#feeds").await.contains("stored")
    })
    .await;
    browser.run("window.same = true").await;
    let before = browser.text("#feeds").await;
    site.simulator.world().live(ORGANIZATION, 40);
    until("the change arrives", LONG, async || {
        browser.text("#feeds").await != before
    })
    .await;
    assert_eq!(
        browser.run("return window.same").await,
        true,
        "the page was not loaded again"
    );
    let problems =
        browser.run("return performance.getEntriesByType('resource').filter(e => !e.name.startsWith(location.origin)).length").await;
    assert_eq!(problems, 0, "nothing is loaded from elsewhere");
    // A pause asks first.
    browser.click("css selector", "details.ask summary").await;
    until("it asks", LONG, async || {
        browser.text("details.ask").await.contains("until somebody")
    })
    .await;
    browser.click("link text", "Giving").await;
    until("the charts are there", LONG, async || {
        browser.text("main").await.contains("Engagement")
    })
    .await;
    let columns = async || {
        browser
            .run("return document.querySelectorAll('svg.plot .column rect').length")
            .await
            .as_u64()
    };
    until("their columns are there", LONG, async || {
        columns().await > Some(3)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_is_approved_with_a_button_and_then_done() {
    let Some(browser) = Browser::start(true, false).await else {
        return;
    };
    let site = Site::new(Kind::Sqlite, world(80, 403)).await;
    // Whatever may do harm waits for a person.
    site.configure(
        "[guard]\naudience_share = 0.0\naudience_min = 0\n[sync]\nsupporters = \"2s\"\n",
    );
    let file = site.path().join("organizations/10001.toml");
    let (url, key, audience) = {
        let world = site.simulator.world();
        let organization = &world.organizations[&ORGANIZATION];
        (
            site.simulator.mailchimp_url(),
            organization.mailchimp_key.clone(),
            organization.mailchimp_audience.clone(),
        )
    };
    let table = format!(
        "[plugins.mailchimp]\nbase_url = {url:?}\napi_key = {key:?}\naudience_id = {audience:?}\n"
    );
    std::fs::write(&file, std::fs::read_to_string(&file).unwrap() + &table).unwrap();
    let daemon = Daemon::start(&site, TOKEN).await;
    let delivered = "SELECT COUNT(*) AS n FROM plugin_deliveries WHERE state = 'delivered'";
    until("people are in the audience", LONG, async || {
        site.reached(delivered, 10).await
    })
    .await;
    // Somebody opts out at the source.
    let whose = "SELECT supporter_id AS n FROM plugin_deliveries WHERE state = 'delivered' ORDER BY supporter_id LIMIT 1";
    let somebody = site.number(whose).await;
    let no = [("opt_in", "false".to_owned())];
    site.simulator.world().edit(
        ORGANIZATION,
        classy_sync::simulator::Kind::Supporters,
        somebody,
        &no,
        true,
    );
    let held = "SELECT COUNT(*) AS n FROM plugin_deliveries WHERE state = 'held'";
    until("it is held", LONG, async || site.number(held).await == 1).await;
    assert!(site.simulator.mailchimp().ledger.unsubscriptions.is_empty());
    browser.go(&format!("{}/login", daemon.base)).await;
    let field = browser.find("css selector", "#token").await;
    browser
        .call(
            "",
            &format!("element/{field}/value"),
            Some(json!({ "text": TOKEN })),
        )
        .await;
    browser.click("css selector", "form.login button").await;
    until(
        "the organization is shown, being the only one",
        LONG,
        async || browser.text("h1").await.contains("Test 10001"),
    )
    .await;
    browser
        .go(&format!("{}/organizations/10001", daemon.base))
        .await;
    browser.picture("held-desktop-light", 1_280).await;
    browser.click("link text", "Look whom it touches").await;
    until("the list is there", LONG, async || {
        browser.text("main").await.contains(&somebody.to_string())
    })
    .await;
    browser.picture("held-list-desktop-light", 1_280).await;
    browser
        .click(
            "css selector",
            "td form[action$='plugins/mailchimp/approve'] button",
        )
        .await;
    until("it is done", LONG, async || {
        site.simulator.mailchimp().ledger.unsubscriptions.len() == 1
    })
    .await;
    until("nothing is held any more", LONG, async || {
        site.number(held).await == 0
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chart_tells_its_numbers_by_keyboard_and_pointer_without_script() {
    let Some(browser) = Browser::start(false, false).await else {
        return;
    };
    let site = Site::new(Kind::Sqlite, world(150, 404)).await;
    let daemon = Daemon::start(&site, TOKEN).await;
    until("it is loaded", LONG, async || {
        site.is_read(ORGANIZATION).await
    })
    .await;
    let giving = format!("{}/organizations/10001/giving", daemon.base);
    // By the tab, as a person gets there without script.
    browser.go(&daemon.base).await;
    browser.click("link text", "Giving").await;
    for (width, shown, other) in [
        (1_280, "wide-only", "narrow-only"),
        (375, "narrow-only", "wide-only"),
    ] {
        browser.go(&giving).await;
        browser.size(width, 1_000).await;
        let seen = browser
            .run(&format!(
                "const points = [...document.querySelectorAll('section[aria-labelledby=time-title] .{shown} .point')]; \
                 const last = points.at(-1), tip = last.querySelector('.tip'); \
                 const before = getComputedStyle(tip).visibility; last.focus(); \
                 return [points.length > 2, before, getComputedStyle(tip).visibility, tip.textContent, \
                 document.querySelectorAll('.{other}')[0].getClientRects().length]"
            ))
            .await;
        let told = seen[3].as_str().unwrap().to_owned();
        assert_eq!(
            (&seen[0], &seen[1], &seen[2], &seen[4]),
            (&json!(true), &json!("hidden"), &json!("visible"), &json!(0)),
            "{width}"
        );
        assert!(
            told.contains("so far") && told.contains("Recurring: $") && told.contains("gift"),
            "{told}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_script_everything_is_readable_and_no_page_is_wider_than_a_phone() {
    let (_site, daemon) = troubled(402).await;
    for dark in [false, true] {
        let Some(browser) = Browser::start(dark, dark).await else {
            return;
        };
        let shade = if dark { "dark" } else { "light" };
        for (name, path, word) in PAGES {
            browser.go(&format!("{}{path}", daemon.base)).await;
            assert!(
                browser
                    .text("body")
                    .await
                    .to_lowercase()
                    .contains(&word.to_lowercase()),
                "{path}"
            );
            browser
                .picture(&format!("{name}-desktop-{shade}"), 1_280)
                .await;
            let pale = browser.run(PALE).await;
            assert_eq!(pale, json!([]), "{path} {shade}: less contrast than 4.5");
            browser.picture(&format!("{name}-phone-{shade}"), 375).await;
            let overhang = browser.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth").await;
            assert_eq!(overhang, 0, "{path} is wider than a phone");
            assert_eq!(
                browser.run(CLIPPED).await,
                json!([]),
                "{path}: cut on a phone"
            );
            // What a screen reader needs: a name for every control and picture, one h1, landmarks
            // that are told apart, a language.
            assert_eq!(browser.run(LANDMARKS).await, json!([]), "{path}");
            let nameless = browser
                .run(
                    "return [...document.querySelectorAll('input:not([type=hidden]),button,svg[role],[role=img],progress,[role=region]')].filter(e => \
                     !(e.getAttribute('aria-label') || e.textContent.trim() || (e.id && document.querySelector('label[for=' + e.id + ']')))).length",
                )
                .await;
            assert_eq!(
                (
                    nameless,
                    browser
                        .run("return document.querySelectorAll('h1').length")
                        .await
                ),
                (0.into(), 1.into()),
                "{path}"
            );
            assert_eq!(
                browser.run("return document.documentElement.lang").await,
                "en"
            );
        }
    }
}
