//! The master keys: where they are kept and how they are written down.

use super::Error;
use crate::files;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use std::path::Path;
use zeroize::Zeroizing;

/// Bytes of a master key.
pub(super) const KEY_LENGTH: usize = 32;

/// A file of a thousand keys is smaller.
const MOST_BYTES: u64 = 256 * 1_024;

/// The keys in order: the first seals, all open what they sealed.
#[derive(Clone)]
pub struct KeyRing {
    keys: Vec<(String, Zeroizing<[u8; KEY_LENGTH]>)>,
}

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyRing")
            .field("ids", &self.ids())
            .finish_non_exhaustive()
    }
}

impl KeyRing {
    /// From `keys` (lines, or the same separated by commas) when there are any, else from the file.
    pub fn load(keys: &SecretString, file: &Path) -> Result<KeyRing, Error> {
        if !keys.expose_secret().trim().is_empty() {
            return KeyRing::parse(keys.expose_secret());
        }
        let failed = |cause: String| Error::File {
            path: file.to_owned(),
            cause,
        };
        if let Some(mode) = files::wide_mode(file) {
            // Whoever may write it chooses what secrets are sealed with; whoever may read it is
            // named by health.
            let others = if files::is_handed_over(file) {
                0o002
            } else {
                0o022
            };
            if mode & others != 0 {
                return Err(failed(format!("others may write it (mode {mode:04o})")));
            }
            tracing::warn!(file = %file.display(), mode = format!("{mode:04o}"), "others may read the key file: chmod 600");
        }
        let text = match files::read_text(file, MOST_BYTES) {
            Ok(text) => Zeroizing::new(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(Error::NoKey {
                    path: file.to_owned(),
                });
            }
            Err(error) => return Err(failed(error.to_string())),
        };
        KeyRing::parse(&text).map_err(|error| match error {
            // One that was cut off is no file that was never there.
            Error::NoKey { .. } => failed("it is there, and no key is in it".to_owned()),
            other => other,
        })
    }

    /// From lines or comma-separated lines; empty ones and those that begin with `#` are skipped.
    ///
    /// # Errors
    /// [`Error::Line`] and [`Error::NoKey`].
    pub fn parse(text: &str) -> Result<KeyRing, Error> {
        // What editors and files of variables put around a text.
        let text = text.trim_start_matches('\u{feff}').trim();
        let text = ['"', '\'']
            .iter()
            .find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote))
            .unwrap_or(text);
        let mut keys: Vec<(String, Zeroizing<[u8; KEY_LENGTH]>)> = Vec::new();
        for (index, line) in text
            .split(['\n', ','])
            .enumerate()
            .map(|(index, line)| (index + 1, line.trim()))
        {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = |cause| Error::Line { line: index, cause };
            let (id, encoded) = line
                .split_once(':')
                .ok_or_else(|| wrong("expected `id:base64`"))?;
            if id.is_empty()
                || id.len() > 64
                || !id
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            {
                return Err(wrong("an id has letters, digits, - and _"));
            }
            if keys.iter().any(|(known, _)| known == id) {
                return Err(wrong("the id is there already"));
            }
            let bytes = Zeroizing::new(
                STANDARD
                    .decode(encoded.trim())
                    .map_err(|_| wrong("not base64"))?,
            );
            let key: [u8; KEY_LENGTH] = bytes
                .as_slice()
                .try_into()
                .map_err(|_| wrong("a key has 32 bytes"))?;
            if key.iter().all(|byte| *byte == key[0]) {
                return Err(wrong("the key is not random"));
            }
            keys.push((id.to_owned(), Zeroizing::new(key)));
        }
        if keys.is_empty() {
            return Err(Error::NoKey {
                path: Path::new("vault.keys").to_owned(),
            });
        }
        Ok(KeyRing { keys })
    }

    /// No key at all: nothing opens, and nothing is sealed.
    pub const fn empty() -> KeyRing {
        KeyRing { keys: Vec::new() }
    }

    /// All ids, the current one first.
    pub fn ids(&self) -> Vec<&str> {
        self.keys.iter().map(|(id, _)| id.as_str()).collect()
    }

    /// These, and behind them those of others that are not among them.
    pub(super) fn before(mut self, others: &KeyRing) -> Result<KeyRing, Error> {
        for (id, key) in &others.keys {
            match self.get(id) {
                Some(known) if *known != **key => {
                    return Err(Error::AnotherKey { id: id.clone() });
                }
                Some(_) => {}
                None => self.keys.push((id.clone(), key.clone())),
            }
        }
        Ok(self)
    }

    pub(super) fn current(&self) -> Option<(&str, &[u8; KEY_LENGTH])> {
        self.keys.first().map(|(id, key)| (id.as_str(), &**key))
    }

    pub(super) fn get(&self, id: &str) -> Option<&[u8; KEY_LENGTH]> {
        self.keys
            .iter()
            .find(|(known, _)| known == id)
            .map(|(_, key)| &**key)
    }
}

/// A new key's line.
pub fn generate_key_line(id: &str) -> SecretString {
    let key = Zeroizing::new(rand::random::<[u8; KEY_LENGTH]>());
    format!("{id}:{}", STANDARD.encode(key.as_slice())).into()
}

/// Puts a key first into the key file, whole or not at all; the file is made if it is not there,
/// readable by its owner only.
///
/// # Errors
/// [`Error::File`], and [`Error::Line`] when the file would not be a key file.
pub fn add_key_to_file(file: &Path, line: &SecretString) -> Result<(), Error> {
    let failed = |error: std::io::Error| Error::File {
        path: file.to_owned(),
        cause: error.to_string(),
    };
    let before = match files::read_text(file, MOST_BYTES) {
        Ok(text) => Zeroizing::new(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Zeroizing::new(String::new()),
        Err(error) => return Err(failed(error)),
    };
    let text = Zeroizing::new(format!("{}\n{}", line.expose_secret(), before.as_str()));
    KeyRing::parse(&text)?;
    if let Some(folder) = file.parent() {
        files::make_folder(folder).map_err(failed)?;
    }
    files::replace(file, text.as_bytes()).map_err(failed)
}
