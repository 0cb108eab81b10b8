//! Logins with other platforms: which account there is which person here, and the tokens that come with it.
//!
//! - An identity is what a platform vouches for: (provider, issuer, id there). Names and e-mail addresses prove nothing, so
//!   nobody gets into an account by owning a name that somebody else has here.
//! - [`begin`] and [`redeem`]: a login on its way to the platform and back. It is known by a state that is good once, for ten
//!   minutes, in the browser that began it; a link belongs to the session that asked for it, too.
//! - [`log_in`], [`link`], [`unlink`]: what follows. All that concerns one identity happens one after the other ([`repo::hold`]).
//! - [`fresh_token`]: a token that is good now; renewed by one at a time, and stored before it is used.
//! - [`RevokeGrant`]: tokens of an account that is gone are given back. [`ValidateGrant`]: whether one is still good.
//!
//! Lock order: the identity, the person, the account's row. What speaks to the platforms is crate `identity`.

mod commands;
mod error;
mod flow;
mod jobs;
mod model;
mod provider;
mod repo;
mod revoked;
mod tokens;

pub use commands::{Linked, LoggedIn, give_back_all, link, log_in, unlink, unlink_all};
pub use error::IdentityError;
pub use flow::{Began, BrowserSecret, Flow, LIFETIME, Seat, Wish, begin, redeem};
pub use jobs::{RevokeGrant, ValidateGrant, ValidateGrants};
pub use model::{Account, Grant, Identity, Token};
pub use provider::Provider;
pub(crate) use repo::has_another_way_in;
pub use repo::{find_provider, forget_revoked, hold_owner, list, owners, to_validate};
pub use revoked::{Revoked, find_revoked};
pub use tokens::{Renew, RenewError, TokenError, fresh_token};
