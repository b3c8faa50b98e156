//! One member written: what PUT, POST, PATCH and each member of a batch have in common.

use super::call::Call;
use super::draft::Draft;
use super::harm::{Write, word};
use super::member::{Member, key_of};
use super::plausible::{is_address, looks_fake};
use super::problem::Problem;
use super::status::{Left, Status};
use super::switches::Compliance;
use super::webhook::What;
use super::{merge, time};
use std::net::IpAddr;

/// How often an address may be made new by a program within a few hours.
const SIGNUPS: u32 = 12;
const SIGNUP_PAUSE_S: i64 = 6 * 3_600;

/// By which call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Put,
    Post,
    Patch,
    Batch { sync_tags: bool },
}

/// A member after it was written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Written {
    pub(super) index: u32,
    pub(super) created: bool,
}

impl Call<'_> {
    /// Writes a member, and writes down that it was tried. `target` is who is there already.
    pub(super) fn upsert(
        &mut self,
        target: Option<u32>,
        draft: &Draft,
        mode: Mode,
    ) -> Result<Written, Problem> {
        let known = target.and_then(|index| self.audience.member_at(index));
        let (before, email) = (
            known.map(|member| member.status),
            known.map(|member| key_of(&member.email)),
        );
        let outcome = self.write(target, draft, mode);
        let after = outcome
            .as_ref()
            .ok()
            .and_then(|written| self.audience.member_at(written.index))
            .map(|member| member.status);
        self.harm.writes.push(Write {
            endpoint: self.endpoint.to_owned(),
            audience: self.audience.id.clone(),
            email: draft
                .email
                .as_deref()
                .map(key_of)
                .or(email)
                .unwrap_or_default(),
            sent: draft.sent.clone(),
            before,
            after,
            refused: outcome.as_ref().err().map(|problem| problem.detail.clone()),
        });
        outcome
    }

    fn write(
        &mut self,
        target: Option<u32>,
        draft: &Draft,
        mode: Mode,
    ) -> Result<Written, Problem> {
        let known = target
            .and_then(|index| self.audience.member_at(index))
            .cloned();
        let email = draft
            .email
            .clone()
            .or_else(|| known.as_ref().map(|member| member.email.clone()))
            .unwrap_or_default();
        self.address(&email)?;
        let moves = known
            .as_ref()
            .is_some_and(|member| key_of(&member.email) != key_of(&email));
        if moves && self.audience.find(&email).is_some() {
            return Err(exists(&email));
        }
        let revived = known
            .as_ref()
            .is_some_and(|member| self.revives(member, draft, mode));
        let mut wanted = if known.is_none() {
            draft.status_if_new.or(draft.status)
        } else {
            draft.status
        };
        if revived {
            wanted = wanted.or(draft.status_if_new);
        }
        if known.is_none() && wanted.is_none() {
            return Err(Problem::field("status", "This value should not be blank."));
        }
        if (known.is_none() || moves) && self.audience.forgotten.contains(&key_of(&email)) {
            return Err(forgotten(&email));
        }
        if let Some(member) = &known {
            wanted = self.comply(member, wanted)?;
        }
        let renewed = known
            .as_ref()
            .is_none_or(|member| revived || member.status == Status::Archived && wanted.is_some());
        let signups = self.signups(known.as_ref().filter(|_| renewed), &email)?;
        let fields = merge::check(self, draft, known.as_ref())?;
        self.small_things(draft)?;

        let index = target
            .filter(|_| known.is_some())
            .unwrap_or_else(|| self.audience.next_index());
        self.lag(index);
        let watched = self.before(index);
        if let Some(member) = &known {
            if moves {
                let old = member.email.clone();
                self.audience.rename(index, &email);
                self.tell(index, What::Upemail(old));
            }
            if let Some(status) = wanted {
                self.transition(index, status, false);
            }
        } else {
            let status = wanted.unwrap_or(Status::Subscribed);
            // As nothing at first, so that the first status is a change like any other.
            self.audience.add(Member {
                by_program: true,
                ..Member::new(&email, Status::Transactional, self.now)
            });
            self.transition(index, status, true);
        }
        if let Some(member) = self.audience.member_mut(index) {
            fields
                .into_iter()
                .for_each(|(tag, value)| drop(member.fields.insert(tag, value)));
            small(member, draft);
            if renewed {
                member.signups = signups;
            }
        }
        self.tags(index, draft, mode, known.is_none());
        let tags_only = known.is_some() && !revived && !draft.says_more_than_tags();
        if !tags_only || draft.tags.is_some() && self.switches.tags_move_last_changed {
            self.audience.touch(index, self.now);
        }
        if !tags_only && known.is_some() {
            self.tell(index, What::Profile);
        }
        self.compare(index, watched);
        Ok(Written {
            index,
            created: known.is_none() || revived,
        })
    }

    fn address(&self, email: &str) -> Result<(), Problem> {
        if !is_address(email) {
            return Err(Problem::invalid("Please provide a valid email address."));
        }
        if looks_fake(email, &self.switches.fake) {
            return Err(Problem::invalid(format!(
                "{email} looks fake or invalid, please enter a real email address."
            )));
        }
        Ok(())
    }

    /// Whether an archived member counts as a new one.
    fn revives(&self, member: &Member, draft: &Draft, mode: Mode) -> bool {
        let may = match mode {
            Mode::Batch { .. } => self.switches.batch_revives_archived,
            Mode::Put => self.switches.put_revives_archived,
            Mode::Post | Mode::Patch => false,
        };
        may && member.status == Status::Archived && draft.status.or(draft.status_if_new).is_some()
    }

    /// What becomes of a wish to subscribe somebody who left.
    fn comply(
        &mut self,
        member: &Member,
        wanted: Option<Status>,
    ) -> Result<Option<Status>, Problem> {
        let Some(left) = member.left else {
            return Ok(wanted);
        };
        let gone = matches!(member.status, Status::Unsubscribed | Status::Cleaned);
        let subscribes = wanted == Some(Status::Subscribed)
            || wanted == Some(Status::Pending) && member.status == Status::Cleaned;
        if !gone || !subscribes || left == Left::Api && !self.switches.api_unsubscribes_are_final {
            return Ok(wanted);
        }
        if self.switches.compliance == Compliance::Succeeds {
            return Ok(wanted);
        }
        let mark = self.mark(&member.email, word(left));
        self.harm.resubscriptions_prevented.push(mark);
        if self.switches.compliance == Compliance::Ignored {
            return Ok(None);
        }
        let detail = format!(
            "{} is in a compliance state due to unsubscribe, bounce, or compliance review and cannot be subscribed.",
            member.email
        );
        Err(Problem::new(400, "Member In Compliance State", detail))
    }

    /// The count of times that an address was made new, with this one.
    fn signups(&self, member: Option<&Member>, email: &str) -> Result<(u32, i64), Problem> {
        let (count, last) = member.map_or((0, 0), |member| member.signups);
        let count = if self.now - last > SIGNUP_PAUSE_S {
            0
        } else {
            count
        };
        if count >= SIGNUPS {
            let detail = format!(
                "{email} has signed up to a lot of lists very recently; we're not allowing more signups for now"
            );
            return Err(Problem::invalid(detail));
        }
        Ok((count + 1, self.now))
    }

    fn small_things(&self, draft: &Draft) -> Result<(), Problem> {
        for (name, text) in draft.texts.iter().filter(|(_, text)| !text.is_empty()) {
            let good = match *name {
                "ip_signup" | "ip_opt" => text.parse::<IpAddr>().is_ok(),
                "timestamp_signup" | "timestamp_opt" => {
                    time::moment(text).is_some() || time::moment(&text.replace(' ', "T")).is_some()
                }
                _ => true,
            };
            if !good {
                return Err(Problem::field(name, "This value is not valid."));
            }
        }
        match draft.interests.keys().next() {
            Some(id) => Err(Problem::invalid(format!("Invalid interest ID: '{id}'."))),
            None => Ok(()),
        }
    }

    fn tags(&mut self, index: u32, draft: &Draft, mode: Mode, created: bool) {
        let names = draft.tags.as_deref().unwrap_or_default();
        match mode {
            Mode::Batch { sync_tags: true } => {
                let keep: Vec<u64> = names
                    .iter()
                    .filter_map(|name| self.audience.tag(name))
                    .collect();
                let held = self
                    .audience
                    .member_at(index)
                    .map(|member| member.tags.clone())
                    .unwrap_or_default();
                for lost in held.iter().filter(|held| !keep.contains(&held.segment)) {
                    self.lose_tag(index, lost.segment);
                }
                self.add_tags(index, names, false);
            }
            Mode::Put if !created && !self.switches.put_tags_existing => {}
            Mode::Patch => {}
            _ => self.add_tags(index, names, false),
        }
    }
}

fn small(member: &mut Member, draft: &Draft) {
    for (name, text) in &draft.texts {
        match *name {
            "email_type" => member.email_type.clone_from(text),
            "language" => member.language.clone_from(text),
            "ip_signup" => member.ip_signup.clone_from(text),
            "ip_opt" => member.ip_opt.clone_from(text),
            "timestamp_signup" => {
                member.signed_up = time::moment(&text.replace(' ', "T")).unwrap_or(member.signed_up)
            }
            _ => member.opted_in = time::moment(&text.replace(' ', "T")).unwrap_or(member.opted_in),
        }
    }
    member.vip = draft.vip.unwrap_or(member.vip);
    member
        .permissions
        .extend(draft.permissions.iter().flatten().cloned());
}

/// Somebody else has this address.
pub(super) fn exists(email: &str) -> Problem {
    Problem::new(
        400,
        "Member Exists",
        format!("{email} is already a list member. Use PUT to insert or update list members."),
    )
}

fn forgotten(email: &str) -> Problem {
    let detail = format!(
        "{email} was permanently deleted and cannot be re-imported. The contact must re-subscribe to get back on the list."
    );
    Problem::new(400, "Forgotten Email Not Subscribed", detail)
}
