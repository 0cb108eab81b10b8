//! Submissions: what somebody sent in, from its first byte to its meme.
//!
//! ```text
//! received --ValidateUpload--> probing --ProbeUpload--> transcoding --TranscodeUpload--> ready
//!     \-----------------------------\-------------------------\------> failed (an error code, and no file left)
//!
//! pending --approve--> approved (meme)        rejected <--reject-- pending --needs changes--> needs_changes
//!    ^------------------------------------ resubmit (revision + 1) -----------------------------/
//! ```
//!
//! What was sent in by an address is received, too, and [`FetchImport`] brings its bytes ([`order_import`]) before the work begins.
//!
//! What another channel shows is ready as soon as it is sent in ([`take`]).
//!
//! The first line is how far the file has come, the second what the channel's team decided. What the owner and the editors
//! send in is approved when its file is ready, and so is what the channel takes unseen: that of trusted people ([`trust`]),
//! and what its review mode says, unless a check has found something. All else waits for one decision ([`decide`]), once.
//! Only a rejection may come before the file is ready: the work on it ends then.
//!
//! When a file is ready, checks hold it against what there is ([`findings`]) and against what is not taken any more
//! ([`blocks`]): the same bytes are refused, what looks like them waits for the team, with a word that says why.
//!
//! What is rejected because its sender is banned, from one channel or from all, is shelved ([`cascade`]): it comes back when the
//! ban is taken back soon enough.
//!
//! A job that is given up without a last word of its own orders [`GiveUpUpload`], which ends the submission.
//!
//! The submission holds one reference to the uploaded bytes until it is ready (its asset has it then) or failed. What is
//! rejected or replaced leaves its references to [`GiveBackFiles`]. The functions here change rows; who has the files
//! publishes or removes them in the same transaction, after [`media::hold`](crate::media::hold).

pub mod blocks;
mod cascade;
mod commands;
mod error;
mod events;
mod findings;
mod imports;
mod inbox;
mod jobs;
mod model;
mod pool;
mod repo;
mod resubmit;
mod review;
mod reward;
pub mod trust;

pub use cascade::{
    UNDO, forget_shelved, give_back_shelved, order_rejection, order_return, reject_some, return_some, shelve_some,
};
pub use commands::{advance_to_probe, advance_to_transcode, complete, fail, receive, reuse, tell_progress};
pub use error::SubmissionError;
pub use imports::{Fetched, NewImport, arrive, order_import};
pub use inbox::{Filter, Received};
pub use jobs::{
    FetchImport, GiveBackFiles, GiveBackShelved, GiveUpUpload, ProbeUpload, RejectSubmissions, ReturnSubmissions,
    SweepBlobs, TranscodeUpload, ValidateUpload,
};
pub use model::{Failure, MAX_NOTES, NewSubmission, Rendition, Submission, SubmissionStatus, UploadState};
pub use pool::{NewTake, take};
pub use repo::{count_of_submitter, find, inbox::count, inbox::list, list_of_submitter};
pub use resubmit::{NewFile, Resubmission, resubmit};
pub use review::{Approval, Decision, decide};
