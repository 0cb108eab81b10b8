//! SQL of the catalogue. Which conditions there are differs from question to question, and each order shall walk its own index:
//! so the statements are put together here.

use sqlx::{PgConnection, Postgres, QueryBuilder, Row as _, postgres::PgRow};

use super::super::{
    Meme,
    catalogue::{Filter, MOST_COUNTED, Order, Place, Shown, TagCount},
};
use crate::channels::Channel;

/// Columns of a meme `m` with its asset `a`.
pub(super) const COLUMNS: &str = "m.id, m.channel_id, m.asset_id, m.title, m.price, m.status, m.created_by, m.created_at, m.tags,
    a.type, a.file_hash, a.duration_ms, a.width, a.height, a.poster_hash, a.preview_hash, a.gain_db, m.volume, m.is_overlapping,
    m.cooldown_seconds, m.viewer_cooldown_seconds, m.max_per_stream, m.max_per_viewer, fold_words(m.title) as folded, m.seconds";

/// At most `limit` of the channel's memes that can be played: those after a place, or all but the first `offset`.
///
/// # Errors
/// The database refused.
pub async fn list(
    conn: &mut PgConnection,
    channel: &Channel,
    order: Order,
    filter: &Filter,
    after: Option<&Place>,
    limit: i64,
    offset: i64,
) -> Result<Vec<Shown>, sqlx::Error> {
    let shelf = Shelf { channel, filter };
    let mut query = QueryBuilder::new("");
    match order {
        Order::Newest => {
            shelf.select(&mut query);
            let (at, id) = if filter.tag.is_some() { ("t.created_at", "t.meme_id") } else { ("m.created_at", "m.id") };
            if let Some(Place::Newest { at: last, id: last_id }) = after {
                // Twice, so that the index is walked from the place on.
                query.push(format!(" and {at} <= ")).push_bind(*last);
                query.push(format!(" and ({at} < ")).push_bind(*last);
                query.push(format!(" or {id} > ")).push_bind(*last_id).push(")");
            }
            query.push(format!(" order by {at} desc, {id}"));
        }
        Order::Popular => {
            query.push("select p.plays, ").push(COLUMNS);
            shelf.narrow(&mut query, " join meme_assets a on a.id = m.asset_id join meme_plays p on p.meme_id = m.id");
            query.push(" and p.channel_id = ").push_bind(channel.id);
            if let Some(Place::Popular { plays, id }) = after {
                query.push(" and (p.plays, p.meme_id) < (").push_bind(*plays).push(", ").push_bind(*id).push(")");
            }
            query.push(" order by p.plays desc, p.meme_id desc");
        }
        Order::Title => {
            shelf.select(&mut query);
            if let Some(Place::Title { title, id }) = after {
                query.push(" and (fold_words(m.title) collate \"C\", m.id) > (").push_bind(title.clone());
                query.push(", ").push_bind(*id).push(")");
            }
            query.push(" order by fold_words(m.title) collate \"C\", m.id");
        }
        Order::Price => {
            shelf.select_by_price(&mut query, after, limit + offset);
            query.push(" order by listed, without, length, id");
        }
    }
    query.push(" limit ").push_bind(limit).push(" offset ").push_bind(offset);
    let shown = |row: PgRow| {
        let meme = meme(&row)?;
        let place = match order {
            Order::Newest => Place::Newest { at: meme.created_at, id: meme.id },
            Order::Popular => Place::Popular { plays: row.try_get("plays")?, id: meme.id },
            Order::Title => Place::Title { title: row.try_get("folded")?, id: meme.id },
            Order::Price => {
                let seconds = if meme.price.is_none() { row.try_get("seconds")? } else { None };
                Place::Price { price: meme.price_in(channel), seconds, id: meme.id }
            }
        };
        Ok(Shown { meme, place })
    };
    query.build().try_map(shown).fetch_all(conn).await
}

/// How many memes [`list`] has in all; [`MOST_COUNTED`] at most.
///
/// # Errors
/// The database refused.
pub async fn count(conn: &mut PgConnection, channel: &Channel, filter: &Filter) -> Result<i64, sqlx::Error> {
    let shelf = Shelf { channel, filter };
    let mut query = QueryBuilder::new("select count(*) from (select 1");
    if filter.tag.is_some() && filter.kind.is_none() && filter.min_price.is_none() && filter.max_price.is_none() {
        query.push(" from meme_tags t where t.channel_id = ").push_bind(channel.id);
        query.push(" and t.tag = ").push_bind(filter.tag.clone());
    } else {
        shelf.narrow(&mut query, "");
    }
    query.push(" limit ").push_bind(MOST_COUNTED).push(") counted");
    query.build_query_scalar().fetch_one(conn).await
}

