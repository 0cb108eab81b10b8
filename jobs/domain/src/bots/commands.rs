//! What can be done with bots.

use queue::{Topic, Tx};
use uuid::Uuid;

use super::{BotError, Integration, repo};
use crate::{
    channels::{self, Channel},
    chat_commands, identities,
    outbox::{self, OutboxMessage, Provider, Source, Text},
    subscriptions::{self, SyncSubscriptions},
};

/// The wake-up of those who read chats: the set of wanted sessions changed.
pub const SESSIONS_TOPIC: &str = "chat-sessions";

/// What a channel's bot answers before the streamer has commands of their own.
const DEFAULT_COMMAND: (&str, &str) = ("!memes", "{user}, all memes of this channel: {channelUrl}");

/// Turns the channel's bot on Twitch on or off; whether it was on, and how it is now. The first time on, the channel gets its
/// default command.
///
/// # Errors
/// [`BotError::TwitchNotLinked`] when it shall listen and the channel names no Twitch account.
pub async fn set_twitch(tx: &mut Tx, channel: &Channel, enabled: bool) -> Result<(bool, Integration), BotError> {
    if enabled && channels::link_twitch(tx, channel).await?.twitch_login.is_none() {
        return Err(BotError::TwitchNotLinked);
    }
    let (before, integration) = repo::set_enabled(tx, channel.id, Provider::Twitch, enabled).await?;
    if enabled && before.is_none() {
        let (trigger, response) = DEFAULT_COMMAND;
        chat_commands::ensure(tx, channel.id, trigger, response).await?;
    }
    // What was refused before is asked for anew.
    subscriptions::forget(&mut *tx, identities::Provider::Twitch, channel.id).await?;
    queue::enqueue(tx, &SyncSubscriptions::default()).await?;
    tx.wake(Topic::Pool(SESSIONS_TOPIC.into()));
    Ok((before.unwrap_or(false), integration))
}

/// Lets go of the account on Twitch that `owner` has unlinked: nobody listens or speaks in its chat for the owner's channel any
/// more, and what happens there earns nothing here.
///
/// # Errors
/// The database refused.
pub async fn let_go_of_twitch(tx: &mut Tx, owner: Uuid, account: &str) -> Result<(), BotError> {
    let Some(channel) = channels::unname_on_twitch(&mut *tx, owner, account).await? else { return Ok(()) };
    if repo::enabled(tx, channel).await?.contains(&Provider::Twitch) {
        repo::set_enabled(tx, channel, Provider::Twitch, false).await?;
    }
    subscriptions::forget(&mut *tx, identities::Provider::Twitch, channel).await?;
    queue::enqueue(tx, &SyncSubscriptions::default()).await?;
    tx.wake(Topic::Pool(SESSIONS_TOPIC.into()));
    Ok(())
}

/// Puts the message into the outbox of the named provider, or of the only enabled one.
///
/// # Errors
/// [`BotError::Ambiguous`] without a provider and with several bots; [`BotError::Disabled`] when the bot is off;
/// [`BotError::Text`] when it is not one message, or an order to the platform.
pub async fn say(
    tx: &mut Tx,
    channel_id: Uuid,
    provider: Option<Provider>,
    message: &str,
) -> Result<OutboxMessage, BotError> {
    let text = Text::of_person(message).map_err(BotError::Text)?;
    let enabled = repo::enabled(tx, channel_id).await?;
    let provider = match (provider, enabled.as_slice()) {
        (Some(provider), _) => provider,
        (None, [only]) => *only,
        // Twitch was the only platform once: old clients name none.
        (None, []) => Provider::Twitch,
        (None, _) => return Err(BotError::Ambiguous(enabled)),
    };
    if !enabled.contains(&provider) {
        return Err(BotError::Disabled(provider));
    }
    Ok(outbox::put(tx, channel_id, provider, Source::Say, &text).await?)
}
