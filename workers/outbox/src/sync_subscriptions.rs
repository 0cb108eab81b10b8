//! Compare what we want to be told with what Twitch tells.
//!
//! What there is says the platform, each time anew: a run that ends halfway is completed by the next one, and what somebody
//! else has ended is found. Only what was refused is kept here, so that it is not asked for again and again.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use domain::{
    channels,
    identities::Provider,
    subscriptions::{self, SyncSubscriptions, Wanted},
};
use helix::{Caller, Helix, HelixError, Subscription};
use queue::{Ctx, Database, JobError, Outcome, Verdict};
use serde_json::{Value, json};
use uuid::Uuid;

/// What we want to be told, with the platform's version of it.
const KINDS: [(&str, &str); 10] = [
    ("stream.online", "1"),
    ("stream.offline", "1"),
    ("channel.follow", "2"),
    ("channel.channel_points_custom_reward_redemption.add", "1"),
    ("channel.channel_points_custom_reward_redemption.update", "1"),
    ("channel.subscribe", "1"),
    ("channel.subscription.message", "1"),
    ("channel.subscription.gift", "1"),
    ("channel.cheer", "1"),
    ("channel.raid", "1"),
];

/// Channels of one look into the database.
const AT_ONCE: i64 = 500;

/// Where and how Twitch tells us.
#[derive(Clone)]
pub struct Callback {
    /// `https://.../webhooks/twitch/eventsub`
    pub url: String,
    /// What it signs with.
    pub secret: String,
    /// Names the secret without telling it.
    pub secret_id: String,
}

impl std::fmt::Debug for Callback {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Callback").field("url", &self.url).finish_non_exhaustive()
    }
}

