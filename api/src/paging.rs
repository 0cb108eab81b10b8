//! Lists: `limit` and `offset`, or a `cursor`, in, an array and `X-...` headers out.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use poem_openapi::{
    ApiResponse,
    payload::Json,
    types::{ParseFromJSON, ToJSON},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::problem::{ErrorCode, Problem};

const DEFAULT: i64 = 50;
/// Items of a page at most.
pub(crate) const MOST: i64 = 200;

/// Which part of a list is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) limit: i64,
    pub(crate) offset: i64,
}

impl Page {
    /// `limit` 1 to 200 (50 when absent), `offset` from 0.
    pub(crate) fn new(limit: Option<i64>, offset: Option<i64>) -> Result<Self, Problem> {
        let page = Self { limit: limit.unwrap_or(DEFAULT), offset: offset.unwrap_or(0) };
        if !(1..=MOST).contains(&page.limit) {
            return Err(Problem::bad_request(ErrorCode::ValidationError, format!("limit: 1 to {MOST}")));
        }
        if !(0..=i64::from(i32::MAX)).contains(&page.offset) {
            return Err(Problem::bad_request(ErrorCode::ValidationError, format!("offset: 0 to {}", i32::MAX)));
        }
        Ok(page)
    }
}

/// A part of a list.
#[derive(ApiResponse)]
pub(crate) enum Listed<T: ParseFromJSON + ToJSON + Send + Sync> {
    /// The items of this page; the headers say what was asked for and whether there is more.
    #[oai(status = 200)]
    Items(
        Json<Vec<T>>,
        /// How many items a page holds.
        #[oai(header = "X-Limit")]
        i64,
        /// How many items were passed over.
        #[oai(header = "X-Offset")]
        i64,
        /// Whether a further page holds anything.
        #[oai(header = "X-Has-More")]
        bool,
        /// Items in all.
        #[oai(header = "X-Total-Count")]
        i64,
    ),
}

impl<T: ParseFromJSON + ToJSON + Send + Sync> Listed<T> {
    pub(crate) fn new(page: Page, items: Vec<T>, total: i64) -> Self {
        let more = page.offset + i64::try_from(items.len()).unwrap_or(0) < total;
        Self::Items(Json(items), page.limit, page.offset, more, total)
    }
}

/// Which part of a list that also goes by places in it.
#[derive(Debug)]
pub(crate) struct Leaf<P> {
    pub(crate) page: Page,
    /// The item before the first one.
    pub(crate) after: Option<P>,
}

impl<P: Serialize + DeserializeOwned> Leaf<P> {
    /// As [`Page::new`], and the cursor that a [`Paged`] before gave out, if `fits` says that it is one of this list.
    pub(crate) fn new(
        limit: Option<i64>,
        offset: Option<i64>,
        cursor: Option<&str>,
        fits: impl Fn(&P) -> bool,
    ) -> Result<Self, Problem> {
        let page = Page::new(limit, offset)?;
        let wrong = |detail: &str| Problem::bad_request(ErrorCode::ValidationError, detail);
        let read = |cursor: &str| {
            let place: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
            if is_ours(&place) { serde_json::from_value(place).ok().filter(&fits) } else { None }
        };
        let after = cursor
            .map(|cursor| read(cursor).ok_or_else(|| wrong("cursor: the X-Next-Cursor of a page of this list")))
            .transpose()?;
        if after.is_some() && page.offset > 0 {
            return Err(wrong("offset: not with a cursor"));
        }
        Ok(Self { page, after })
    }

    /// Items to ask for: one more than the page shows, which says whether there is a further one.
    pub(crate) fn asked(&self) -> i64 {
        self.page.limit + 1
    }

    /// The page of these items, of which there may be one more than it shows.
    pub(crate) fn show<I, V>(
        &self,
        items: Vec<I>,
        total: i64,
        place: impl Fn(&I) -> P,
        view: impl FnMut(I) -> V,
    ) -> Result<Paged<V>, Problem>
    where
        V: ParseFromJSON + ToJSON + Send + Sync,
    {
        let (items, next) = self.cut(items, place, view)?;
        let Page { limit, offset } = self.page;
        Ok(Paged::Items(Json(items), limit, offset, next.is_some(), total, next))
    }

