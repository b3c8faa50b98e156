//! Mailchimp as it is at the start: for each organization an account with one audience, in which
//! people were before.

use super::audience::Audience;
use super::field::Field;
use super::harm::Harm;
use super::member::Member;
use super::state::{Account, Mailchimp};
use super::status::{Left, Status};
use super::time::digits;
use super::webhook::Event;
use crate::simulator::fault::mix;
use crate::simulator::options::Options;
use crate::simulator::strike::Striker;
use crate::simulator::world::World;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use tokio::sync::mpsc::UnboundedSender;

/// Tags that the staff made.
const TAGS: [&str; 3] = ["Newsletter", "Volunteers", "Gala 2024"];
/// When the foreign contacts changed last, before the start.
const AGE_S: i64 = 30 * 86_400;

/// The key of an organization's account.
pub(in crate::simulator) fn api_key(options: &Options, organization: i64) -> String {
    let owner = if options.shared_account {
        0
    } else {
        organization as u64
    };
    format!("{}-us1", digits(mix(options.seed) ^ mix(owner), 32))
}

/// The id of an organization's audience.
pub(in crate::simulator) fn audience_id(options: &Options, organization: i64) -> String {
    digits(mix(options.seed ^ 0xa0d1) ^ organization as u64, 10)
}

/// Makes the accounts and audiences of the organizations of a world.
pub(in crate::simulator) fn mailchimp(
    options: &Options,
    world: &World,
    news: UnboundedSender<Event>,
) -> Mailchimp {
    let mut state = Mailchimp {
        switches: options.mailchimp.clone(),
        ledger: Harm::default(),
        audiences: BTreeMap::new(),
        accounts: Vec::new(),
        clock_offset: world.clock_offset,
        striker: Striker::new(options.seed ^ 0xc41),
        news,
        count: 0,
    };
    for organization in world.organizations.values() {
        let key = organization.mailchimp_key.clone();
        let account = state.account(&key).unwrap_or_else(|| {
            let (name, batches) = (organization.name.clone(), BTreeMap::new());
            state.accounts.push(Account {
                name,
                api_key: key,
                revoked: false,
                read_only: false,
                suspended: None,
                in_flight: 0,
                batches,
            });
            state.accounts.len() - 1
        });
        let seed = mix(options.seed) ^ organization.id as u64;
        let audience = audience(
            &organization.mailchimp_audience,
            &organization.name,
            account,
            seed,
            options.strangers,
            world.now(),
        );
        state.audiences.insert(audience.id.clone(), audience);
    }
    state
}

fn audience(
    id: &str,
    name: &str,
    account: usize,
    seed: u64,
    strangers: usize,
    now: i64,
) -> Audience {
    let mut audience = Audience::new(id, format!("{name} friends"), account, seed);
    for (tag, name, kind) in [
        ("FNAME", "First Name", "text"),
        ("LNAME", "Last Name", "text"),
        ("MEMBERNO", "Member number", "number"),
        ("BIRTHDAY", "Birthday", "birthday"),
    ] {
        audience.last_field += 1;
        audience.fields.push(Field {
            id: audience.last_field,
            tag: tag.to_owned(),
            name: name.to_owned(),
            kind: kind.to_owned(),
            required: false,
            default_value: String::new(),
            public: true,
            display_order: audience.last_field + 1,
            options: Map::new(),
            help_text: String::new(),
            foreign: true,
        });
    }
    let then = now - AGE_S;
    audience.add_segment("Big cities", false, true, then);
    for tag in TAGS {
        audience.add_segment(tag, true, true, then);
    }
    for number in 0..strangers {
        stranger(&mut audience, number, then);
    }
    audience
}

/// One in eight left or is otherwise not just subscribed.
fn stranger(audience: &mut Audience, number: usize, then: i64) {
    let (status, left) = match number % 8 {
        3 => (Status::Unsubscribed, Some(Left::Person)),
        5 => [
            (Status::Cleaned, Some(Left::Bounce)),
            (Status::Archived, Some(Left::Staff)),
            (Status::Transactional, None),
        ][number / 8 % 3],
        _ => (Status::Subscribed, None),
    };
    let fields: Value = json!({"FNAME": format!("Reader{number}"), "LNAME": "Elsewhere", "MEMBERNO": 7_000 + number});
    let email = format!("reader{number}@friends.example.net");
    let member = Member {
        left,
        foreign: true,
        fields: fields.as_object().cloned().unwrap_or_default(),
        source: "Hosted Signup Form",
        ..Member::new(&email, status, then + number as i64)
    };
    let index = audience.add(member);
    audience.tag_by_hand(index, TAGS[number % TAGS.len()], then);
}
