//! Every column of sealed values is one that a rotation goes through.

use harness::TestDatabase;
use syn::visit::Visit;

use super::source;

/// Columns of bytes that are no sealed values: hashes (by their names), and what came over a wire.
const PLAIN: [&str; 5] = [
    "idempotency_keys.fingerprint",
    "oauth_states.browser",
    "chat_batches.lines",
    "chat_dead_letters.line",
    "webhook_deliveries.body",
];

fn rotated() -> Vec<String> {
    domain::keys::COLUMNS.iter().map(|column| format!("{}.{}", column.table, column.name)).collect()
}

#[tokio::test]
async fn every_column_of_bytes_is_rotated_or_no_secret() {
    let database = TestDatabase::create().await;
    let pool = database.pool(1).await;
    let there: Vec<String> = sqlx::query_scalar(
        "select table_name || '.' || column_name from information_schema.columns
         where table_schema = 'public' and table_name <> '_sqlx_migrations' and udt_name in ('bytea', '_bytea') order by 1",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    pool.close().await;
    let rotated = rotated();
    let plain = |column: &str| PLAIN.contains(&column) || column.ends_with(".hash") || column.ends_with("_hash");
    let unknown = there.iter().filter(|column| !rotated.contains(column) && !plain(column));
    let gone = rotated.iter().filter(|column| !there.contains(column));
    let unknown = unknown.map(|column| format!("{column} is not known: does it hold sealed values?"));
    let violations: Vec<String> = unknown.chain(gone.map(|column| format!("there is no {column}"))).collect();
    source::none(
        "A column of bytes is in domain::keys::COLUMNS, or its name ends in hash, or it is PLAIN here.",
        &violations,
    );
}

/// Collects table and column of every `Place { .. }` that is written out.
#[derive(Default)]
struct Places(Vec<String>);

impl<'ast> Visit<'ast> for Places {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if item.ident != "tests" {
            syn::visit::visit_item_mod(self, item);
        }
    }

    fn visit_expr_struct(&mut self, expr: &'ast syn::ExprStruct) {
        if expr.path.segments.last().is_some_and(|last| last.ident == "Place") {
            let text = |name: &str| {
                let field =
                    expr.fields.iter().find(|field| matches!(&field.member, syn::Member::Named(it) if it == name))?;
                match &field.expr {
                    syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
                    _ => None,
                }
            };
            if let (Some(table), Some(column)) = (text("table"), text("column")) {
                self.0.push(format!("{table}.{column}"));
            }
        }
        syn::visit::visit_expr_struct(self, expr);
    }
}

#[test]
fn whatever_is_sealed_for_a_column_is_rotated_there() {
    let mut places = Vec::new();
    for (path, text) in source::product() {
        let mut found = Places::default();
        found.visit_file(&syn::parse_file(&text).unwrap_or_else(|error| panic!("{path}: {error}")));
        places.extend(found.0.into_iter().map(|place| (path.clone(), place)));
    }
    let rotated = rotated();
    let of_nobody = rotated.iter().filter(|column| !places.iter().any(|(_, place)| place == *column));
    let of_nobody = of_nobody.map(|column| format!("nothing is sealed for {column}"));
    let missing = places.iter().filter(|(_, place)| !rotated.contains(place));
    let violations: Vec<String> = missing.map(|(path, place)| format!("{path}: {place}")).chain(of_nobody).collect();
    source::none("What the vault seals stands in domain::keys::COLUMNS.", &violations);
}
