//! Requests that may be repeated: the first answer is kept under the client's key and given again.
//!
//! The key's row is the first write of the effect's transaction. A twin waits for that transaction (for 5 s at
//! most) and then finds the stored answer; so effect and answer commit together or not at all.

mod jobs;
mod repo;

pub use jobs::ForgetRequests;
pub use repo::{
    Opened, Request, RequestError, Stored, forget_old, forget_person, is_claimed, is_known, open_all, store_all,
};
