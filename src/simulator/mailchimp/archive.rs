//! Results of a batch as they are fetched: a gzipped tar whose first entry is `./`, with several
//! files of JSON (contract 6).

use super::batch::Done;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::io;
use tar::{Builder, EntryType, Header};

/// Operations of one file.
const PER_FILE: usize = 100;

/// Packs the results.
///
/// # Errors
/// None in practice: it is written to memory.
pub(super) fn pack(id: &str, done: &[Done]) -> io::Result<Vec<u8>> {
    let mut out = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let mut folder = Header::new_gnu();
    folder.set_entry_type(EntryType::Directory);
    folder.set_mode(0o755);
    folder.set_size(0);
    out.append_data(&mut folder, "./", io::empty())?;
    for (number, part) in done.chunks(PER_FILE).enumerate() {
        let result = |done: &Done| json!({"status_code": done.status, "operation_id": done.id, "response": done.response});
        let text = part.iter().map(result).collect::<Value>().to_string();
        let mut file = Header::new_gnu();
        file.set_mode(0o644);
        file.set_size(text.len() as u64);
        out.append_data(&mut file, format!("./{id}-{number}.json"), text.as_bytes())?;
    }
    out.into_inner()?.finish()
}
