//! SQL over all columns of sealed values. Their names come from [`COLUMNS`], so these queries are put together here.

use sqlx::{PgConnection, Postgres, QueryBuilder, Row as _};
use uuid::Uuid;

use super::{COLUMNS, Column, Count};
use crate::access::KeyId;

/// At most `limit` values of rows beyond `after` that are not under the key, held until the transaction ends; without those that
/// somebody else holds.
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
