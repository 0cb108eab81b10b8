//! Write one mail and hand it to the mail server.
//!
//! The secret of its link is made for each try, and stored as a hash before the first byte is written: a try of which
//! nobody knows how it ended leaves a link behind that is good, should its mail arrive after all. So a mail may come twice,
//! and both work until one was used; its `Message-ID` is the same, by which mailboxes know a repetition.

use std::sync::Arc;

use domain::mails::{self, SendMail};
use metrics::counter;
use queue::{Ctx, Job, JobError, Outcome, Verdict};

use crate::{
    mail::{Fate, Post},
    telemetry::MAILS,
};

pub(crate) async fn handle(ctx: Ctx, job: SendMail, post: Arc<Post>) -> Outcome {
    let mut tx = ctx.db().begin().await?;
    let letter = mails::begin(&mut tx, job.mail_id).await?;
    tx.commit().await?;
    let Some(letter) = letter else {
        counter!(MAILS, "result" => "needless").increment(1);
        return Ok(Verdict::Done);
    };
    fail::fail_point!("mails::send::before");
    match post.send(&letter).await {
        Fate::Taken => {
            fail::fail_point!("mails::send::after");
            let mut tx = ctx.db().begin().await?;
            ctx.finish(&mut tx).await?;
            mails::sent(&mut tx, letter.id).await?;
            tx.commit().await?;
            counter!(MAILS, "result" => "sent").increment(1);
            Ok(Verdict::Done)
        }
        Fate::Refused(reason) => {
            give_up(&ctx, &letter, &reason).await?;
            Err(JobError::Discard(reason))
        }
        Fate::NotNow(reason) if ctx.attempt >= SendMail::RETRY.attempts => {
            give_up(&ctx, &letter, &reason).await?;
            Err(JobError::Retry(reason))
        }
        Fate::NotNow(reason) => {
            counter!(MAILS, "result" => "deferred").increment(1);
            Err(JobError::Retry(reason))
        }
    }
}

async fn give_up(ctx: &Ctx, letter: &mails::Letter, reason: &str) -> Result<(), JobError> {
    tracing::warn!(mail.id = %letter.id, kind = %letter.kind, reason, "a mail is given up");
    let mut conn = ctx.db().pool().acquire().await?;
    mails::fail(&mut conn, letter.id).await?;
    counter!(MAILS, "result" => "failed").increment(1);
    Ok(())
}
