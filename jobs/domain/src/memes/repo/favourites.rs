//! SQL of favourites.

use std::collections::HashSet;

use sqlx::{PgConnection, QueryBuilder, Row as _, postgres::PgRow};
use uuid::Uuid;

use super::{
    super::catalogue::{Place, Shown},
    catalogue::{COLUMNS, meme},
};

/// Memes that one person keeps, at most.
pub const MOST_FAVOURITES: i64 = 5_000;

/// Keeps a meme among the person's favourites. False where there are too many; once more changes nothing.
///
/// # Errors
/// The database refused.
pub async fn add_favourite(
    conn: &mut PgConnection,
    user_id: Uuid,
    meme_id: Uuid,
    channel_id: Uuid,
) -> Result<bool, sqlx::Error> {
    let found = sqlx::query_scalar!(
        r#"with put as (
               insert into favourites (user_id, meme_id, channel_id)
               select $1, $2, $3 where (select count(*) from favourites where user_id = $1) < $4
               on conflict (user_id, meme_id) do nothing
               returning meme_id
           )
           select exists (select from put) or exists (select from favourites where user_id = $1 and meme_id = $2) as "kept!""#,
        user_id,
        meme_id,
        channel_id,
        MOST_FAVOURITES,
    );
    found.fetch_one(conn).await
}

/// Keeps it no more.
///
/// # Errors
/// The database refused.
pub async fn remove_favourite(conn: &mut PgConnection, user_id: Uuid, meme_id: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from favourites where user_id = $1 and meme_id = $2", user_id, meme_id).execute(conn).await?;
    Ok(())
}

/// Those of the memes that are among the person's favourites.
///
/// # Errors
/// The database refused.
pub async fn favourites_among(
    conn: &mut PgConnection,
    user_id: Uuid,
    memes: &[Uuid],
) -> Result<HashSet<Uuid>, sqlx::Error> {
    let found =
        sqlx::query_scalar!("select meme_id from favourites where user_id = $1 and meme_id = any($2)", user_id, memes,);
    Ok(found.fetch_all(conn).await?.into_iter().collect())
}

/// The person's favourites in a channel that can be played, the last one kept first.
///
/// # Errors
/// The database refused.
pub async fn list_favourites(
    conn: &mut PgConnection,
    user_id: Uuid,
    channel_id: Uuid,
    after: Option<&Place>,
    limit: i64,
    offset: i64,
) -> Result<Vec<Shown>, sqlx::Error> {
    let mut query = QueryBuilder::new("select f.added_at, ");
    query.push(COLUMNS).push(
        " from favourites f join memes m on m.id = f.meme_id join meme_assets a on a.id = m.asset_id
         where m.status = 'approved' and f.user_id = ",
    );
    query.push_bind(user_id).push(" and f.channel_id = ").push_bind(channel_id);
    if let Some(Place::Newest { at, id }) = after {
        query.push(" and f.added_at <= ").push_bind(*at);
        query.push(" and (f.added_at < ").push_bind(*at).push(" or f.meme_id > ").push_bind(*id).push(")");
    }
    query.push(" order by f.added_at desc, f.meme_id limit ").push_bind(limit).push(" offset ").push_bind(offset);
    let shown = |row: PgRow| {
        let meme = meme(&row)?;
        Ok(Shown { place: Place::Newest { at: row.try_get("added_at")?, id: meme.id }, meme })
    };
    query.build().try_map(shown).fetch_all(conn).await
}

/// How many [`list_favourites`] has in all.
///
/// # Errors
/// The database refused.
pub async fn count_favourites(conn: &mut PgConnection, user_id: Uuid, channel_id: Uuid) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from favourites f join memes m on m.id = f.meme_id and m.status = 'approved'
           where f.user_id = $1 and f.channel_id = $2"#,
        user_id,
        channel_id,
    )
    .fetch_one(conn)
    .await
}
