//! The process: for now the lock that keeps two of them apart.

mod pid_file;

pub use pid_file::{PidFile, PidFileError};
