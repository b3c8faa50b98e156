//! Remarks on standard error. A standard error that takes nothing is nobody's failure.

use std::io::Write;
use std::sync::{Mutex, PoisonError};

/// What was said on standard error about what was done, for programs.
static REMARKS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Prints a remark that is no result.
pub(super) fn remark(text: &str) {
    // What others say (a service's reason, a file's name) must not move the cursor of somebody's
    // terminal.
    let plain: String = text
        .chars()
        .map(|c| if c.is_control() && c != '\n' { ' ' } else { c })
        .collect();
    let _ = writeln!(std::io::stderr().lock(), "{plain}");
}

/// Says what was done, to people at once, to programs at the end.
pub(super) fn done(text: &str) {
    remark(text);
    REMARKS
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(text.to_owned());
}

/// What was said to have been done, for a program's result.
pub(super) fn take_remarks() -> Vec<String> {
    std::mem::take(&mut REMARKS.lock().unwrap_or_else(PoisonError::into_inner))
}
