//! How a record lies in its table: its values as text, and their fingerprint.

use super::dialect::Dialect;
use crate::entities::record::Get;
use crate::entities::{Entity, Record};
use crate::schedule::Hold;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Whether rows of this entity may be stubs: only what others link to.
pub(crate) const fn has_stubs(entity: Entity) -> bool {
    entity.about().is_linked_to
}

/// Appends the record's source columns as the opening of a JSON object (no closing brace): absent
/// means NULL. Fingerprints are made of it, so it stays as it is for good.
fn write_columns<R: Record>(record: &R, dialect: Dialect, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"id\":");
    write_int(record.id(), out);
    for column in R::COLUMNS {
        match &column.get {
            Get::Int(get) => {
                if let Some(value) = get(record) {
                    write_key(column.name, out);
                    write_int(value, out);
                }
            }
            Get::Bool(get) => {
                if let Some(value) = get(record) {
                    write_key(column.name, out);
                    out.push(if value { b'1' } else { b'0' });
                }
            }
            Get::Text(get) => {
                if let Some(value) = get(record) {
                    write_key(column.name, out);
                    write_text(value, out);
                }
            }
            Get::Made(make) => {
                if let Some(value) = make(record) {
                    write_key(column.name, out);
                    write_text(&value, out);
                }
            }
            Get::Money(get) => {
                if let Some(value) = get(record) {
                    write_key(column.name, out);
                    write_text(&value.to_string(), out);
                }
            }
            Get::Time(get) => {
                if let Some(value) = get(record) {
                    write_key(column.name, out);
                    write_text(&dialect.time_text(value), out);
                }
            }
        }
    }
}

pub(crate) fn write_key(name: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

pub(crate) fn write_int(value: i64, out: &mut Vec<u8>) {
    // Writing to a Vec cannot fail.
    let _ = std::io::Write::write_fmt(out, format_args!("{value}"));
}

pub(crate) fn write_text(value: &str, out: &mut Vec<u8>) {
    // A string always serializes, and writing to a Vec cannot fail.
    let _ = serde_json::to_writer(out, value);
}

/// The fingerprint of a record's source columns: what tells whether a row is as stored, made before
/// its transaction begins.
#[derive(Debug, Clone)]
pub struct Fingerprint {
    pub(crate) value: i64,
    /// What its record occupies, in bytes.
    bytes: usize,
    /// Room for its record in the budget of bytes, shared by those of a page; given back when the
    /// last of them is gone.
    hold: Option<Arc<Hold>>,
}

impl Fingerprint {
    /// `scratch` is room to work in.
    pub(crate) fn of<R: Record>(
        record: &R,
        dialect: Dialect,
        scratch: &mut Vec<u8>,
    ) -> Fingerprint {
        scratch.clear();
        write_columns(record, dialect, scratch);
        Fingerprint {
            value: fingerprint(scratch),
            bytes: record.bytes(),
            hold: None,
        }
    }

    /// What its record occupies, in bytes.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Keeps room in the budget for as long as it lives.
    pub fn keep(&mut self, hold: Arc<Hold>) {
        self.hold = Some(hold);
    }
}

/// The fingerprint of a row's source columns: the first eight bytes of their SHA-256.
fn fingerprint(columns: &[u8]) -> i64 {
    let digest = Sha256::digest(columns);
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    i64::from_be_bytes(first)
}
