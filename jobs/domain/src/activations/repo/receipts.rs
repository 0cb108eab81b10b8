//! What moved in a viewer's wallet, and why.

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

/// One movement of coins in a wallet.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// Counts the wallet's movements from 1, without gaps.
    pub version: i64,
    pub operation_id: Uuid,
    /// `place`, `refund` or `adjust`.
    pub kind: String,
    /// Coins that came (above 0) or went.
    pub amount: i64,
    /// Coins after it.
    pub balance: i64,
    /// A word of [`Reason`](crate::activations::Reason)'s, or `by_hand`.
    pub reason: Option<String>,
    pub created_at: OffsetDateTime,
    /// The play that was paid for or given back.
    pub play: Option<ReceiptPlay>,
}

#[derive(Debug, Clone)]
pub struct ReceiptPlay {
    pub id: Uuid,
    pub meme_id: Uuid,
    pub title: String,
    /// Coins before the discount.
    pub price: i64,
    pub discount_bp: i32,
}

/// The movements in the person's wallet in the channel, the newest first, from before the given version.
///
/// # Errors
/// The database refused.
pub async fn receipts(
    conn: &mut PgConnection,
    user: Uuid,
    channel: Uuid,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<Receipt>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select e.version as "version!", e.amount, e.balance_after as "balance!", o.id, o.kind, o.reason, o.created_at,
                  a.id as "play_id?", a.meme_id as "meme_id?", a.title as "title?", a.price as "price?",
                  a.discount_bp as "discount_bp?"
           from wallets w
           join ledger_entries e on e.wallet_id = w.id
           join ledger_operations o on o.id = e.operation_id
           -- A payment has its play's id, what takes it back names it.
           left join activations a on a.id = case when o.kind = 'place' then o.id when o.kind = 'refund' then o.reverses end
           where w.user_id = $1 and w.channel_id = $2 and e.version < $3
           order by e.version desc
           limit $4"#,
        user,
        channel,
        before.unwrap_or(i64::MAX),
        limit,
    )
    .fetch_all(conn)
    .await?;
    let receipts = rows.into_iter().map(|row| {
        let play = || {
            Some(ReceiptPlay {
                id: row.play_id?,
                meme_id: row.meme_id?,
                title: row.title?,
                price: row.price?,
                discount_bp: row.discount_bp?,
            })
        };
        Receipt {
            version: row.version,
            operation_id: row.id,
            kind: row.kind,
            amount: row.amount,
            balance: row.balance,
            reason: row.reason,
            created_at: row.created_at,
            play: play(),
        }
    });
    Ok(receipts.collect())
}
