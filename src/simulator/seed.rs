//! The world as it is at the start: the same for the same seed. Ids lie above 2^31, and no two organizations share one.

use super::classy::{List, clock_text};
use super::fault::Fault;
use super::server::Options;
use super::world::{Kind, Organization, Record, World};
use std::collections::BTreeMap;

const FIRST: [&str; 16] = [
    "Ada",
    "Grace",
    "Alan",
    "Barbara",
    "Donald",
    "Margaret",
    "Katherine",
    "Zoë",
    "José",
    "Łukasz",
    "Maribel",
    "Chinwe",
    "Yuki",
    "Nadia",
    "Tomás",
    "Ingrid",
];
const LAST: [&str; 14] = [
    "Lovelace", "Hopper", "Turing", "Liskov", "Knuth", "Hamilton", "Johnson", "Müller", "Núñez", "Okafor", "O'Brien", "Tanaka", "Haddad",
    "Kowalski",
];
const CITIES: [&str; 6] = ["Springfield", "San Diego", "Portland", "Dublin", "Zürich", "São Paulo"];
const CAMPAIGNS: [&str; 6] = ["Year End", "Spring Appeal", "Gala", "Clean Water", "School Meals", "Emergency Relief"];

/// The first second of the world: 2019-01-01.
const BEGIN: i64 = 1_546_300_800;
const DAY: i64 = 86_400;

/// Records of one world, told apart by organization and kind.
pub(super) const fn id_base(organization_index: usize, kind: Kind) -> i64 {
    let kind = match kind {
        Kind::Supporters => 1,
        Kind::Campaigns => 2,
        Kind::Plans => 3,
        Kind::Transactions => 4,
    };
    4_000_000_000 + organization_index as i64 * 1_000_000_000 + kind * 100_000_000
}

/// Makes the world.
pub(super) fn world(options: &Options) -> World {
    let mut world = World {
        organizations: BTreeMap::new(),
        faults: options.faults.clone(),
        clock_offset: 0,
        random: options.seed.wrapping_mul(0x9e37_79b9),
    };
    let now = world.now();
    for (index, id) in options.organizations.iter().copied().enumerate() {
        let organization = Organization {
            id,
            name: format!("Example Relief {id}"),
            client_id: format!("client-{id}"),
            client_secret: format!("secret-of-{id}"),
            lists: Kind::ALL.into_iter().map(|kind| (kind, List::default())).collect(),
        };
        world.organizations.insert(id, organization);
        let scaled = |ratio: usize| (options.supporters * ratio / 9_480).max(if options.supporters == 0 { 0 } else { 3 });
        let counts = [
            (Kind::Campaigns, scaled(75)),
            (Kind::Supporters, options.supporters),
            (Kind::Plans, scaled(1_965)),
            (Kind::Transactions, scaled(60_100)),
        ];
        for (kind, count) in counts {
            for number in 0..count {
                // Older records first, the last of them an hour ago.
                let at = BEGIN + (now - 3_600 - BEGIN) * number as i64 / count.max(1) as i64;
                let record = record(&mut world, index, id, kind, number as i64 + 1, at);
                if let Some(list) = world.list(id, kind) {
                    list.put(record);
                }
            }
        }
    }
    spoil(&mut world, now);
    world
}

