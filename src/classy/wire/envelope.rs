//! The envelope of a list (contract 4): `data`, how many records there are in all, and how the
//! source cuts them into pages. Its page addresses are not needed.
//!
//! It is read while it arrives, one record at a time: neither the page nor what its records hold
//! besides is ever in memory as a whole.

use super::collect::Collector;
use super::element::{element, unread_keys};
use crate::domain::Item;
use crate::entities::Record;
use crate::entities::read::object;
use crate::entities::scalar::count;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use std::ops::ControlFlow;

/// The most of an envelope that is kept, its records not counted.
const ENVELOPE_BYTES: usize = 256 * 1024;

/// A list as it was served.
#[derive(Debug)]
pub(in crate::classy) struct List<R> {
    pub(in crate::classy) items: Vec<Item<R>>,
    pub(in crate::classy) total: u64,
    /// Rows a page, when it says so.
    pub(in crate::classy) per_page: Option<u32>,
    /// The last page, when it says so.
    pub(in crate::classy) last_page: Option<u32>,
    /// Keys of the first record that nobody reads.
    pub(in crate::classy) unread_keys: Vec<String>,
}

/// Why a body is no list that is taken; then the whole page counts as not received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::classy) enum NoList {
    /// It is none, in words that carry nothing of it.
    Not(&'static str),
    /// It holds more records than this.
    TooMany(usize),
}

/// Where a list's reader is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In the envelope, outside of its records.
    Envelope,
    /// Before a record.
    Before,
    /// In a record.
    Record,
    /// After a record.
    After,
}

/// Reads a list from its pieces.
#[derive(Debug)]
pub(in crate::classy) struct ListReader<R> {
    classy_id: i64,
    /// The most records that are taken.
    most: usize,
    items: Vec<Item<R>>,
    /// The envelope, with a 0 for each record.
    envelope: Vec<u8>,
    place: Place,
    depth: u32,
    in_string: bool,
    escaped: bool,
    record: Collector,
    /// Those of the first record: the others have the same.
    unread_keys: Vec<String>,
    broken: Option<NoList>,
}

impl<R: Record> ListReader<R> {
    pub(in crate::classy) fn new(classy_id: i64, most: usize) -> ListReader<R> {
        ListReader {
            classy_id,
            most,
            items: Vec::new(),
            envelope: Vec::new(),
            place: Place::Envelope,
            depth: 0,
            in_string: false,
            escaped: false,
            record: Collector::default(),
            unread_keys: Vec::new(),
            broken: None,
        }
    }

