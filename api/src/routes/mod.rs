//! One noun a file, one struct a file, one method an operation.
//!
//! To add an operation: a method here in its noun's file, its words in `views/`, its failures in `problems/`
//! and a line in `problems/promised.rs`; then `make openapi` adopts the document, and the story goes to
//! `tests/it/<noun>.rs`.

mod accounts;
mod activations;
pub(crate) mod acts;
mod adjustments;
mod automod;
mod bans;
mod blocks;
mod bot_accounts;
mod bot_settings;
mod bots;
mod catalogue;
mod channels;
mod chat_commands;
mod credits;
mod credits_overlay;
mod custom_bots;
pub(crate) mod dev;
mod dock;
mod door;
mod entitlements;
mod events;
mod factors;
mod favourites;
pub(crate) mod front;
mod grants;
mod health;
pub(crate) mod identities;
mod imports;
mod internal;
mod jobs;
pub(crate) mod mails;
mod memes;
mod messages;
mod moderation;
mod overlay;
mod overlay_looks;
mod overlay_tokens;
mod owner_assets;
pub(crate) mod pages;
mod passwords;
mod playback;
mod pool;
mod preferences;
mod privacy;
mod promotions;
mod queue_items;
mod queues;
mod resubmissions;
mod reviews;
mod rewards;
mod sessions;
mod stats;
mod submission_switch;
mod submissions;
mod teams;
mod timers;
mod tokens;
mod trust;
mod uploads;
mod users;
mod wallets;
mod webhooks;

use poem::{Route, post};
use poem_openapi::{OpenApi, Tags};

use crate::app::Environment;

/// Groups of operations in the document.
#[derive(Tags)]
pub(crate) enum Group {
    /// Is it alive, and which build.
    Health,
    /// Sessions and the person behind them.
    Accounts,
    /// Channels as everybody sees them.
    Channels,
    /// What can be played.
    Memes,
    /// Playing memes.
    Activations,
    /// Coins.
    Wallets,
    /// The streamer's own channel.
    Streamer,
    /// Event streams.
    Realtime,
    /// Screens in OBS, by the token in their address.
    Overlay,
    /// Chat bots and what they say.
    Bots,
    /// Who rolls at the end of the stream.
    Credits,
    /// For admins of the house.
    Owner,
}

/// All documented operations.
pub(crate) fn all() -> impl OpenApi {
    (
        health::Health,
        (
            accounts::Accounts,
            preferences::Preferences,
            sessions::Sessions,
            passwords::Passwords,
            factors::Factors,
            mails::Mails,
            users::Users,
            privacy::Privacy,
            acts::Acts,
            identities::Identities,
        ),
        (channels::Channels, teams::Teams),
        (catalogue::Catalogue, memes::Memes, favourites::Favourites, stats::Stats, promotions::Promotions),
        (
            submissions::Submissions,
            imports::Imports,
            pool::Pool,
            resubmissions::Resubmissions,
            reviews::Reviews,
            trust::Trust,
            bans::Bans,
            blocks::Blocks,
            submission_switch::SubmissionSwitch,
        ),
        uploads::Uploads,
        activations::Activations,
        (
            wallets::Wallets,
            adjustments::Adjustments,
            grants::Grants,
            entitlements::Entitlements,
            custom_bots::CustomBots,
            rewards::Rewards,
            moderation::Moderation,
            owner_assets::OwnerAssets,
        ),
        // Sixteen stand side by side at most.
        (queues::Queues, jobs::Jobs),
        (playback::Playback, queue_items::QueueItems, dock::Dock),
        (overlay_tokens::OverlayTokens, overlay_looks::OverlayLooks, tokens::Tokens),
        overlay::Overlay,
        credits_overlay::CreditsOverlay,
        credits::Credits,
        (
            bots::Bots,
            bot_accounts::BotAccounts,
            chat_commands::ChatCommands,
            bot_settings::BotSettings,
            timers::Timers,
            automod::Automod,
            messages::Messages,
        ),
        events::Events,
    )
}

/// What is served but not promised: what the pages load; calls between our processes and of platforms; the dev login, on dev machines only.
pub(crate) fn undocumented(route: Route, environment: Environment) -> Route {
    let route = webhooks::routes(internal::routes(pages::assets(route)));
    match environment {
        Environment::Dev => {
            route.at("/auth/dev/login", post(dev::login)).at("/dev/simulator", poem::get(dev::simulator))
        }
        Environment::Beta | Environment::Prod => route,
    }
}

/// The method that a path of [`undocumented`] takes.
pub(crate) fn method_of_undocumented(path: &str) -> &'static str {
    let takes = path.starts_with("/internal/") || path.starts_with("/webhooks/") || path == "/auth/dev/login";
    if takes { "POST" } else { "GET" }
}
