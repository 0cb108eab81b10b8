//! Lists: `limit` and `offset` in, an array and `X-...` headers out.

use poem_openapi::{
    ApiResponse,
    payload::Json,
    types::{ParseFromJSON, ToJSON},
};

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
            return Err(Problem::bad_request(ErrorCode::ValidationError, "offset: 0 or more"));
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
