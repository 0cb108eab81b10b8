//! What is done with timers.

use queue::Tx;
use time::Duration;
use uuid::Uuid;

use super::{
    Change, MAX_TIMERS, NewTimer, Timer, TimerError,
    repo::{self, Due},
};
use crate::{
    bot_accounts, channels, chat_commands,
    outbox::{self, Provider, Source, Text},
    templates::{Occasion, Template, Values},
};

/// What cannot be said yet is looked at again after this.
const SOON: Duration = Duration::seconds(30);

/// Makes a timer for the channel, which speaks after its interval for the first time.
///
/// # Errors
/// [`TimerError::Invalid`], [`TimerError::TooMany`], or the database refused.
pub async fn create(tx: &mut Tx, channel: Uuid, new: NewTimer) -> Result<Timer, TimerError> {
    let new = new.checked()?;
    channels::hold(&mut *tx, channel).await?;
    if repo::count(&mut *tx, channel).await? >= MAX_TIMERS {
        return Err(TimerError::TooMany);
    }
    let id = Uuid::now_v7();
    repo::insert(&mut *tx, id, channel, &new).await?;
    repo::find(&mut *tx, channel, id).await?.ok_or(TimerError::NotFound)
}

/// Changes the channel's timer, and says what it was and what it is. With another interval, or switched on, it begins anew;
/// where nothing is to be changed, it stays untouched.
///
/// # Errors
/// [`TimerError::NotFound`], [`TimerError::Invalid`], or the database refused.
pub async fn change(tx: &mut Tx, channel: Uuid, id: Uuid, change: Change) -> Result<(Timer, Timer), TimerError> {
    repo::lock(&mut *tx, id).await?;
    let before = repo::find(&mut *tx, channel, id).await?.ok_or(TimerError::NotFound)?;
    if change == Change::default() {
        return Ok((before.clone(), before));
    }
    let new = change.of(&before).checked()?;
    let anew = new.interval_seconds != before.interval_seconds || new.enabled && !before.enabled;
    repo::update(&mut *tx, id, &new, anew).await?;
    let after = repo::find(&mut *tx, channel, id).await?.ok_or(TimerError::NotFound)?;
    Ok((before, after))
}

/// Removes the channel's timer; says what it was.
///
/// # Errors
/// [`TimerError::NotFound`], or the database refused.
pub async fn delete(tx: &mut Tx, channel: Uuid, id: Uuid) -> Result<Timer, TimerError> {
    let before = repo::find(&mut *tx, channel, id).await?.ok_or(TimerError::NotFound)?;
    repo::delete(&mut *tx, id).await?;
    Ok(before)
}

/// Says up to `limit` timers that are due and that nobody else is at; how many were looked at. `own` are the logins of the
/// bots that the settings name: their lines do not count, nor do those of accounts that are linked to speak; `public_url` is where viewers reach us, without a trailing slash.
///
/// # Errors
/// The database refused.
pub async fn say_due(tx: &mut Tx, public_url: &str, own: &[String], limit: i64) -> Result<usize, TimerError> {
    let due = repo::take_due(&mut *tx, limit).await?;
    for timer in &due {
        let interval = Duration::seconds(timer.interval_seconds.into());
        let providers = repo::providers(&mut *tx, timer.channel_id).await?;
        if providers.is_empty() || timer.only_when_live && !timer.live {
            repo::put_off(&mut *tx, timer.id, interval).await?;
        } else if !has_lines(&mut *tx, timer, own, &providers).await? || !say(tx, public_url, timer, &providers).await?
        {
            repo::put_off(&mut *tx, timer.id, SOON).await?;
        } else {
            repo::said(&mut *tx, timer.id, interval).await?;
        }
    }
    Ok(due.len())
}

async fn has_lines(tx: &mut Tx, timer: &Due, own: &[String], providers: &[Provider]) -> Result<bool, sqlx::Error> {
    if timer.min_lines == 0 {
        return Ok(true);
    }
    let mut ours = own.to_vec();
    for provider in providers {
        ours.extend(bot_accounts::logins(&mut *tx, provider.as_str(), &[timer.channel_id]).await?);
    }
    let wanted = i64::from(timer.min_lines);
    let lines = repo::lines(&mut *tx, timer.channel_id, timer.after_line, &ours, wanted).await?;
    Ok(lines >= wanted)
}

/// Puts the timer's next message into the outbox of each provider; whether any has got it.
async fn say(tx: &mut Tx, public_url: &str, timer: &Due, providers: &[Provider]) -> Result<bool, TimerError> {
    let place = usize::try_from(timer.place).unwrap_or(0) % timer.messages.len().max(1);
    let Some(message) = timer.messages.get(place) else { return Ok(false) };
    let template = Template::parse(message, Occasion::Timer).unwrap_or_else(|_| Template::literal(message));
    let mut values = Values {
        channel: &timer.name,
        channel_url: &format!("{public_url}/channels/{}/memes", timer.slug),
        runs: Duration::seconds(timer.runs),
        live: timer.live,
        ..Values::default()
    };
    for name in template.peeked() {
        let counter = chat_commands::counter(&mut *tx, timer.channel_id, name).await?;
        values.counters.insert(name.to_owned(), counter.map_or(0, |counter| counter.value));
    }
    let text = template.fill(&values, |below| rand::random_range(0..below.max(1)));
    // A message of which nothing is left is said by saying nothing.
    let Some(text) = Text::cut(&text) else { return Ok(true) };
    let about = format!("timer:{}:{}", timer.id, timer.next_at.unix_timestamp_nanos() / 1_000);
    let mut said = false;
    for provider in providers {
        let put = outbox::put_once(tx, timer.channel_id, *provider, Source::Timer, &text, &about);
        said |= put.await?.is_some();
    }
    Ok(said)
}
