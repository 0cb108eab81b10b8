//! Keeps what was read in chats from growing for ever.

use domain::{
    automod,
    chat::{self, TrimChat},
    chat_commands, webhooks,
};
use queue::{Ctx, Outcome, Verdict};

/// Rows removed in one statement; small enough to hold nobody up.
const AT_ONCE: i64 = 10_000;

/// Each statement commits by itself: a run that is cut short has still done its part.
pub(crate) async fn handle(ctx: Ctx, _job: TrimChat) -> Outcome {
    let mut conn = ctx.db().pool().acquire().await?;
    while chat::trim(&mut conn, AT_ONCE).await? == AT_ONCE.unsigned_abs() && !ctx.cancelled.is_cancelled() {}
    let used = &mut *conn;
    while chat_commands::forget_uses(used, AT_ONCE).await? == AT_ONCE.unsigned_abs() && !ctx.cancelled.is_cancelled() {}
    while automod::forget(&mut conn, AT_ONCE).await? == AT_ONCE.unsigned_abs() && !ctx.cancelled.is_cancelled() {}
    while webhooks::trim(&mut conn, AT_ONCE).await? == AT_ONCE.unsigned_abs() && !ctx.cancelled.is_cancelled() {}
    Ok(Verdict::Done)
}
