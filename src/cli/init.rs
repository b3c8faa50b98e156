//! `init`: a configuration, a vault key and an example organization, over nothing that is there.
//! What comes then is in `setup`.

use super::app::done;
use super::args::{Cli, Init};
use super::exit::{Code, Failure};
use super::setup;
use crate::config::{EXAMPLE_ORGANIZATION, MAIN_FILE};
use crate::daemon::{Process, Signals};
use crate::files;
use crate::vault::{add_key_to_file, generate_key_line};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub(super) async fn run(
    cli: &Cli,
    process: &Process,
    signals: &mut Signals,
    asked: &Init,
) -> Result<ExitCode, Failure> {
    let dir = asked.dir.as_deref().unwrap_or(Path::new("."));
    write_files(dir)?;
    if !setup::is_wanted(asked)? {
        done("next: `classy-sync org add`, then `classy-sync sync`");
        return Ok(ExitCode::SUCCESS);
    }
    let cli = Cli {
        config: Some(dir.join("classy-sync.toml")),
        ..cli.clone()
    };
    setup::first_organization(&cli, process, signals, asked).await
}

fn write_files(dir: &Path) -> Result<(), Failure> {
    let main = dir.join("classy-sync.toml");
    if main.exists() {
        return Err(Failure::new(
            Code::Configuration,
            format!("{} is there already; nothing was written", main.display()),
        ));
    }
    let key = begin(dir)?;
    let example = dir.join("organizations/example.toml.example");
    if !example.exists() {
        write(&example, EXAMPLE_ORGANIZATION)?;
    }
    for path in [&main, &example, &key] {
        done(&format!("wrote {}", path.display()));
    }
    done(
        "keep a copy of vault.key in a safe place: without it the credentials in the database cannot be opened",
    );
    Ok(())
}

/// The main file, a key unless there is one, and the organizations' folder. Answers where the key
/// is.
pub(super) fn begin(dir: &Path) -> Result<PathBuf, Failure> {
    files::make_folder(&dir.join("organizations")).map_err(|error| wrong(dir, error))?;
    write(&dir.join("classy-sync.toml"), MAIN_FILE)?;
    let key = dir.join("vault.key");
    if !key.exists() {
        add_key_to_file(&key, &generate_key_line(&new_key_id()))?;
    }
    Ok(key)
}

/// A key's id when nobody names one: the moment it was made.
pub(super) fn new_key_id() -> String {
    format!("k{}", crate::clock::now().format("%Y%m%d%H%M%S"))
}

pub(super) fn write(path: &Path, text: &str) -> Result<(), Failure> {
    files::create(path, text.as_bytes()).map_err(|error| wrong(path, error))
}

pub(super) fn wrong(path: &Path, error: std::io::Error) -> Failure {
    Failure::new(Code::Configuration, format!("{}: {error}", path.display()))
}
