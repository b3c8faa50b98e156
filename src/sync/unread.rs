//! What a run could not read.

/// What could not be read so far, and why the first of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Unread {
    pub(super) rows: u64,
    pub(super) note: String,
}

impl Unread {
    pub(super) fn add(&mut self, rows: u64, note: &str) {
        if self.note.is_empty() && rows > 0 {
            note.clone_into(&mut self.note);
        }
        self.rows += rows;
    }
}
