//! What a bot says to somebody who begins to follow.

use queue::Tx;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{BotError, repo};
use crate::{
    channels,
    outbox::{self, OutboxMessage, Provider, Source, Text},
    templates::{self, Occasion, Template, Values},
};

/// Whether and how followers are greeted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Greetings {
    pub enabled: bool,
    /// With `{user}`.
    pub template: String,
    /// None: never touched.
    pub updated_at: Option<OffsetDateTime>,
}

/// Where somebody is greeted.
pub(super) struct Door {
    pub(super) slug: String,
    pub(super) name: String,
    pub(super) template: String,
}

/// How the channel greets.
///
/// # Errors
/// [`BotError::NoChannel`], or the database refused.
pub async fn greetings(conn: &mut PgConnection, channel: Uuid) -> Result<Greetings, BotError> {
    repo::greetings(conn, channel).await?.ok_or(BotError::NoChannel)
}

/// Changes it, what is none stays; what it was and what it is. Where nothing is to be changed, it stays untouched.
///
/// # Errors
/// [`BotError::Invalid`], or the database refused.
pub async fn change_greetings(
    tx: &mut Tx,
    channel: Uuid,
    enabled: Option<bool>,
    template: Option<String>,
) -> Result<(Greetings, Greetings), BotError> {
    channels::hold(&mut *tx, channel).await?;
    let before = greetings(&mut *tx, channel).await?;
    if enabled.is_none() && template.is_none() {
        return Ok((before.clone(), before));
    }
    let template = template.unwrap_or_else(|| before.template.clone());
    templates::check(&template, Occasion::Greeting)
        .map_err(|problem| BotError::Invalid { field: "followGreetingTemplate", problem })?;
    repo::set_greetings(&mut *tx, channel, enabled.unwrap_or(before.enabled), &template).await?;
    let after = greetings(&mut *tx, channel).await?;
    Ok((before, after))
}

/// Greets somebody who follows on Twitch now, once for each event of the platform, if the channel greets and its bot is on.
/// `public_url` is where viewers reach us, without a trailing slash. What the outbox has got.
///
/// # Errors
/// The database refused.
pub async fn greet(
    tx: &mut Tx,
    public_url: &str,
    channel: Uuid,
    event: &str,
    follower: &str,
) -> Result<Option<OutboxMessage>, BotError> {
    let Some(door) = repo::door(&mut *tx, channel, Provider::Twitch).await? else { return Ok(None) };
    let template = Template::parse(&door.template, Occasion::Greeting);
    let template = template.unwrap_or_else(|_| Template::literal(&door.template));
    let url = format!("{public_url}/channels/{}/memes", door.slug);
    let values = Values { user: follower, channel: &door.name, channel_url: &url, ..Values::default() };
    let text = template.fill(&values, |below| rand::random_range(0..below.max(1)));
    let Some(text) = Text::cut(&text) else { return Ok(None) };
    let about = format!("follow:{event}");
    Ok(outbox::put_once(tx, channel, Provider::Twitch, Source::Greeting, &text, &about).await?)
}
