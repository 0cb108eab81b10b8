//! What moved in a viewer's wallet, and why.

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{Place, rewards::Trigger, wallets};

/// One movement of coins in a wallet.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// Counts the wallet's movements from 1, without gaps.
    pub version: i64,
    pub operation_id: Uuid,
    pub channel_id: Uuid,
    pub channel_slug: String,
    /// `place`, `refund`, `adjust`, `grant` or `reward`.
    pub kind: String,
    /// Coins that came (above 0) or went.
    pub amount: i64,
    /// Coins after it.
    pub balance: i64,
    /// A word of [`Reason`](crate::activations::Reason)'s, or `by_hand`.
    pub reason: Option<String>,
    /// What the admin said of an adjustment by hand, or of a grant.
    pub note: Option<String>,
    pub created_at: OffsetDateTime,
    /// The play that was paid for or given back.
    pub play: Option<ReceiptPlay>,
    /// What the person did on a platform, for which the channel's rules gave the coins.
    pub deed: Option<ReceiptDeed>,
}

#[derive(Debug, Clone)]
pub struct ReceiptDeed {
    pub trigger: Trigger,
    /// Bits, gifts, viewers of a raid, months; 1 where there is nothing to count.
    pub amount: i64,
    /// Of a reward for channel points.
    pub title: Option<String>,
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

/// A row as it is read: a play is all or nothing.
struct Row {
    version: i64,
    id: Uuid,
    channel_id: Uuid,
    slug: String,
    kind: String,
    amount: i64,
    balance: i64,
    reason: Option<String>,
    note: Option<String>,
    created_at: OffsetDateTime,
    play_id: Option<Uuid>,
    meme_id: Option<Uuid>,
    title: Option<String>,
    price: Option<i64>,
    discount_bp: Option<i32>,
    trigger: Option<Trigger>,
    counted: Option<i64>,
    reward_title: Option<String>,
}

impl From<Row> for Receipt {
    fn from(row: Row) -> Self {
        let play = || {
            Some(ReceiptPlay {
                id: row.play_id?,
                meme_id: row.meme_id?,
                title: row.title?,
                price: row.price?,
                discount_bp: row.discount_bp?,
            })
        };
        let deed =
            || Some(ReceiptDeed { trigger: row.trigger?, amount: row.counted?, title: row.reward_title.clone() });
        Self {
            deed: deed(),
            play: play(),
            version: row.version,
            operation_id: row.id,
            channel_id: row.channel_id,
            channel_slug: row.slug,
            kind: row.kind,
            amount: row.amount,
            balance: row.balance,
            reason: row.reason,
            note: row.note,
            created_at: row.created_at,
        }
    }
}

/// Movements, each with what it was about.
macro_rules! select {
    ($moved:literal, $order:literal $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            Row,
            r#"select moved.version as "version!", moved.id, moved.channel_id, c.slug, moved.kind, moved.amount,
                      moved.balance as "balance!", moved.reason, coalesce(said.reason, given.reason) as note, moved.created_at,
                      a.id as "play_id?", a.meme_id as "meme_id?", a.title as "title?", a.price as "price?",
                      a.discount_bp as "discount_bp?", earned.trigger as "trigger?: Trigger", earned.amount as "counted?",
                      earned.reward_title as "reward_title?"
               from (select e.version, e.amount, e.balance_after as balance, o.id, o.kind, o.reason, o.reverses, o.created_at,
                            w.channel_id
                     from wallets w
                     join ledger_entries e on e.wallet_id = w.id
                     join ledger_operations o on o.id = e.operation_id "#
                + $moved
                + r#") moved
               join channels c on c.id = moved.channel_id
               -- A payment has its play's id, what takes it back names it.
               left join activations a
                 on a.id = case when moved.kind = 'place' then moved.id when moved.kind = 'refund' then moved.reverses end
               -- What an event earns has its id, be it paid at once or when the person came.
               left join external_reward_events earned on earned.id = moved.id
               -- So has a grant that an admin made; what waits for an event's person is one, too.
               left join pending_grants given on given.id = moved.id and moved.kind = 'grant' and earned.id is null
               left join people_acts said
                 on said.thing = moved.id and said.act in ('adjust_wallet', 'approve_adjustment') "#
                + $order
            $(, $argument)*
        )
    };
}

/// The movements in the person's wallet in the channel, of one kind or of all, the newest first, from before the given version.
///
/// # Errors
/// The database refused.
pub async fn receipts(
    conn: &mut PgConnection,
    user: Uuid,
    channel: Uuid,
    kind: Option<wallets::Kind>,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<Receipt>, sqlx::Error> {
    let rows = select!(
        "where w.user_id = $1 and w.channel_id = $2 and e.version < $3 and o.kind = coalesce($4, o.kind)
         order by e.version desc limit $5",
        "order by moved.version desc",
        user,
        channel,
        before.unwrap_or(i64::MAX),
        kind.map(wallets::Kind::as_str),
        limit,
    );
    Ok(rows.fetch_all(conn).await?.into_iter().map(Into::into).collect())
}

/// The movements in all of the person's wallets, of one kind or of all, the newest first, after a place in this list.
///
/// # Errors
/// The database refused.
pub async fn all_receipts(
    conn: &mut PgConnection,
    user: Uuid,
    kind: Option<wallets::Kind>,
    after: Option<Place>,
    limit: i64,
) -> Result<Vec<Receipt>, sqlx::Error> {
    let (at, id) = after.map_or((None, None), |place| (Some(place.created_at), Some(place.id)));
    let rows = select!(
        "where w.user_id = $1 and o.created_at <= coalesce($2, 'infinity'::timestamptz)
           and (o.created_at < coalesce($2, 'infinity'::timestamptz) or o.id < $3)
           and o.kind = coalesce($4, o.kind)
         order by o.created_at desc, o.id desc limit $5",
        "order by moved.created_at desc, moved.id desc",
        user,
        at,
        id,
        kind.map(wallets::Kind::as_str),
        limit,
    );
    Ok(rows.fetch_all(conn).await?.into_iter().map(Into::into).collect())
}
