//! What proves that a token or a call is ours, and what seals.

use domain::access::KeyId;

use super::{Environment, Reader, Secret, strength};

#[derive(Debug, Clone)]
pub struct Secrets {
    /// `MEMALERTS_SECRET`: keys of sessions and of overlay tokens are derived from it. At least 32 characters, the same
    /// in every process. Required in beta and prod; dev makes one at first start and keeps it in the database.
    pub master: Option<Secret>,
    /// `MEMALERTS_INTERNAL_SECRET`: proves calls between our own processes (`/internal/*`). As above.
    pub internal: Option<Secret>,
    /// `MEMALERTS_DATA_KEY`: seals what is secret in the database (tokens of platforms, seeds of codes). Required in beta
    /// and prod; dev derives one from the master.
    pub data: Option<DataKey>,
    /// `MEMALERTS_DATA_KEY_OLD`: still opens what was sealed before the key was changed.
    pub old_data: Option<DataKey>,
    /// `MEMALERTS_LOST_DATA_KEYS`: ids of keys that nobody has any more; what is under them stays closed. Default none.
    pub lost_data_keys: Vec<KeyId>,
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
            Some((text, key))
        };
        let (data, old_data) = (key("MEMALERTS_DATA_KEY"), key("MEMALERTS_DATA_KEY_OLD"));
        if environment.is_dev() {
            reader.otherwise("MEMALERTS_DATA_KEY", "derived from MEMALERTS_SECRET");
        } else if data.is_none() {
            let what = "seals what is secret in the database; 64 hexadecimal digits, of `openssl rand -hex 32`";
            reader.miss("MEMALERTS_DATA_KEY", what.to_owned());
        }
        reader.otherwise("MEMALERTS_DATA_KEY_OLD", "none");
        if !environment.is_dev() {
            // In dev anybody logs in anyway.
            let text = |key: &Option<(Secret, Option<DataKey>)>| key.as_ref().map(|(text, _)| text.clone());
            complain_of_weak_ones(
                reader,
                &[
                    ("MEMALERTS_SECRET", master.clone()),
                    ("MEMALERTS_INTERNAL_SECRET", internal.clone()),
                    ("MEMALERTS_DATA_KEY", text(&data)),
                    ("MEMALERTS_DATA_KEY_OLD", text(&old_data)),
                ],
            );
        }
        let [data, old_data] = [data, old_data].map(|given| given.and_then(|(_, key)| key));
        Self { master, internal, data, old_data, lost_data_keys: lost(reader) }
    }
}

/// Whoever learns or guesses one of them shall have no other one.
fn complain_of_weak_ones(reader: &mut Reader, secrets: &[(&str, Option<Secret>)]) {
    let given = || secrets.iter().filter_map(|(name, secret)| Some((name, secret.as_ref()?.expose())));
    for (at, (name, secret)) in given().enumerate() {
        if let Some(other) = given().take(at).find(|(_, before)| before.eq_ignore_ascii_case(secret)) {
            reader
                .complain(format!("{name} is the same as {}: each needs its own, of `openssl rand -hex 32`", other.0));
        } else if let Some(weakness) = strength::weakness(secret).filter(|_| secret.len() >= 32) {
            reader
                .complain(format!("{name} {weakness}, so that it can be guessed: take one of `openssl rand -hex 32`"));
        }
    }
}

fn lost(reader: &mut Reader) -> Vec<KeyId> {
    const NAME: &str = "MEMALERTS_LOST_DATA_KEYS";
    let text = reader.text(NAME).unwrap_or_default();
    reader.otherwise(NAME, "none");
    let ids = text.split(',').map(str::trim).filter(|id| !id.is_empty());
    ids.filter_map(|id| {
        let parsed = KeyId::parse(id);
        if parsed.is_none() {
            reader.complain(format!("{NAME} must have ids of keys, 8 hexadecimal digits each, not {id:?}"));
        }
        parsed
    })
    .collect()
}
