//! Proofs that we hand out: keys derived from the one secret, and tokens that name a channel; and the vault for proofs that
//! were given to us.
//!
//! A token is `<prefix>_<channel id>_<HMAC(key, id || version)>`: nothing is stored but the version, "rotate" raises it,
//! and the same token can be shown again. Who checks it compares with the channel's present version.

mod keys;
mod token;
mod vault;

pub use keys::Keys;
pub(crate) use keys::hmac;
pub use token::{Purpose, channel_token, named_channel, switch_matches, switch_token, switched_channel, token_matches};
pub use vault::{KeyId, Place, Vault, VaultError};
