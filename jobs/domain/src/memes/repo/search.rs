//! SQL of the search: by words in two languages, and, where nothing has them, by words that resemble them.

use queue::Tx;
use sqlx::{PgConnection, QueryBuilder, Row as _};
use uuid::Uuid;

use super::{
    super::catalogue::{self, Filter, Place, Shown},
    catalogue::{COLUMNS, meme, price_between},
};
use crate::channels::Channel;

/// Of words that more memes have only so many are ranked: whoever asks for such has to say more.
pub(super) const MOST_RANKED: i64 = 2_000;
/// Words that are looked at for one that resembles the one that was typed.
const CANDIDATES: i64 = 50;
/// Of these, those that are searched for.
const RESEMBLING: usize = 5;

/// What was found, on this page and in all.
#[derive(Debug)]
pub struct Found {
    pub shown: Vec<Shown>,
    pub total: i64,
}

/// The channel's memes whose title and tags have all words of the question, as they are, as stems, or as beginnings; the best
/// first. Where there are none, slips of the finger are forgiven.
///
/// # Errors
/// The database refused.
pub async fn search(
    tx: &mut Tx,
    channel: &Channel,
    question: &str,
    filter: &Filter,
    after: Option<&Place>,
    limit: i64,
    offset: i64,
) -> Result<Found, sqlx::Error> {
    let words = catalogue::words(question);
    if words.is_empty() {
        return Ok(Found { shown: Vec::new(), total: 0 });
    }
    // Words are found by an index that there is no walking along.
    sqlx::query!("select set_config('enable_bitmapscan', 'on', true) as bitmaps").fetch_one(&mut **tx).await?;
    let exactly: Vec<Vec<String>> = words.iter().map(|word| vec![word.clone()]).collect();
    let page = Page { channel, filter, after, limit, offset };
    let found = page.find(tx, &exactly).await?;
    if found.total > 0 {
        return Ok(found);
    }
    let mut meant = Vec::with_capacity(words.len());
    for word in words {
        let mut forms = resembling(tx, channel.id, &word).await?;
        forms.push(word);
        meant.push(forms);
    }
    page.find(tx, &meant).await
}

/// Words of the channel that may have been meant.
async fn resembling(conn: &mut PgConnection, channel_id: Uuid, word: &str) -> Result<Vec<String>, sqlx::Error> {
    let candidates = sqlx::query_scalar!(
        "select word from meme_words
         where channel_id = $1
           and trigram = any(array(select substr('  ' || fold_words($2) || ' ', place, 3)
                                   from generate_series(1, length($2) + 1) as place))
         group by word order by count(*) desc, word limit $3",
        channel_id,
        word,
        CANDIDATES,
    )
    .fetch_all(conn)
    .await?;
    let mut near: Vec<(usize, String)> =
        candidates.into_iter().filter_map(|known| Some((catalogue::slips(word, &known)?, known))).collect();
    near.sort_by_key(|(slips, _)| *slips);
    Ok(near.into_iter().take(RESEMBLING).map(|(_, known)| known).collect())
}

struct Page<'a> {
    channel: &'a Channel,
    filter: &'a Filter,
    after: Option<&'a Place>,
    limit: i64,
    offset: i64,
}

impl Page<'_> {
    /// All words must be there, each in one of its forms.
    async fn find(&self, conn: &mut PgConnection, words: &[Vec<String>]) -> Result<Found, sqlx::Error> {
        let forms: Vec<&str> = words.iter().flatten().map(String::as_str).collect();
        let places: Vec<i32> =
            (0_i32..).zip(words).flat_map(|(place, forms)| std::iter::repeat_n(place, forms.len())).collect();
        let mut query = QueryBuilder::new(
            "with asked as materialized (
                 select string_agg(any_form, ' & ')::tsquery as words,
                        (string_agg(any_form, ' & ') || ' & ''channel:' || ",
        );
        query.push_bind(self.channel.id).push(
            "::text || '''')::tsquery as in_channel
                 from (select '(' || string_agg(form.query::text, ' | ') || ')' as any_form
                       from unnest(",
        );
        query.push_bind(places).push("::integer[], ").push_bind(forms).push(
            "::text[]) as given (place, word)
                       cross join lateral (select fold_words(given.word) as word) folded
                       cross join lateral (
                           -- Short beginnings are those of everything, and so is that of the word for the channel.
                           select to_tsquery('simple', quote_literal(folded.word)
                                                       || case when length(folded.word) > 2
                                                                    and not starts_with('channel', folded.word)
                                                               then ':*' else '' end)
                                  || plainto_tsquery('russian', folded.word)
                                  || plainto_tsquery('english', folded.word) as query
                       ) form
                       group by given.place) words
             ), found as materialized (
                 select m.id, ts_rank(m.search, asked.words) as rank from asked
                 join memes m on m.search @@ asked.in_channel
                 where m.status = 'approved'",
        );
        if let Some(kind) = self.filter.kind {
            query.push(" and m.type = ").push_bind(kind.as_str());
        }
        if let Some(tag) = &self.filter.tag {
            query.push(" and m.tags @> array[").push_bind(tag.clone()).push("]::text[]");
        }
        price_between(&mut query, self.channel, self.filter);
        query.push(" limit ").push_bind(MOST_RANKED);
        query.push("), best as (select found.id, found.rank from found");
        if let Some(Place::Found { rank, id }) = self.after {
            query.push(" where found.rank < ").push_bind(*rank);
            query.push(" or found.rank = ").push_bind(*rank).push(" and found.id < ").push_bind(*id);
        }
        // Of two that fit alike the newer one: ids go with the time.
        query.push(" order by found.rank desc, found.id desc limit ").push_bind(self.limit);
        query.push(" offset ").push_bind(self.offset).push(") select counted.total, best.rank, ").push(COLUMNS).push(
            " from (select count(*) as total from found) counted left join best on true
             left join memes m on m.id = best.id left join meme_assets a on a.id = m.asset_id
             order by best.rank desc, m.id desc",
        );
        let rows = query.build().fetch_all(conn).await?;
        let mut found = Found { shown: Vec::with_capacity(rows.len()), total: 0 };
        for row in rows {
            found.total = row.try_get("total")?;
            // None where the page is empty.
            let Some(rank) = row.try_get("rank")? else { continue };
            let meme = meme(&row)?;
            let place = Place::Found { rank, id: meme.id };
            found.shown.push(Shown { meme, place });
        }
        Ok(found)
    }
}
