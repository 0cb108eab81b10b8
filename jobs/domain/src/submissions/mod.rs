//! Submissions: what somebody sent in, from its first byte to its meme.
//!
//! ```text
//! received --ValidateUpload--> probing --ProbeUpload--> transcoding --TranscodeUpload--> ready (meme)
//!     \-----------------------------\-------------------------\------> failed (an error code, and no file left)
//! ```
//!
//! A job that is given up without a last word of its own orders [`GiveUpUpload`], which ends the submission.
//!
//! The submission holds one reference to the uploaded bytes until it is ready (its asset has it then) or failed. The
//! functions here change rows; who has the files publishes or removes them in the same transaction, after
//! [`media::hold`](crate::media::hold).

mod commands;
mod error;
mod events;
mod jobs;
mod model;
mod repo;

pub use commands::{advance_to_probe, advance_to_transcode, complete, fail, receive, reuse};
pub use error::SubmissionError;
pub use jobs::{GiveUpUpload, ProbeUpload, SweepBlobs, TranscodeUpload, ValidateUpload};
pub use model::{
    Failure, MAX_NOTES, MAX_TAG, MAX_TAGS, NewSubmission, Rendition, Submission, SubmissionStatus, UploadState,
};
pub use repo::{count_of_submitter, find, list_of_submitter, set_progress};
