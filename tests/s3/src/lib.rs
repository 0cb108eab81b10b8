//! A real S3 server for one test, in this process, and a layer before it in which things go wrong on order.
//!
//! It checks signatures and what they say of the body, and keeps objects as files below a folder of its own: the key is the
//! path, the age is the file's.

#![allow(clippy::expect_used, clippy::missing_panics_doc, reason = "code of tests: a panic is how it reports")]

mod faults;
mod server;

pub use faults::Fault;
pub use server::{ACCESS_KEY, BUCKET, REGION, SECRET_KEY, Server};