/// The channel's tags that begin so, those of the most memes first.
///
/// # Errors
/// The database refused.
pub async fn tags(
    conn: &mut PgConnection,
    channel: &Channel,
    beginning: &str,
    limit: i64,
) -> Result<Vec<TagCount>, sqlx::Error> {
    sqlx::query_as!(
        TagCount,
        r#"select tag, count(*) as "count!" from meme_tags
           where channel_id = $1 and starts_with(tag, $2)
           group by tag order by count(*) desc, tag limit $3"#,
        channel.id,
        beginning,
        limit,
    )
    .fetch_all(conn)
    .await
}

/// What of a channel is asked for.
struct Shelf<'a> {
    channel: &'a Channel,
    filter: &'a Filter,
}

impl Shelf<'_> {
    fn select(&self, query: &mut QueryBuilder<Postgres>) {
        query.push("select ").push(COLUMNS);
        self.narrow(query, " join meme_assets a on a.id = m.asset_id");
    }

    fn narrow(&self, query: &mut QueryBuilder<Postgres>, join: &str) {
        if let Some(tag) = &self.filter.tag {
            query.push(" from meme_tags t join memes m on m.id = t.meme_id").push(join).push(" where t.channel_id = ");
            query.push_bind(self.channel.id).push(" and t.tag = ").push_bind(tag.clone());
        } else {
            query.push(" from memes m").push(join).push(" where m.channel_id = ").push_bind(self.channel.id);
        }
        query.push(" and m.status = 'approved'");
        if let Some(kind) = self.filter.kind {
            query.push(" and m.type = ").push_bind(kind.as_str());
        }
        price_between(query, self.channel, self.filter);
    }

    /// Those with a price of their own and those without, each by its own index, as many as may be needed of each.
    fn select_by_price(&self, query: &mut QueryBuilder<Postgres>, after: Option<&Place>, most: i64) {
        let place = match after {
            Some(Place::Price { price, seconds, id }) => Some((*price, *seconds, *id)),
            _ => None,
        };
        query.push("select * from ((select m.price as listed, 0 as without, 0 as length, ").push(COLUMNS);
        self.narrow(query, " join meme_assets a on a.id = m.asset_id");
        query.push(" and m.price is not null");
        match place {
            Some((price, None, id)) => {
                query.push(" and (m.price, m.id) > (").push_bind(price).push(", ").push_bind(id).push(")");
            }
            Some((price, Some(_), _)) => {
                query.push(" and m.price > ").push_bind(price);
            }
            None => {}
        }
        query.push(" order by m.price, m.id limit ").push_bind(most).push(") union all (select ");
        self.push_default(query);
        query.push(" as listed, 1 as without, m.seconds as length, ").push(COLUMNS);
        self.narrow(query, " join meme_assets a on a.id = m.asset_id");
        query.push(" and m.price is null");
        match place {
            Some((price, None, _)) => {
                query.push(" and ");
                self.push_default(query);
                query.push(" >= ").push_bind(price);
            }
            Some((_, Some(seconds), id)) => {
                query.push(" and (m.seconds, m.id) > (").push_bind(seconds).push(", ").push_bind(id).push(")");
            }
            None => {}
        }
        query.push(" order by m.seconds, m.id limit ").push_bind(most).push(")) both_kinds");
    }

    fn push_default(&self, query: &mut QueryBuilder<Postgres>) {
        query.push("(").push_bind(self.channel.default_price).push(" + ").push_bind(self.channel.price_per_second);
        query.push(" * m.seconds)");
    }
}

/// What the memes `m` cost, within the filter's limits.
pub(super) fn price_between(query: &mut QueryBuilder<Postgres>, channel: &Channel, filter: &Filter) {
    for (bound, limit) in [(" >= ", filter.min_price), (" <= ", filter.max_price)] {
        if let Some(limit) = limit {
            query.push(" and coalesce(m.price, ").push_bind(channel.default_price);
            query.push(" + ").push_bind(channel.price_per_second).push(" * m.seconds)");
            query.push(bound).push_bind(limit);
        }
    }
}

pub(super) fn meme(row: &PgRow) -> Result<Meme, sqlx::Error> {
    Ok(Meme {
        id: row.try_get("id")?,
        channel_id: row.try_get("channel_id")?,
        asset_id: row.try_get("asset_id")?,
        title: row.try_get("title")?,
        price: row.try_get("price")?,
        status: row.try_get("status")?,
        created_by: row.try_get("created_by")?,
        created_at: row.try_get("created_at")?,
        tags: row.try_get("tags")?,
        kind: row.try_get("type")?,
        file_hash: row.try_get("file_hash")?,
        duration_ms: row.try_get("duration_ms")?,
        width: row.try_get("width")?,
        height: row.try_get("height")?,
        poster_hash: row.try_get("poster_hash")?,
        preview_hash: row.try_get("preview_hash")?,
        gain_db: row.try_get("gain_db")?,
        volume: row.try_get("volume")?,
        is_overlapping: row.try_get("is_overlapping")?,
        cooldown_seconds: row.try_get("cooldown_seconds")?,
        viewer_cooldown_seconds: row.try_get("viewer_cooldown_seconds")?,
        max_per_stream: row.try_get("max_per_stream")?,
        max_per_viewer: row.try_get("max_per_viewer")?,
    })
}
