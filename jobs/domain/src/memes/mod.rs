//! Memes: what a channel offers, each an asset with a title and a price.

mod error;
mod model;
mod repo;

pub use error::MemeError;
pub use model::{MAX_COOLDOWN, MAX_PLAYS, MAX_PRICE, MAX_TITLE, Meme, MemeChange, MemeStatus, NewMeme, title_of};
pub use repo::{count_of_channel, create, delete, find, list_of_channel, update};
