//! Sealing and opening.

use super::Error;
use super::key::{KEY_LENGTH, KeyRing};
use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hkdf::Hkdf;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use std::sync::{Arc, PoisonError, RwLock};
use zeroize::Zeroizing;

/// What every sealed text begins with.
pub const PREFIX: &str = "csx1.";

const COMMITMENT_LENGTH: usize = 16;
const NONCE_LENGTH: usize = 12;

/// What a secret is for: a text sealed for one purpose does not open for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// An organization's credentials, as one document.
    Credentials,
}

impl Purpose {
    const fn word(self) -> &'static str {
        match self {
            Purpose::Credentials => "credentials",
        }
    }
}

/// Seals with the current key, opens with the one a text names.
#[derive(Debug)]
pub struct Vault {
    keys: RwLock<Arc<KeyRing>>,
}

/// What one master key gives one organization.
struct Derived {
    cipher: Aes256Gcm,
    commitment: [u8; COMMITMENT_LENGTH],
}

impl Vault {
    /// Takes the keys.
    pub fn new(keys: KeyRing) -> Self {
        Vault {
            keys: RwLock::new(Arc::new(keys)),
        }
    }

    /// Takes keys that were read again: their first one seals from now on. Those that it had stay,
    /// since what they sealed may not be sealed anew yet.
    ///
    /// # Errors
    /// [`Error::AnotherKey`]: nothing is taken.
    pub fn take(&self, keys: KeyRing) -> Result<(), Error> {
        let mut present = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        *present = Arc::new(keys.before(&present)?);
        Ok(())
    }

    fn keys(&self) -> Arc<KeyRing> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// All key ids, the current one first.
    pub fn key_ids(&self) -> Vec<String> {
        self.keys().ids().into_iter().map(str::to_owned).collect()
    }

    /// The id of the key that seals.
    pub fn current_key_id(&self) -> Option<String> {
        self.keys().current().map(|(id, _)| id.to_owned())
    }

    /// The id of the key that a sealed text names.
    pub fn key_id_of(sealed: &str) -> Option<&str> {
        sealed
            .strip_prefix(PREFIX)?
            .split_once('.')
            .map(|(id, _)| id)
    }

    /// Seals a secret for one organization (Classy's id) and one purpose.
    ///
    /// # Errors
    /// [`Error::Sealing`].
    pub fn seal(
        &self,
        organization: i64,
        purpose: Purpose,
        secret: &SecretString,
    ) -> Result<String, Error> {
        let keys = self.keys();
        let (id, key) = keys.current().ok_or(Error::Sealing)?;
        let derived = derive(key, organization)?;
        let nonce: [u8; NONCE_LENGTH] = rand::random();
        let payload = Payload {
            msg: secret.expose_secret().as_bytes(),
            aad: &associated(id, organization, purpose),
        };
        let ciphertext = derived
            .cipher
            .encrypt(&Nonce::from(nonce), payload)
            .map_err(|_| Error::Sealing)?;
        let blob = [derived.commitment.as_slice(), &nonce, &ciphertext].concat();
        Ok(format!("{PREFIX}{id}.{}", URL_SAFE_NO_PAD.encode(blob)))
    }

    /// Opens what was sealed for the same organization and purpose.
    ///
    /// # Errors
    /// [`Error::MissingKey`] and [`Error::Unreadable`].
    pub fn open(
        &self,
        organization: i64,
        purpose: Purpose,
        sealed: &str,
    ) -> Result<SecretString, Error> {
        let unreadable = |cause| Error::Unreadable { cause };
        let (id, encoded) = sealed
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split_once('.'))
            .ok_or_else(|| unreadable("it is not a sealed text"))?;
        let keys = self.keys();
        let key = keys
            .get(id)
            .ok_or_else(|| Error::MissingKey { id: id.to_owned() })?;
        let blob = URL_SAFE_NO_PAD
            .decode(encoded)
            .map_err(|_| unreadable("it is not a sealed text"))?;
        let (commitment, rest) = blob
            .split_at_checked(COMMITMENT_LENGTH)
            .ok_or_else(|| unreadable("it is cut off"))?;
        let (nonce, ciphertext) = rest
            .split_at_checked(NONCE_LENGTH)
            .ok_or_else(|| unreadable("it is cut off"))?;
        let nonce: [u8; NONCE_LENGTH] =
            nonce.try_into().map_err(|_| unreadable("it is cut off"))?;
        let derived = derive(key, organization)?;
        // In constant time: every byte is looked at, whatever the first ones were.
        let differs = commitment
            .iter()
            .zip(derived.commitment)
            .fold(0, |differs, (a, b)| differs | (a ^ b));
        if differs != 0 {
            return Err(unreadable(
                "it was sealed with another key of that name, or for another organization",
            ));
        }
        let payload = Payload {
            msg: ciphertext,
            aad: &associated(id, organization, purpose),
        };
        let plain = derived
            .cipher
            .decrypt(&Nonce::from(nonce), payload)
            .map_err(|_| unreadable("it was changed"))?;
        let plain = Zeroizing::new(plain);
        let secret = std::str::from_utf8(&plain)
            .map(SecretString::from)
            .map_err(|_| unreadable("it is not text"))?;
        crate::domain::keep_secret(&secret);
        Ok(secret)
    }
}

