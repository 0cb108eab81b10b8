//! SQL of identities.

use std::time::Duration;

use sqlx::{PgConnection, postgres::types::PgInterval};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Account, Flow, Grant, Identity, Provider, Seat, Wish, commands::Sealed};

struct AccountRow {
    id: Uuid,
    provider: String,
    provider_user_id: String,
    login: String,
    display_name: String,
    avatar_url: Option<String>,
    scopes: Vec<String>,
    linked_at: OffsetDateTime,
    relink_reason: Option<String>,
}

impl AccountRow {
    /// None for a platform that a newer release knows.
    fn known(self) -> Option<Account> {
        Some(Account {
            id: self.id,
            provider: self.provider.parse().ok()?,
            provider_user_id: self.provider_user_id,
            login: self.login,
            display_name: self.display_name,
            avatar_url: self.avatar_url,
            scopes: self.scopes,
            linked_at: self.linked_at,
            relink_reason: self.relink_reason,
        })
    }
}

/// The person's accounts, in the order in which they were linked.
///
/// # Errors
/// The database refused.
pub async fn list(conn: &mut PgConnection, user: Uuid) -> Result<Vec<Account>, sqlx::Error> {
    let rows = sqlx::query_as!(
        AccountRow,
        "select id, provider, provider_user_id, login, display_name, avatar_url, scopes, linked_at, relink_reason
           from external_accounts where user_id = $1 order by linked_at, id",
        user
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().filter_map(AccountRow::known).collect())
}

/// Whose accounts on the platform have this id there, or were last seen with this name.
///
/// # Errors
/// The database refused.
pub async fn owners(
    conn: &mut PgConnection,
    provider: Provider,
    subject: Option<&str>,
    login: Option<&str>,
) -> Result<Vec<Uuid>, sqlx::Error> {
    // Each question has its index.
    sqlx::query_scalar!(
        r#"select user_id as "user_id!" from external_accounts
           where provider = $1 and issuer = $2 and provider_user_id = $3
           union
           select user_id from external_accounts where provider = $1 and lower(login) = $4"#,
        provider.as_str(),
        provider.issuer(),
        subject,
        login,
    )
    .fetch_all(conn)
    .await
}

/// Whose account on the platform has this id there; nobody links it or logs in with it until this transaction ends.
///
/// # Errors
/// The database refused.
pub async fn hold_owner(
    conn: &mut PgConnection,
    provider: Provider,
    subject: &str,
) -> Result<Option<Uuid>, sqlx::Error> {
    let issuer = provider.issuer();
    hold_subject(&mut *conn, provider, issuer, subject).await?;
    sqlx::query_scalar!(
        "select user_id from external_accounts where provider = $1 and issuer = $2 and provider_user_id = $3",
        provider.as_str(),
        issuer,
        subject,
    )
    .fetch_optional(conn)
    .await
}

/// The person's account with this id.
pub(super) async fn find(conn: &mut PgConnection, user: Uuid, id: Uuid) -> Result<Option<Account>, sqlx::Error> {
    let row = sqlx::query_as!(
        AccountRow,
        "select id, provider, provider_user_id, login, display_name, avatar_url, scopes, linked_at, relink_reason
           from external_accounts where id = $1 and user_id = $2",
        id,
        user
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.and_then(AccountRow::known))
}

/// Lets nobody else log in with the identity or link it until this transaction ends: the first login makes a person, and two
/// at once would make two.
pub(super) async fn hold(conn: &mut PgConnection, identity: &Identity) -> Result<(), sqlx::Error> {
    hold_subject(conn, identity.provider, &identity.issuer, &identity.subject).await
}

async fn hold_subject(
    conn: &mut PgConnection,
    provider: Provider,
    issuer: &str,
    subject: &str,
) -> Result<(), sqlx::Error> {
    let name = format!("identity\n{provider}\n{issuer}\n{subject}");
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended($1, 0))", name).fetch_one(conn).await?;
    Ok(())
}

/// The account with this identity, and whose it is.
pub(super) async fn find_owner(
    conn: &mut PgConnection,
    identity: &Identity,
) -> Result<Option<(Uuid, Uuid)>, sqlx::Error> {
    let row = sqlx::query!(
        "select id, user_id from external_accounts where provider = $1 and issuer = $2 and provider_user_id = $3",
        identity.provider.as_str(),
        identity.issuer,
        identity.subject,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| (row.id, row.user_id)))
}

