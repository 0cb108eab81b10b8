//! What is done with auto-moderation.

use std::collections::{HashMap, HashSet};

use queue::{EnqueueError, Tx};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Action, AutomodError, Change, Moderate, Permit, Settings, repo, rules};
use crate::{
    channels,
    chat::ChatMessage,
    outbox::{self, OutboxError, Provider, Source, Text},
};

/// People who may link in one channel at once.
const MAX_PERMITS: usize = 100;
/// What a moderator says to let somebody link.
pub(crate) const PERMIT: &str = "!permit";

/// How the channel is moderated; what holds before anybody has touched it.
///
/// # Errors
/// The database refused.
pub async fn settings(conn: &mut PgConnection, channel: Uuid) -> Result<Settings, sqlx::Error> {
    let untouched = Settings {
        enabled: false,
        links: Action::Delete,
        allowed_hosts: Vec::new(),
        caps: Action::Off,
        caps_percent: 70,
        caps_letters: 15,
        repeats: Action::Off,
        repeats_most: 4,
        zalgo: Action::Delete,
        zalgo_marks: 4,
        exempt: Vec::new(),
        timeout_seconds: 600,
        escalate_after: 0,
        escalate_minutes: 60,
        permit_seconds: 60,
        updated_at: None,
    };
    Ok(repo::find(conn, channel).await?.unwrap_or(untouched))
}

/// Changes it; what it was and what it is. Where nothing is to be changed, it stays untouched.
///
/// # Errors
/// [`AutomodError::Invalid`].
pub async fn change(tx: &mut Tx, channel: Uuid, change: Change) -> Result<(Settings, Settings), AutomodError> {
    channels::hold(&mut *tx, channel).await?;
    let before = settings(&mut *tx, channel).await?;
    if change == Change::default() {
        return Ok((before.clone(), before));
    }
    repo::put(&mut *tx, channel, &change.of(&before)?).await?;
    let after = settings(&mut *tx, channel).await?;
    Ok((before, after))
}

/// Lets somebody (a login there) link for so many seconds; none: for as long as the settings say.
///
/// # Errors
/// [`AutomodError::Invalid`], [`AutomodError::TooMany`].
pub async fn permit(
    tx: &mut Tx,
    channel: Uuid,
    provider: Provider,
    login: &str,
    seconds: Option<i32>,
) -> Result<Permit, AutomodError> {
    let wrong = |field, allowed| AutomodError::Invalid { field, allowed };
    // Nobody would look for it: the chats of other platforms are not moderated.
    if provider != Provider::Twitch {
        return Err(wrong("provider", "twitch: the chats of other platforms are not moderated yet"));
    }
    let login = login_of(login).ok_or(wrong("login", "a name in the chat, 1 to 100 characters without spaces"))?;
    if seconds.is_some_and(|seconds| !(5..=3_600).contains(&seconds)) {
        return Err(wrong("seconds", "5 to 3600"));
    }
    channels::hold(&mut *tx, channel).await?;
    if repo::permits(&mut *tx, channel).await?.len() >= MAX_PERMITS {
        return Err(AutomodError::TooMany(i64::try_from(MAX_PERMITS).unwrap_or(i64::MAX)));
    }
    let seconds = match seconds {
        Some(seconds) => seconds,
        None => settings(&mut *tx, channel).await?.permit_seconds,
    };
    let id = Uuid::now_v7();
    repo::insert_permit(&mut *tx, id, channel, provider, &login, seconds).await?;
    let made = repo::permits(&mut *tx, channel).await?.into_iter().find(|permit| permit.id == id);
    made.ok_or(AutomodError::NotFound)
}

/// Takes a permit back; what it was.
///
/// # Errors
/// [`AutomodError::NotFound`].
pub async fn end_permit(tx: &mut Tx, channel: Uuid, id: Uuid) -> Result<Permit, AutomodError> {
    let before = repo::permits(&mut *tx, channel).await?.into_iter().find(|permit| permit.id == id);
    let before = before.ok_or(AutomodError::NotFound)?;
    if repo::delete_permit(&mut *tx, channel, id).await? { Ok(before) } else { Err(AutomodError::NotFound) }
}

/// As the chat knows the person: without `@`, in lower case.
fn login_of(text: &str) -> Option<String> {
    let login = text.trim().trim_start_matches('@').to_lowercase();
    let fits = (1..=100).contains(&login.chars().count());
    let plain = login.chars().all(|char| !char.is_whitespace() && !char.is_control());
    (fits && plain).then_some(login)
}

