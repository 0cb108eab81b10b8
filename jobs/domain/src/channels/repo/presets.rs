//! SQL of an overlay's presets.

use sqlx::PgConnection;
use uuid::Uuid;

use super::super::Preset;

/// The channel's presets in their order.
///
/// # Errors
/// The database refused.
pub async fn presets(conn: &mut PgConnection, channel_id: Uuid) -> Result<Vec<Preset>, sqlx::Error> {
    sqlx::query_as!(
        Preset,
        "select name, style_json from overlay_presets where channel_id = $1 order by place",
        channel_id,
    )
    .fetch_all(conn)
    .await
}

/// These instead of all that there were; two who do this at once do it one after the other.
pub(in super::super) async fn put_presets(
    conn: &mut PgConnection,
    channel_id: Uuid,
    presets: &[Preset],
) -> Result<(), sqlx::Error> {
    sqlx::query!("select from channels where id = $1 for no key update", channel_id).execute(&mut *conn).await?;
    sqlx::query!("delete from overlay_presets where channel_id = $1", channel_id).execute(&mut *conn).await?;
    let (names, styles): (Vec<String>, Vec<String>) =
        presets.iter().map(|preset| (preset.name.clone(), preset.style_json.clone())).unzip();
    sqlx::query!(
        "insert into overlay_presets (channel_id, place, name, style_json)
         select $1, new.place - 1, new.name, new.style_json
         from unnest($2::text[], $3::text[]) with ordinality as new (name, style_json, place)",
        channel_id,
        &names,
        &styles,
    )
    .execute(conn)
    .await?;
    Ok(())
}
