//! How a record lies in its table: its values as the database takes them, and their fingerprint.

use crate::domain::Time;
use crate::entities::record::Get;
use crate::entities::{Entity, Record};
use crate::schedule::Hold;
use sea_orm::DbBackend;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Whether rows of this entity may be stubs: only what others link to.
pub(crate) const fn has_stubs(entity: Entity) -> bool {
    entity.about().is_linked_to
}

/// A time as this backend's text; equal moments have equal texts, and texts sort as moments do.
pub(crate) fn time_text(time: Time, backend: DbBackend) -> String {
    match backend {
        DbBackend::MySql => time.format("%Y-%m-%d %H:%M:%S%.6f").to_string(),
        _ => time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, false),
    }
}

/// Appends the record's source columns as the opening of a JSON object (no closing brace): absent
/// means NULL.
fn write_columns<R: Record>(record: &R, backend: DbBackend, out: &mut Vec<u8>) {
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
                    write_text(&time_text(value, backend), out);
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

/// A record's source columns as its table's database takes them, and their fingerprint: what of a
/// row can be made before its transaction begins.
#[derive(Debug, Clone)]
pub struct RowText {
    pub(crate) columns: Vec<u8>,
    pub(crate) fingerprint: i64,
    /// Room for it in the budget of bytes, shared by the texts of a page; given back when the last
    /// of them is gone.
    hold: Option<Arc<Hold>>,
}

/// More spare bytes than this are given back.
const SPARE: usize = 2_048;

impl RowText {
    pub(crate) fn of<R: Record>(record: &R, backend: DbBackend) -> RowText {
        let mut columns = Vec::with_capacity(768);
        write_columns(record, backend, &mut columns);
        if columns.capacity() > columns.len() + SPARE {
            columns.shrink_to_fit();
        }
        RowText {
            fingerprint: fingerprint(&columns),
            columns,
            hold: None,
        }
    }

    /// What it occupies, in bytes.
    pub fn bytes(&self) -> usize {
        self.columns.capacity()
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
