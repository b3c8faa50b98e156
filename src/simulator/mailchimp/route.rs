//! Which call a request is, and what it is answered.

use super::call::{Call, Spoil};
use super::page::narrow;
use super::problem::Problem;
use super::state::Mailchimp;
use super::{batches, fields, listing, lists, members, segments, subscribe, tags, webhooks};
use serde_json::{Value, json};
use tokio::time::Instant;

/// A request that was let in.
pub(super) struct Asked<'a> {
    pub(super) account: usize,
    pub(super) method: &'a str,
    /// After the version.
    pub(super) path: &'a str,
    pub(super) query: &'a [(String, String)],
    pub(super) body: &'a [u8],
    pub(super) spoil: Spoil,
    /// Whether the address of a webhook that is to be made answers.
    pub(super) reachable: bool,
    /// Where results of batches are fetched.
    pub(super) host: &'a str,
}

/// A path without its percent signs; a plus is a plus.
pub(super) fn decoded(path: &str) -> String {
    let form = path
        .replace('+', "%2B")
        .replace('&', "%26")
        .replace('=', "%3D");
    url::form_urlencoded::parse(form.as_bytes())
        .next()
        .map_or_else(String::new, |(path, _)| path.into_owned())
}

/// An endpoint as the documentation names it.
pub(super) fn endpoint(method: &str, path: &str) -> String {
    let mut out = format!("{method} /");
    let mut before = "";
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        let shown = match before {
            "lists" => "{list_id}",
            "members" => "{subscriber_hash}",
            "segments" => "{segment_id}",
            "merge-fields" => "{merge_id}",
            "webhooks" => "{webhook_id}",
            "batches" => "{batch_id}",
            _ => segment,
        };
        if !out.ends_with('/') {
            out.push('/');
        }
        out.push_str(shown);
        before = if shown == segment { segment } else { "" };
    }
    out
}

impl Mailchimp {
    /// What a request is answered; null is an empty body.
    pub(super) fn answer(&mut self, asked: &Asked<'_>) -> Result<Value, Problem> {
        if asked.method != "GET" && self.accounts[asked.account].read_only {
            return Err(Problem::forbidden());
        }
        if let Some((title, detail)) = &self.accounts[asked.account].suspended {
            return Err(Problem::new(403, title.clone(), detail.clone()));
        }
        let segments: Vec<&str> = asked
            .path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .collect();
        let answer = match (asked.method, segments.as_slice()) {
            ("GET", []) => Ok(lists::root(self, asked.account)),
            ("GET", ["ping"]) => Ok(json!({"health_status": "Everything's Chimpy!"})),
            ("GET", ["lists"]) => lists::all(self, asked),
            ("GET", ["search-members"]) => lists::search(self, asked),
            (method, ["batches", rest @ ..]) => batches::answer(self, asked, method, rest),
            (method, ["lists", audience, rest @ ..]) => {
                self.of_audience(asked, method, audience, rest)
            }
            (_, [] | ["ping" | "lists" | "search-members"]) => Err(Problem::method()),
            _ => Err(Problem::not_found()),
        }?;
        if asked.method == "GET" {
            narrow(asked.query, answer)
        } else {
            Ok(answer)
        }
    }

    fn of_audience(
        &mut self,
        asked: &Asked<'_>,
        method: &str,
        audience: &str,
        rest: &[&str],
    ) -> Result<Value, Problem> {
        let (now, number) = (self.now(), self.next());
        let Some(audience) = self
            .audiences
            .get_mut(audience)
            .filter(|audience| audience.account == asked.account)
        else {
            return Err(Problem::not_found());
        };
        if method != "GET" {
            *self
                .ledger
                .writes_per_audience
                .entry(audience.id.clone())
                .or_default() += 1;
        }
        let mut call = Call {
            audience,
            harm: &mut self.ledger,
            switches: &self.switches,
            news: &self.news,
            endpoint: &endpoint(method, asked.path),
            query: asked.query,
            body: asked.body,
            now,
            number,
            moment: Instant::now(),
            spoil: asked.spoil,
            reachable: asked.reachable,
        };
        let (written, answer) = (call.harm.writes.len(), dispatch(&mut call, method, rest));
        if let (Err(problem), true) = (&answer, written == self.ledger.writes.len()) {
            self.note_unread(method, asked.path, asked.body, &problem.detail);
        }
        answer
    }
}

