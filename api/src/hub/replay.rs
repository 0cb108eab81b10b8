//! History: where a returning client stands, and the pages between there and the ring.

use domain::events::{self, Cursor};
use queue::Database;
use sqlx::PgConnection;

use super::frame::Frame;

/// Events read from the database at a time; a slow client holds no more than these.
const PAGE: i64 = 200;

/// What a client's cursor is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resume {
    /// It gave none: from now on.
    New,
    /// Everything after this place is still kept.
    From(Cursor),
    /// No cursor of ours, of another epoch, ahead of the stream, or older than what is kept.
    Lost,
}

impl Resume {
    /// Judges the cursor, as the client wrote it, against the stream that ends at `head`. Run it in the snapshot that
    /// `head` was read in.
    ///
    /// # Errors
    /// The database refused.
    pub(crate) async fn judge(
        conn: &mut PgConnection,
        stream: &str,
        head: Cursor,
        cursor: Option<&str>,
    ) -> Result<Self, sqlx::Error> {
        let Some(text) = cursor.filter(|text| !text.is_empty()) else { return Ok(Self::New) };
        let Ok(cursor) = text.parse::<Cursor>() else { return Ok(Self::Lost) };
        if cursor == head {
            return Ok(Self::From(cursor));
        }
        if cursor.epoch != head.epoch || cursor.seq > head.seq {
            return Ok(Self::Lost);
        }
        let next = events::after(conn, stream, cursor, 1).await?;
        Ok(match next.first() {
            Some(event) if event.seq == cursor.seq + 1 => Self::From(cursor),
            _ => Self::Lost,
        })
    }
}

/// Why no page came.
#[derive(Debug)]
pub(crate) enum PageError {
    /// The events right after the cursor were trimmed meanwhile.
    Trimmed,
    Database(sqlx::Error),
}

/// The events right after the cursor; empty when there are none yet.
///
/// # Errors
/// They are gone, or the database refused.
pub(crate) async fn page(db: &Database, stream: &str, cursor: Cursor) -> Result<Vec<Frame>, PageError> {
    let mut conn = db.pool().acquire().await.map_err(PageError::Database)?;
    let found = events::after(&mut conn, stream, cursor, PAGE).await.map_err(PageError::Database)?;
    let whole = found.iter().zip(cursor.seq + 1..).all(|(event, expected)| event.seq == expected);
    if whole { Ok(found.iter().map(Frame::encode).collect()) } else { Err(PageError::Trimmed) }
}
