//! The map of what there is about people is that of the schema.

use std::collections::{BTreeMap, BTreeSet};

use domain::privacy::{self, HOLDINGS, IMPERSONAL};
use harness::TestDatabase;
use uuid::Uuid;

use super::source;

/// Tables of people that take rows of somebody who is forgotten, and why that leaves nothing. All others refuse them
/// (`refuse_forgotten`).
const OPEN: [(&str, &str); 26] = [
    ("sessions", "opened only behind the person's row, which says that nobody logs in"),
    ("attempts", "the last transaction looks again; guesses at a login that is gone are of nobody"),
    ("idempotency_keys", "the last transaction looks again"),
    ("wallets", "coins only"),
    ("ledger_operations", "of the log of acts, which refuses"),
    ("ledger_entries", "coins only"),
    ("token_sightings", "written for tokens of the living only"),
    ("mail_links", "made of mails"),
    ("activations", "placed behind the person's row"),
    ("channel_viewer_days", "figures only"),
    ("meme_tags", "kept by memes, behind the row of the channel's owner"),
    ("meme_words", "the same"),
    ("automod_acts", "the last transaction looks again"),
    ("chat_removals", "the last transaction looks again"),
    ("chat_messages", "the last transaction looks again"),
    ("chat_command_uses", "the last transaction looks again"),
    ("chat_counters", "counted by commands, which refuse; the last transaction looks again"),
    ("credits_sightings", "the last transaction looks again"),
    ("credits_chatters", "the last transaction looks again"),
    ("credits_donors", "the last transaction looks again"),
    ("events", "the last transaction looks again"),
    ("event_streams", "the last transaction looks again"),
    ("external_accounts", "linked behind the person's row"),
    ("default_bots", "linked behind the person's row"),
    ("users", "has a trigger of its own, below"),
    ("channels", "has a trigger of its own, below"),
];

/// Columns by table, but for partitions and what sqlx keeps.
async fn schema(pool: &sqlx::PgPool) -> BTreeMap<String, BTreeSet<String>> {
    let columns: Vec<(String, String)> = sqlx::query_as(
        "select c.relname::text, a.attname::text from pg_class c join pg_attribute a on a.attrelid = c.oid
         where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
           and a.attnum > 0 and not a.attisdropped and c.relname <> '_sqlx_migrations' and c.relname <> 'test_clock'",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    let mut schema: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (table, column) in columns {
        schema.entry(table).or_default().insert(column);
    }
    schema
}

#[tokio::test]
async fn every_table_and_every_column_is_on_the_map_of_privacy() {
    let database = TestDatabase::create().await;
    let pool = database.pool(1).await;
    let mut violations = Vec::new();
    let mut schema = schema(&pool).await;
    for holding in HOLDINGS {
        let Some(there) = schema.remove(holding.table) else {
            violations.push(format!("{} is on the map twice, or there is no such table", holding.table));
            continue;
        };
        let listed: Vec<&str> = holding.shown.iter().chain(holding.withheld).copied().collect();
        let known: BTreeSet<String> = listed.iter().map(|&column| column.to_owned()).collect();
        if known.len() != listed.len() {
            violations.push(format!("{}: a column is listed twice", holding.table));
        }
        let table = holding.table;
        violations.extend(there.difference(&known).map(|column| format!("{table}.{column}: shown or withheld?")));
        violations.extend(known.difference(&there).map(|column| format!("{table}.{column}: there is no such column")));
    }
    let people: Vec<String> = sqlx::query_scalar(
        "select distinct conrelid::regclass::text from pg_constraint where contype = 'f' and confrelid = 'users'::regclass",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    for (table, why) in IMPERSONAL {
        match schema.remove(*table) {
            None => violations.push(format!("{table} is on the map, too, or there is no such table")),
            Some(columns) => {
                let named = columns.iter().any(|column| column.ends_with("user_id") || column.starts_with("author"));
                if named || people.iter().any(|found| found == table) || why.is_empty() {
                    violations.push(format!("{table} refers to people"));
                }
            }
        }
    }
    violations.extend(schema.keys().map(|table| format!("{table} is not on the map: what does it say about whom?")));
    source::none(
        "Every table is in domain::privacy::HOLDINGS or IMPERSONAL, every column of the former too.",
        &violations,
    );

    // Its words are SQL.
    let mut conn = pool.acquire().await.unwrap();
    for holding in HOLDINGS {
        let rows = privacy::rows_of(&mut conn, holding, Uuid::now_v7(), 0).await;
        assert!(rows.unwrap_or_else(|error| panic!("{}: {error}", holding.table)).is_empty());
        let erased = privacy::erase_some(&mut conn, holding, Uuid::now_v7()).await;
        assert_eq!(erased.unwrap_or_else(|error| panic!("{}: {error}", holding.table)), 0);
    }
    drop(conn);
    pool.close().await;
}

#[tokio::test]
async fn each_table_of_people_refuses_rows_of_the_forgotten_or_says_why_it_need_not() {
    let database = TestDatabase::create().await;
    let pool = database.pool(1).await;
    let closed: Vec<String> = sqlx::query_scalar(
        "select distinct t.tgrelid::regclass::text from pg_trigger t join pg_proc p on p.oid = t.tgfoid
         where p.proname = 'refuse_forgotten' and t.tgenabled = 'O'",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    pool.close().await;
    let mut violations = Vec::new();
    for table in ["users", "channels"].iter().filter(|table| !closed.iter().any(|it| it == **table)) {
        violations.push(format!("{table} has no trigger"));
    }
    for holding in HOLDINGS {
        let open = OPEN.iter().any(|(table, _)| *table == holding.table);
        if !open && !closed.iter().any(|table| table == holding.table) {
            violations.push(format!("{}: a row of somebody who is forgotten is taken", holding.table));
        }
    }
    source::none("Late writers: a trigger as in migration 0024, or a reason in OPEN.", &violations);
}
