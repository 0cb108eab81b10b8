//! SQL of exports and erasures; that over the tables of the map is put together from it.

use std::time::Duration;

use sqlx::{PgConnection, Postgres, QueryBuilder, postgres::types::PgInterval};
use uuid::Uuid;

use super::{Asset, Erase, Export, ExportStatus, Holding};
use crate::{mails::Kind, media, teams, tokens};

/// Rows of a statement: they are locked for milliseconds.
const BATCH: i64 = 2_000;

/// What all conditions of the map refer to.
fn about(user: Uuid) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new("with person as (select ");
    query.push_bind(user).push("::uuid as id) ");
    query
}

/// Some of the person's rows in the table, after the first `offset`, as the person is shown them: JSON objects. In a
/// snapshot ([`crate::events::snapshot`]), whose rows stay where they are.
///
/// # Errors
/// The database refused.
pub async fn rows_of(
    conn: &mut PgConnection,
    holding: &Holding,
    user: Uuid,
    offset: i64,
) -> Result<Vec<serde_json::Value>, sqlx::Error> {
    let mut query = about(user);
    query.push("select to_jsonb(shown) from (select ").push(holding.shown.join(", "));
    query.push(" from ").push(holding.table).push(" where ").push(holding.whose).push(" order by ctid offset ");
    query.push_bind(offset).push(" limit ").push_bind(BATCH).push(") shown");
    query.build_query_scalar().fetch_all(conn).await
}

pub(super) async fn erase_some(conn: &mut PgConnection, holding: &Holding, user: Uuid) -> Result<u64, sqlx::Error> {
    let table = holding.table;
    let mut query = about(user);
    let which = match holding.erase {
        Erase::Delete(which) => {
            query.push("delete from ").push(table);
            which
        }
        Erase::Set { to, which } => {
            query.push("update ").push(table).push(" set ").push(to);
            which
        }
        Erase::Keep(_) | Erase::Finish(_) => return Ok(0),
    };
    query.push(" where ctid = any (array(select ctid from ").push(table).push(" where ").push(which);
    query.push(" limit ").push_bind(BATCH).push(" for update))");
    Ok(query.build().execute(conn).await?.rows_affected())
}

pub(super) async fn lock_user(conn: &mut PgConnection, user: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query_scalar!("select id from users where id = $1 for no key update", user).fetch_optional(conn).await?;
    Ok(())
}

/// The person's last export, if it was asked for within this time, or waits still.
pub(super) async fn last(conn: &mut PgConnection, user: Uuid, within: Duration) -> Result<Option<Export>, sqlx::Error> {
    sqlx::query_as!(
        Export,
        r#"select id, status as "status: ExportStatus", created_at, expires_at, size, file_hash from exports
           where user_id = $1 and (created_at > app_now() - $2::interval or status in ('pending', 'ready'))
           order by created_at desc limit 1"#,
        user,
        interval(within),
    )
    .fetch_optional(conn)
    .await
}

