//! The list envelope (contract 4), with page addresses that a client should not follow blindly.

use crate::simulator::fault::Fault;
use crate::simulator::world::Record;
use std::fmt::Write;

/// What an envelope is made of.
pub(super) struct Envelope<'a> {
    pub(super) records: &'a [&'a Record],
    pub(super) total: usize,
    pub(super) page: usize,
    pub(super) per_page: usize,
    /// The address of the list, without a query.
    pub(super) path: &'a str,
    pub(super) faults: &'a [Fault],
    /// Only these keys, when the client named some.
    pub(super) fields: Option<Vec<&'a str>>,
}

impl Envelope<'_> {
    /// The JSON text.
    pub(super) fn render(&self) -> String {
        let last = self.total.div_ceil(self.per_page).max(1);
        let first_row = (self.page - 1) * self.per_page + 1;
        let address = |page: usize| format!("\"{}?page={page}\"", self.path.replace('/', "\\/"));
        let next = if self.page < last { address(self.page + 1) } else { "null".to_owned() };
        let previous = if self.page > 1 { address(self.page - 1) } else { "null".to_owned() };
        let (from, to) = if self.records.is_empty() {
            ("null".to_owned(), "null".to_owned())
        } else {
            (first_row.to_string(), (first_row + self.records.len() - 1).to_string())
        };
        let mut out = String::with_capacity(self.records.len() * 1_500 + 1_000);
        let _ = write!(out, "{{\"current_page\":{},\"data\":[", self.page);
        for (index, record) in self.records.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            out.push_str(&render(record, self.faults, self.fields.as_deref()));
        }
        let _ = write!(
            out,
            "],\"first_page_url\":{},\"from\":{from},\"last_page\":{last},\"last_page_url\":{},\"links\":[\
             {{\"url\":{previous},\"label\":\"&laquo; Previous\",\"active\":false}},\
             {{\"url\":{},\"label\":\"{}\",\"active\":true}},{{\"url\":{next},\"label\":\"Next &raquo;\",\"active\":false}}],\
             \"next_page_url\":{next},\"path\":\"{}\",\"per_page\":{},\"prev_page_url\":{previous},\"to\":{to},\"total\":{},\"queries_log\":[]}}",
            address(1),
            address(last),
            address(self.page),
            self.page,
            self.path.replace('/', "\\/"),
            self.per_page,
            self.total
        );
        out
    }
}

/// One record's JSON, narrowed to the named keys.
pub(super) fn render(record: &Record, faults: &[Fault], fields: Option<&[&str]>) -> String {
    let mut text = String::new();
    record.render(faults, &mut text);
    let Some(fields) = fields else { return text };
    match serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&text) {
        Ok(mut map) => {
            map.retain(|key, _| fields.contains(&key.as_str()));
            serde_json::Value::Object(map).to_string()
        }
        Err(_) => text,
    }
}