    /// Takes the next piece; wants no more when this cannot become a list.
    pub(in crate::classy) fn take(&mut self, mut bytes: &[u8]) -> ControlFlow<()> {
        while self.broken.is_none() && !bytes.is_empty() {
            if self.place == Place::Record {
                let (taken, ended) = self.record.take(bytes);
                bytes = bytes.get(taken..).unwrap_or_default();
                if ended {
                    self.record_ended();
                }
            } else if self.place == Place::Before
                && !matches!(bytes[0], b' ' | b'\t' | b'\n' | b'\r' | b',' | b']')
            {
                self.place = Place::Record;
            } else {
                self.take_envelope(bytes[0]);
                bytes = &bytes[1..];
            }
        }
        if self.broken.is_some() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    fn record_ended(&mut self) {
        self.place = Place::After;
        if self.items.is_empty() {
            self.unread_keys = unread_keys::<R>(&self.record);
        }
        match element(&self.record, self.classy_id) {
            Some(_) if self.items.len() >= self.most => {
                self.broken = Some(NoList::TooMany(self.most))
            }
            Some(item) => self.items.push(item),
            None => self.broken = Some(NoList::Not("not JSON")),
        }
        self.record.clear();
        self.envelope.push(b'0');
    }

    fn take_envelope(&mut self, byte: u8) {
        if self.envelope.len() >= ENVELOPE_BYTES {
            self.broken = Some(NoList::Not(match self.envelope.first() {
                Some(b'{') => "a list with too much around its records",
                _ => diagnose(&String::from_utf8_lossy(&self.envelope)),
            }));
            return;
        }
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            self.envelope.push(byte);
            return;
        }
        match (self.place, byte) {
            // One blank is kept of many, so that what is not JSON does not become JSON.
            (_, b' ' | b'\t' | b'\n' | b'\r') => {
                if self.envelope.last() != Some(&b' ') {
                    self.envelope.push(b' ');
                }
                return;
            }
            (Place::After, b',') => self.place = Place::Before,
            (Place::After | Place::Before, b']') => {
                self.depth -= 1;
                self.place = Place::Envelope;
            }
            (Place::After, _) => self.broken = Some(NoList::Not("not JSON")),
            (_, b'"') => self.in_string = true,
            (_, b'{') => self.depth += 1,
            (_, b'[') => {
                self.depth += 1;
                if self.depth == 2 && ends_with_data_key(&self.envelope) {
                    self.place = Place::Before;
                }
            }
            (_, b'}' | b']') => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        self.envelope.push(byte);
    }

    /// The list, when the body is over.
    ///
    /// # Errors
    /// What is missing for it to be a list.
    pub(in crate::classy) fn finish(self) -> Result<List<R>, NoList> {
        #[derive(Deserialize)]
        struct Envelope<'a> {
            data: Vec<IgnoredAny>,
            #[serde(borrow)]
            total: Option<&'a RawValue>,
            #[serde(borrow)]
            per_page: Option<&'a RawValue>,
            #[serde(borrow)]
            last_page: Option<&'a RawValue>,
        }
        if let Some(broken) = self.broken {
            return Err(broken);
        }
        let text = String::from_utf8_lossy(&self.envelope);
        let is_whole = self.place != Place::Record;
        let envelope: Envelope<'_> = object(&text)
            .filter(|_| is_whole)
            .ok_or_else(|| NoList::Not(diagnose(&text)))?;
        let total = count(envelope.total).ok_or(NoList::Not("total is not a count"))?;
        if envelope.data.len() != self.items.len() {
            // A list in a list, or `data` somewhere else: what was read as records is none.
            return Err(NoList::Not("data is not a list"));
        }
        // Whoever cuts pages smaller than asked says so here; what cannot be read counts as not
        // said.
        let told = |raw| count(raw).and_then(|count| u32::try_from(count).ok());
        let (per_page, last_page) = (told(envelope.per_page), told(envelope.last_page));
        Ok(List {
            items: self.items,
            total,
            per_page,
            last_page,
            unread_keys: self.unread_keys,
        })
    }
}
/// Whether what came last is the key `data` of the envelope.
fn ends_with_data_key(envelope: &[u8]) -> bool {
    let before = envelope
        .trim_ascii_end()
        .strip_suffix(b":")
        .and_then(|rest| rest.trim_ascii_end().strip_suffix(b"\"data\""));
    before.is_some_and(|before| matches!(before.trim_ascii_end().last(), Some(b'{' | b',')))
}

/// Reads a whole body as a list of at most a thousand records.
#[cfg(test)]
pub(in crate::classy) fn list<R: Record>(body: &[u8], classy_id: i64) -> Result<List<R>, NoList> {
    let mut reader = ListReader::new(classy_id, 1_000);
    let _ = reader.take(body);
    reader.finish()
}

/// Why a body is no list, in words that carry nothing of it.
fn diagnose(text: &str) -> &'static str {
    #[derive(Deserialize)]
    struct Shape<'a> {
        #[serde(borrow)]
        data: Option<&'a RawValue>,
        #[serde(borrow)]
        error: Option<&'a RawValue>,
    }
    if text.trim().is_empty() {
        return "an empty body";
    }
    if text.trim_start().starts_with('<') {
        return "HTML instead of JSON";
    }
    if text.trim_start().starts_with('[') {
        return "a bare list";
    }
    match serde_json::from_str::<Shape<'_>>(text) {
        Err(error) if error.is_eof() => "JSON that ends too early",
        Err(error) if error.is_data() => "not an object with data",
        Err(_) => "not JSON",
        Ok(Shape { error: Some(_), .. }) => "an error with status 200",
        Ok(Shape { data: None, .. }) => "data is missing",
        Ok(_) => "data is not a list",
    }
}
