//! SQL of wallets and the ledger.

pub(super) mod listed;

use std::collections::BTreeMap;

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Locked, Movement, Wallet, WalletError};

/// The person's wallet in the channel, if there is one.
///
/// # Errors
/// The database refused.
pub async fn find(conn: &mut PgConnection, user: Uuid, channel: Uuid) -> Result<Option<Wallet>, sqlx::Error> {
    sqlx::query_as!(
        Wallet,
        "select id, user_id, channel_id, balance, version from wallets where user_id = $1 and channel_id = $2",
        user,
        channel
    )
    .fetch_optional(conn)
    .await
}

/// Whose wallet an operation moved, and by how many coins.
///
/// # Errors
/// The database refused.
pub(crate) async fn issued(conn: &mut PgConnection, operation: Uuid) -> Result<Option<(Uuid, i64)>, sqlx::Error> {
    let row = sqlx::query!(
        "select w.user_id, e.amount from ledger_entries e join wallets w on w.id = e.wallet_id where e.operation_id = $1",
        operation
    );
    Ok(row.fetch_optional(conn).await?.map(|row| (row.user_id, row.amount)))
}

/// The person's wallets in all channels, with the channels' slugs, by slug.
///
/// # Errors
/// The database refused.
pub async fn list_of_user(conn: &mut PgConnection, user: Uuid) -> Result<Vec<(Wallet, String)>, sqlx::Error> {
    let rows = sqlx::query!(
        "select w.id, w.user_id, w.channel_id, w.balance, w.version, c.slug
         from wallets w join channels c on c.id = w.channel_id
         where w.user_id = $1 order by c.slug",
        user
    )
    .fetch_all(conn)
    .await?;
    let wallets = rows.into_iter().map(|row| {
        let wallet = Wallet {
            id: row.id,
            user_id: row.user_id,
            channel_id: row.channel_id,
            balance: row.balance,
            version: row.version,
        };
        (wallet, row.slug)
    });
    Ok(wallets.collect())
}

/// Locks the wallets of these people in these channels, in id order, until the transaction ends. Who has none is not
/// among them.
///
/// # Errors
/// The database refused.
pub async fn lock_all(conn: &mut PgConnection, owners: &[(Uuid, Uuid)]) -> Result<Locked, sqlx::Error> {
    if owners.is_empty() {
        return Ok(Locked::default());
    }
    let (users, channels): (Vec<Uuid>, Vec<Uuid>) = owners.iter().copied().unzip();
    let wallets = sqlx::query_as!(
        Wallet,
        "select w.id, w.user_id, w.channel_id, w.balance, w.version
         from wallets w
         where (w.user_id, w.channel_id) in (select * from unnest($1::uuid[], $2::uuid[]))
         order by w.id
         for no key update of w",
        &users,
        &channels,
    )
    .fetch_all(conn)
    .await?;
    Ok(Locked::new(wallets))
}

