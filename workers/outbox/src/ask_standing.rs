//! Ask Twitch how far a channel has come there.

use domain::channels::{self, AskStanding, Standing};
use helix::{Caller, Helix};
use queue::{Ctx, Outcome, Verdict};

use crate::sync_subscriptions::error_of;

pub(crate) async fn handle(ctx: Ctx, job: AskStanding, helix: Helix) -> Outcome {
    helix.check().map_err(error_of)?;
    let user = helix.user(Caller::App, &job.account).await.map_err(error_of)?;
    let standing = user.map_or(Standing::None, |user| Standing::of(&user.broadcaster_type));
    let mut tx = ctx.db().begin().await?;
    ctx.finish(&mut tx).await?;
    channels::note_standing(&mut tx, job.channel_id, &job.account, standing).await?;
    tx.commit().await?;
    Ok(Verdict::Done)
}
