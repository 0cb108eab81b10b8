//! Activations: a meme that a viewer paid for, from the payment to its one end.
//!
//! `queued -> playing -> done | failed | cancelled`. The coins are in escrow until the end: *done* captures them,
//! everything else refunds exactly what was paid, once.

mod error;
mod jobs;
mod limits;
mod model;
mod place;
mod repo;
mod settle;

pub use error::PlaceError;
pub use jobs::AdvancePlayback;
pub use model::{Activation, Place, Queued, Reason, Source, Status};
pub use place::{FreePlay, Placed, SENDER_LENGTH, Wish, place, place_free};
pub use repo::{
    Counts, Receipt, ReceiptDeed, ReceiptPlay, ViewerState, all_receipts, audit, count_ended, counts, find,
    find_of_viewer, history, list_queued, receipts, viewer_state, words_of_screens,
};
pub use settle::updated_event;

pub(crate) use repo::{
    Row, find_playing, list_upcoming, lock, lock_queued, lock_queued_of, lock_unfinished, lock_unwanted, move_to_front,
};
pub(crate) use settle::{End, settle};
