//! The world as it is at the start: the same for the same seed, and with faults that live in the
//! data.

use super::classy::List;
use super::fault::{Fault, mix};
use super::home::Home;
use super::mailchimp;
use super::options::Options;
use super::record::Record;
use super::story::Story;
use super::webhook::News;
use super::world::{Kind, Organization, World};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::mpsc::UnboundedSender;

/// Makes the world.
pub(super) fn world(options: &Options, news: UnboundedSender<News>) -> World {
    let mut world = World {
        organizations: BTreeMap::new(),
        faults: Vec::new(),
        clock_offset: options.clock_offset,
        random: options.seed.wrapping_mul(0x9e37_79b9),
        news,
    };
    let now = world.now();
    // A few of everything even in a small world, and nothing at all in an empty one.
    let supporters = options.supporters;
    let counts = Kind::ALL.map(|kind| match kind {
        _ if supporters == 0 => 0,
        Kind::Supporters => supporters as i64,
        other => (supporters * other.about().share / Kind::Supporters.about().share).max(3) as i64,
    });
    for (place, id) in options.organizations.iter().copied().enumerate() {
        let seed = mix(options.seed) ^ id as u64;
        let mut home = Home::new(id, place, seed, counts, now);
        let mut name = format!("Example Relief {id}");
        if options.story {
            let story = Story::new(place, seed, supporters, Home::horizon(now));
            name.clone_from(&story.name);
            home = home.with_story(story);
        }
        let home = Arc::new(home);
        let records = |kind: Kind| {
            (1..=home.count(kind))
                .map(|number| Record::new(&home, kind, number, home.born(kind, number)))
                .collect()
        };
        let organization = Organization {
            id,
            name,
            client_id: format!("client-{id}"),
            client_secret: format!("secret-of-{id}"),
            mailchimp_key: mailchimp::api_key(options, id),
            mailchimp_audience: mailchimp::audience_id(options, id),
            lists: Kind::ALL
                .into_iter()
                .map(|kind| (kind, List::new(records(kind))))
                .collect(),
            home,
        };
        world.organizations.insert(id, organization);
    }
    world.set_faults(options.faults.clone());
    world
}

impl World {
    /// From now on these go wrong and no others. Those that live in the data strike it now;
    /// [`World::heal`] takes some of it back.
    pub fn set_faults(&mut self, faults: Vec<Fault>) {
        let new: Vec<Fault> = faults
            .iter()
            .copied()
            .filter(|fault| !self.has(*fault))
            .collect();
        self.faults = faults;
        let now = self.now();
        let in_data = [
            Fault::Ties,
            Fault::BadRecord,
            Fault::NullUpdatedAt,
            Fault::Orphans,
        ];
        if !in_data.iter().any(|fault| new.contains(fault)) {
            return;
        }
        for organization in self.organizations.values_mut() {
            for list in organization.lists.values_mut() {
                let count = list.len();
                for (place, record) in list.iter_mut().enumerate() {
                    for fault in &new {
                        spoil(*fault, record, place, count, now, &organization.home);
                    }
                }
            }
        }
    }
}

fn spoil(fault: Fault, record: &mut Record, place: usize, count: usize, now: i64, home: &Home) {
    let is_gift = record.kind() == Kind::Transactions;
    let mut link =
        |field: &str, kind: Kind| record.set(field, &home.nobody(kind, place as i64).to_string());
    match fault {
        Fault::Ties if count - place <= 350 => record.updated_at = Some(now - 600),
        Fault::NullUpdatedAt if place % 53 == 7 => record.updated_at = None,
        Fault::Orphans if is_gift && place % 61 == 5 => {
            link("supporter_id", Kind::Supporters);
        }
        Fault::Orphans if is_gift && place % 67 == 9 => drop(link("campaign_id", Kind::Campaigns)),
        Fault::BadRecord => {
            record.broken = place % 97 == 13;
            if place % 211 == 100 {
                record.set("organization_id", "999999999");
            }
        }
        _ => {}
    }
}