fn dispatch(call: &mut Call<'_>, method: &str, rest: &[&str]) -> Result<Value, Problem> {
    match (method, rest) {
        ("GET", []) => Ok(lists::render(call.audience)),
        ("POST", []) => subscribe::subscribe(call),
        ("GET", ["members"]) => listing::members(call),
        ("POST", ["members"]) => members::post(call),
        ("GET", ["members", who]) => members::get(call, who),
        ("PUT", ["members", who]) => members::put(call, who),
        ("PATCH", ["members", who]) => members::patch(call, who),
        ("DELETE", ["members", who]) => members::archive(call, who),
        ("POST", ["members", who, "actions", "delete-permanent"]) => members::erase(call, who),
        ("GET", ["members", who, "tags"]) => tags::get(call, who),
        ("POST", ["members", who, "tags"]) => tags::post(call, who),
        ("GET", ["tag-search"]) => tags::search(call),
        ("GET", ["segments"]) => segments::list(call),
        ("POST", ["segments"]) => segments::create(call),
        ("GET", ["segments", id]) => segments::get(call, id),
        ("POST", ["segments", id]) => segments::batch(call, id),
        ("PATCH", ["segments", id]) => segments::replace(call, id),
        ("DELETE", ["segments", id]) => segments::delete(call, id),
        ("GET", ["segments", id, "members"]) => segments::members(call, id),
        ("POST", ["segments", id, "members"]) => segments::add_member(call, id),
        ("DELETE", ["segments", id, "members", who]) => segments::remove_member(call, id, who),
        ("GET", ["merge-fields"]) => fields::list(call),
        ("POST", ["merge-fields"]) => fields::create(call),
        ("GET", ["merge-fields", id]) => fields::get(call, id),
        ("PATCH", ["merge-fields", id]) => fields::change(call, id),
        ("DELETE", ["merge-fields", id]) => fields::delete(call, id),
        ("GET", ["webhooks"]) => webhooks::list(call),
        ("POST", ["webhooks"]) => webhooks::create(call),
        ("GET", ["webhooks", id]) => webhooks::get(call, id),
        ("PATCH", ["webhooks", id]) => webhooks::change(call, id),
        ("DELETE", ["webhooks", id]) => webhooks::delete(call, id),
        (
            _,
            []
            | [
                "members" | "segments" | "merge-fields" | "webhooks" | "tag-search",
                ..,
            ],
        ) => Err(Problem::method()),
        _ => Err(Problem::not_found()),
    }
}

#[cfg(test)]
mod tests {
    use super::{decoded, endpoint};

    #[test]
    fn endpoints_have_the_names_of_the_documentation() {
        assert_eq!(
            decoded("/lists/a1/members/a+b%2B%3D%26%40x.org"),
            "/lists/a1/members/a+b+=&@x.org"
        );
        assert_eq!(
            (decoded(""), endpoint("GET", "/")),
            (String::new(), "GET /".to_owned())
        );
        assert_eq!(endpoint("POST", "/lists/a1"), "POST /lists/{list_id}");
        assert_eq!(
            endpoint("POST", "/lists/a1/members/ff/tags"),
            "POST /lists/{list_id}/members/{subscriber_hash}/tags"
        );
        let erase = "POST /lists/{list_id}/members/{subscriber_hash}/actions/delete-permanent";
        assert_eq!(
            endpoint("POST", "/lists/a1/members/ff/actions/delete-permanent"),
            erase
        );
        assert_eq!(
            endpoint("DELETE", "/lists/a1/segments/7/members/ff"),
            "DELETE /lists/{list_id}/segments/{segment_id}/members/{subscriber_hash}"
        );
    }
}
