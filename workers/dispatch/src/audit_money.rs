//! The nightly audit of all money.

use domain::audit::{self, AuditMoney};
use queue::{Ctx, Outcome, Verdict};

use crate::telemetry;

/// Trying again would find the same, so the run is done whatever it found: the log and the metrics call for somebody.
pub(crate) async fn handle(ctx: Ctx, _job: AuditMoney) -> Outcome {
    fail::fail_point!("audit::money::before");
    let found = audit::money(ctx.db()).await?;
    telemetry::audited(&found);
    for breach in &found.breaches {
        tracing::error!(breach, "the money does not add up");
    }
    let checked = &found.checked;
    tracing::info!(
        breaches = found.breaches.len(),
        operations = checked.operations,
        entries = checked.entries,
        wallets = checked.wallets,
        activations = checked.activations,
        "audited the money"
    );
    Ok(Verdict::Done)
}