    /// As [`show`](Self::show), of a list that is not counted.
    pub(crate) fn turn<I, V>(
        &self,
        items: Vec<I>,
        place: impl Fn(&I) -> P,
        view: impl FnMut(I) -> V,
    ) -> Result<Leafed<V>, Problem>
    where
        V: ParseFromJSON + ToJSON + Send + Sync,
    {
        let (items, next) = self.cut(items, place, view)?;
        Ok(Leafed::Items(Json(items), self.page.limit, next.is_some(), next))
    }

    /// The items that the page shows, and the cursor of the next one.
    fn cut<I, V>(
        &self,
        mut items: Vec<I>,
        place: impl Fn(&I) -> P,
        view: impl FnMut(I) -> V,
    ) -> Result<(Vec<V>, Option<String>), Problem> {
        let most = usize::try_from(self.page.limit).unwrap_or(usize::MAX);
        let more = items.len() > most;
        items.truncate(most);
        let next = items.last().filter(|_| more).map(|last| serde_json::to_vec(&place(last))).transpose();
        let next = next.map_err(Problem::internal)?.map(|place| URL_SAFE_NO_PAD.encode(place));
        Ok((items.into_iter().map(view).collect(), next))
    }
}

/// Whether it may be a place that we gave out: those have times since 1970, lengths and prices, and texts that can be stored.
/// What somebody else has written into one must not reach the database, which would refuse it as our own fault.
fn is_ours(place: &Value) -> bool {
    match place {
        // Of numbers with a fraction there are ranks, which are what they are.
        Value::Number(number) => number.as_i64().map_or(number.is_f64(), |number| number >= 0),
        Value::String(text) => !text.contains('\0'),
        Value::Array(parts) => parts.iter().all(is_ours),
        Value::Object(parts) => parts.values().all(is_ours),
        Value::Null | Value::Bool(_) => true,
    }
}

/// A part of a list that goes by a cursor, too.
#[derive(ApiResponse)]
pub(crate) enum Paged<T: ParseFromJSON + ToJSON + Send + Sync> {
    /// The items of this page; the headers say what was asked for and whether there is more.
    #[oai(status = 200)]
    Items(
        Json<Vec<T>>,
        /// How many items a page holds.
        #[oai(header = "X-Limit")]
        i64,
        /// How many items were passed over.
        #[oai(header = "X-Offset")]
        i64,
        /// Whether a further page holds anything.
        #[oai(header = "X-Has-More")]
        bool,
        /// Items in all; of memes no more than 10000 are counted, and of those that a search finds 2000.
        #[oai(header = "X-Total-Count")]
        i64,
        /// `cursor` of the next page, which passes over nothing and repeats nothing while items come and go; absent on the last.
        #[oai(header = "X-Next-Cursor")]
        Option<String>,
    ),
}

/// A part of a list that is not counted.
#[derive(ApiResponse)]
pub(crate) enum Leafed<T: ParseFromJSON + ToJSON + Send + Sync> {
    /// The items of this page.
    #[oai(status = 200)]
    Items(
        Json<Vec<T>>,
        /// How many items a page holds.
        #[oai(header = "X-Limit")]
        i64,
        /// Whether a further page holds anything.
        #[oai(header = "X-Has-More")]
        bool,
        /// `cursor` of the next page; absent on the last.
        #[oai(header = "X-Next-Cursor")]
        Option<String>,
    ),
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_cursor_that_nobody_gave_out_is_refused() {
        let read = |place: Value| {
            let cursor = URL_SAFE_NO_PAD.encode(place.to_string());
            Leaf::<Value>::new(None, None, Some(&cursor), |_| true).is_ok()
        };
        assert!(read(json!({ "Newest": { "at": 1_795_350_000_000_000_i64, "id": "x", "seconds": null } })));
        assert!(read(json!({ "Found": { "rank": 0.607_927_1, "id": "x" } })));
        for forged in [json!({ "at": -377_705_116_800_000_000_i64 }), json!({ "title": "a\0b" }), json!([u64::MAX])] {
            assert!(!read(forged.clone()), "{forged}");
        }
    }
}
