//! Logs: ours at the level asked for, libraries' warnings only, since they would print statements
//! and requests.

mod daily;

use daily::DailyFile;
use std::io::IsTerminal;
use std::path::PathBuf;
use tracing_appender::non_blocking::WorkerGuard;
use tracing_bunyan_formatter::{BunyanFormattingLayer, JsonStorageLayer};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

/// How lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// JSON for programs.
    Bunyan,
    /// Text for people.
    Pretty,
}

/// Where lines go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Standard error: for commands, whose results are on standard output.
    Stderr,
    /// Standard output: for the daemon.
    Stdout,
    /// A file that is rotated each day; for one process at a time.
    File {
        /// The file; rotated ones are beside it, with the day in their names.
        path: PathBuf,
        /// Rotated files that are kept.
        keep: usize,
    },
}

/// Logs could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The level is no level.
    #[error("expected a log level: error, warn, info, debug or trace")]
    Level,
    /// The file cannot be written.
    #[error("the log file {} cannot be written: {cause}", path.display())]
    File {
        /// The file that cannot be written.
        path: PathBuf,
        /// What the system said.
        cause: String,
    },
    /// Somebody set logs up before.
    #[error("logs are set up already")]
    Twice,
}

/// Writes out what is still in memory when it is dropped.
#[derive(Debug)]
pub struct Guard {
    _worker: Option<WorkerGuard>,
}

/// The filter: this program at `level`, everything else at warnings at most.
fn filter(level: &str) -> Result<EnvFilter, Error> {
    let level = level.to_ascii_lowercase();
    if !["error", "warn", "info", "debug", "trace"].contains(&level.as_str()) {
        return Err(Error::Level);
    }
    let others = if level == "error" { "error" } else { "warn" };
    EnvFilter::try_new(format!("{others},classy_sync={level}")).map_err(|_| Error::Level)
}

/// Sets logs up for this process.
pub fn init(format: Format, level: &str, target: &Target) -> Result<Guard, Error> {
    let filter = filter(level)?;
    match target {
        Target::Stderr => install(
            format,
            filter,
            std::io::stderr,
            std::io::stderr().is_terminal(),
        )
        .map(|()| Guard { _worker: None }),
        Target::Stdout => install(
            format,
            filter,
            std::io::stdout,
            std::io::stdout().is_terminal(),
        )
        .map(|()| Guard { _worker: None }),
        Target::File { path, keep } => {
            let failed = |cause: String| Error::File {
                path: path.clone(),
                cause,
            };
            let file = DailyFile::open(path, *keep).map_err(|error| failed(error.to_string()))?;
            let (writer, worker) = tracing_appender::non_blocking(file);
            install(format, filter, writer, false).map(|()| Guard {
                _worker: Some(worker),
            })
        }
    }
}

fn install<W>(format: Format, filter: EnvFilter, writer: W, terminal: bool) -> Result<(), Error>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let colors = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let registry = tracing_subscriber::registry().with(filter);
    match format {
        Format::Bunyan => {
            let lines = BunyanFormattingLayer::new("classy-sync".to_owned(), writer);
            registry.with(JsonStorageLayer).with(lines).try_init()
        }
        Format::Pretty => registry
            .with(
                fmt::layer()
                    .with_writer(writer)
                    .with_ansi(colors)
                    .with_target(false)
                    .log_internal_errors(false)
                    .boxed(),
            )
            .try_init(),
    }
    .map_err(|_| Error::Twice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn at_trace_the_libraries_still_keep_quiet() {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::registry()
            .with(filter("trace").unwrap())
            .with(fmt::layer().with_writer(move || writer.clone()));
        tracing::subscriber::with_default(subscriber, || {
            tracing::trace!(target: "classy_sync::sync", "ours");
            tracing::info!(target: "sqlx::query", "INSERT INTO supporters");
            tracing::debug!(target: "hyper_util::client", "authorization: Bearer");
            tracing::warn!(target: "sqlx::pool", "slow acquire");
        });
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        assert!(
            text.contains("ours") && text.contains("slow acquire"),
            "{text}"
        );
        assert!(
            !text.contains("INSERT") && !text.contains("Bearer"),
            "{text}"
        );
    }

    #[test]
    fn a_level_that_is_none_is_refused() {
        assert!(filter("loud").is_err());
    }
}
