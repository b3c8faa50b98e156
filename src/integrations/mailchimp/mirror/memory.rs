//! What is remembered of an audience from one look to the next, and what of it a person should
//! know.

use super::listing::ListPosition;
use super::merge_fields::MergeFields;
use crate::domain::Time;
use crate::integrations::mailchimp::settings::Settings;
use chrono::{DateTime, TimeDelta};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// So long a person is told of what was mended.
const TOLD_FOR: TimeDelta = TimeDelta::days(7);

/// So many people who wait for their opt-out are counted.
const MOST_REFUSED: usize = 2_000;

/// Kept as JSON in `plugin_states.state`; a key that an earlier version did not write has its
/// default.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Memory {
    /// Everything that changed before is known.
    pub(crate) cursor: Option<Time>,
    /// How far each list was read by a look that was cut off, by status.
    pub(crate) places: BTreeMap<String, ListPosition>,
    /// When the audience was last read from one end to the other.
    pub(crate) whole_at: Option<Time>,
    /// How far such a reading is.
    pub(crate) whole_place: Option<ListPosition>,
    /// So many contacts carried what only we put there, when the audience was first read or later, and
    /// not by this database.
    pub(crate) carried: u64,
    /// When contacts were found that lacked tags of ours, and how many by that reading.
    mended: Option<(Time, u64)>,
    /// What was configured, as far as it changes what is sent.
    configured: Option<Configured>,
    /// What our tags began with before.
    pub(crate) former_prefixes: BTreeSet<String>,
    /// Permissions that are given, and since when they are configured.
    pub(crate) permissions: BTreeMap<String, Time>,
    /// Those that were found in the audience's own list.
    pub(crate) known_permissions: BTreeSet<String>,
    /// How often everybody was to be sent anew.
    pub(crate) generation: u32,
    /// Merge fields of ours that are there, once they were needed.
    fields: Option<BTreeSet<String>>,
    /// Those that cannot be filled, and why.
    lacking: BTreeMap<String, String>,
    /// So many fields there were when no more could be made.
    pub(crate) full_at: Option<u64>,
    /// Who opted out and is mailed all the same, since Mailchimp did not carry it out; at most
    /// `MOST_REFUSED` of them.
    refused: BTreeSet<i64>,
    /// Earlier audiences, by id.
    pub(crate) earlier: BTreeMap<String, EarlierAudience>,
    /// What a person should know, as a `plugin::Told` reads it.
    told: Notices,
}

/// See `plugin::Told`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
struct Notices {
    lacks: Vec<String>,
    mended: Vec<String>,
}

/// An audience into which people were subscribed before.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct EarlierAudience {
    pub(crate) cursor: Option<Time>,
    /// Why it is out of reach, and when that was found last.
    pub(crate) trouble: Option<(String, Time)>,
    /// Since when it does not answer; it may in the next moment.
    pub(crate) silent_since: Option<Time>,
}

