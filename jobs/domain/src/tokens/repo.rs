//! SQL of tokens.

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Alarm, Kind, NewToken, Program, Scope, Sighting, Token};
use crate::sessions::Ended;

struct Row {
    id: Uuid,
    kind: String,
    name: String,
    scopes: Vec<String>,
    own: bool,
    credits: bool,
    created_at: OffsetDateTime,
    expires_at: Option<OffsetDateTime>,
    expired: bool,
    seen_at: Option<OffsetDateTime>,
    seen_network: Option<String>,
    alarm_at: Option<OffsetDateTime>,
    alarm_network: Option<String>,
    alarm_other: Option<String>,
}

impl From<Row> for Token {
    fn from(row: Row) -> Self {
        let alarm = match (row.alarm_at, row.alarm_network, row.alarm_other) {
            (Some(at), Some(network), Some(other)) => Some(Alarm { at, network, other }),
            _ => None,
        };
        Self {
            id: row.id,
            kind: Kind::parse(&row.kind),
            name: row.name,
            scopes: scopes(&row.scopes),
            own: row.own,
            credits: row.credits,
            created_at: row.created_at,
            expires_at: row.expires_at,
            expired: row.expired,
            seen_at: row.seen_at,
            seen_network: row.seen_network,
            alarm,
        }
    }
}

fn scopes(words: &[String]) -> Vec<Scope> {
    words.iter().filter_map(|word| Scope::parse(word)).collect()
}

/// The rows of those of these tokens that are channels' own links and have none yet.
pub(super) async fn insert_own(conn: &mut PgConnection, ids: &[Uuid]) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into tokens (id, channel_id, kind, name, scopes)
         select own.id, own.channel_id, 'overlay', own.name, '{}'::text[]
         from (select id, id as channel_id, 'Overlay' as name, owner_id from channels where id = any($1)
               union all
               select credits_token_id, id, 'Credits', owner_id from channels where credits_token_id = any($1)) own
         join users u on u.id = own.owner_id
         where u.erased_at is null
         on conflict (id) do nothing",
        ids
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The channel's tokens that are not revoked, the oldest first; one of them alone where an id is given.
pub(super) async fn list(conn: &mut PgConnection, channel: Uuid, id: Option<Uuid>) -> Result<Vec<Token>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"select id, kind, name, scopes, hash is null as "own!", hash is null and id <> channel_id as "credits!", created_at, expires_at,
                  coalesce(expires_at <= app_now(), false) as "expired!", seen_at, seen_network, alarm_at, alarm_network, alarm_other
           from tokens
           where channel_id = $1 and revoked_at is null and ($2::uuid is null or id = $2)
           order by hash is not null, id <> channel_id, created_at, id"#,
        channel,
        id
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(Token::from).collect())
}

/// How many good ones the channel has beside its own links; nobody makes another until the end of the transaction.
pub(super) async fn lock_count(conn: &mut PgConnection, channel: Uuid) -> Result<i64, sqlx::Error> {
    sqlx::query!("select from channels where id = $1 for no key update", channel).execute(&mut *conn).await?;
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from tokens
           where channel_id = $1 and revoked_at is null and hash is not null
             and (expires_at is null or expires_at > app_now())"#,
        channel
    )
    .fetch_one(conn)
    .await
}

/// False when it would be over already.
pub(super) async fn insert(
    conn: &mut PgConnection,
    id: Uuid,
    channel: Uuid,
    token: &NewToken,
    scopes: &[Scope],
    hash: &[u8; 32],
) -> Result<bool, sqlx::Error> {
    let scopes: Vec<String> = scopes.iter().map(|scope| scope.as_str().to_owned()).collect();
    let made = sqlx::query!(
        "insert into tokens (id, channel_id, kind, name, scopes, hash, expires_at)
         select $1, $2, $3, $4, $5, $6, $7::timestamptz where $7::timestamptz is null or $7::timestamptz > app_now()",
        id,
        channel,
        token.kind.as_str(),
        token.name,
        &scopes,
        hash.as_slice(),
        token.expires_at,
    )
    .execute(conn)
    .await?;
    Ok(made.rows_affected() == 1)
}

