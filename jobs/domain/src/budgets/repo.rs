//! SQL of budgets.

use std::collections::BTreeMap;

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::model::{Budget, Name, SLICES, Taken, Window};

/// What a process wants of one budget.
#[derive(Debug, Clone, Copy)]
pub struct Ask {
    pub budget: Budget,
    /// Uses that wait for a grant.
    pub waiting: u32,
    /// Uses that were granted without asking, while the database was away.
    pub charge: u32,
    /// What is left of an earlier grant: the slice that it was counted in, and how much.
    pub unused: Option<(i64, u32)>,
}

/// Charges, takes back and grants, all in one transaction that only touches these rows: they are held until its end. The
/// time at the database, in milliseconds since 1970, and of each name what was granted with the window after it.
///
/// # Errors
/// The database refused; then nothing was granted.
pub async fn exchange(
    conn: &mut PgConnection,
    asks: &BTreeMap<Name, Ask>,
) -> Result<(i64, BTreeMap<Name, (Taken, Window)>), sqlx::Error> {
    // In order, as each process does it: two of them never wait for each other in a ring.
    let keys: Vec<Uuid> = asks.keys().map(|name| name.0).collect();
    let nothing = vec![0; SLICES];
    sqlx::query!(
        "insert into budgets (key, began_at, slices, ends_at)
         select key, app_now(), $2::integer[], app_now() from unnest($1::uuid[]) as asked (key) order by key
         on conflict do nothing",
        &keys,
        &nothing,
    )
    .execute(&mut *conn)
    .await?;
    let rows = sqlx::query!(
        r#"select key, began_at, slices, app_now() as "now!" from budgets where key = any($1) order by key for update"#,
        &keys,
    )
    .fetch_all(&mut *conn)
    .await?;

    let mut clock = 0;
    let mut granted = BTreeMap::new();
    let (mut changed, mut began, mut slices, mut ends) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for row in rows {
        let (name, now_ms) = (Name(row.key), to_ms(row.now));
        let Some(ask) = asks.get(&name) else { continue };
        let before = Window { began_ms: to_ms(row.began_at), slices: counts(&row.slices) };
        let mut window = before;
        if let Some((slice_ms, unused)) = ask.unused {
            window.give_back(slice_ms, ask.budget, unused);
        }
        if ask.charge > 0 {
            window.charge(now_ms, ask.budget, ask.charge);
        }
        let taken = window.take(now_ms, ask.budget, ask.waiting);
        if window != before {
            changed.push(row.key);
            began.push(from_ms(window.began_ms));
            slices.push(text(&window.slices));
            ends.push(from_ms(window.ends_ms(ask.budget)));
        }
        clock = now_ms;
        granted.insert(name, (taken, window));
    }
    if !changed.is_empty() {
        sqlx::query!(
            "update budgets set began_at = used.began_at, slices = used.slices::integer[], ends_at = used.ends_at
             from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::timestamptz[])
                  as used (key, began_at, slices, ends_at)
             where budgets.key = used.key",
            &changed,
            &began,
            &slices,
            &ends,
        )
        .execute(conn)
        .await?;
    }
    Ok((clock, granted))
}

/// Removes what does not count any more; says how many.
///
/// # Errors
/// The database refused.
pub async fn forget_ended(conn: &mut PgConnection) -> Result<u64, sqlx::Error> {
    Ok(sqlx::query!("delete from budgets where ends_at < app_now()").execute(conn).await?.rows_affected())
}

fn counts(slices: &[i32]) -> [u32; SLICES] {
    let mut counts = [0; SLICES];
    for (count, slice) in counts.iter_mut().zip(slices) {
        *count = slice.unsigned_abs();
    }
    counts
}

/// An array as PostgreSQL writes it: `unnest` takes arrays of arrays apart.
fn text(slices: &[u32; SLICES]) -> String {
    let counts: Vec<String> =
        slices.iter().map(|count| i32::try_from(*count).unwrap_or(i32::MAX).to_string()).collect();
    format!("{{{}}}", counts.join(","))
}

fn to_ms(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)
}

fn from_ms(ms: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}
