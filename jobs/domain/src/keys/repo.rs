//! SQL over all columns of sealed values, whose names come from [`COLUMNS`], so that these queries are put together here;
//! and over the processes that seal.

use sqlx::{PgConnection, Postgres, QueryBuilder, Row as _};
use uuid::Uuid;

use super::{COLUMNS, Column, Count, Holder, Strangeness, Stranger};
use crate::access::{KeyId, Vault};

/// At most `limit` values of rows beyond `after` that are not under the key, held until the transaction ends; without those
/// that somebody else holds.
pub(super) async fn hold(
    conn: &mut PgConnection,
    column: Column,
    after: Uuid,
    key: KeyId,
    limit: i64,
) -> Result<Vec<(Uuid, Vec<u8>)>, sqlx::Error> {
    let Column { table, name, row } = column;
    let mut query = QueryBuilder::<Postgres>::new("select ");
    query.push(row).push(", ").push(name).push(" from ").push(table).push(" where ").push(row).push(" > ");
    query.push_bind(after).push(" and substr(").push(name).push(", 2, 4) <> ").push_bind(key.as_bytes().to_vec());
    query.push(" order by ").push(row).push(" limit ").push_bind(limit).push(" for no key update skip locked");
    query.build_query_as().fetch_all(conn).await
}

/// Puts the values into their rows, which the transaction holds.
pub(super) async fn store(
    conn: &mut PgConnection,
    column: Column,
    rows: &[Uuid],
    values: &[Vec<u8>],
) -> Result<(), sqlx::Error> {
    let Column { table, name, row } = column;
    let mut query = QueryBuilder::<Postgres>::new("update ");
    query.push(table).push(" set ").push(name).push(" = renewed.value from unnest(").push_bind(rows);
    query.push("::uuid[], ").push_bind(values).push("::bytea[]) as renewed (row, value) where ");
    query.push(table).push(".").push(row).push(" = renewed.row");
    query.build().execute(conn).await?;
    Ok(())
}

/// How many values of each column are under which key.
///
/// # Errors
/// The database refused.
pub async fn status(conn: &mut PgConnection) -> Result<Vec<Count>, sqlx::Error> {
    let mut counts = Vec::new();
    for column in COLUMNS {
        let Column { table, name, .. } = column;
        let mut query = QueryBuilder::<Postgres>::new("select substr(");
        query.push(name).push(", 2, 4), count(*) from ").push(table).push(" where ").push(name);
        query.push(" is not null group by 1 order by 2 desc");
        for found in query.build().fetch_all(&mut *conn).await? {
            let (key, values): (Vec<u8>, i64) = (found.try_get(0)?, found.try_get(1)?);
            // What is too short to name a key is under none that we have.
            counts.push(Count { column, key: KeyId::from_bytes(&key), values });
        }
    }
    Ok(counts)
}

/// The keys that values of the column are under: a look into the index for each key, however many values there are.
pub(super) async fn keys_of(conn: &mut PgConnection, column: Column) -> Result<Vec<KeyId>, sqlx::Error> {
    let Column { table, name, .. } = column;
    let next = |query: &mut QueryBuilder<Postgres>, condition: &str| {
        query
            .push("(select substr(")
            .push(name)
            .push(", 2, 4) as key from ")
            .push(table)
            .push(" where substr(")
            .push(name);
        query.push(", 2, 4) ").push(condition).push(" order by 1 limit 1)");
    };
    let mut query = QueryBuilder::<Postgres>::new("with recursive found as (");
    next(&mut query, "is not null");
    query.push(" union all select later.key from found cross join lateral ");
    next(&mut query, "> found.key");
    query.push(" as later) select key from found");
    let keys: Vec<Vec<u8>> = query.build_query_scalar().fetch_all(conn).await?;
    // What is too short to name a key is broken, and no key would mend it: its owner meets that alone.
    Ok(keys.iter().filter(|key| key.len() == KeyId::BYTES).map(|key| KeyId::from_bytes(key)).collect())
}

/// How many values of the column are under the key.
pub(super) async fn count_under(conn: &mut PgConnection, column: Column, key: KeyId) -> Result<i64, sqlx::Error> {
    let mut query = QueryBuilder::<Postgres>::new("select count(*) from ");
    query.push(column.table).push(" where substr(").push(column.name).push(", 2, 4) = ");
    query.push_bind(key.as_bytes().to_vec());
    query.build_query_scalar().fetch_one(conn).await
}

/// Of two processes that begin at once, the later one sees the former.
pub(super) async fn take_turn(conn: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended('key_holders', 0))").fetch_one(conn).await?;
    Ok(())
}

/// The other processes that live and seal what this vault does not open, or do not open what it seals, or have another
/// secret than the one with this fingerprint.
pub(super) async fn strangers(
    conn: &mut PgConnection,
    id: Uuid,
    vault: &Vault,
    secret: &str,
) -> Result<Vec<Stranger>, sqlx::Error> {
    let (present, opens) = names(vault);
    let rows = sqlx::query!(
        r#"select id, process, key, coalesce(secret <> $4, false) as "other_secret!", not (key = any ($3)) as "closed_to_us!", seen_at
           from key_holders
           where id <> $1 and seen_at >= machine_now() - interval '20 s'
             and (coalesce(secret <> $4, false) or not (key = any ($3) and ($2 = key or $2 = any (opens))))
           order by process, id"#,
        id,
        present,
        &opens,
        secret,
    )
    .fetch_all(conn)
    .await?;
    let why = |other_secret, closed_to_us| match (other_secret, closed_to_us) {
        (_, true) => Strangeness::ClosedToUs,
        (true, false) => Strangeness::OtherSecret,
        (false, false) => Strangeness::ClosedToIt,
    };
    let strangers = rows.into_iter().map(|row| Stranger {
        id: row.id,
        process: row.process,
        key: row.key,
        why: why(row.other_secret, row.closed_to_us),
        seen_at: row.seen_at,
    });
    Ok(strangers.collect())
}

/// Says that this process lives, which keys it has and which secret, and forgets those that have not said so for a while.
pub(super) async fn announce(
    conn: &mut PgConnection,
    id: Uuid,
    process: &str,
    vault: &Vault,
    secret: &str,
) -> Result<(), sqlx::Error> {
    let (present, opens) = names(vault);
    sqlx::query!(
        "with gone as (
             delete from key_holders where id <> $1 and seen_at < machine_now() - interval '20 s'
         )
         insert into key_holders (id, process, key, opens, secret) values ($1, $2, $3, $4, $5)
         on conflict (id) do update set seen_at = machine_now()",
        id,
        process,
        present,
        &opens,
        secret,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The key that seals, and all that open.
fn names(vault: &Vault) -> (String, Vec<String>) {
    (vault.present().to_string(), vault.key_ids().map(|key| key.to_string()).collect())
}

/// Says that this process seals nothing any more.
///
/// # Errors
/// The database refused.
pub async fn withdraw(conn: &mut PgConnection, id: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from key_holders where id = $1", id).execute(conn).await?;
    Ok(())
}

/// The processes that live; one that died without a word is among them for twenty seconds.
///
/// # Errors
/// The database refused.
pub async fn holders(conn: &mut PgConnection) -> Result<Vec<Holder>, sqlx::Error> {
    sqlx::query_as!(
        Holder,
        "select process, key from key_holders where seen_at >= machine_now() - interval '20 s' order by process, id"
    )
    .fetch_all(conn)
    .await
}
