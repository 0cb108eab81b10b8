//! What proves that a token or a call is ours.

use super::{Environment, Reader, Secret};

#[derive(Debug, Clone)]
pub struct Secrets {
    /// `MEMALERTS_SECRET`: keys of sessions and of overlay tokens are derived from it. At least 32 characters, the same
    /// in every process. Required in beta and prod; dev makes one at first start and keeps it in the database.
    pub master: Option<Secret>,
    /// `MEMALERTS_INTERNAL_SECRET`: proves calls between our own processes (`/internal/*`). As above.
    pub internal: Option<Secret>,
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
        Self {
            master: read("MEMALERTS_SECRET", "signs sessions and overlay tokens"),
            internal: read("MEMALERTS_INTERNAL_SECRET", "proves calls between our own processes"),
        }
    }
}
