//! People: who they are and which role they have.

mod commands;
mod error;
mod model;
mod preferences;
mod repo;

pub use commands::{ban, change_role, grant, hold_other, set_observer, unban};
pub use error::AccountError;
pub use model::{BanNews, LoginError, Role, User, parse_login};
pub use preferences::{Preferences, PreferencesChange, Theme};
pub use repo::{change_preferences, preferences};
pub use repo::{create, find, find_by_login, list, promote, upsert_by_login};
pub(crate) use repo::{lock, lock_alone};
