//! What proves that a token or a call is ours.

use super::{Environment, Reader, Secret};

#[derive(Debug, Clone)]
pub struct Secrets {
    /// `MEMALERTS_SECRET`: keys of sessions and of overlay tokens are derived from it. At least 32 characters, the same
    /// in every process. Required in beta and prod; dev makes one at first start and keeps it in the database.
    pub master: Option<Secret>,
    /// `MEMALERTS_INTERNAL_SECRET`: proves calls between our own processes (`/internal/*`). As above.
    pub internal: Option<Secret>,
    /// `MEMALERTS_DATA_KEY`: seals what is secret in the database (tokens of platforms). Default: derived from the master.
    pub data: Option<DataKey>,
    /// `MEMALERTS_DATA_KEY_OLD`: still opens what was sealed before the key was changed.
    pub old_data: Option<DataKey>,
}

/// A key of 256 bits. Prints nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct DataKey([u8; 32]);

impl DataKey {
    /// Of 64 hexadecimal digits.
    fn parse(text: &str) -> Option<Self> {
        let mut key = [0; 32];
        hex::decode_to_slice(text, &mut key).ok()?;
        Some(Self(key))
    }

    #[must_use]
    pub const fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Debug for DataKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

impl Secrets {
    pub(super) fn read(reader: &mut Reader, environment: Environment) -> Self {
        let mut read = |name, what: &str| {
            let secret = reader.secret(name);
            match &secret {
                None if !environment.is_dev() => {
                    reader.miss(name, format!("{what}; at least 32 characters, e.g. of `openssl rand -hex 32`"));
                }
                Some(secret) if secret.expose().len() < 32 => {
                    reader.complain(format!("{name} is too short: at least 32 characters"));
                }
                _ => {}
            }
            if environment.is_dev() {
                reader.otherwise(name, "made at the first start, kept in the database");
            }
            secret
        };
        let master = read("MEMALERTS_SECRET", "signs sessions and overlay tokens");
        let internal = read("MEMALERTS_INTERNAL_SECRET", "proves calls between our own processes");
        let mut key = |name| {
            let text = reader.secret(name)?;
            let key = DataKey::parse(text.expose());
            if key.is_none() {
                reader.complain(format!("{name} must have 64 hexadecimal digits, e.g. of `openssl rand -hex 32`"));
            }
            key
        };
        let (data, old_data) = (key("MEMALERTS_DATA_KEY"), key("MEMALERTS_DATA_KEY_OLD"));
        reader.otherwise("MEMALERTS_DATA_KEY", "derived from MEMALERTS_SECRET");
        reader.otherwise("MEMALERTS_DATA_KEY_OLD", "none");
        Self { master, internal, data, old_data }
    }
}
