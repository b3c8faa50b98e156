//! Life going on: records made, changed, given back, deleted.

use super::classy::clock_text;
use super::fault::Fault;
use super::record::Record;
use super::webhook::News;
use super::world::{Kind, World};
use std::sync::Arc;

type Changes = Vec<(&'static str, String)>;

/// A kind of record, the livelier the more often.
fn lively(roll: u64) -> Kind {
    let all: u64 = Kind::ALL.iter().map(|kind| kind.about().liveliness).sum();
    let mut rest = roll % all;
    let is_it = |kind: &Kind| {
        let weight = kind.about().liveliness;
        let is_it = rest < weight;
        rest = rest.saturating_sub(weight);
        is_it
    };
    Kind::ALL
        .into_iter()
        .find(is_it)
        .unwrap_or(Kind::Supporters)
}

fn text(word: &str) -> String {
    format!("\"{word}\"")
}

impl World {
    /// `count` random changes and additions over all lists of an organization, at the source's
    /// clock.
    pub fn live(&mut self, organization: i64, count: usize) {
        for _ in 0..count {
            let roll = self.roll();
            let told = self.organizations.get(&organization);
            if told.is_some_and(|one| one.home.story().is_some()) {
                self.live_on(organization, roll);
                continue;
            }
            let kind = lively(roll);
            match (roll >> 8) % 4 {
                0 => self.add(organization, kind),
                _ => self.change(organization, kind, roll >> 16),
            }
        }
    }

    /// What happens next where a story is told: mostly somebody gives.
    fn live_on(&mut self, organization: i64, roll: u64) {
        let dice = roll >> 8;
        match roll % 200 {
            0..168 => self.add(organization, Kind::Transactions),
            168..192 => self.add(organization, Kind::Supporters),
            // Somebody says yes to mail, or no; so few that no guard takes them for a mistake.
            192..196 => self.change(organization, Kind::Supporters, dice - dice % 3),
            // An odd number cancels a plan.
            196..198 => self.change(organization, Kind::Plans, dice | 1),
            _ => self.change(organization, Kind::Transactions, dice),
        }
    }

    /// Adds a plausible record.
    pub fn add(&mut self, organization: i64, kind: Kind) {
        if kind == Kind::Transactions {
            self.add_newcomer(organization);
        }
        self.add_with(organization, kind, &Changes::new());
    }

    /// Whoever gives next where a story is told is there before.
    fn add_newcomer(&mut self, organization: i64) {
        let Some(one) = self.organizations.get(&organization) else {
            return;
        };
        let last = |kind: Kind| {
            let last = one.lists.get(&kind)?.iter().next_back()?;
            Some(one.home.number(last.id))
        };
        let number = last(Kind::Transactions).unwrap_or_default() + 1;
        let donor = one
            .home
            .story()
            .map_or(0, |story| story.gift(number as usize).donor as i64);
        for _ in last(Kind::Supporters).unwrap_or_default()..donor {
            self.add(organization, Kind::Supporters);
        }
    }

    fn add_with(&mut self, organization: i64, kind: Kind, changes: &Changes) {
        let now = self.now();
        let Some(home) = self
            .organizations
            .get(&organization)
            .map(|one| Arc::clone(&one.home))
        else {
            return;
        };
        let last = self
            .list(organization, kind)
            .and_then(|list| list.iter().next_back().map(|record| record.id));
        let mut record = Record::new(&home, kind, last.map_or(0, |id| home.number(id)) + 1, now);
        let id = record.id;
        for (field, literal) in changes {
            record.set(field, literal);
        }
        self.replica_lags(organization, kind, id);
        if let Some(list) = self.list(organization, kind) {
            list.put(record);
        }
        self.tell(News {
            organization,
            kind,
            id,
            is_new: true,
        });
    }

    /// Changes something of a random record of a list.
    fn change(&mut self, organization: i64, kind: Kind, roll: u64) {
        let nth =
            |list: &mut super::List| list.nth((roll >> 8) as usize % list.len().max(1)).cloned();
        let Some(record) = self.list(organization, kind).and_then(nth) else {
            return;
        };
        let at = text(&clock_text(self.now()));
        if self.has(Fault::Deletions) && roll % 8 == 0 {
            self.delete(organization, kind, record.id);
            return;
        }
        let is = |word: &str| {
            record
                .get("status")
                .is_some_and(|status| status.trim_matches('"') == word)
        };
        let changes: Changes = match kind {
            Kind::Supporters if roll % 3 == 0 => vec![(
                "opt_in",
                (record.get("opt_in").as_deref() != Some("true")).to_string(),
            )],
            Kind::Supporters if roll % 3 == 1 => vec![(
                "email_address",
                text(&format!("changed.{}@example.org", roll % 1_000_000)),
            )],
            Kind::Campaigns => vec![("goal", (roll % 100_000).to_string())],
            Kind::Plans if is("active") && roll % 2 == 0 => {
                self.charge(organization, &record);
                vec![(
                    "next_processing_date",
                    text(&clock_text((self.now() / 86_400 + 30) * 86_400)),
                )]
            }
            Kind::Plans => vec![("status", text("canceled")), ("canceled_at", at)],
            Kind::Transactions if is("incomplete") || is("pending") && roll % 2 == 0 => {
                vec![("status", text("success"))]
            }
            Kind::Transactions if is("pending") => vec![("status", text("failed"))],
            Kind::Transactions if is("cb_initiated") => vec![(
                "status",
                text(if roll % 2 == 0 { "cb_lost" } else { "success" }),
            )],
            Kind::Transactions if roll % 3 == 0 => vec![("status", text("cb_initiated"))],
            Kind::Transactions => vec![("status", text("refunded")), ("refunded_at", at)],
            other => vec![(
                other.about().text,
                text(&format!("Changed {}", roll % 1_000_000)),
            )],
        };
        // Whether these move the time of change at the source, nobody knows (contract 9).
        let doubtful = changes
            .iter()
            .any(|(field, _)| matches!(*field, "opt_in" | "status"));
        let silent = doubtful && self.has(Fault::SilentChanges) && roll % 2 == 0;
        self.edit(organization, kind, record.id, &changes, !silent);
    }

    /// A plan's next charge is a gift like any other.
    fn charge(&mut self, organization: i64, plan: &Record) {
        let field = |name: &str| plan.get(name).unwrap_or_default().into_owned();
        let gift = vec![
            ("recurring_donation_plan_id", plan.id.to_string()),
            ("supporter_id", field("supporter_id")),
            ("campaign_id", field("campaign_id")),
            (
                "frequency",
                field("frequency").replace("annually", "annual"),
            ),
            ("status", text("success")),
        ];
        self.add_with(organization, Kind::Transactions, &gift);
    }

    /// Sets fields of a record to JSON literals; `touch` moves its time of change to the source's
    /// clock. Answers whether it is there.
    pub fn edit(
        &mut self,
        organization: i64,
        kind: Kind,
        id: i64,
        changes: &[(&str, String)],
        touch: bool,
    ) -> bool {
        let now = self.now();
        if touch {
            self.replica_lags(organization, kind, id);
        }
        let Some(record) = self
            .list(organization, kind)
            .and_then(|list| list.get_mut(id))
        else {
            return false;
        };
        for (field, literal) in changes {
            record.set(field, literal);
        }
        if touch {
            record.updated_at = Some(now);
            self.tell(News {
                organization,
                kind,
                id,
                is_new: false,
            });
        }
        true
    }

    /// Deletes a record as the source does: hard, without a trace. Answers whether it was there.
    pub fn delete(&mut self, organization: i64, kind: Kind, id: i64) -> bool {
        self.list(organization, kind)
            .and_then(|list| list.remove(id))
            .is_some()
    }

    /// Makes every record readable again; its time of change moves.
    pub fn heal(&mut self) {
        let now = self.now();
        for organization in self.organizations.values_mut() {
            let owner = organization.id.to_string();
            for record in organization
                .lists
                .values_mut()
                .flat_map(|list| list.iter_mut())
            {
                let foreign = record.get("organization_id").is_some_and(|id| id != owner);
                if record.broken || foreign {
                    record.broken = false;
                    record.set("organization_id", &owner);
                    record.updated_at = Some(now);
                }
            }
        }
    }

    fn tell(&self, news: News) {
        // Nobody is left to be told when the server is gone.
        let _ = self.news.send(news);
    }

    /// With late visibility, what is about to change stays as it is for those who ask, for zero to
    /// three seconds.
    fn replica_lags(&mut self, organization: i64, kind: Kind, id: i64) {
        if self.has(Fault::LateVisibility) {
            let until = self.now() + (self.roll() % 4) as i64;
            if let Some(list) = self.list(organization, kind) {
                list.keep_serving(id, until);
            }
        }
    }
}
