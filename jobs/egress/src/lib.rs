//! Requests to addresses that somebody else has named: whoever names one must not get at what only we can reach.
//!
//! ```text
//! text --Hosts::judge--> address --Guard looks the name up--> socket addresses --all public?--> connection to one of these
//!          ^                                                                                           |
//!          '------------------------------------ redirect --------------------------------------------'
//! ```
//!
//! A name is looked up once a connection, and the connection goes to what was found and judged then: whoever answers another
//! address the next time changes nothing. Redirects are followed by hand, each judged like the first address.

mod address;
mod client;
mod hosts;
mod resolve;

pub use address::is_public;
pub use client::{Answer, Client, GetError, Settings};
pub use hosts::{Hosts, MAX_URL, Refusal, UnfitHost};
pub use resolve::{Guard, Lookup, Private, System};
