//! Remarks on standard error. A standard error that takes nothing is nobody's failure.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// Nobody wants remarks.
static QUIET: AtomicBool = AtomicBool::new(false);

/// What was said on standard error about what was done, for programs.
static REMARKS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Prints no remark from now on, and no progress.
pub(super) fn be_quiet() {
    QUIET.store(true, Ordering::Relaxed);
}

/// Whether somebody asked for results and errors only.
pub(super) fn is_quiet() -> bool {
    QUIET.load(Ordering::Relaxed)
}

/// Prints a remark that is no result.
pub(super) fn remark(text: &str) {
    if !is_quiet() {
        say(text);
    }
}

/// Prints what is wrong, whoever wants remarks.
pub(super) fn say(text: &str) {
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
