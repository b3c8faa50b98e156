//! `GET /lists/{list_id}/members` (contract 2): filters, order, page.

use super::call::Call;
use super::member::{Member, render};
use super::page::Page;
use super::problem::Problem;
use super::status::Status;
use super::time;
use serde_json::{Value, json};

/// Which members are asked for.
#[derive(Default)]
struct Filter {
    status: Option<Status>,
    changed_since: Option<i64>,
    changed_before: Option<i64>,
    opted_since: Option<i64>,
    opted_before: Option<i64>,
    unsubscribed_since: Option<i64>,
    unique: Option<String>,
    vip_only: bool,
    email_type: Option<String>,
}

impl Filter {
    fn of(call: &Call<'_>) -> Result<Filter, Problem> {
        let moment = |name: &str| match call.param(name).map(|text| (text, time::moment(text))) {
            None => Ok(None),
            Some((_, Some(at))) => Ok(Some(at)),
            Some((_, None)) if !call.switches.refuse_bad_moments => Ok(None),
            Some((text, None)) => Err(Problem::field(
                name,
                format!("\"{text}\" is not a valid ISO 8601 date time."),
            )),
        };
        let status = call.param("status").map(|word| {
            Status::of(word).ok_or_else(|| {
                Problem::field(
                    "status",
                    "Data presented is not one of the accepted values.",
                )
            })
        });
        let filter = Filter {
            status: status.transpose()?,
            changed_since: moment("since_last_changed")?,
            changed_before: moment("before_last_changed")?,
            opted_since: moment("since_timestamp_opt")?,
            opted_before: moment("before_timestamp_opt")?,
            unsubscribed_since: moment("unsubscribed_since")?,
            unique: call.param("unique_email_id").map(str::to_owned),
            vip_only: call.flag("vip_only"),
            email_type: call.param("email_type").map(str::to_owned),
        };
        if call.param("unsubscribed_since").is_some() && filter.status != Some(Status::Unsubscribed)
        {
            return Err(Problem::field(
                "unsubscribed_since",
                "This parameter can only be used with status unsubscribed.",
            ));
        }
        if call.param("since_last_campaign").is_some() && filter.status.is_none() {
            return Err(Problem::field(
                "since_last_campaign",
                "This parameter can only be used with a status.",
            ));
        }
        Ok(filter)
    }

    fn takes(&self, member: &Member) -> bool {
        let after = |since: Option<i64>, at: i64| since.is_none_or(|since| at > since);
        let until = |before: Option<i64>, at: i64| before.is_none_or(|before| at < before);
        let status = match self.status {
            Some(status) => member.status == status,
            None => member.status != Status::Archived,
        };
        status
            && after(self.changed_since, member.last_changed)
            && until(self.changed_before, member.last_changed)
            && after(self.opted_since, member.opted_in)
            && until(self.opted_before, member.opted_in)
            && after(self.unsubscribed_since, member.last_changed)
            && (!self.vip_only || member.vip)
            && self
                .email_type
                .as_ref()
                .is_none_or(|wanted| *wanted == member.email_type)
            && self
                .unique
                .as_ref()
                .is_none_or(|wanted| member.id.starts_with(wanted.as_str()))
    }
}

/// A page of members.
pub(super) fn members(call: &mut Call<'_>) -> Result<Value, Problem> {
    let (filter, page) = (Filter::of(call)?, Page::of(call)?);
    let audience = &*call.audience;
    let served = |index: u32| Some((index, audience.served(index, call.moment)?));
    let takes = |(_, member): &(u32, &Member)| filter.takes(member);
    let descending = call
        .param("sort_dir")
        .is_some_and(|direction| direction.eq_ignore_ascii_case("desc"));
    let mut found: Vec<(u32, &Member)> = match call.param("sort_field") {
        Some("last_changed") => audience
            .changed(filter.changed_since, filter.changed_before)
            .filter_map(served)
            .filter(takes)
            .collect(),
        None if filter.changed_since.is_some() => {
            let mut found: Vec<_> = audience
                .changed(filter.changed_since, filter.changed_before)
                .filter_map(served)
                .filter(takes)
                .collect();
            found.sort_by_key(|(index, _)| *index);
            found
        }
        _ => audience
            .indexes()
            .filter_map(served)
            .filter(takes)
            .collect(),
    };
    match call.param("sort_field") {
        None | Some("last_changed") => {}
        Some("timestamp_opt") => found.sort_by_key(|(_, member)| member.opted_in),
        Some("timestamp_signup") => found.sort_by_key(|(_, member)| member.signed_up),
        Some(_) => {
            return Err(Problem::field(
                "sort_field",
                "Data presented is not one of the accepted values.",
            ));
        }
    }
    if descending {
        found.reverse();
    }
    let total = found.len();
    let shown: Vec<Value> = page
        .cut(found.into_iter())
        .into_iter()
        .map(|(index, member)| render(audience, index, member))
        .collect();
    Ok(json!({"members": shown, "list_id": audience.id, "total_items": total, "_links": []}))
}