pub(super) async fn rename(conn: &mut PgConnection, id: Uuid, name: &str) -> Result<(), sqlx::Error> {
    sqlx::query!("update tokens set name = $2 where id = $1", id, name).execute(conn).await?;
    Ok(())
}

/// Takes the alarm back; the networks that are known by now raise none any more.
pub(super) async fn acknowledge(conn: &mut PgConnection, id: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!("update tokens set alarm_at = null, alarm_network = null, alarm_other = null where id = $1", id)
        .execute(&mut *conn)
        .await?;
    sqlx::query!("update token_sightings set known = true where token_id = $1", id).execute(conn).await?;
    Ok(())
}

/// Nothing has been seen of it: it is another token from now on.
///
/// # Errors
/// The database refused.
pub async fn reset(conn: &mut PgConnection, id: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update tokens set created_at = app_now(), seen_at = null, seen_network = null,
             alarm_at = null, alarm_network = null, alarm_other = null
         where id = $1",
        id
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!("delete from token_sightings where token_id = $1", id).execute(conn).await?;
    Ok(())
}

/// Revokes all tokens of the channel. Its own links have no hash and are never revoked: another version is their end.
///
/// # Errors
/// The database refused.
pub async fn revoke_all(conn: &mut PgConnection, channel: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update tokens set revoked_at = app_now() where channel_id = $1 and hash is not null and revoked_at is null",
        channel
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn revoke(conn: &mut PgConnection, id: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!("update tokens set revoked_at = app_now() where id = $1 and revoked_at is null", id)
        .execute(conn)
        .await?;
    Ok(())
}

/// Removes at most `limit` tokens that were revoked a day ago, when every process has heard of it, or over a month ago; and
/// at most as many networks from which a token was not used any more for a day, or for 90 where the streamer knows them.
/// Says how many of those of which there were more.
///
/// # Errors
/// The database refused.
pub async fn forget_old(conn: &mut PgConnection, limit: i64) -> Result<u64, sqlx::Error> {
    let tokens = sqlx::query!(
        "delete from tokens where id in (
             select id from tokens where revoked_at < app_now() - interval '1 day'
             union select id from tokens where expires_at < app_now() - interval '30 days' limit $1)",
        limit
    )
    .execute(&mut *conn)
    .await?;
    let networks = sqlx::query!(
        "delete from token_sightings where (token_id, network) in (
             select token_id, network from token_sightings
             where last_seen_at < app_now() - case when known then interval '90 days' else interval '1 day' end limit $1)",
        limit
    )
    .execute(conn)
    .await?;
    Ok(tokens.rows_affected().max(networks.rows_affected()))
}

/// The channel whose overlay the good token with this hash opens; the token's id first.
pub(super) async fn find_overlay(
    conn: &mut PgConnection,
    hash: &[u8; 32],
) -> Result<Option<(Uuid, Uuid)>, sqlx::Error> {
    let row = sqlx::query!(
        "select id, channel_id from tokens
         where hash = $1 and kind = 'overlay' and revoked_at is null and (expires_at is null or expires_at > app_now())",
        hash.as_slice()
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| (row.id, row.channel_id)))
}

/// The good token of a dock or a program with this hash.
pub(super) async fn find_program(conn: &mut PgConnection, hash: &[u8; 32]) -> Result<Option<Program>, sqlx::Error> {
    let row = sqlx::query!(
        "select t.id, t.channel_id, c.owner_id, t.scopes
         from tokens t join channels c on c.id = t.channel_id
         where t.hash = $1 and t.kind in ('dock', 'api') and t.revoked_at is null
           and (t.expires_at is null or t.expires_at > app_now())",
        hash.as_slice()
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Program {
        token: row.id,
        channel: row.channel_id,
        owner: row.owner_id,
        scopes: scopes(&row.scopes),
    }))
}