/// By the database's clock.
pub(super) async fn now(conn: &mut PgConnection) -> Result<time::OffsetDateTime, sqlx::Error> {
    sqlx::query_scalar!(r#"select app_now() as "now!""#).fetch_one(conn).await
}

pub(super) async fn insert(conn: &mut PgConnection, id: Uuid, user: Uuid) -> Result<Export, sqlx::Error> {
    sqlx::query_as!(
        Export,
        r#"insert into exports (id, user_id) values ($1, $2)
           returning id, status as "status: ExportStatus", created_at, expires_at, size, file_hash"#,
        id,
        user,
    )
    .fetch_one(conn)
    .await
}

/// The person's export.
///
/// # Errors
/// The database refused.
pub async fn find(conn: &mut PgConnection, user: Uuid, id: Uuid) -> Result<Option<Export>, sqlx::Error> {
    sqlx::query_as!(
        Export,
        r#"select id, status as "status: ExportStatus", created_at, expires_at, size, file_hash from exports
           where id = $1 and user_id = $2"#,
        id,
        user,
    )
    .fetch_optional(conn)
    .await
}

/// As [`find`], for whoever changes it; one whose time is over is expired, whether it was swept or not.
pub(super) async fn lock(conn: &mut PgConnection, user: Uuid, id: Uuid) -> Result<Option<Export>, sqlx::Error> {
    sqlx::query_as!(
        Export,
        r#"select id, case when status = 'ready' and expires_at <= app_now() then 'expired' else status end
                      as "status!: ExportStatus", created_at, expires_at, size, file_hash
           from exports where id = $1 and user_id = $2 for update"#,
        id,
        user,
    )
    .fetch_optional(conn)
    .await
}

/// Whether the export is still to be made.
///
/// # Errors
/// The database refused.
pub async fn is_pending(conn: &mut PgConnection, id: Uuid) -> Result<bool, sqlx::Error> {
    let pending =
        sqlx::query_scalar!(r#"select status = 'pending' as "pending!" from exports where id = $1 for update"#, id);
    Ok(pending.fetch_optional(conn).await?.unwrap_or(false))
}

pub(super) async fn set_ready(
    conn: &mut PgConnection,
    id: Uuid,
    hash: &str,
    size: i64,
    kept: Duration,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update exports set status = 'ready', file_hash = $2, size = $3, expires_at = app_now() + $4::interval where id = $1",
        id,
        hash,
        size,
        interval(kept),
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn set_downloaded(conn: &mut PgConnection, id: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!("update exports set status = 'downloaded', downloaded_at = app_now() where id = $1", id)
        .execute(conn)
        .await?;
    Ok(())
}

/// Ends exports that were not made within a day, and names those with an archive whose time is over, with its hash: nobody
/// came for it in time, or whoever came has had an hour to take it.
///
/// # Errors
/// The database refused.
pub async fn forget_expired(conn: &mut PgConnection) -> Result<Vec<(Uuid, String)>, sqlx::Error> {
    sqlx::query!(
        "update exports set status = 'failed' where status = 'pending' and created_at < app_now() - interval '1 day'"
    )
    .execute(&mut *conn)
    .await?;
    let over = sqlx::query!(
        r#"select id, file_hash as "file_hash!" from exports
           where file_hash is not null
             and (expires_at <= app_now() or downloaded_at <= app_now() - interval '1 hour')
           order by expires_at limit 1000"#
    );
    Ok(over.fetch_all(conn).await?.into_iter().map(|row| (row.id, row.file_hash)).collect())
}

/// False when it had given the file back already.
pub(super) async fn forget_file(conn: &mut PgConnection, id: Uuid, hash: &str) -> Result<bool, sqlx::Error> {
    let forgot = sqlx::query!(
        "update exports set file_hash = null, status = case when status = 'ready' then 'expired' else status end
         where id = $1 and file_hash = $2",
        id,
        hash,
    );
    Ok(forgot.execute(conn).await?.rows_affected() > 0)
}

/// Nobody comes for them any more.
pub(super) async fn expire_exports(conn: &mut PgConnection, user: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update exports set status = case when status in ('pending', 'ready') then 'expired' else status end,
                expires_at = app_now()
         where user_id = $1",
        user
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Hash and type of each file that the person sent in or that was made of it.
///
/// # Errors
/// The database refused.
pub async fn files_of(conn: &mut PgConnection, user: Uuid) -> Result<Vec<(String, String)>, sqlx::Error> {
    let files = sqlx::query!(
        "select hash, mime_type from file_hashes
         where hash in (
             select s.source_hash from meme_submissions s where s.submitter_id = $1 and s.source_size > 0
             union select a.file_hash from meme_submissions s join meme_assets a on a.id = s.asset_id where s.submitter_id = $1
             union select a.file_hash from memes m join meme_assets a on a.id = m.asset_id where m.created_by = $1)
         order by hash",
        user
    );
    Ok(files.fetch_all(conn).await?.into_iter().map(|row| (row.hash, row.mime_type)).collect())
}

/// Whether the person has asked to be forgotten and is not yet.
///
/// # Errors
/// The database refused.
pub async fn erasing(conn: &mut PgConnection, user: Uuid) -> Result<bool, sqlx::Error> {
    let erasing = sqlx::query_scalar!(
        r#"select erased_at is not null and login not like 'deleted-%' as "erasing!" from users where id = $1"#,
        user
    );
    Ok(erasing.fetch_optional(conn).await?.unwrap_or(false))
}

/// Whether a file of the person's is being worked on.
///
/// # Errors
/// The database refused.
pub async fn is_sending(conn: &mut PgConnection, user: Uuid) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (select from meme_submissions
                          where submitter_id = $1 and upload_state not in ('ready', 'failed')) as "sending!""#,
        user
    )
    .fetch_one(conn)
    .await
}

/// Nobody changes the person's channel until the end of the transaction. Before the person is locked, as by all who do both.
pub(super) async fn lock_channel(conn: &mut PgConnection, user: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!("select from channels where owner_id = $1 for no key update", user).fetch_optional(conn).await?;
    Ok(())
}

/// Whether the last mail to the person is still on its way; a mail server that sleeps is not waited for.
///
/// # Errors
/// The database refused.
pub async fn is_told(conn: &mut PgConnection, user: Uuid) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select not exists (select from mails where user_id = $1 and kind = $2 and ended_at is null
                                and created_at > app_now() - interval '10 minutes') as "told!""#,
        user,
        Kind::AccountDeleted.as_str()
    )
    .fetch_one(conn)
    .await
}

