//! What the pool counts; each series exists from the start, at zero.

use domain::audit::Audit;
use metrics::{counter, describe_counter};

const AUDITS: &str = "money_audits_total";
/// A counter, not a gauge: another process may run the next audit, and a gauge of this one would stand at its last word.
const BREACHES: &str = "money_audit_breaches_total";

pub(crate) fn describe() {
    describe_counter!(AUDITS, "Audits of all money");
    describe_counter!(BREACHES, "Breaches of the ledger's rules that audits found: above zero is an alarm");
    counter!(AUDITS).increment(0);
    counter!(BREACHES).increment(0);
}

pub(crate) fn audited(found: &Audit) {
    counter!(AUDITS).increment(1);
    counter!(BREACHES).increment(found.breaches.len() as u64);
}
