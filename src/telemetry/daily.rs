//! The log's files: one each day, `NAME.YYYY-MM-DD`, private, so many kept. No other file is ever
//! removed, whatever its name begins with.

use crate::{clock, files};
use chrono::NaiveDate;
use std::fs::File;
use std::io::{Result, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Writes into today's file.
pub(super) struct DailyFile {
    folder: PathBuf,
    name: String,
    keep: usize,
    day: NaiveDate,
    file: File,
}

impl DailyFile {
    /// Opens today's file and removes old ones, but for the `keep` latest before today.
    ///
    /// # Errors
    /// A name that is none, or a device's; a file that is not ours in its place; as the system
    /// says.
    pub(super) fn open(path: &Path, keep: usize) -> Result<DailyFile> {
        if std::fs::metadata(path).is_ok_and(|there| !there.is_file() && !there.is_dir()) {
            return Err(std::io::Error::other(
                "it is no file: leave log.file out, and lines go to standard output",
            ));
        }
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .ok_or_else(|| std::io::Error::other("it has no name"))?
            .to_owned();
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."))
            .to_owned();
        files::make_folder(&folder)?;
        let day = clock::now().date_naive();
        let file = open_day(&folder, &name, day)?;
        let log = DailyFile {
            folder,
            name,
            keep,
            day,
            file,
        };
        log.prune();
        Ok(log)
    }

    /// Goes on in the next day's file. One that cannot be opened is no reason to lose lines: the
    /// old one goes on.
    fn turn(&mut self, today: NaiveDate) {
        self.day = today;
        if let Ok(file) = open_day(&self.folder, &self.name, today) {
            self.file = file;
            self.prune();
        }
    }

    fn prune(&self) {
        let Ok(entries) = std::fs::read_dir(&self.folder) else {
            return;
        };
        let mut days: Vec<(NaiveDate, PathBuf)> = entries
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let day = day_of(&self.name, entry.file_name().to_str()?)?;
                (day < self.day && entry.file_type().ok()?.is_file()).then(|| (day, entry.path()))
            })
            .collect();
        days.sort();
        for (_, path) in days.iter().take(days.len().saturating_sub(self.keep)) {
            // One that cannot be removed is tried again tomorrow.
            let _ = std::fs::remove_file(path);
        }
    }
}

impl Write for DailyFile {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let today = clock::now().date_naive();
        if today > self.day {
            self.turn(today);
        }
        self.file.write(bytes)
    }

    fn flush(&mut self) -> Result<()> {
        self.file.flush()
    }
}

fn open_day(folder: &Path, name: &str, day: NaiveDate) -> Result<File> {
    let mut file = files::open_own(&folder.join(format!("{name}.{}", day.format("%Y-%m-%d"))))?;
    files::make_private(&file)?;
    // Only one process writes here, so the end stays where it is.
    file.seek(SeekFrom::End(0))?;
    Ok(file)
}

/// The day of a file of ours: exactly the name, a dot, and a date as we write it.
fn day_of(name: &str, file: &str) -> Option<NaiveDate> {
    let day = file.strip_prefix(name)?.strip_prefix('.')?;
    let parsed = NaiveDate::parse_from_str(day, "%Y-%m-%d").ok()?;
    (parsed.format("%Y-%m-%d").to_string() == day).then_some(parsed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn only_days_of_this_log_are_removed_and_the_latest_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let others = [
            "classy-sync.toml",
            "classy-sync.db",
            "classy-sync.db-wal",
            "classy-sync",
            "classy-sync.pid",
            "classy-sync.2020-01-01.gz",
            "classy-sync.2020-1-1",
            "classy-sync.2020-02-30",
            "classy-sync-2020-01-01",
            "other.2020-01-01",
            "classy-sync.2999-01-01",
        ];
        let days = [
            "classy-sync.2020-01-01",
            "classy-sync.2020-01-02",
            "classy-sync.2020-01-03",
        ];
        for name in others.iter().chain(&days) {
            std::fs::write(at(name), name).unwrap();
        }
        std::fs::create_dir(at("classy-sync.2019-01-01")).unwrap();
        std::os::unix::fs::symlink(at("other.2020-01-01"), at("classy-sync.2019-01-02")).unwrap();
        let mut log = DailyFile::open(&at("classy-sync"), 2).unwrap();
        log.write_all(b"a line\n").unwrap();
        for name in others {
            assert_eq!(std::fs::read_to_string(at(name)).unwrap(), name);
        }
        assert!(!at(days[0]).exists() && at(days[1]).exists() && at(days[2]).exists());
        assert!(at("classy-sync.2019-01-01").is_dir() && at("classy-sync.2019-01-02").is_symlink());
        let today = at(&format!("classy-sync.{}", log.day.format("%Y-%m-%d")));
        assert_eq!(
            (
                std::fs::read_to_string(&today).unwrap().as_str(),
                std::fs::metadata(&today).unwrap().mode() & 0o777
            ),
            ("a line\n", 0o600)
        );
        let tomorrow = log.day.succ_opt().unwrap();
        log.turn(tomorrow);
        log.file.write_all(b"the next\n").unwrap();
        let next = at(&format!("classy-sync.{}", tomorrow.format("%Y-%m-%d")));
        assert_eq!(std::fs::read_to_string(&next).unwrap(), "the next\n");
        assert!(!at(days[1]).exists() && at(days[2]).exists() && today.exists());
    }

    #[test]
    fn a_device_is_no_place_for_files() {
        let refused = DailyFile::open(Path::new("/dev/null"), 3).err().unwrap();
        assert!(refused.to_string().contains("standard output"), "{refused}");
    }

    #[test]
    fn a_link_in_the_place_of_todays_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let victim = folder.path().join("victim");
        std::fs::write(&victim, "precious").unwrap();
        let today = folder
            .path()
            .join(format!("log.{}", clock::now().format("%Y-%m-%d")));
        std::os::unix::fs::symlink(&victim, today).unwrap();
        assert!(DailyFile::open(&folder.path().join("log"), 2).is_err());
        assert_eq!(std::fs::read_to_string(&victim).unwrap(), "precious");
    }
}
