//! The architecture, held by tests. A failure says which rule, where, and what to do instead.

mod acts;
mod config;
mod failpoints;
mod jobs;
mod layering;
mod metrics;
mod nouns;
mod privacy;
mod sealed;
mod security;
mod source;
mod spec;
mod sql;
