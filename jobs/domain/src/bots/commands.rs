//! What can be done with bots.

use queue::{Topic, Tx};
use uuid::Uuid;

use super::{BotError, Found, Integration, repo};
use crate::{
    channels::{self, Channel},
    chat_commands, identities,
    outbox::{self, OutboxMessage, Provider, Source, Text},
    subscriptions::{self, SyncSubscriptions},
};

/// The wake-up of those who read the platform's chats: the set of wanted sessions changed.
#[must_use]
pub const fn sessions_topic(platform: Provider) -> &'static str {
    match platform {
        Provider::Twitch => "chat-sessions-twitch",
        Provider::VkVideo => "chat-sessions-vkvideo",
        Provider::YouTube => "chat-sessions-youtube",
        Provider::Trovo => "chat-sessions-trovo",
        Provider::Kick => "chat-sessions-kick",
    }
}

/// What a channel's bot answers before the streamer has commands of their own.
const DEFAULT_COMMAND: (&str, &str) = ("!memes", "{user}, all memes of this channel: {channelUrl}");

/// Turns the channel's bot on a platform on or off; whether it was on, and how it is now. The first time on, the channel gets its
/// default command. `home` is what the platform has told of the owner's channel there, where that is another thing than the
/// owner's account.
///
/// # Errors
/// [`BotError::NotLinked`] when it shall listen and the channel names no account there.
pub async fn switch(
    tx: &mut Tx,
    channel: &Channel,
    provider: Provider,
    enabled: bool,
    home: Option<&Found>,
) -> Result<(bool, Integration), BotError> {
    let platform = provider.into();
    if enabled && !is_linked(tx, channel, platform, home).await? {
        return Err(BotError::NotLinked(provider));
    }
    let (before, integration) = repo::set_enabled(tx, channel.id, provider, enabled).await?;
    if enabled && before.is_none() {
        let (trigger, response) = DEFAULT_COMMAND;
        chat_commands::ensure(tx, channel.id, trigger, response).await?;
    }
    // What was refused before is asked for anew.
    subscriptions::forget(&mut *tx, platform, channel.id).await?;
    queue::enqueue(tx, &SyncSubscriptions::default()).await?;
    tx.wake(Topic::Pool(sessions_topic(provider).into()));
    Ok((before.unwrap_or(false), integration))
}

async fn is_linked(
    tx: &mut Tx,
    channel: &Channel,
    platform: identities::Provider,
    home: Option<&Found>,
) -> Result<bool, sqlx::Error> {
    let linked = match home {
        Some(Found { account, login }) => channels::link_to(tx, channel, platform, account, login).await?,
        None if has_channels_of_its_own(platform) => channels::home(&mut *tx, channel.id, platform).await?,
        None => channels::link(tx, channel, platform).await?,
    };
    Ok(linked.is_some())
}

/// Whether a channel there has another id than the account of its owner.
const fn has_channels_of_its_own(platform: identities::Provider) -> bool {
    matches!(platform, identities::Provider::VkVideo)
}

/// Lets go of the account on the platform that `owner` has unlinked: nobody listens or speaks in its chat for the owner's channel
/// any more, and what happens there earns nothing here.
///
/// # Errors
/// The database refused.
pub async fn let_go(tx: &mut Tx, owner: Uuid, platform: identities::Provider, account: &str) -> Result<(), BotError> {
    let Ok(provider) = platform.as_str().parse::<Provider>() else { return Ok(()) };
    // Of a channel with an id of its own nobody knows which account has shown it.
    let account = (!has_channels_of_its_own(platform)).then_some(account);
    let Some(channel) = channels::unname_account(&mut *tx, owner, platform, account).await? else { return Ok(()) };
    if repo::enabled(tx, channel).await?.contains(&provider) {
        repo::set_enabled(tx, channel, provider, false).await?;
    }
    subscriptions::forget(&mut *tx, platform, channel).await?;
    queue::enqueue(tx, &SyncSubscriptions::default()).await?;
    tx.wake(Topic::Pool(sessions_topic(provider).into()));
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