/// One plausible record that changed last at `at`.
pub(super) fn record(world: &mut World, index: usize, organization: i64, kind: Kind, number: i64, at: i64) -> Record {
    let roll = world.roll();
    let id = id_base(index, kind) + number;
    let pick = |list: &[&str], shift: u32| list[(roll >> shift) as usize % list.len()].to_owned();
    let some = |world: &World, kind: Kind, shift: u32| {
        let list = world.organizations.get(&organization).and_then(|organization| organization.lists.get(&kind));
        list.filter(|list| !list.is_empty())
            .and_then(|list| list.nth((roll >> shift) as usize % list.len()))
            .map_or_else(|| "null".to_owned(), |record| record.id.to_string())
    };
    let text = |value: &str| format!("{value:?}");
    let moment = |at: i64| format!("\"{}\"", clock_text(at));
    let midnight = |at: i64| moment(at - at.rem_euclid(DAY));
    let cents = 500 + (roll >> 20) as i64 % 50_000;
    let amount = |cents: i64| {
        if cents % 100 == 0 {
            (cents / 100).to_string()
        } else {
            format!("{}.{:02}", cents / 100, cents % 100).trim_end_matches('0').to_owned()
        }
    };
    let padded = |cents: i64, decimals: usize| format!("\"{}.{:02}{}\"", cents / 100, cents % 100, "0".repeat(decimals - 2));
    let (first, last) = (pick(&FIRST, 3), pick(&LAST, 9));
    let plain: String = format!("{first}.{last}").to_lowercase().chars().filter(|c| c.is_ascii_alphanumeric() || *c == '.').collect();
    let fields: Vec<(&str, String)> = match kind {
        Kind::Supporters => vec![
            ("first_name", text(&first)),
            ("last_name", text(&last)),
            ("email_address", text(&format!("{plain}.{number}@example.org"))),
            ("phone", if roll % 3 == 0 { "null".to_owned() } else { text(&format!("555-{:04}", roll % 10_000)) }),
            ("city", if roll % 7 == 0 { text("") } else { text(&pick(&CITIES, 14)) }),
            ("member_id", (id + 50_000_000).to_string()),
            ("source_organization_id", organization.to_string()),
            ("source_campaign_id", if roll % 4 == 0 { "null".to_owned() } else { some(world, Kind::Campaigns, 17) }),
            ("origin", text(if roll % 4 == 0 { "organization_support" } else { "donation" })),
            ("opt_in", (roll % 5 < 3).to_string()),
            ("created_at", midnight(at - 30 * DAY)),
            (
                "last_email_consent_decision_date",
                if roll % 5 == 4 { "null".to_owned() } else { format!("\"{}\"", clock_text(at - DAY).replace("+0000", ".000000Z")) },
            ),
        ],
        Kind::Campaigns => vec![
            ("internal_name", text(&pick(&CAMPAIGNS, 5))),
            ("name", text(&format!("{} {}", pick(&CAMPAIGNS, 5), 2019 + roll % 8))),
            ("status", text(["active", "active", "active", "unpublished", "deactivated", "draft"][(roll % 6) as usize])),
            ("raw_goal", padded(cents * 1_000, 3)),
            ("goal", amount(cents * 1_000)),
            ("started_at", moment(at - 20 * DAY)),
            ("ended_at", if roll % 2 == 0 { "null".to_owned() } else { moment(at + 60 * DAY) }),
            ("created_at", moment(at - 25 * DAY)),
            ("type", text(["donation", "ticketed", "peer_to_peer", "crowdfunding", "dynamic"][(roll >> 8) as usize % 5])),
            ("organization_id", organization.to_string()),
            ("canonical_url", text(&format!("https://give.example.org/campaign/c{id}"))),
            ("currency_code", text("USD")),
            ("timezone_identifier", text("America/Los_Angeles")),
        ],
        Kind::Plans => {
            let status = ["active", "active", "active", "active", "canceled", "ended", "failing", "draft", "paused"][(roll % 9) as usize];
            vec![
                ("member_id", (id + 50_000_000).to_string()),
                ("raw_donation_amount", padded(cents, 3)),
                ("donation_amount", amount(cents)),
                ("status", text(status)),
                ("first_name", text(&first)),
                ("last_name", text(&last)),
                ("created_at", moment(at - 40 * DAY)),
                (
                    "frequency",
                    text(
                        ["monthly", "monthly", "monthly", "yearly", "quarterly", "weekly", "semi-annually", "bi-weekly"]
                            [(roll >> 6) as usize % 8],
                    ),
                ),
                ("next_processing_date", midnight(at + 20 * DAY)),
                ("is_paused", (status == "paused" || roll % 23 == 0).to_string()),
                ("organization_id", organization.to_string()),
                ("started_at", midnight(at - 40 * DAY)),
                ("campaign_id", some(world, Kind::Campaigns, 17)),
                ("canceled_at", if status == "canceled" { moment(at) } else { "null".to_owned() }),
                ("currency_code", text("USD")),
                ("supporter_id", some(world, Kind::Supporters, 11)),
                ("metadata", "{\"_classy_pay\":{}}".to_owned()),
            ]
        }
        Kind::Transactions => {
            let rare = ["refunded", "canceled", "incomplete", "pending", "failed", "test", "cb_initiated", "cb_lost", "voided"];
            let status = if roll % 14 == 0 { rare[(roll >> 4) as usize % rare.len()] } else { "success" };
            let offline = roll % 9 == 0;
            let fees = if offline { 0 } else { cents * 4 / 100 };
            let recurring = roll % 5 == 0;
            vec![
                ("payment_method", text(if offline { "Offline" } else { "Classy Pay" })),
                ("payment_gateway", if offline { "null".to_owned() } else { text("Stripe") }),
                ("is_anonymous", (roll % 11 == 0).to_string()),
                ("raw_currency_code", text("EUR")),
                ("charged_currency_code", if offline { "null".to_owned() } else { text("USD") }),
                ("charged_total_gross_amount", if offline { "null".to_owned() } else { padded(cents, 2) }),
                ("member_id", (id + 50_000_000).to_string()),
                ("member_name", text(&format!("{first} {last}"))),
                ("member_email_address", text(&format!("{plain}@example.org"))),
                ("billing_first_name", text(&first)),
                ("billing_last_name", text(&last)),
                ("purchased_at", moment(at - 12)),
                ("status", text(status)),
                ("refunded_at", if status == "refunded" { moment(at) } else { "null".to_owned() }),
                ("pp_fees_amount", amount(fees)),
                ("payment_type", text("Credit Card")),
                ("total_gross_amount", amount(cents)),
                ("donation_gross_amount", amount(cents)),
                ("donation_net_amount", amount(cents - fees)),
                ("fees_amount", amount(fees)),
                ("organization_id", organization.to_string()),
                ("designation_id", "70001".to_owned()),
                ("campaign_id", some(world, Kind::Campaigns, 17)),
                ("recurring_donation_plan_id", if recurring { some(world, Kind::Plans, 23) } else { "null".to_owned() }),
                ("created_at", midnight(at)),
                ("card_last_four", text("4242")),
                ("currency_code", text("USD")),
                ("frequency", text(if recurring { "monthly" } else { "one-time" })),
                ("metadata", format!("{{\"_classy_pay\":{{\"payer\":\"{first} Canary-Payer-Data\",\"clientIp\":\"192.0.2.7\"}}}}")),
                ("raw_total_gross_amount", amount(cents * 9 / 10)),
                ("raw_donation_gross_amount", amount(cents * 9 / 10)),
                // Gifts by name or company only have no supporter.
                ("supporter_id", if roll % 17 == 0 { "null".to_owned() } else { some(world, Kind::Supporters, 11) }),
            ]
        }
    };
    Record::new(kind, id, at, &fields)
}

/// What the faults that live in the data do to it.
fn spoil(world: &mut World, now: i64) {
    let faults = world.faults.clone();
    for organization in world.organizations.values_mut() {
        for list in organization.lists.values_mut() {
            let count = list.len();
            for (place, record) in list.iter_mut().enumerate() {
                if faults.contains(&Fault::Ties) && count - place <= 350 {
                    record.updated_at = Some(now - 600);
                }
                if faults.contains(&Fault::BadRecord) {
                    record.broken = place % 97 == 13;
                    if place % 211 == 100 {
                        record.set("organization_id", "999999999");
                    }
                }
                if faults.contains(&Fault::NullUpdatedAt) && place % 53 == 7 {
                    record.updated_at = None;
                }
            }
        }
    }
}
