//! Understand one batch of lines.
//!
//! All of it is one transaction that begins by finishing the job: messages, answers in the outbox, relay jobs, and the
//! end of the batch commit together. A line that cannot be understood, or that the database will not take, is put aside
//! alone; the rest of its batch goes on.

use std::{panic::AssertUnwindSafe, sync::Arc};

use domain::{
    automod, channels,
    chat::{self, Batch, ChatMessage, IngestChatBatch, RawLine, Removal, Removed},
    chat_commands,
    credits::{self, CreditsError, Seen},
    outbox::{self, OutboxError, Provider, Source, Text},
    webhooks::{self, NewDelivery},
};
use metrics::counter;
use queue::{Ctx, JobError, Outcome, Tx, Verdict};

use crate::{
    Settings,
    platforms::{self, Deed},
    telemetry,
};

pub(crate) async fn handle(ctx: Ctx, job: IngestChatBatch, settings: Arc<Settings>) -> Outcome {
    let mut tx = ctx.db().begin().await?;
    ctx.finish(&mut tx).await?;
    let Some(batch) = chat::find_batch(&mut tx, job.batch_id).await? else {
        tx.commit().await?;
        return Ok(Verdict::Done);
    };
    let platform: Provider = batch.platform.parse().map_err(JobError::discard)?;
    let own_login = own_login(platform, &settings);

    let Read { lines, messages, poison, removals, deeds } = read(platform, &settings, &batch);
    let recorded = chat::record(&mut tx, platform, &messages).await?;
    let refused = recorded.refused.iter().map(|(place, reason)| (lines[*place], reason.clone()));
    for (line, reason) in poison.into_iter().chain(refused) {
        tracing::warn!(%platform, channel.id = ?line.channel_id, reason, "a chat line is put aside");
        counter!(telemetry::DEAD_LETTERS).increment(1);
        chat::bury(&mut tx, platform, line, &reason).await?;
    }
    counter!(telemetry::MESSAGES).increment(recorded.fresh.len() as u64);
    take_away(&mut tx, platform, &removals).await?;
    keep_deeds(&mut tx, platform, deeds).await?;

    let said: Vec<&ChatMessage> = recorded.fresh.iter().map(|&place| &messages[place]).collect();
    let (own, viewers): (Vec<&ChatMessage>, Vec<_>) =
        said.iter().copied().partition(|message| own_login.as_deref() == Some(message.author_login.as_str()));
    for message in own {
        outbox::read_back(&mut tx, message.channel_id, platform, &message.author_login, &message.text).await?;
    }
    let viewers = said_by_others(&mut tx, platform, viewers).await?;
    // Of a shared chat, each channel's bot answers and counts its own viewers only.
    let viewers: Vec<&ChatMessage> = viewers.into_iter().filter(|message| !message.foreign).collect();
    let judged = automod::judge(&mut tx, platform, host(&settings.public_url), &viewers).await?;
    let stands = |message: &&ChatMessage| !judged.contains(&(message.channel_id, message.content_id.clone()));
    let viewers: Vec<&ChatMessage> = viewers.into_iter().filter(stands).collect();
    let seen: Vec<Seen> = viewers.iter().map(|message| seen(message)).collect();
    credits::sight(&mut tx, platform, &seen, &settings.relay_targets).await.map_err(relay_error)?;
    let timely: Vec<&ChatMessage> = viewers.into_iter().filter(|message| !message.late).collect();
    answer(&mut tx, platform, &settings.public_url, &timely).await?;
    chat::drop_batch(&mut tx, batch.id).await?;
    chat::tell(&mut tx, platform, &said, &removals).await?;
    fail::fail_point!("chat::ingest::before");
    tx.commit().await?;
    fail::fail_point!("chat::ingest::after");
    Ok(Verdict::Done)
}

/// Messages but for those that other accounts of ours have said for a channel. Such an account may be a person's, too, who
/// speaks for themselves: only what we were to say is ours.
async fn said_by_others<'a>(
    tx: &mut Tx,
    platform: Provider,
    messages: Vec<&'a ChatMessage>,
) -> Result<Vec<&'a ChatMessage>, JobError> {
    if messages.is_empty() {
        return Ok(messages);
    }
    let mut channels: Vec<_> = messages.iter().map(|message| message.channel_id).collect();
    channels.sort_unstable();
    channels.dedup();
    let speaking = outbox::speakers(tx, platform, &channels).await?;
    let mut others = Vec::with_capacity(messages.len());
    for message in messages {
        let ours = speaking.contains(&message.author_login)
            && outbox::read_back(tx, message.channel_id, platform, &message.author_login, &message.text).await?;
        if !ours {
            others.push(message);
        }
    }
    Ok(others)
}

