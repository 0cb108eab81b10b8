//! People: who they are and which role they have.

mod model;
mod repo;

pub use model::{LoginError, Role, User, parse_login};
pub use repo::{find, find_by_login, promote, upsert_by_login};