pub(super) async fn shut_out(conn: &mut PgConnection, user: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update users set erased_at = coalesce(erased_at, app_now()), banned_at = coalesce(banned_at, app_now()) where id = $1",
        user
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// No new activations, no team, no overlays.
pub(super) async fn close_channel(conn: &mut PgConnection, id: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update channels set intake_paused_at = coalesce(intake_paused_at, app_now()),
                overlay_token_version = overlay_token_version + 1, credits_token_version = credits_token_version + 1
         where id = $1",
        id
    )
    .execute(&mut *conn)
    .await?;
    tokens::revoke_all(&mut *conn, id).await?;
    teams::disband(conn, id).await
}

/// What nobody but the person shows: assets that the person sent in, and those of the person's channel that nobody else sent
/// in, unless they are memes of other channels. Their hashes and `more` are held, in ascending order.
///
/// # Errors
/// The database refused.
pub async fn hold_assets(conn: &mut PgConnection, user: Uuid, more: &str) -> Result<Vec<Asset>, sqlx::Error> {
    let assets = sqlx::query_as!(
        Asset,
        "select a.id, a.file_hash, a.source_hash, a.poster_hash, a.preview_hash from meme_assets a
         where a.id in (
             select s.asset_id from meme_submissions s where s.submitter_id = $1
             union select m.asset_id from memes m join channels c on c.id = m.channel_id where c.owner_id = $1)
           and not exists (select from meme_submissions s where s.asset_id = a.id and s.submitter_id <> $1)
           and not exists (select from memes m join channels c on c.id = m.channel_id
                           where m.asset_id = a.id and c.owner_id <> $1 and m.status <> 'deleted')
         order by a.id",
        user
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut hashes: Vec<&str> = assets.iter().flat_map(Asset::hashes).map(String::as_str).chain([more]).collect();
    hashes.sort_unstable();
    hashes.dedup();
    for hash in hashes {
        media::hold(&mut *conn, hash).await?;
    }
    Ok(assets)
}

/// Whether its pictures are these still: they may have been drawn meanwhile.
pub(super) async fn empty_asset(conn: &mut PgConnection, asset: &Asset, nothing: &str) -> Result<bool, sqlx::Error> {
    let emptied = sqlx::query!(
        "update meme_assets set file_hash = $2, source_hash = null, poster_hash = null, preview_hash = null
         where id = $1 and poster_hash is not distinct from $3 and preview_hash is not distinct from $4",
        asset.id,
        nothing,
        asset.poster_hash,
        asset.preview_hash,
    );
    Ok(emptied.execute(conn).await?.rows_affected() == 1)
}

pub(super) async fn forget_accounts(conn: &mut PgConnection, user: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from external_accounts where user_id = $1", user).execute(conn).await?;
    Ok(())
}

/// The channel's row stays, because coins were moved on it; its name is nobody's.
pub(super) async fn forget_channel(conn: &mut PgConnection, user: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "with gone as (delete from event_streams where key in (
             select log || slug from channels, (values ('channel:'), ('chat:')) logs (log) where owner_id = $1))
         update channels set slug = 'deleted-' || right(replace(id::text, '-', ''), 16), name = 'deleted', description = '',
                overlay_style_json = null, credits_style_json = null
         where owner_id = $1",
        user
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A login with a dash is one that nobody can have.
pub(super) async fn forget_user(conn: &mut PgConnection, user: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update users set login = 'deleted-' || right(replace(id::text, '-', ''), 16), display_name = 'deleted', avatar_url = null,
                email = null, password_hash = null, is_verified = false, role = 'viewer', observer = false
         where id = $1",
        user
    )
    .execute(conn)
    .await?;
    Ok(())
}

fn interval(length: Duration) -> PgInterval {
    PgInterval { months: 0, days: 0, microseconds: i64::try_from(length.as_micros()).unwrap_or(i64::MAX) }
}
