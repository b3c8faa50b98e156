//! The list envelope (contract 4), with page addresses that a client should not follow blindly.

use crate::simulator::fault::Fault;
use std::fmt::Write;

/// What an envelope is made of.
pub(super) struct Envelope<'a> {
    /// The records' JSON, separated by commas.
    pub(super) data: &'a str,
    pub(super) count: usize,
    pub(super) total: usize,
    pub(super) page: usize,
    pub(super) per_page: usize,
    /// The address of the list, without a query.
    pub(super) path: &'a str,
    /// What each address has in its query before the page.
    pub(super) repeated: &'a str,
    pub(super) faults: &'a [Fault],
}

impl Envelope<'_> {
    /// The JSON text.
    pub(super) fn render(&self) -> String {
        let last = self.last();
        let at = |there: bool, page: usize| {
            if there {
                self.address(page)
            } else {
                "null".to_owned()
            }
        };
        let previous = at(self.page > 1, self.page.saturating_sub(1));
        let next = at(self.page < last, self.page.saturating_add(1));
        let (from, to) = match self.count {
            0 => ("null".to_owned(), "null".to_owned()),
            count => {
                let before = (self.page - 1) * self.per_page;
                ((before + 1).to_string(), (before + count).to_string())
            }
        };
        let mut out = String::with_capacity(self.data.len() + 4_096);
        let _ = write!(
            out,
            "{{\"current_page\":{},\"data\":[{}],\"first_page_url\":{},",
            self.page,
            self.data,
            self.address(1)
        );
        let _ = write!(
            out,
            "\"from\":{from},\"last_page\":{last},\"last_page_url\":{},",
            self.address(last)
        );
        if !self.faults.contains(&Fault::NoLinks) {
            let _ = write!(out, "\"links\":[{}],", self.links(&previous, &next));
        }
        let _ = write!(
            out,
            "\"next_page_url\":{next},\"path\":\"{}\",\"per_page\":{},",
            escaped(self.path),
            self.per_page
        );
        let _ = write!(
            out,
            "\"prev_page_url\":{previous},\"to\":{to},\"total\":{}",
            self.total
        );
        out.push_str(if self.faults.contains(&Fault::NewKeys) {
            ",\"queries_log\":[]}"
        } else {
            "}"
        });
        out
    }

    fn last(&self) -> usize {
        self.total.div_ceil(self.per_page).max(1)
    }

    fn address(&self, page: usize) -> String {
        let separator = if self.repeated.is_empty() { "" } else { "&" };
        format!(
            "\"{}?{}{separator}page={page}\"",
            escaped(self.path),
            self.repeated
        )
    }

    /// Previous, the pages around the current one and at the ends with dots for what is left out,
    /// next: all pages when they are few.
    fn links(&self, previous: &str, next: &str) -> String {
        let (current, last) = (self.page, self.last());
        let ranges = match () {
            () if last < 14 => vec![1..=last],
            () if current <= 7 => vec![1..=10, last - 1..=last],
            () if current + 7 > last => vec![1..=2, last - 9..=last],
            () => vec![1..=2, current - 3..=current + 3, last - 1..=last],
        };
        let link = |page: usize| {
            let active = match (page == current, self.faults.contains(&Fault::TypeNoise)) {
                (true, true) => "\"true\"",
                (true, false) => "true",
                (false, _) => "false",
            };
            format!(
                "{{\"url\":{},\"label\":\"{page}\",\"active\":{active}}}",
                self.address(page)
            )
        };
        let mut links = vec![format!(
            "{{\"url\":{previous},\"label\":\"&laquo; Previous\",\"active\":false}}"
        )];
        for (number, range) in ranges.into_iter().enumerate() {
            links.extend(
                (number > 0)
                    .then(|| "{\"url\":null,\"label\":\"...\",\"active\":false}".to_owned()),
            );
            links.extend(range.map(link));
        }
        links.push(format!(
            "{{\"url\":{next},\"label\":\"Next &raquo;\",\"active\":false}}"
        ));
        links.join(",")
    }
}

/// As the framework behind the API escapes slashes.
fn escaped(text: &str) -> String {
    text.replace('/', "\\/")
}
