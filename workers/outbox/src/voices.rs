//! Whose account says a message, and by which way.

use std::time::{Duration, Instant};

use domain::{
    bot_accounts::{self, Fallback, Sender},
    channels::{self, Home},
    identities::{self, Seat},
    outbox::{
        Provider, Text,
        budget::{self, Action, Limit, Place},
    },
};
use helix::{Helix, Said};
use queue::Database;
use sqlx::PgConnection;
use uuid::Uuid;
use vkvideo::{Slug, VkVideo};
use webapi::{ApiError, Caller};

use crate::{Delivery, twitch};

/// Of an account in its own channel: 100 in 30 s. The platform counts when a message arrives, we when it is about to be sent.
const OWN_CHANNEL: Limit = Limit { count: 100, window: Duration::from_millis(30_500) };

/// The platform publishes no number, and refuses what comes within a second.
const ON_VKVIDEO: Limit = Limit { count: 20, window: Duration::from_secs(30) };

const NOT_CONFIGURED: &str = "the bot of this platform is not configured";

/// For all lines of one message, within the time of its job.
const LINES_WITHIN: Duration = Duration::from_secs(20);

/// An account that says a message.
#[derive(Debug)]
pub(crate) struct Voice {
    /// Whose budget it is.
    pub(crate) account: String,
    pub(crate) limit: Limit,
    way: Way,
}

#[derive(Debug)]
enum Way {
    /// The account of the settings, with its own token.
    Irc,
    /// A linked account; `channel` is the id of the channel there.
    Api { sender: Sender, channel: String },
    /// The same on VK Video; `channel` is its name there.
    VkVideo { sender: Sender, channel: Slug },
}

/// Why nobody says it.
#[derive(Debug)]
pub(crate) enum Silent {
    /// Nobody will.
    For(String),
    /// Somebody may, later.
    Now(String),
    Database(sqlx::Error),
}

impl From<sqlx::Error> for Silent {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

/// All ways there are.
#[derive(Debug)]
pub(crate) struct Voices {
    twitch: Option<twitch::Sender>,
    helix: Helix,
    vkvideo: VkVideo,
    fallback: Fallback,
}

impl Voices {
    pub(crate) fn new(twitch: Option<twitch::Sender>, helix: Helix, vkvideo: VkVideo, fallback: Fallback) -> Self {
        Self { twitch, helix, vkvideo, fallback }
    }

    /// Who speaks in the channel now. Looked up for each message: a seat that was given or taken counts at once.
    pub(crate) async fn of(&self, db: &Database, provider: Provider, channel: Uuid) -> Result<Voice, Silent> {
        match provider {
            Provider::Twitch => self.of_twitch(db, channel).await,
            Provider::VkVideo => self.of_vkvideo(db, channel).await,
            Provider::YouTube | Provider::Trovo | Provider::Kick => Err(Silent::For(NOT_CONFIGURED.to_owned())),
        }
    }

    async fn of_twitch(&self, db: &Database, channel: Uuid) -> Result<Voice, Silent> {
        let platform = identities::Provider::Twitch;
        let mut conn = db.pool().acquire().await?;
        let found = channels::find(&mut conn, channel).await?;
        let found = found.ok_or_else(|| Silent::For("the channel is gone".to_owned()))?;
        let linked = if self.helix.check().is_ok() {
            bot_accounts::resolve(&mut conn, &found, platform, &self.fallback).await?
        } else {
            None
        };
        let Some(sender) = linked else {
            if let Some(irc) = &self.twitch {
                let (account, limit) = (irc.account().to_owned(), twitch::SEND_LIMIT);
                return Ok(Voice { account, limit, way: Way::Irc });
            }
            return Err(nobody(&mut conn, channel, platform).await?);
        };
        let there = match channels::home(&mut conn, channel, identities::Provider::Twitch).await? {
            Some(Home { account: Some(id), .. }) => id,
            Some(Home { login: Some(login), .. }) => {
                drop(conn);
                self.named(db, channel, login).await?
            }
            _ => return Err(Silent::For("the channel has no account on the platform".to_owned())),
        };
        let limit = if there == sender.subject { OWN_CHANNEL } else { twitch::SEND_LIMIT };
        Ok(Voice { account: sender.login.clone(), limit, way: Way::Api { sender, channel: there } })
    }

    async fn of_vkvideo(&self, db: &Database, channel: Uuid) -> Result<Voice, Silent> {
        let platform = identities::Provider::VkVideo;
        if let Err(error) = self.vkvideo.check() {
            return Err(Silent::For(format!("{NOT_CONFIGURED}: {error}")));
        }
        let mut conn = db.pool().acquire().await?;
        let found = channels::find(&mut conn, channel).await?;
        let found = found.ok_or_else(|| Silent::For("the channel is gone".to_owned()))?;
        let Some(sender) = bot_accounts::resolve(&mut conn, &found, platform, &self.fallback).await? else {
            return Err(nobody(&mut conn, channel, platform).await?);
        };
        let home = channels::home(&mut conn, channel, platform).await?;
        let slug = home.and_then(|home| Slug::parse(home.login.as_deref()?));
        let slug = slug.ok_or_else(|| {
            tracing::warn!(channel.id = %channel, "subscription_missing_channel_url");
            Silent::For("the channel has no account on the platform".to_owned())
        })?;
        Ok(Voice { account: sender.login.clone(), limit: ON_VKVIDEO, way: Way::VkVideo { sender, channel: slug } })
    }

