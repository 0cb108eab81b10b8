//! What the bots answer to the messages of a batch.

use std::collections::{BTreeMap, HashMap};

use sqlx::PgConnection;
use time::Duration;
use uuid::Uuid;

use super::{
    Matching,
    matching::{arguments, beginnings, calls, normalize},
    repo::calls::{self as repo, Candidate, Held, Place},
};
use crate::{
    chat::ChatMessage,
    outbox::Provider,
    templates::{Occasion, Template, Values},
};

/// What a bot says to a viewer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub channel_id: Uuid,
    /// Of the message that is answered.
    pub content_id: String,
    pub text: String,
}

/// A message that calls something.
struct Call<'a> {
    message: &'a ChatMessage,
    place: &'a Place,
    /// None: the command of the stream's duration.
    command: Option<&'a Candidate>,
    template: Template,
    args: &'a str,
    count: i64,
}

/// What the bots of the platform answer to these messages, in their order, by the commands as they are now. Notes what was
/// answered in the caller's transaction, which has the commands that were called to itself from here on: commit soon.
/// `public_url` is where viewers reach us, without a trailing slash.
///
/// # Errors
/// The database refused.
pub async fn answers(
    conn: &mut PgConnection,
    platform: Provider,
    public_url: &str,
    messages: &[&ChatMessage],
) -> Result<Vec<Answer>, sqlx::Error> {
    let mut channels: Vec<Uuid> = messages.iter().map(|message| message.channel_id).collect();
    channels.sort_unstable();
    channels.dedup();
    let texts: Vec<String> = messages.iter().map(|message| normalize(&message.text)).collect();
    let mut words: Vec<(Uuid, &str)> = Vec::new();
    for (message, text) in messages.iter().zip(&texts) {
        words.extend(beginnings(text).map(|word| (message.channel_id, word)));
    }
    words.sort_unstable();
    words.dedup();
    let (of, words): (Vec<Uuid>, Vec<String>) = words.into_iter().map(|(of, word)| (of, word.to_owned())).unzip();

    let places = repo::places(conn, &channels).await?;
    let places: HashMap<Uuid, &Place> = places.iter().map(|place| (place.channel_id, place)).collect();
    let mut commands: HashMap<Uuid, Vec<Candidate>> = HashMap::new();
    for candidate in repo::candidates(conn, &channels, (&of, &words)).await? {
        commands.entry(candidate.channel_id).or_default().push(candidate);
    }
    let none = Vec::new();
    let called: Vec<Call<'_>> = messages
        .iter()
        .zip(&texts)
        .filter_map(|(message, text)| {
            let place = places.get(&message.channel_id)?;
            call(platform, message, text, place, commands.get(&message.channel_id).unwrap_or(&none))
        })
        .collect();
    let answered = take_turns(conn, platform, called).await?;
    say(conn, public_url, answered).await
}

/// What the message calls, if it may.
fn call<'a>(
    platform: Provider,
    message: &'a ChatMessage,
    text: &str,
    place: &'a Place,
    commands: &'a [Candidate],
) -> Option<Call<'a>> {
    let words = commands.iter().flat_map(|command| command.words.iter().map(move |word| (command, word)));
    let meant = words
        .filter(|(command, word)| calls(command.matching, word, text))
        // "!memes top" is meant more than "!memes", and both more than a word that merely stands somewhere.
        .max_by_key(|(command, word)| (command.matching == Matching::Command, word.len(), command.id));
    if let Some((command, word)) = meant {
        let silent = command.only_when_live && !place.live || !command.access.admits(platform, message);
        let args = arguments(command.matching, word, &message.text);
        let template = read(&command.response, Occasion::Command);
        return (!silent).then_some(Call { message, place, command: Some(command), template, args, count: 0 });
    }
    let word = place.duration_word.as_ref()?;
    if !calls(Matching::Command, word, text) || place.duration_only_when_live && !place.live {
        return None;
    }
    let template = read(&place.duration_response, Occasion::Duration);
    Some(Call { message, place, command: None, template, args: "", count: 0 })
}

/// A template that was checked when it was written; one of an older release may say something that is a mark by now.
fn read(response: &str, occasion: Occasion) -> Template {
    Template::parse(response, occasion).unwrap_or_else(|_| Template::literal(response))
}

