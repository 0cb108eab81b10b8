//! A streamer's channels on VK Video: asked for there, as an account and its channels have different ids.

use ::vkvideo::{ApiError, Caller, Slug};
use domain::{
    bots::Found,
    channels,
    identities::{self, Provider},
};
use poem::http::StatusCode;

use crate::{
    app::App,
    auth::Streamer,
    problem::{ErrorCode, Problem},
};

/// Accounts of one person, and channels of one account, that are looked at.
const MOST: usize = 10;

/// The channels of the accounts that the streamer has linked here; those that VK Video says are theirs.
pub(crate) async fn channels_of(app: &App, streamer: &Streamer) -> Result<Vec<Found>, Problem> {
    let api = &app.settings.vkvideo;
    let accounts = {
        let mut conn = app.db.pool().acquire().await?;
        identities::list(&mut conn, streamer.user.id).await?
    };
    let mut found: Vec<Found> = Vec::new();
    for account in accounts.into_iter().filter(|account| account.provider == Provider::VkVideo).take(MOST) {
        let caller = Caller::Account(&app.db, account.id);
        let me = api.me(caller).await.map_err(problem)?;
        for slug in me.channels.into_iter().take(MOST) {
            let Some(channel) = api.channel(caller, &slug).await.map_err(problem)? else { continue };
            let theirs = channel.owner_id == account.provider_user_id;
            if theirs && !found.iter().any(|known| known.account == channel.id) {
                found.push(Found { account: channel.id, login: slug.to_string() });
            }
        }
    }
    Ok(found)
}

/// The channel there that the bot is to listen in: the one that is named, the only one, or the one that it had.
pub(crate) async fn home(app: &App, streamer: &Streamer, named: Option<&str>) -> Result<Option<Found>, Problem> {
    let invalid = |why: String| Problem::bad_request(ErrorCode::ValidationError, format!("vkvideoChannelUrl: {why}"));
    let slug = match named {
        Some(text) => {
            Some(Slug::parse(text).ok_or_else(|| invalid("not the address of a channel on VK Video".to_owned()))?)
        }
        None => None,
    };
    if slug.is_none() {
        let mut conn = app.db.pool().acquire().await?;
        let known = channels::home(&mut conn, streamer.channel.id, Provider::VkVideo).await?;
        if known.is_some_and(|home| home.account.is_some() && home.login.is_some()) {
            return Ok(None);
        }
    }
    let mut all = channels_of(app, streamer).await?;
    let names = all.iter().map(|found| found.login.as_str()).collect::<Vec<_>>().join(", ");
    match slug {
        _ if all.is_empty() => Err(invalid(
            "VK Video knows of no channel of yours: link your account there first (/auth/vkvideo/link)".to_owned(),
        )),
        Some(slug) => match all.into_iter().find(|found| found.login == slug.as_str()) {
            Some(found) => Ok(Some(found)),
            None => Err(invalid(format!("{slug} is not yours, as far as VK Video knows; yours: {names}"))),
        },
        None if all.len() > 1 => Err(invalid(format!("say which of your channels: {names}"))),
        None => Ok(all.pop()),
    }
}

fn problem(error: ApiError) -> Problem {
    match error {
        ApiError::NotConfigured(setting) => identity::IdentityError::NotConfigured(setting).into(),
        ApiError::Relink(_) | ApiError::Forbidden(_) => Problem::bad_request(
            ErrorCode::OauthFailed,
            "VK Video does not take what your linked account shows: link it again (/auth/vkvideo/link)",
        ),
        error => {
            tracing::warn!(%error, "VK Video does not tell of channels");
            Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                ErrorCode::OauthUnavailable,
                "VK Video does not answer as it should: try again in a while",
            )
        }
    }
}