/// The tokens that were revoked, or whose time was over, at or after this time, by the database's clock; without one, in the
/// last twenty minutes: no process keeps a token in mind for longer without asking again.
///
/// # Errors
/// The database refused.
pub async fn ended_since(conn: &mut PgConnection, since: Option<OffsetDateTime>) -> Result<Vec<Ended>, sqlx::Error> {
    sqlx::query_as!(
        Ended,
        r#"select id as "id!", revoked_at as "at!", false as "expired!" from tokens
           where revoked_at >= coalesce($1::timestamptz, app_now() - interval '20 minutes')
           union all
           select id, expires_at, true from tokens
           where expires_at >= coalesce($1::timestamptz, app_now() - interval '20 minutes') and expires_at <= app_now()"#,
        since
    )
    .fetch_all(conn)
    .await
}

/// Those of these tokens that are there and not revoked, unless their channel's owner is forgotten; nobody changes them
/// until the end of the transaction.
pub(super) async fn lock(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        "select t.id from tokens t join channels c on c.id = t.channel_id join users u on u.id = c.owner_id
         where t.id = any($1) and t.revoked_at is null and u.erased_at is null
         order by t.id for no key update of t",
        ids
    )
    .fetch_all(conn)
    .await
}

/// Networks of one token, at most: whoever has stolen one and comes from everywhere fills no disk.
const MOST_NETWORKS: i64 = 32;

/// Writes down that the tokens are used from these networks right now.
pub(super) async fn write(conn: &mut PgConnection, sightings: &[Sighting]) -> Result<(), sqlx::Error> {
    let ids: Vec<Uuid> = sightings.iter().map(|sighting| sighting.token).collect();
    let networks: Vec<String> = sightings.iter().map(|sighting| sighting.network.clone()).collect();
    sqlx::query!(
        "insert into token_sightings (token_id, network)
         select s.token_id, s.network from unnest($1::uuid[], $2::text[]) as s (token_id, network)
         where exists (select from token_sightings k where k.token_id = s.token_id and k.network = s.network)
            or (select count(*) from token_sightings k where k.token_id = s.token_id) < $3
         on conflict (token_id, network) do update set last_seen_at = app_now()",
        &ids,
        &networks,
        MOST_NETWORKS
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "update tokens t set seen_at = app_now(), seen_network = s.network
         from unnest($1::uuid[], $2::text[]) as s (token_id, network)
         where t.id = s.token_id",
        &ids,
        &networks
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// An alarm that has just been raised.
pub(super) struct Raised {
    pub(super) owner: Uuid,
    pub(super) slug: String,
    pub(super) id: Uuid,
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) at: OffsetDateTime,
    pub(super) network: String,
    pub(super) other: String,
}

/// Raises the alarm for those of these tokens that were seen from two networks in the last minutes, of which the streamer
/// does not know at least one.
pub(super) async fn raise(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Raised>, sqlx::Error> {
    sqlx::query_as!(
        Raised,
        r#"with pair as (
             select distinct on (n.token_id) n.token_id, n.network, o.network as other
             from token_sightings n
             join token_sightings o on o.token_id = n.token_id and o.network <> n.network
             where n.token_id = any($1) and not n.known
               and n.last_seen_at > app_now() - interval '10 minutes'
               and o.last_seen_at > app_now() - interval '10 minutes'
             order by n.token_id, n.first_seen_at desc, o.known desc, o.first_seen_at
           )
           update tokens t set alarm_at = app_now(), alarm_network = pair.network, alarm_other = pair.other
           from pair, channels c
           where t.id = pair.token_id and c.id = t.channel_id and t.alarm_at is null
           returning c.owner_id as owner, c.slug, t.id, t.kind, t.name, t.alarm_at as "at!", pair.network as "network!", pair.other as "other!""#,
        ids
    )
    .fetch_all(conn)
    .await
}
