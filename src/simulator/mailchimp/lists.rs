//! The account, its audiences, and the search for a member in all of them.

use super::audience::Audience;
use super::member::render as render_member;
use super::page::Page;
use super::problem::Problem;
use super::route::Asked;
use super::state::Mailchimp;
use super::status::Status;
use super::time::digits;
use serde_json::{Value, json};

/// `GET /`
pub(super) fn root(state: &Mailchimp, account: usize) -> Value {
    let known = &state.accounts[account];
    let of_it = state
        .audiences
        .values()
        .filter(|audience| audience.account == account);
    let subscribers: usize = of_it
        .map(|audience| count(audience, Status::Subscribed))
        .sum();
    json!({
        "account_id": digits(account as u64, 24),
        "login_id": (1_000 + account).to_string(),
        "account_name": known.name,
        "email": format!("owner{account}@nonprofit.example.org"),
        "first_name": "Olive",
        "last_name": "Owner",
        "username": format!("owner{account}"),
        "role": if known.read_only { "viewer" } else { "owner" },
        "member_since": "2019-01-01T00:00:00+00:00",
        "pricing_plan_type": "monthly",
        "account_timezone": "America/New_York",
        "contact": {"company": known.name, "addr1": "1 Main Street", "addr2": "", "city": "Springfield", "state": "IL", "zip": "62701", "country": "US"},
        "pro_enabled": false,
        "last_login": "2026-01-01T00:00:00+00:00",
        "total_subscribers": subscribers,
        "_links": [],
    })
}

fn count(audience: &Audience, status: Status) -> usize {
    audience
        .members()
        .filter(|member| member.status == status)
        .count()
}

/// An audience as the API shows it.
pub(super) fn render(audience: &Audience) -> Value {
    let subscribed = count(audience, Status::Subscribed);
    let archived = count(audience, Status::Archived);
    json!({
        "id": audience.id,
        "web_id": 100_000 + audience.seed % 900_000,
        "name": audience.name,
        "contact": {"company": audience.name, "address1": "1 Main Street", "city": "Springfield", "state": "IL", "zip": "62701", "country": "US"},
        "campaign_defaults": {"from_name": audience.name, "from_email": "hello@nonprofit.example.org", "subject": "", "language": "en"},
        "permission_reminder": "You signed up at our site.",
        "use_archive_bar": true,
        "date_created": "2019-01-01T00:00:00+00:00",
        "list_rating": 3,
        "email_type_option": false,
        "visibility": "prv",
        "double_optin": audience.double_optin,
        "has_welcome": false,
        "marketing_permissions": !audience.permissions.is_empty(),
        "modules": [],
        "stats": {
            "member_count": subscribed,
            "total_contacts": audience.members().count() - archived,
            "unsubscribe_count": count(audience, Status::Unsubscribed),
            "cleaned_count": count(audience, Status::Cleaned),
            "merge_field_count": audience.fields.len(),
            "campaign_count": 0,
        },
        "_links": [],
    })
}

/// A page of a request that is about no single audience.
fn page(asked: &Asked<'_>) -> Page {
    let number = |name: &str, default: usize| {
        asked
            .query
            .iter()
            .find(|(key, _)| key == name)
            .and_then(|(_, text)| text.parse().ok())
            .unwrap_or(default)
    };
    Page {
        offset: number("offset", 0),
        count: number("count", 10).min(1_000),
    }
}

/// `GET /lists`
pub(super) fn all(state: &Mailchimp, asked: &Asked<'_>) -> Result<Value, Problem> {
    let found: Vec<&Audience> = state
        .audiences
        .values()
        .filter(|audience| audience.account == asked.account)
        .collect();
    let total = found.len();
    let shown: Vec<Value> = page(asked)
        .cut(found.into_iter())
        .into_iter()
        .map(render)
        .collect();
    Ok(json!({"lists": shown, "total_items": total, "_links": []}))
}

/// `GET /search-members`: the address itself, and no more than that.
pub(super) fn search(state: &Mailchimp, asked: &Asked<'_>) -> Result<Value, Problem> {
    let param = |name: &str| {
        asked
            .query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    };
    let wanted =
        param("query").ok_or_else(|| Problem::field("query", "This value should not be blank."))?;
    let mine = |audience: &&Audience| {
        audience.account == asked.account && param("list_id").is_none_or(|id| id == audience.id)
    };
    let member = |audience: &Audience| {
        let index = audience.find(wanted)?;
        audience
            .member_at(index)
            .map(|member| render_member(audience, index, member))
    };
    let found: Vec<Value> = state
        .audiences
        .values()
        .filter(mine)
        .filter_map(member)
        .collect();
    let total = found.len();
    Ok(json!({
        "exact_matches": {"members": found, "total_items": total},
        "full_search": {"members": [], "total_items": 0},
        "_links": [],
    }))
}