pub(crate) async fn handle(
    ctx: Ctx,
    _job: SyncSubscriptions,
    helix: Helix,
    callback: Option<Arc<Callback>>,
) -> Outcome {
    if helix.check().is_err() {
        return Ok(Verdict::Done);
    }
    name_channels(ctx.db(), &helix).await?;
    // Without an address that Twitch reaches, who is live is asked for instead.
    let Some(callback) = callback else { return Ok(Verdict::Done) };
    let (wanted, known) = look(ctx.db()).await?;
    let there = helix.subscriptions().await.map_err(error_of)?;
    let mut kept: HashMap<(String, &'static str), Subscription> = HashMap::new();
    let accounts: HashMap<&str, Uuid> = wanted.iter().map(|channel| (&*channel.account, channel.channel_id)).collect();
    for subscription in there {
        let Some((kind, _)) = KINDS.into_iter().find(|(kind, _)| *kind == subscription.kind) else { continue };
        let account = account_of(&subscription.condition).to_owned();
        let channel = accounts.get(&*account).copied();
        let lives = matches!(&*subscription.status, "enabled" | "webhook_callback_verification_pending");
        let of_now = channel.is_some_and(|channel| {
            let row = known.get(&(channel, kind.to_owned()));
            row.is_none_or(|row| row.secret_id == callback.secret_id)
        });
        if lives && of_now && subscription.callback() == callback.url && !kept.contains_key(&(account.clone(), kind)) {
            kept.insert((account, kind), subscription);
            continue;
        }
        tracing::info!(kind, status = subscription.status, "a subscription that nobody wants is ended");
        helix.unsubscribe(&subscription.id).await.map_err(error_of)?;
    }
    for channel in &wanted {
        for (kind, version) in KINDS {
            if ctx.cancelled.is_cancelled() {
                return Err(JobError::retry("the process stops"));
            }
            let (subscription, status) = match kept.get(&(channel.account.clone(), kind)) {
                Some(there) => (Some(there.id.clone()), word(&there.status)),
                None if known.get(&(channel.channel_id, kind.to_owned())).is_some_and(|row| row.rests) => continue,
                None => subscribe(&helix, &callback, channel, kind, version).await?,
            };
            let mut conn = ctx.db().pool().acquire().await?;
            let secret_id = &callback.secret_id;
            let (id, status) = (subscription.as_deref(), status.as_str());
            subscriptions::note(&mut conn, Provider::Twitch, channel.channel_id, kind, id, status, secret_id).await?;
        }
    }
    let mut conn = ctx.db().pool().acquire().await?;
    let wanted: HashSet<Uuid> = wanted.iter().map(|channel| channel.channel_id).collect();
    let over: HashSet<Uuid> = known.keys().map(|(channel, _)| *channel).filter(|id| !wanted.contains(id)).collect();
    for channel in over {
        subscriptions::forget(&mut conn, Provider::Twitch, channel).await?;
    }
    Ok(Verdict::Done)
}

/// Asks for it; its id and state.
async fn subscribe(
    helix: &Helix,
    callback: &Callback,
    channel: &Wanted,
    kind: &str,
    version: &str,
) -> Result<(Option<String>, String), JobError> {
    let wanted = helix::Wanted {
        kind,
        version,
        condition: condition(kind, &channel.account),
        callback: &callback.url,
        secret: &callback.secret,
    };
    match helix.subscribe(&wanted).await {
        Ok(Some(made)) => Ok((Some(made.id), word(&made.status))),
        // There is one already that the list has not shown yet.
        Ok(None) => Ok((None, "pending".to_owned())),
        Err(HelixError::Forbidden(why)) => {
            tracing::info!(channel.id = %channel.channel_id, kind, why, "the streamer has not granted to be told of this");
            Ok((None, "forbidden".to_owned()))
        }
        Err(HelixError::Refused { status, why, .. }) => {
            tracing::warn!(channel.id = %channel.channel_id, kind, status, why, "a subscription is refused");
            Ok((None, "failed".to_owned()))
        }
        Err(error) => Err(error_of(error)),
    }
}

fn condition(kind: &str, account: &str) -> Value {
    match kind {
        "channel.follow" => json!({ "broadcaster_user_id": account, "moderator_user_id": account }),
        "channel.raid" => json!({ "to_broadcaster_user_id": account }),
        _ => json!({ "broadcaster_user_id": account }),
    }
}

fn account_of(condition: &Value) -> &str {
    let named = ["broadcaster_user_id", "to_broadcaster_user_id"];
    named.iter().find_map(|name| condition[*name].as_str().filter(|id| !id.is_empty())).unwrap_or_default()
}

/// The platform's state in our words.
fn word(status: &str) -> String {
    if status == "webhook_callback_verification_pending" { "pending".to_owned() } else { status.to_owned() }
}

async fn look(db: &Database) -> Result<(Vec<Wanted>, HashMap<(Uuid, String), subscriptions::Known>), sqlx::Error> {
    let mut conn = db.pool().acquire().await?;
    let mut wanted: Vec<Wanted> = Vec::new();
    loop {
        let after = wanted.last().map_or_else(Uuid::nil, |channel| channel.channel_id);
        let more = subscriptions::wanted(&mut conn, after, AT_ONCE).await?;
        if more.is_empty() {
            break;
        }
        wanted.extend(more);
    }
    let known = subscriptions::known(&mut conn, Provider::Twitch).await?;
    Ok((wanted, known.into_iter().map(|row| ((row.channel_id, row.kind.clone()), row)).collect()))
}

/// Finds the ids of channels of which only the name is known.
async fn name_channels(db: &Database, helix: &Helix) -> Result<(), JobError> {
    let mut after = Uuid::nil();
    loop {
        let unnamed = {
            let mut conn = db.pool().acquire().await?;
            subscriptions::unnamed(&mut conn, after, AT_ONCE).await?
        };
        let Some((last, _)) = unnamed.last() else { return Ok(()) };
        after = *last;
        let logins: Vec<String> = unnamed.iter().map(|(_, login)| login.clone()).collect();
        let users = helix.users(Caller::App, &logins).await.map_err(error_of)?;
        let mut conn = db.pool().acquire().await?;
        for (channel, login) in unnamed {
            if let Some(user) = users.iter().find(|user| user.login == login) {
                channels::name_account(&mut conn, channel, Provider::Twitch, &user.id, &user.login).await?;
            }
        }
    }
}

pub(crate) fn error_of(error: HelixError) -> JobError {
    match error {
        HelixError::Limited(wait) => {
            JobError::RetryAfter(wait.unwrap_or(Duration::from_secs(30)), "asked too often".to_owned())
        }
        HelixError::NotConfigured(_) => JobError::discard(error),
        error => JobError::retry(error),
    }
}
