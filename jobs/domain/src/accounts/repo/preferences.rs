//! SQL of preferences.

use sqlx::PgConnection;
use uuid::Uuid;

use super::super::preferences::{Preferences, PreferencesChange, Theme};

/// The person's preferences; those of everybody who never said otherwise.
///
/// # Errors
/// The database refused.
pub async fn preferences(conn: &mut PgConnection, user_id: Uuid) -> Result<Preferences, sqlx::Error> {
    let found = sqlx::query_as!(
        Preferences,
        r#"select theme as "theme: Theme", autoplay_memes, mute_memes from user_preferences where user_id = $1"#,
        user_id,
    );
    Ok(found.fetch_optional(conn).await?.unwrap_or_default())
}

/// Changes what is given.
///
/// # Errors
/// The database refused.
pub async fn change_preferences(
    conn: &mut PgConnection,
    user_id: Uuid,
    change: &PreferencesChange,
) -> Result<Preferences, sqlx::Error> {
    let standard = Preferences::default();
    sqlx::query_as!(
        Preferences,
        r#"insert into user_preferences (user_id, theme, autoplay_memes, mute_memes)
           values ($1, coalesce($2::text, $5), coalesce($3::boolean, $6), coalesce($4::boolean, $7))
           on conflict (user_id) do update
           set theme = coalesce($2, user_preferences.theme),
               autoplay_memes = coalesce($3, user_preferences.autoplay_memes),
               mute_memes = coalesce($4, user_preferences.mute_memes), updated_at = app_now()
           returning theme as "theme: Theme", autoplay_memes, mute_memes"#,
        user_id,
        change.theme.map(Theme::as_str),
        change.autoplay_memes,
        change.mute_memes,
        standard.theme.as_str(),
        standard.autoplay_memes,
        standard.mute_memes,
    )
    .fetch_one(conn)
    .await
}
