//! From settings to a process that can work: database, schema, identity.

mod database;
mod instance;
mod migrate;
mod reach;
mod repo;
mod seals;
mod store;

pub use self::{
    database::{Connected, connect},
    instance::{Instance, Keys},
    migrate::migrate,
    reach::Patience,
    seals::Announcement,
    store::Files,
};
pub(crate) use self::{seals::open_all, store::open_store};