/// What was taken out of a chat is gone wherever it shows.
async fn take_away(tx: &mut Tx, platform: Provider, removals: &[Removal]) -> Result<(), JobError> {
    if removals.is_empty() {
        return Ok(());
    }
    chat::remove(tx, platform, removals).await?;
    let banned = removals.iter().filter(|removal| matches!(removal.of, Removed::Author { banned: true, .. }));
    let mut channels: Vec<_> = banned.map(|removal| removal.channel_id).collect();
    channels.sort_unstable();
    channels.dedup();
    credits::tell_anew(tx, &channels).await.map_err(relay_error)
}

/// Keeps lines that may earn coins, each for a job of its own: whom it pays and whom it locks is no matter of a batch. By the
/// order of their ids, so that two readers of one chat cannot wait for each other in a circle.
async fn keep_deeds(tx: &mut Tx, platform: Provider, mut deeds: Vec<(Deed, &RawLine)>) -> Result<(), JobError> {
    let Ok(provider) = platform.as_str().parse() else { return Ok(()) };
    deeds.sort_by(|(one, _), (other, _)| one.id.cmp(&other.id));
    for (deed, line) in deeds {
        channels::learn_account(tx, deed.channel_id, provider, &deed.account).await?;
        let (kind, message_id, body) = (webhooks::Kind::Line, deed.id.as_str(), line.bytes.as_slice());
        webhooks::keep(tx, &NewDelivery { provider, message_id, kind, sent_at: deed.at, body }).await?;
    }
    Ok(())
}

/// Of an address.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', ':']).next().unwrap_or_default()
}

/// The bot's own login: what it says is neither a command nor a viewer.
fn own_login(platform: Provider, settings: &Settings) -> Option<String> {
    platforms::connector_for(platform, settings).ok()?.account().map(str::to_owned)
}

/// A batch, understood: `lines[i]` says `messages[i]`.
struct Read<'a> {
    lines: Vec<&'a RawLine>,
    messages: Vec<ChatMessage>,
    poison: Vec<(&'a RawLine, String)>,
    removals: Vec<Removal>,
    deeds: Vec<(Deed, &'a RawLine)>,
}

fn read<'a>(platform: Provider, settings: &Settings, batch: &'a Batch) -> Read<'a> {
    let mut read =
        Read { lines: Vec::new(), messages: Vec::new(), poison: Vec::new(), removals: Vec::new(), deeds: Vec::new() };
    for line in &batch.lines {
        // A panic over one line must not make the whole batch fail again and again.
        let understood =
            std::panic::catch_unwind(AssertUnwindSafe(|| platforms::understand(platform, settings, batch, line)));
        match understood {
            Ok(Ok(meant)) => {
                if let Some(message) = meant.message {
                    read.lines.push(line);
                    read.messages.push(message);
                }
                read.removals.extend(meant.removal);
                read.deeds.extend(meant.deed.map(|deed| (deed, line)));
            }
            Ok(Err(reason)) => read.poison.push((line, reason)),
            Err(_) => read.poison.push((line, "understanding it panicked".to_owned())),
        }
    }
    read
}

fn seen(message: &ChatMessage) -> Seen {
    Seen {
        channel_id: message.channel_id,
        user_id: message.author_id.clone(),
        display_name: message.author_name.clone(),
    }
}

async fn answer(tx: &mut Tx, platform: Provider, public_url: &str, viewers: &[&ChatMessage]) -> Result<(), JobError> {
    if viewers.is_empty() {
        return Ok(());
    }
    for answer in chat_commands::answers(tx, platform, public_url, viewers).await? {
        let Some(text) = Text::cut(&answer.text) else { continue };
        let about = format!("command:{}", answer.content_id);
        let put = outbox::put_once(tx, answer.channel_id, platform, Source::Command, &text, &about);
        // A flood of calls would keep the streamer's own words waiting, and late answers are dropped anyway.
        let result = if put.await.map_err(outbox_error)?.is_some() { "queued" } else { "dropped" };
        counter!(telemetry::ANSWERS, "result" => result).increment(1);
    }
    Ok(())
}

fn outbox_error(error: OutboxError) -> JobError {
    match error {
        OutboxError::Text(error) => JobError::discard(error),
        OutboxError::Enqueue(error) => error.into(),
        OutboxError::Database(error) => error.into(),
    }
}

fn relay_error(error: CreditsError) -> JobError {
    match error {
        CreditsError::Enqueue(error) => error.into(),
        CreditsError::Database(error) => error.into(),
        error @ (CreditsError::ChannelNotFound | CreditsError::Invalid { .. }) => JobError::retry(error),
    }
}
