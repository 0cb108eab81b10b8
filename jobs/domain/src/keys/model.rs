//! Where sealed values are.

use std::{fmt, time::Duration};

use time::OffsetDateTime;
use uuid::Uuid;

use crate::access::{KeyId, Place};

/// A column of sealed values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    pub table: &'static str,
    pub name: &'static str,
    /// The column with the row's id, a UUID and the primary key: what its values are bound to.
    pub row: &'static str,
}

impl Column {
    pub(super) const fn place(self, row: Uuid) -> Place {
        Place { table: self.table, column: self.name, row }
    }
}

/// All of them. A guard finds those that are missing here.
pub const COLUMNS: [Column; 5] = [
    Column { table: "external_accounts", name: "access_token", row: "id" },
    Column { table: "external_accounts", name: "refresh_token", row: "id" },
    Column { table: "revoked_grants", name: "access_token", row: "id" },
    Column { table: "revoked_grants", name: "refresh_token", row: "id" },
    Column { table: "second_factors", name: "secret", row: "user_id" },
];

/// How many values of a column are under a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    pub column: Column,
    pub key: KeyId,
    pub values: i64,
}

/// How often a process tells under which key it seals.
pub const ANNOUNCED_EVERY: Duration = Duration::from_secs(5);

/// A process that lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Where to look for it.
    pub process: String,
    /// The id of the key that it seals under, in hexadecimal.
    pub key: String,
}

/// A process that lives and has other keys than this one, so that one of the two would seal what the other cannot open; or
/// another secret, so that each would refuse the sessions that the other begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stranger {
    pub id: Uuid,
    /// Where to look for it.
    pub process: String,
    /// The id of the key that it seals under, in hexadecimal.
    pub key: String,
    pub why: Strangeness,
    /// When it last said that it lives.
    pub seen_at: OffsetDateTime,
}

/// How a process is strange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strangeness {
    /// It has another `MEMALERTS_SECRET`.
    OtherSecret,
    /// This process does not open what it seals.
    ClosedToUs,
    /// It does not open what this process would seal.
    ClosedToIt,
}

impl fmt::Display for Stranger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { process, key, .. } = self;
        match self.why {
            Strangeness::OtherSecret => write!(f, "{process} has another MEMALERTS_SECRET than this process"),
            Strangeness::ClosedToUs => write!(f, "{process} seals under key {key}, which this process does not have"),
            Strangeness::ClosedToIt => {
                write!(f, "{process} seals under key {key} and does not have the one that this process seals under")
            }
        }
    }
}