/// The organization's own key and the commitment to it.
fn derive(master: &[u8; KEY_LENGTH], organization: i64) -> Result<Derived, Error> {
    let hkdf = Hkdf::<Sha256>::new(Some(b"classy-sync vault 1"), master);
    let mut okm = Zeroizing::new([0; KEY_LENGTH + COMMITMENT_LENGTH]);
    hkdf.expand(&organization.to_be_bytes(), okm.as_mut_slice())
        .map_err(|_| Error::Sealing)?;
    let (key, commitment) = okm.split_at(KEY_LENGTH);
    Ok(Derived {
        cipher: Aes256Gcm::new_from_slice(key).map_err(|_| Error::Sealing)?,
        commitment: commitment.try_into().map_err(|_| Error::Sealing)?,
    })
}

/// What is authenticated beside the secret, each part with its length before it.
fn associated(key_id: &str, organization: i64, purpose: Purpose) -> Vec<u8> {
    let organization = organization.to_string();
    let mut out = Vec::new();
    for part in ["classy-sync", "1", key_id, &organization, purpose.word()] {
        out.extend_from_slice(&(part.len() as u64).to_be_bytes());
        out.extend_from_slice(part.as_bytes());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::generate_key_line;
    use rand::{RngExt, SeedableRng};

    fn vault(ids: &[&str]) -> (Vault, Vec<String>) {
        let lines: Vec<String> = ids
            .iter()
            .map(|id| generate_key_line(id).expose_secret().to_owned())
            .collect();
        (
            Vault::new(KeyRing::parse(&lines.join("\n")).unwrap()),
            lines,
        )
    }

    fn secret() -> SecretString {
        "a client secret with ünïcode".into()
    }

    #[test]
    fn what_is_sealed_opens_for_its_organization_only() {
        let (vault, _) = vault(&["k1"]);
        let sealed = vault.seal(10001, Purpose::Credentials, &secret()).unwrap();
        assert!(sealed.starts_with("csx1.k1.") && !sealed.contains("client"));
        assert_eq!(
            vault
                .open(10001, Purpose::Credentials, &sealed)
                .unwrap()
                .expose_secret(),
            secret().expose_secret()
        );
        assert!(matches!(
            vault.open(10002, Purpose::Credentials, &sealed),
            Err(Error::Unreadable { .. })
        ));
        assert_ne!(
            sealed,
            vault.seal(10001, Purpose::Credentials, &secret()).unwrap(),
            "a nonce is never used twice"
        );
    }

    #[test]
    fn every_changed_or_missing_byte_is_noticed() {
        let (vault, _) = vault(&["k1"]);
        let sealed = vault.seal(7, Purpose::Credentials, &secret()).unwrap();
        let (head, body) = sealed.rsplit_once('.').unwrap();
        let blob = URL_SAFE_NO_PAD.decode(body).unwrap();
        for index in 0..blob.len() {
            let mut changed = blob.clone();
            changed[index] ^= 1;
            let changed = format!("{head}.{}", URL_SAFE_NO_PAD.encode(changed));
            assert!(
                vault.open(7, Purpose::Credentials, &changed).is_err(),
                "byte {index}"
            );
            let cut = format!("{head}.{}", URL_SAFE_NO_PAD.encode(&blob[..index]));
            assert!(
                vault.open(7, Purpose::Credentials, &cut).is_err(),
                "cut at {index}"
            );
        }
    }

    #[test]
    fn an_old_key_opens_and_never_seals() {
        let (old, lines) = vault(&["old"]);
        let sealed = old.seal(7, Purpose::Credentials, &secret()).unwrap();
        let both = format!("{},{}", generate_key_line("new").expose_secret(), lines[0]);
        let both = Vault::new(KeyRing::parse(&both).unwrap());
        assert_eq!(
            both.open(7, Purpose::Credentials, &sealed)
                .unwrap()
                .expose_secret(),
            secret().expose_secret()
        );
        assert_eq!(
            Vault::key_id_of(&both.seal(7, Purpose::Credentials, &secret()).unwrap()),
            Some("new")
        );
        let (other, _) = vault(&["new"]);
        assert!(
            matches!(other.open(7, Purpose::Credentials, &sealed), Err(Error::MissingKey { id }) if id == "old")
        );
        let (same_name, _) = vault(&["old"]);
        assert!(matches!(
            same_name.open(7, Purpose::Credentials, &sealed),
            Err(Error::Unreadable { .. })
        ));
    }

    #[test]
    fn no_text_makes_it_panic() {
        let (vault, _) = vault(&["k"]);
        let seed = rand::random::<u64>();
        println!("seed {seed}");
        let mut random = rand::rngs::StdRng::seed_from_u64(seed);
        for _ in 0..2_000 {
            let length = random.random_range(0..120);
            let noise: String = (0..length)
                .map(|_| char::from(random.random_range(32_u8..127)))
                .collect();
            for text in [
                noise.clone(),
                format!("csx1.{noise}"),
                format!("csx1.k.{noise}"),
            ] {
                assert!(vault.open(1, Purpose::Credentials, &text).is_err());
                assert!(KeyRing::parse(&text).is_err());
            }
        }
    }

    #[test]
    fn weak_and_doubled_keys_are_refused() {
        let good = generate_key_line("a");
        let good = good.expose_secret();
        for text in [
            "",
            "# only a remark",
            "a",
            "a:c2hvcnQ=",
            "a:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            "b c:x",
            &format!("{good}\n{good}"),
        ] {
            assert!(KeyRing::parse(text).is_err(), "{text}");
        }
        assert!(!format!("{:?}", KeyRing::parse(good).unwrap()).contains(&good[2..20]));
    }
}
