//! What an audit says.

use serde::Serialize;

/// What an audit found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Audit {
    pub checked: Checked,
    /// Each breach of a rule, in words; none when all is well.
    pub breaches: Vec<String>,
}

/// How many rows of each kind were looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checked {
    pub operations: i64,
    pub entries: i64,
    pub wallets: i64,
    pub activations: i64,
}