/// Whether the account has a token that is good for more than these scopes, and lives.
pub(super) async fn has_wider(conn: &mut PgConnection, id: Uuid, scopes: &[String]) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (select from external_accounts
                          where id = $1 and relink_reason is null and scopes @> $2 and not scopes <@ $2
                            and (refresh_token is not null
                                 or access_token is not null and coalesce(token_expires_at > app_now(), true))
                         ) as "wider!""#,
        id,
        scopes,
    )
    .fetch_one(conn)
    .await
}

/// Writes the account's names as the platform tells them now, and leaves its tokens as they are.
pub(super) async fn rename(
    conn: &mut PgConnection,
    id: Uuid,
    identity: &Identity,
    display_name: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update external_accounts set login = $2, display_name = $3, avatar_url = $4 where id = $1",
        id,
        crate::unseen::plain(&identity.login, 255),
        display_name,
        identity.avatar_url,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes the account as the platform tells it now. A login may grant less than a link before it did, so tokens and scopes
/// stay together; a refresh token that is not given again stays.
pub(super) async fn upsert(
    conn: &mut PgConnection,
    id: Uuid,
    user: Uuid,
    identity: &Identity,
    display_name: &str,
    grant: &Grant,
    sealed: &Sealed,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into external_accounts (id, user_id, provider, issuer, provider_user_id, login, display_name, avatar_url, scopes,
                                        access_token, refresh_token, token_expires_at, device_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, app_now() + $12::interval, $13)
         on conflict (provider, issuer, provider_user_id) do update
            set login = excluded.login, display_name = excluded.display_name, avatar_url = excluded.avatar_url,
                scopes = excluded.scopes, access_token = excluded.access_token,
                refresh_token = coalesce(excluded.refresh_token, external_accounts.refresh_token),
                token_expires_at = excluded.token_expires_at, device_id = excluded.device_id, refreshed_at = app_now(),
                relink_reason = null",
        id,
        user,
        identity.provider.as_str(),
        identity.issuer,
        identity.subject,
        crate::unseen::plain(&identity.login, 255),
        display_name,
        identity.avatar_url,
        &grant.scopes,
        sealed.access,
        sealed.refresh,
        grant.lifetime.map(interval),
        grant.device,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether the person could log in without this account. Nobody logs in with one that speaks in all channels.
pub(crate) async fn has_another_way_in(
    conn: &mut PgConnection,
    user: Uuid,
    account: Uuid,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (select 1 from external_accounts a where a.user_id = $1 and a.id <> $2
                          and not exists (select 1 from default_bots b where b.account_id = a.id))
               or exists (select 1 from users where id = $1 and password_hash is not null) as "there!""#,
        user,
        account
    )
    .fetch_one(conn)
    .await
}

pub(super) async fn delete(conn: &mut PgConnection, id: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from external_accounts where id = $1", id).execute(conn).await?;
    Ok(())
}

/// An account with its tokens as they are kept.
pub(super) struct TokenRow {
    pub(super) provider: Provider,
    pub(super) access: Option<Vec<u8>>,
    pub(super) refresh: Option<Vec<u8>>,
    pub(super) device: Option<String>,
    /// The access token is good for a while yet, as far as the platform said.
    pub(super) is_good: bool,
    pub(super) relink_reason: Option<String>,
}

/// The account's tokens; `margin` before its end a token counts as over. Nobody else renews them until this transaction
/// ends.
pub(super) async fn hold_tokens(
    conn: &mut PgConnection,
    id: Uuid,
    margin: Duration,
) -> Result<Option<TokenRow>, sqlx::Error> {
    let row = sqlx::query!(
        r#"select provider, access_token, refresh_token, device_id, relink_reason,
                  coalesce(token_expires_at > app_now() + $2::interval, true) as "is_good!"
             from external_accounts where id = $1 for no key update"#,
        id,
        interval(margin)
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.and_then(|row| {
        Some(TokenRow {
            provider: row.provider.parse().ok()?,
            access: row.access_token,
            refresh: row.refresh_token,
            device: row.device_id,
            is_good: row.is_good,
            relink_reason: row.relink_reason,
        })
    }))
}

/// Keeps renewed tokens; a refresh token that is not given again stays.
pub(super) async fn renew(
    conn: &mut PgConnection,
    id: Uuid,
    grant: &Grant,
    sealed: &Sealed,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update external_accounts
            set access_token = $2, refresh_token = coalesce($3, refresh_token), token_expires_at = app_now() + $4::interval,
                refreshed_at = app_now(), relink_reason = null
          where id = $1",
        id,
        sealed.access,
        sealed.refresh,
        grant.lifetime.map(interval),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The platform took the grant back: its tokens are good for nothing.
pub(super) async fn forget_tokens(conn: &mut PgConnection, id: Uuid, reason: &str) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update external_accounts set access_token = null, refresh_token = null, token_expires_at = null, relink_reason = $2
          where id = $1",
        id,
        reason
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Tokens as they wait to be given back.
pub(super) struct RevokedRow {
    pub(super) provider: String,
    pub(super) access: Option<Vec<u8>>,
    pub(super) refresh: Option<Vec<u8>>,
}

pub(super) async fn insert_revoked(
    conn: &mut PgConnection,
    id: Uuid,
    provider: Provider,
    access: Option<&[u8]>,
    refresh: Option<&[u8]>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into revoked_grants (id, provider, access_token, refresh_token) values ($1, $2, $3, $4)",
        id,
        provider.as_str(),
        access,
        refresh,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn find_revoked(conn: &mut PgConnection, id: Uuid) -> Result<Option<RevokedRow>, sqlx::Error> {
    sqlx::query_as!(
        RevokedRow,
        "select provider, access_token as access, refresh_token as refresh from revoked_grants where id = $1",
        id
    )
    .fetch_optional(conn)
    .await
}

/// The platform has heard of it, or never will.
///
/// # Errors
/// The database refused.
pub async fn forget_revoked(conn: &mut PgConnection, id: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from revoked_grants where id = $1", id).execute(conn).await?;
    Ok(())
}

/// Accounts of the platform whose tokens we keep, by id, after the one with `after`; at most `limit`.
///
/// # Errors
/// The database refused.
pub async fn to_validate(
    conn: &mut PgConnection,
    provider: Provider,
    after: Uuid,
    limit: i64,
) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        "select id from external_accounts where provider = $1 and id > $2 and access_token is not null order by id limit $3",
        provider.as_str(),
        after,
        limit,
    )
    .fetch_all(conn)
    .await
}

/// Whose account it is; none when it is gone.
///
/// # Errors
/// The database refused.
pub async fn find_provider(conn: &mut PgConnection, account: Uuid) -> Result<Option<Provider>, sqlx::Error> {
    let name = sqlx::query_scalar!("select provider from external_accounts where id = $1", account)
        .fetch_optional(conn)
        .await?;
    Ok(name.and_then(|name| name.parse().ok()))
}

pub(super) async fn insert_flow(
    conn: &mut PgConnection,
    hash: &[u8],
    provider: Provider,
    browser: &[u8],
    wish: Wish,
    redirect_to: &str,
) -> Result<(), sqlx::Error> {
    let (user, session, seat) = match wish {
        Wish::LogIn => (None, None, None),
        Wish::Link { user, session, seat } => (Some(user), Some(session), seat),
    };
    sqlx::query!(
        "insert into oauth_states (hash, provider, browser, user_id, session_id, redirect_to, bot, channel_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        hash,
        provider.as_str(),
        browser,
        user,
        session,
        redirect_to,
        seat.map(Seat::as_str),
        seat.and_then(Seat::channel),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes the flow out, if it is all that it is said to be.
pub(super) async fn take_flow(
    conn: &mut PgConnection,
    hash: &[u8],
    provider: Provider,
    browser: &[u8],
    linking: bool,
    lifetime: Duration,
) -> Result<Option<Flow>, sqlx::Error> {
    let row = sqlx::query!(
        "delete from oauth_states
          where hash = $1 and provider = $2 and browser = $3 and (user_id is not null) = $4
            and created_at > app_now() - $5::interval
         returning user_id, session_id, redirect_to, bot, channel_id",
        hash,
        provider.as_str(),
        browser,
        linking,
        interval(lifetime)
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| {
        let seat = match (row.bot.as_deref(), row.channel_id) {
            (Some("default"), _) => Some(Seat::Default),
            (_, Some(channel)) => Some(Seat::Channel(channel)),
            _ => None,
        };
        let wish = match (row.user_id, row.session_id) {
            (Some(user), Some(session)) => Wish::Link { user, session, seat },
            _ => Wish::LogIn,
        };
        Flow { wish, redirect_to: row.redirect_to }
    }))
}

/// Removes some of those that nobody came back with: each login that begins removes more than it adds.
pub(super) async fn forget_flows(conn: &mut PgConnection, lifetime: Duration) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "delete from oauth_states where hash in
            (select hash from oauth_states where created_at <= app_now() - $1::interval
              order by created_at limit 10 for update skip locked)",
        interval(lifetime)
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Longer than a century is a century.
fn interval(length: Duration) -> PgInterval {
    let longest = Duration::from_hours(24 * 365 * 100);
    let microseconds = i64::try_from(length.min(longest).as_micros()).unwrap_or(i64::MAX);
    PgInterval { months: 0, days: 0, microseconds }
}
