//! What people may ask of us about themselves: a copy of everything, and to be forgotten.
//!
//! - [`HOLDINGS`] is the map of both: each table with something about a person, which rows are whose, what of them the person is
//!   shown and what becomes of them. [`IMPERSONAL`] names all other tables with the reason. A guard holds the map against the
//!   schema, so that a new table or column is thought of.
//! - An export ([`request`]) is a job that writes an archive of the person's rows and files, which the person gets once within a
//!   week.
//! - An erasure ([`ask_erasure`]) shuts the person out at once; its job ([`ErasePerson`]) goes through the map in small
//!   transactions, each of which may be repeated, and ends with one that leaves a person without a name ([`finish`]).
//!   What says where else something is (linked accounts, the channel) goes last, so that a run which is cut short
//!   finds the rest again.
//! - What was on its way meanwhile is refused by the tables themselves (`refuse_forgotten` in migration 0024), or found by the
//!   last transaction, which looks through the whole map again.

mod erasure;
mod error;
mod exports;
mod jobs;
mod map;
mod model;
mod repo;

pub use erasure::{Asset, ask_erasure, erase_some, finish};
pub use error::PrivacyError;
pub use exports::{expire, ready, request, take};
pub use jobs::{ErasePerson, ExportPerson, SweepExports};
pub use map::{Erase, HOLDINGS, Holding, IMPERSONAL};
pub use model::{Export, ExportStatus};
pub use repo::{
    erasing, files_of, find as find_export, forget_expired, hold_assets, is_pending, is_sending, is_told, rows_of,
};
