//! Secrets at rest: what must be kept and read again (tokens of platforms, seeds of second factors) is sealed before it
//! reaches the database.
//!
//! A sealed value is `1 || key id (4 bytes) || nonce (12 bytes) || AES-256-GCM-SIV ciphertext and tag`. Its place (table,
//! column, row) is authenticated with it, so that a value that was moved to another row or column does not open. Nonces are
//! random; the cipher stays safe should one ever come twice (RFC 8452).

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::keys::hmac;

const FORMAT: u8 = 1;
const KEY_ID: usize = 4;
const HEADER: usize = 1 + KEY_ID + NONCE_LEN;

/// Where a sealed value lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The table's name.
    pub table: &'static str,
    /// The column's name.
    pub column: &'static str,
    /// The row's id.
    pub row: Uuid,
}

impl Place {
    /// No two places have the same bytes: names hold no NUL, and the id has a fixed length.
    fn authenticated(self) -> Aad<Vec<u8>> {
        let mut bytes = Vec::with_capacity(64);
        for part in [self.table, self.column] {
            bytes.extend_from_slice(part.as_bytes());
            bytes.push(0);
        }
        bytes.extend_from_slice(self.row.as_bytes());
        Aad::from(bytes)
    }
}

/// Names a key without saying anything about it: the beginning of an HMAC under it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId([u8; KEY_ID]);

impl KeyId {
    /// In a sealed value.
    pub(crate) const BYTES: usize = KEY_ID;

    /// As it stands in a sealed value, after the first byte; for queries that look for values under other keys.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Of its 8 hexadecimal digits, as it is shown.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut id = [0; KEY_ID];
        hex::decode_to_slice(text, &mut id).ok()?;
        Some(Self(id))
    }

    /// What [`KeyId::as_bytes`] gave; of anything else an id that no key has.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        Self(bytes.try_into().unwrap_or_default())
    }
}

impl std::fmt::Display for KeyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl std::fmt::Debug for KeyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyId({self})")
    }
}

/// Why a value does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// It is sealed under a key that this process was not given.
    #[error("sealed under key {0}, which is not among MEMALERTS_DATA_KEY and MEMALERTS_DATA_KEY_OLD")]
    UnknownKey(KeyId),
    /// It is damaged, or it was sealed for another place.
    #[error("not a sealed value of this place")]
    Forged,
}

struct Key {
    id: KeyId,
    cipher: RandomizedNonceKey,
}

impl Key {
    fn new(secret: &[u8; 32]) -> Option<Self> {
        let mac = hmac(secret, &[b"memalerts:key-id"]);
        let mut id = [0; KEY_ID];
        id.copy_from_slice(&mac[..KEY_ID]);
        Some(Self { id: KeyId(id), cipher: RandomizedNonceKey::new(&AES_256_GCM_SIV, secret).ok()? })
    }
}

/// Seals under the present key; opens what is under any of its keys.
pub struct Vault {
    /// The present one first.
    keys: Vec<Key>,
}

impl Vault {
    /// `present` seals; it and `others` open.
    #[must_use]
    pub fn new(present: &[u8; 32], others: &[[u8; 32]]) -> Self {
        // AES-256 takes every key of 32 bytes: none is left out.
        Self { keys: std::iter::once(present).chain(others).filter_map(Key::new).collect() }
    }

    /// Of the present key.
    #[must_use]
    pub fn present(&self) -> KeyId {
        self.keys.first().map_or(KeyId([0; KEY_ID]), |key| key.id)
    }

    /// Of all keys, the present one first.
    pub fn key_ids(&self) -> impl Iterator<Item = KeyId> {
        self.keys.iter().map(|key| key.id)
    }

    /// The value for this place, unreadable without the key.
    ///
    /// # Errors
    /// [`VaultError::Forged`] when the cipher refuses, which it does for values beyond 64 GiB only.
    pub fn seal(&self, place: Place, value: &[u8]) -> Result<Vec<u8>, VaultError> {
        let key = self.keys.first().ok_or(VaultError::Forged)?;
        let mut text = Zeroizing::new(value.to_vec());
        // Encrypted in place; what is left in the buffer is the ciphertext.
        let nonce =
            key.cipher.seal_in_place_append_tag(place.authenticated(), &mut *text).map_err(|_| VaultError::Forged)?;
        let mut sealed = Vec::with_capacity(HEADER + text.len());
        sealed.push(FORMAT);
        sealed.extend_from_slice(&key.id.0);
        sealed.extend_from_slice(nonce.as_ref());
        sealed.extend_from_slice(&text);
        Ok(sealed)
    }

    /// The value that was sealed for this place; wiped when dropped.
    ///
    /// # Errors
    /// The key is not known, or the value is not one of this place.
    pub fn open(&self, place: Place, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let id = key_id(sealed).ok_or(VaultError::Forged)?;
        let key = self.keys.iter().find(|key| key.id == id).ok_or(VaultError::UnknownKey(id))?;
        let nonce = Nonce::try_assume_unique_for_key(&sealed[1 + KEY_ID..HEADER]).map_err(|_| VaultError::Forged)?;
        let mut text = Zeroizing::new(sealed[HEADER..].to_vec());
        let length =
            key.cipher.open_in_place(nonce, place.authenticated(), &mut text).map_err(|_| VaultError::Forged)?.len();
        text.truncate(length);
        Ok(text)
    }