/// Looks at messages that were just recorded, of the platform and in their order, by the rules as they are now; writes down and
/// orders what is to be done. `ours` is the host at which viewers reach us. Content ids, by channel, of those that are not to
/// be answered: they are judged, or were said to us. The caller commits soon: judged channels are held from here on.
///
/// # Errors
/// The database refused.
pub async fn judge(
    tx: &mut Tx,
    platform: Provider,
    ours: &str,
    messages: &[&ChatMessage],
) -> Result<HashSet<(Uuid, String)>, EnqueueError> {
    let mut channels: Vec<Uuid> = messages.iter().map(|message| message.channel_id).collect();
    channels.sort_unstable();
    channels.dedup();
    let watched = repo::watched(&mut *tx, &channels).await?;
    if watched.is_empty() {
        return Ok(HashSet::new());
    }
    let of_watched = messages.iter().copied().filter_map(|message| Some((message, watched.get(&message.channel_id)?)));
    let repeating = of_watched
        .clone()
        .filter(|(message, settings)| settings.repeats != Action::Off && !settings.leaves_alone(message.roles));
    let repeating: Vec<&ChatMessage> = repeating.map(|(message, _)| message).collect();
    let said = if repeating.is_empty() { HashMap::new() } else { repo::said(&mut *tx, platform, &repeating).await? };

    let mut handled = HashSet::new();
    let mut offences = Vec::new();
    for (message, settings) in of_watched {
        let key = (message.channel_id, message.content_id.clone());
        if settings.leaves_alone(message.roles) {
            if hear(tx, platform, settings, message).await? {
                handled.insert(key);
            }
            continue;
        }
        let times = said.get(&key).copied().unwrap_or(1);
        let may_link = rules::links(settings, &message.text, ours)
            && repo::is_permitted(&mut *tx, message.channel_id, platform, &message.author_login).await?;
        if let Some(rule) = rules::broken(settings, &message.text, ours, may_link, times) {
            offences.push((message, settings, rule));
            handled.insert(key);
        }
    }
    if offences.is_empty() {
        return Ok(handled);
    }
    let mut judged: Vec<Uuid> = offences.iter().map(|(message, ..)| message.channel_id).collect();
    judged.sort_unstable();
    judged.dedup();
    repo::hold(&mut *tx, &judged).await?;
    for (message, settings, rule) in offences {
        let before = repo::offences(&mut *tx, platform, message, settings.escalate_minutes).await?;
        let (action, seconds) = settings.sentence(rule, before);
        let id = Uuid::now_v7();
        if repo::insert_act(&mut *tx, id, platform, message, rule, action, seconds).await? {
            queue::enqueue(tx, &Moderate { act_id: id }).await?;
        }
    }
    Ok(handled)
}

/// Whether a moderator lets somebody link by this message; then it is done, and said.
async fn hear(
    tx: &mut Tx,
    platform: Provider,
    settings: &Settings,
    message: &ChatMessage,
) -> Result<bool, EnqueueError> {
    let mut words = message.text.split_whitespace();
    let is_moderator = message.roles.broadcaster || message.roles.moderator;
    if !is_moderator
        || settings.links == Action::Off
        || !words.next().is_some_and(|word| word.eq_ignore_ascii_case(PERMIT))
    {
        return Ok(false);
    }
    let Some(login) = words.next().and_then(login_of) else { return Ok(true) };
    let seconds = settings.permit_seconds;
    repo::insert_permit(&mut *tx, Uuid::now_v7(), message.channel_id, platform, &login, seconds).await?;
    if let Some(text) = Text::cut(&format!("{login} may post links for {seconds} s")) {
        let about = format!("permit:{}", message.content_id);
        let put = outbox::put_once(tx, message.channel_id, platform, Source::Command, &text, &about).await;
        match put {
            Ok(_) | Err(OutboxError::Text(_)) => {}
            Err(OutboxError::Enqueue(error)) => return Err(error),
            Err(OutboxError::Database(error)) => return Err(error.into()),
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_read_as_people_write_it() {
        for (text, login) in [("@Anna", Some("anna")), (" bert ", Some("bert")), ("", None), ("@", None), ("a b", None)]
        {
            assert_eq!(login_of(text).as_deref(), login, "{text:?}");
        }
    }
}