impl EarlierAudience {
    /// Whether nothing is asked of it: who said no is unsubscribed there when it is read again.
    pub(crate) const fn is_left_out(&self) -> bool {
        self.trouble.is_some() || self.silent_since.is_some()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Configured {
    prefix: String,
    opt_outs: String,
    permissions: BTreeSet<String>,
}

impl Memory {
    /// What goes over from the audience of before: what our tags there began with may still be
    /// found when it is used again.
    pub(crate) fn after(before: Memory) -> Memory {
        let Memory {
            configured,
            former_prefixes,
            permissions,
            generation,
            ..
        } = before;
        Memory {
            configured,
            former_prefixes,
            permissions,
            generation,
            ..Memory::default()
        }
    }

    /// Takes in what is configured now; answers whether everybody is to be looked at again for it.
    pub(crate) fn configure(&mut self, settings: &Settings, now: Time) -> bool {
        let configured = Configured {
            prefix: settings.tag_prefix.clone(),
            opt_outs: format!("{:?} {:?}", settings.on_opt_out, settings.opt_out_scope),
            permissions: settings.marketing_permissions.iter().cloned().collect(),
        };
        // Where nothing was remembered yet, whoever is there got them already: what people withdrew
        // since is theirs to give again.
        let since = if self.configured.is_some() {
            now
        } else {
            DateTime::UNIX_EPOCH
        };
        for name in &configured.permissions {
            self.permissions.entry(name.clone()).or_insert(since);
        }
        let Some(before) = self.configured.replace(configured.clone()) else {
            return false;
        };
        if before.prefix != configured.prefix {
            self.former_prefixes.insert(before.prefix.clone());
            self.former_prefixes.remove(&configured.prefix);
        }
        if !configured.permissions.is_subset(&before.permissions) {
            self.generation += 1;
        }
        before != configured
    }

    /// Takes in which merge fields are there; answers whether everybody is to be sent anew, since
    /// one can be filled that was empty before.
    pub(crate) fn note_fields(&mut self, fields: &MergeFields) -> bool {
        let there: BTreeSet<String> = fields.there.keys().map(|tag| (*tag).to_owned()).collect();
        let has_more = self
            .fields
            .as_ref()
            .is_some_and(|known| fields.made || !there.is_subset(known));
        self.generation += u32::from(has_more);
        self.lacking = fields
            .lacking
            .iter()
            .map(|(tag, why)| ((*tag).to_owned(), why.clone()))
            .collect();
        (self.fields, self.full_at) = (Some(there), fields.full_at);
        has_more
    }

    /// Whether there are fields that cannot be filled.
    pub(crate) fn lacks_fields(&self) -> bool {
        !self.lacking.is_empty()
    }

    /// Whether fields were needed once.
    pub(crate) const fn has_fields(&self) -> bool {
        self.fields.is_some()
    }

    /// Of these people the opt-outs of some were not carried out.
    pub(crate) fn note_refused(&mut self, people: impl Iterator<Item = (i64, bool)>) {
        for (id, is_refused) in people {
            if !is_refused {
                self.refused.remove(&id);
            } else if self.refused.len() < MOST_REFUSED {
                self.refused.insert(id);
            }
        }
    }

    /// Contacts lacked tags of ours.
    pub(crate) fn note_mended(&mut self, contacts: u64, now: Time) {
        let before = self
            .mended
            .filter(|_| self.whole_place.is_some())
            .map_or(0, |(_, before)| before);
        if contacts > 0 {
            self.mended = Some((now, before + contacts));
        }
    }

    /// What a person should know.
    pub(crate) fn notices(&self) -> impl Iterator<Item = &String> {
        self.told.lacks.iter().chain(&self.told.mended)
    }

    /// Sums up what a person should know.
    pub(crate) fn summarize(&mut self, now: Time) {
        let fields = self
            .lacking
            .iter()
            .map(|(field, why)| format!("the merge field {field} is not filled: {why}"));
        let earlier = self.earlier.iter().filter_map(|(audience, one)| {
            let (why, _) = one.trouble.as_ref()?;
            Some(format!(
                "opt-outs do not reach the earlier audience {audience}: {why}"
            ))
        });
        let mended = self.mended.filter(|(at, _)| now - *at < TOLD_FOR).map(|(at, contacts)| {
            format!(
                "on {} contacts were found whose tags of ours had been renamed, deleted or taken off by hand, and they get them again: {contacts}",
                at.format("%Y-%m-%d")
            )
        });
        let refused = (!self.refused.is_empty()).then(|| {
            format!(
                "opted out at Classy and can be mailed all the same, since Mailchimp did not unsubscribe them when it was asked to: {}{}; they are \
                 tried again by each delivery. `classy-sync plugin audit` says who they are, and what Mailchimp answered: unsubscribe them there \
                 by hand if it goes on",
                self.refused.len(),
                if self.refused.len() < MOST_REFUSED { "" } else { " or more" }
            )
        });
        let carried = (self.carried > 0).then(|| {
            format!(
                "contacts that carried tags or fields of ours when they were first seen, and that this database did not put there: {}; \
                 opt-outs at Classy do not reach them. If an earlier database of classy-sync did, or this one was restored from a backup, \
                 `classy-sync plugin adopt` shows them and takes them over; if not, `classy-sync plugin adopt --none` says so",
                self.carried
            )
        });
        self.told = Notices {
            lacks: refused
                .into_iter()
                .chain(carried)
                .chain(fields)
                .chain(earlier)
                .collect(),
            mended: mended.into_iter().collect(),
        };
    }
}