    /// The value under the present key, if it is under another one now.
    ///
    /// # Errors
    /// As [`Vault::open`].
    pub fn renew(&self, place: Place, sealed: &[u8]) -> Result<Option<Vec<u8>>, VaultError> {
        if key_id(sealed) == Some(self.present()) {
            return Ok(None);
        }
        Ok(Some(self.seal(place, &self.open(place, sealed)?)?))
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Vault").field(&self.key_ids().collect::<Vec<_>>()).finish()
    }
}

/// Under which key the value is, if it has the form of a sealed one.
fn key_id(sealed: &[u8]) -> Option<KeyId> {
    let (header, _) = sealed.split_at_checked(HEADER)?;
    let id = header[1..=KEY_ID].try_into().ok()?;
    (header[0] == FORMAT).then_some(KeyId(id))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OLD: [u8; 32] = [1; 32];
    const NEW: [u8; 32] = [2; 32];

    fn place(row: u128) -> Place {
        Place { table: "external_accounts", column: "refresh_token", row: Uuid::from_u128(row) }
    }

    #[test]
    fn a_value_opens_at_its_own_place_only() {
        let vault = Vault::new(&NEW, &[]);
        let sealed = vault.seal(place(1), b"secret").unwrap();
        assert_eq!(vault.open(place(1), &sealed).unwrap().as_slice(), b"secret");
        let elsewhere = [
            place(2),
            Place { column: "access_token", ..place(1) },
            Place { table: "external_account", column: "srefresh_token", ..place(1) },
        ];
        for elsewhere in elsewhere {
            assert_eq!(vault.open(elsewhere, &sealed), Err(VaultError::Forged), "{elsewhere:?}");
        }
    }

    #[test]
    fn nothing_of_a_value_can_be_read_or_told_from_another_one_of_the_same_words() {
        let vault = Vault::new(&NEW, &[]);
        let (one, other) = (vault.seal(place(1), b"secret").unwrap(), vault.seal(place(1), b"secret").unwrap());
        assert_ne!(one, other);
        assert!(!one.windows(6).any(|bytes| bytes == b"secret"));
        assert!(!format!("{vault:?}").contains("2, 2"), "{vault:?}");
    }

    #[test]
    fn a_new_key_reads_what_the_old_one_wrote_and_writes_its_own() {
        let (before, after) = (Vault::new(&OLD, &[]), Vault::new(&NEW, &[OLD]));
        let sealed = before.seal(place(1), b"secret").unwrap();
        assert_eq!(after.open(place(1), &sealed).unwrap().as_slice(), b"secret");
        let renewed = after.renew(place(1), &sealed).unwrap().expect("under the old key");
        assert_eq!(after.renew(place(1), &renewed).unwrap(), None, "it is under the new one already");
        assert_eq!(before.open(place(1), &renewed), Err(VaultError::UnknownKey(after.present())));
        assert_eq!(Vault::new(&NEW, &[]).open(place(1), &renewed).unwrap().as_slice(), b"secret");
    }

    /// Without proptest's bookkeeping, so that they are a matter of seconds.
    #[test]
    fn of_a_million_tampered_values_none_opens() {
        let vault = Vault::new(&NEW, &[OLD]);
        let mut tampered = 0_u32;
        for number in 0..7_000 {
            let sealed = vault.seal(place(number), &[7; 40]).unwrap();
            // Each byte in one way, another at each value; each length; other places.
            for at in 0..sealed.len() {
                let mut changed = sealed.clone();
                changed[at] ^= 1 << (number % 8);
                assert!(vault.open(place(number), &changed).is_err(), "byte {at} of {number}");
                tampered += 1;
            }
            for length in 0..sealed.len() {
                assert!(vault.open(place(number), &sealed[..length]).is_err(), "{length} bytes of {number}");
                tampered += 1;
            }
            let column = Place { column: "access_token", ..place(number) };
            assert!(vault.open(place(number + 1), &sealed).is_err() && vault.open(column, &sealed).is_err());
            tampered += 2;
        }
        assert!(tampered >= 1_000_000, "{tampered}");
    }

    proptest! {
        #[test]
        fn a_value_with_any_byte_changed_or_any_end_cut_off_does_not_open(
            value in proptest::collection::vec(any::<u8>(), 0..64), at in any::<prop::sample::Index>(), flip in 1..=255_u8,
        ) {
            let vault = Vault::new(&NEW, &[OLD]);
            let sealed = vault.seal(place(1), &value).unwrap();
            let mut changed = sealed.clone();
            let at = at.index(changed.len());
            changed[at] ^= flip;
            prop_assert!(vault.open(place(1), &changed).is_err());
            prop_assert!(vault.open(place(1), &sealed[..at]).is_err());
            prop_assert_eq!(vault.open(place(1), &sealed).unwrap().to_vec(), value);
        }
    }
}