/// An empty wallet, unless there is one.
pub(crate) async fn ensure(conn: &mut PgConnection, user: Uuid, channel: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into wallets (id, user_id, channel_id) values ($1, $2, $3) on conflict (user_id, channel_id) do nothing",
        Uuid::now_v7(),
        user,
        channel,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Entries as columns.
#[derive(Default)]
pub(super) struct Entries {
    pub(super) operation: Vec<Uuid>,
    pub(super) account: Vec<String>,
    pub(super) wallet: Vec<Option<Uuid>>,
    pub(super) amount: Vec<i64>,
    pub(super) balance_after: Vec<Option<i64>>,
    pub(super) version: Vec<Option<i64>>,
}

/// Writes operations, entries and the wallets' new balances in one statement.
pub(super) async fn append(
    conn: &mut PgConnection,
    operations: &[(&Movement, &'static str)],
    entries: &Entries,
) -> Result<(), WalletError> {
    let ids: Vec<Uuid> = operations.iter().map(|(movement, _)| movement.id).collect();
    let kinds: Vec<String> = operations.iter().map(|(_, kind)| (*kind).to_owned()).collect();
    let keys: Vec<String> = operations.iter().map(|(movement, _)| movement.key.clone()).collect();
    let channels: Vec<Uuid> = operations.iter().map(|(movement, _)| movement.channel_id).collect();
    let actors: Vec<Option<Uuid>> = operations.iter().map(|(movement, _)| movement.actor_id).collect();
    let reasons: Vec<Option<String>> = operations.iter().map(|(movement, _)| movement.reason.clone()).collect();
    let reversed: Vec<Option<Uuid>> = operations.iter().map(|(movement, _)| movement.reverses).collect();
    let mut moved = BTreeMap::new();
    for ((wallet, amount), version) in entries.wallet.iter().zip(&entries.amount).zip(&entries.version) {
        let (Some(wallet), Some(version)) = (*wallet, *version) else { continue };
        let (delta, first, last) = moved.entry(wallet).or_insert((0, version, version));
        *delta += amount;
        (*first, *last) = (version.min(*first), version.max(*last));
    }
    let wallets: Vec<Uuid> = moved.keys().copied().collect();
    let deltas: Vec<i64> = moved.values().map(|(delta, ..)| *delta).collect();
    let firsts: Vec<i64> = moved.values().map(|(_, first, _)| *first).collect();
    let lasts: Vec<i64> = moved.values().map(|(.., last)| *last).collect();
    let written = sqlx::query!(
        "with operation as (
             insert into ledger_operations (id, kind, idempotency_key, channel_id, actor_id, reason, reverses)
             select * from unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::uuid[], $6::text[], $7::uuid[])
         ), entry as (
             insert into ledger_entries (operation_id, account, wallet_id, amount, balance_after, version)
             select * from unnest($8::uuid[], $9::text[], $10::uuid[], $11::bigint[], $12::bigint[], $13::bigint[])
         )
         update wallets w set balance = w.balance + moved.delta, version = moved.last
         from unnest($14::uuid[], $15::bigint[], $16::bigint[], $17::bigint[]) as moved (wallet_id, delta, first, last)
         where w.id = moved.wallet_id and w.version = moved.first - 1",
        &ids,
        &kinds,
        &keys,
        &channels,
        &actors as &[Option<Uuid>],
        &reasons as &[Option<String>],
        &reversed as &[Option<Uuid>],
        &entries.operation,
        &entries.account,
        &entries.wallet as &[Option<Uuid>],
        &entries.amount,
        &entries.balance_after as &[Option<i64>],
        &entries.version as &[Option<i64>],
        &wallets,
        &deltas,
        &firsts,
        &lasts,
    )
    .execute(conn)
    .await;
    match written {
        Ok(written) if written.rows_affected() == wallets.len() as u64 => Ok(()),
        // Somebody wrote a wallet that we hold locked: impossible while all posting goes through here.
        Ok(_) => Err(WalletError::Database(sqlx::Error::RowNotFound)),
        Err(sqlx::Error::Database(error)) if error.constraint() == Some("ledger_operations_idempotency_key_key") => {
            Err(WalletError::AlreadyPosted(keys.join(", ")))
        }
        Err(error) => Err(error.into()),
    }
}

/// Every breach of the ledger's rules, in words; empty when all is well. Reads the whole ledger.
///
/// # Errors
/// The database refused.
pub async fn audit(conn: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
    let breaches = sqlx::query_scalar!(
        r#"select 'operation ' || operation_id || ' does not sum to zero' as "breach!"
           from ledger_entries group by operation_id having sum(amount) <> 0
           union all
           select 'operation ' || o.id || ' has no entries'
           from ledger_operations o
           where o.kind <> 'free' and not exists (select from ledger_entries e where e.operation_id = o.id)
           union all
           select 'wallet ' || w.id || ' holds ' || w.balance || ' but its entries say ' || coalesce(sum(e.amount), 0)
           from wallets w left join ledger_entries e on e.wallet_id = w.id
           group by w.id
           having w.balance <> coalesce(sum(e.amount), 0) or w.version <> count(e.wallet_id)
           union all
           select 'wallet ' || chain.wallet_id || ' breaks its chain at version ' || chain.version
           from (
               select wallet_id, version, balance_after, amount,
                      lag(balance_after, 1, 0) over (partition by wallet_id order by version) as before,
                      row_number() over (partition by wallet_id order by version) as place
               from ledger_entries where wallet_id is not null
           ) chain
           where chain.balance_after <> chain.before + chain.amount or chain.place <> chain.version"#
    )
    .fetch_all(conn)
    .await?;
    Ok(breaches)
}

/// Coins that this admin moved by hand in these people's wallets in the channel, either way and with nobody else's agreement:
/// within a day, or within a day before or after the given time.
pub(crate) async fn moved_by_hand(
    conn: &mut PgConnection,
    actor: Uuid,
    channel: Uuid,
    users: &[Uuid],
    around: Option<OffsetDateTime>,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select coalesce(sum(abs(e.amount)), 0)::bigint as "coins!"
           from ledger_operations o
                join ledger_entries e on e.operation_id = o.id
                join wallets w on w.id = e.wallet_id and w.user_id = any($2)
           where o.actor_id = $1 and o.kind = 'adjust' and o.channel_id = $3
             and o.created_at > coalesce($4, app_now()) - interval '1 day'
             and o.created_at < coalesce($4, app_now()) + interval '1 day'
             and not exists (select from pending_adjustments p where p.id = o.id)"#,
        actor,
        users,
        channel,
        around,
    )
    .fetch_one(conn)
    .await
}