    /// VK Video takes a message for a stream, while that goes on.
    async fn say_on_vkvideo(&self, caller: Caller<'_>, channel: &Slug, text: &Text) -> Result<Delivery, ApiError> {
        let stream = self.vkvideo.channel(caller, channel).await?.and_then(|channel| channel.stream);
        let Some(stream) = stream else { return Ok(Delivery::NotWritten("no active stream".to_owned())) };
        self.vkvideo.say(caller, channel, &stream.id, text.as_str()).await?;
        // It does not tell under which id: it is read back.
        Ok(Delivery::Sent { provider_message_id: None })
    }

    /// The id of a channel of which only the name there is known.
    async fn named(&self, db: &Database, channel: Uuid, login: String) -> Result<String, Silent> {
        let users = self.helix.users(Caller::App, std::slice::from_ref(&login)).await;
        let mut users = users.map_err(|error| Silent::Now(error.to_string()))?;
        let user = users.pop().ok_or_else(|| Silent::For(format!("there is no {login} on the platform")))?;
        let mut conn = db.pool().acquire().await?;
        channels::name_account(&mut conn, channel, identities::Provider::Twitch, &user.id, &user.login).await?;
        Ok(user.id)
    }

    /// Writes the message, at most once; `channel` is the name of the channel there.
    pub(crate) async fn say(&self, db: &Database, voice: &Voice, pace: Pace, channel: &str, text: &Text) -> Delivery {
        match (&voice.way, &self.twitch) {
            (Way::Irc, Some(irc)) => say_lines(db, irc, voice, pace, channel, &text.lines(twitch::MOST_BYTES)).await,
            (Way::Irc, None) => Delivery::NotWritten(NOT_CONFIGURED.to_owned()),
            (Way::Api { sender, channel }, _) => {
                let caller = Caller::Account(db, sender.account_id);
                match self.helix.say(caller, channel, &sender.subject, text.as_str()).await {
                    Ok(Said::Sent { message_id }) => Delivery::Sent { provider_message_id: Some(message_id) },
                    Ok(Said::Dropped { code }) => Delivery::Refused { code },
                    Err(error) => unsaid(error),
                }
            }
            (Way::VkVideo { sender, channel }, _) => {
                let caller = Caller::Account(db, sender.account_id);
                self.say_on_vkvideo(caller, channel, text).await.unwrap_or_else(unsaid)
            }
        }
    }
}

/// Why nobody speaks in the channel.
async fn nobody(conn: &mut PgConnection, channel: Uuid, platform: identities::Provider) -> Result<Silent, sqlx::Error> {
    for seat in [Seat::Channel(channel), Seat::Default] {
        let seated = bot_accounts::find(&mut *conn, seat, platform).await?;
        if let Some(reason) = seated.and_then(|seated| seated.relink_reason) {
            return Ok(Silent::For(format!("the bot's account must be linked again: {reason}")));
        }
    }
    Ok(Silent::For(NOT_CONFIGURED.to_owned()))
}

/// What came of a message that a platform's API did not take.
fn unsaid(error: ApiError) -> Delivery {
    match error {
        ApiError::Limited(wait) => Delivery::Later(wait, "msg_ratelimit".to_owned()),
        ApiError::Doubtful(why) => Delivery::Doubtful(why),
        // The account says so by itself from now on: the next try is another's.
        ApiError::Relink(_) | ApiError::Unavailable(_) | ApiError::NotConfigured(_) => {
            Delivery::NotWritten(error.to_string())
        }
        ApiError::Refused { code: Some(code), .. } => Delivery::Refused { code },
        ApiError::Forbidden(_) | ApiError::Refused { code: None, .. } => Delivery::Refused { code: error.to_string() },
    }
}

/// Where it is said, and how fast one may speak there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    pub(crate) place: Place,
    pub(crate) spacing: Duration,
}

/// Says the lines one after the other, the first of which has been taken from the budget. What comes after a line that was said
/// cannot be tried again without saying that one twice: it ends the message, and says how far it came.
async fn say_lines(
    db: &Database,
    irc: &twitch::Sender,
    voice: &Voice,
    pace: Pace,
    channel: &str,
    lines: &[Text],
) -> Delivery {
    let mut last = Delivery::NotWritten("there is nothing to say".to_owned());
    let until = Instant::now() + LINES_WITHIN;
    for (said, line) in lines.iter().enumerate() {
        let partly =
            |why: &str| Delivery::Refused { code: format!("{said} of {} lines were said: {why}", lines.len()) };
        if said > 0 {
            match turn(db, voice, pace, until).await {
                Ok(true) => {}
                Ok(false) => return partly("the account may say no more now"),
                Err(error) => return partly(&error.to_string()),
            }
        }
        last = match irc.send(channel, line).await {
            Delivery::NotWritten(why) | Delivery::Later(_, why) | Delivery::Refused { code: why } if said > 0 => {
                return partly(&why);
            }
            delivery @ Delivery::Sent { .. } => delivery,
            other => return other,
        };
    }
    last
}

/// Waits for the account's next turn; false: it does not come in time.
async fn turn(db: &Database, voice: &Voice, pace: Pace, until: Instant) -> Result<bool, sqlx::Error> {
    loop {
        let mut tx = db.begin().await?;
        let mut wait = budget::take_turn(&mut tx, pace.place, &voice.account, pace.spacing).await?;
        if wait.is_none() {
            wait = budget::take(&mut tx, &voice.account, Action::Send, voice.limit).await?;
        }
        let Some(wait) = wait else {
            tx.commit().await?;
            return Ok(true);
        };
        tx.rollback().await?;
        if Instant::now() + wait > until {
            return Ok(false);
        }
        tokio::time::sleep(wait).await;
    }
}
