//! How a record looks: every key in the live order, with a mark where a value goes.

use std::sync::LazyLock;

/// A record's text cut at its marks.
#[derive(Debug)]
pub(in crate::simulator) struct Template {
    literals: Vec<&'static str>,
    slots: Vec<&'static str>,
}

static SUPPORTER: LazyLock<Template> = LazyLock::new(|| Template::cut(include_str!("templates/supporter.txt")));
static CAMPAIGN: LazyLock<Template> = LazyLock::new(|| Template::cut(include_str!("templates/campaign.txt")));
static PLAN: LazyLock<Template> = LazyLock::new(|| Template::cut(include_str!("templates/plan.txt")));
static TRANSACTION: LazyLock<Template> = LazyLock::new(|| Template::cut(include_str!("templates/transaction.txt")));

impl Template {
    pub(in crate::simulator) fn of(kind: crate::simulator::Kind) -> &'static Template {
        use crate::simulator::Kind;
        match kind {
            Kind::Supporters => &SUPPORTER,
            Kind::Campaigns => &CAMPAIGN,
            Kind::Plans => &PLAN,
            Kind::Transactions => &TRANSACTION,
        }
    }

    fn cut(text: &'static str) -> Template {
        let mut template = Template { literals: Vec::new(), slots: Vec::new() };
        let mut rest = text.trim_end();
        while let Some((literal, after)) = rest.split_once('«') {
            let (slot, after) = after.split_once('»').unwrap_or((after, ""));
            template.literals.push(literal);
            template.slots.push(slot);
            rest = after;
        }
        template.literals.push(rest);
        template
    }

    /// The marks' names, in order.
    pub(in crate::simulator) fn slots(&self) -> &[&'static str] {
        &self.slots
    }

    /// The record's JSON; `value` gives each mark's literal.
    pub(in crate::simulator) fn render<'a>(&self, out: &mut String, value: impl Fn(usize, &str) -> std::borrow::Cow<'a, str>) {
        for (index, literal) in self.literals.iter().enumerate() {
            out.push_str(literal);
            if let Some(slot) = self.slots.get(index) {
                out.push_str(&value(index, slot));
            }
        }
    }
}
