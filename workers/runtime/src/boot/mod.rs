//! From settings to a process that can work: database, schema, identity.

mod database;
mod instance;
mod migrate;
mod reach;
mod repo;

pub use self::{
    database::{Connected, connect},
    instance::{Instance, Keys},
    migrate::migrate,
    reach::Patience,
};