/// Of the calls, those whose command has no cooldown now, with the number of the answer; they are noted.
async fn take_turns<'a>(
    conn: &mut PgConnection,
    platform: Provider,
    called: Vec<Call<'a>>,
) -> Result<Vec<Call<'a>>, sqlx::Error> {
    let mut ids: Vec<Uuid> = called.iter().filter_map(|call| Some(call.command?.id)).collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(called);
    }
    let mut held: HashMap<Uuid, Held> = repo::hold(conn, &ids).await?.into_iter().map(|held| (held.id, held)).collect();
    let mut pairs: Vec<(Uuid, String)> = called
        .iter()
        .filter_map(|call| Some((call.command.filter(|command| command.user_cooldown > 0)?.id, call.message)))
        .map(|(id, message)| (id, message.author_id.clone()))
        .collect();
    pairs.sort_unstable();
    pairs.dedup();
    let mut viewers = HashMap::new();
    if !pairs.is_empty() {
        let (of, authors): (Vec<Uuid>, Vec<String>) = pairs.into_iter().unzip();
        for (id, author, at) in repo::last_uses(conn, platform, &of, &authors).await? {
            viewers.insert((id, author), at);
        }
    }
    let mut answered = Vec::new();
    let mut noted: BTreeMap<Uuid, i64> = BTreeMap::new();
    let mut noted_viewers: Vec<(Uuid, String)> = Vec::new();
    for mut call in called {
        let Some(command) = call.command else {
            answered.push(call);
            continue;
        };
        // Deleted or switched off since we looked.
        let Some(held) = held.get_mut(&command.id) else { continue };
        let rests = |last: Option<&time::OffsetDateTime>, seconds: i32| {
            seconds > 0 && last.is_some_and(|last| held.now - *last < Duration::seconds(seconds.into()))
        };
        let viewer = (command.id, call.message.author_id.clone());
        if rests(held.last_used_at.as_ref(), command.cooldown) || rests(viewers.get(&viewer), command.user_cooldown) {
            continue;
        }
        held.uses += 1;
        held.last_used_at = Some(held.now);
        call.count = held.uses;
        *noted.entry(command.id).or_default() += 1;
        if command.user_cooldown > 0 {
            viewers.insert(viewer.clone(), held.now);
            noted_viewers.push(viewer);
        }
        answered.push(call);
    }
    if !noted.is_empty() {
        let (ids, uses): (Vec<Uuid>, Vec<i64>) = noted.into_iter().unzip();
        repo::note(conn, &ids, &uses).await?;
    }
    if !noted_viewers.is_empty() {
        let (ids, authors): (Vec<Uuid>, Vec<String>) = noted_viewers.into_iter().unzip();
        repo::note_viewers(conn, platform, &ids, &authors).await?;
    }
    Ok(answered)
}

/// Counts what the answers count, and fills them.
async fn say(conn: &mut PgConnection, public_url: &str, calls: Vec<Call<'_>>) -> Result<Vec<Answer>, sqlx::Error> {
    let mut totals: BTreeMap<(Uuid, String), i64> = BTreeMap::new();
    let mut peeked: Vec<(Uuid, String)> = Vec::new();
    for call in &calls {
        let channel = call.place.channel_id;
        for name in call.template.counted() {
            *totals.entry((channel, name.to_owned())).or_default() += 1;
        }
        peeked.extend(call.template.peeked().into_iter().map(|name| (channel, name.to_owned())));
    }
    // What a counter says before the first of these answers.
    let mut counters: HashMap<(Uuid, String), i64> = HashMap::new();
    if !totals.is_empty() {
        let channels: Vec<Uuid> = totals.keys().map(|(channel, _)| *channel).collect();
        let names: Vec<String> = totals.keys().map(|(_, name)| name.clone()).collect();
        let by: Vec<i64> = totals.values().copied().collect();
        for (channel, name, value) in repo::count_up(conn, &channels, &names, &by).await? {
            let key = (channel, name);
            let before = value - totals.get(&key).copied().unwrap_or(0);
            counters.insert(key, before);
        }
    }
    peeked.retain(|key| !counters.contains_key(key));
    peeked.sort_unstable();
    peeked.dedup();
    if !peeked.is_empty() {
        let (channels, names): (Vec<Uuid>, Vec<String>) = peeked.into_iter().unzip();
        for (channel, name, value) in repo::peek(conn, &channels, &names).await? {
            counters.insert((channel, name), value);
        }
    }
    let mut answers = Vec::new();
    for call in calls {
        let place = call.place;
        for name in call.template.counted() {
            *counters.entry((place.channel_id, name.to_owned())).or_default() += 1;
        }
        let says = call.template.counted().into_iter().chain(call.template.peeked());
        let says = says.map(|name| (name.to_owned(), counters.get(&(place.channel_id, name.to_owned())).copied()));
        let values = Values {
            user: &call.message.author_name,
            args: call.args,
            channel: &place.name,
            channel_url: &format!("{public_url}/channels/{}/memes", place.slug),
            count: call.count,
            counters: says.map(|(name, value)| (name, value.unwrap_or(0))).collect(),
            runs: Duration::seconds(place.runs),
            live: place.live,
        };
        answers.push(Answer {
            channel_id: place.channel_id,
            content_id: call.message.content_id.clone(),
            text: call.template.fill(&values, |below| rand::random_range(0..below.max(1))),
        });
    }
    Ok(answers)
}
