//! What a process does. A role takes a [`Process`] (database, identity, files, lifecycle) and runs until the lifecycle
//! drains; [`all`] only starts the others under one lifecycle.

pub mod all;
pub mod api;
pub mod chat;
mod identity;
mod imports;
mod process;
mod welcome;
pub mod work;

pub use process::Process;
pub(crate) use process::vault_of;
