//! Memes: what a channel offers, each an asset with a title and a price.

mod catalogue;
mod error;
mod model;
mod repo;

pub use catalogue::{Filter, MAX_QUERY, MOST_COUNTED, Order, Place, Shown, TagCount};
pub use error::MemeError;
pub(crate) use model::is_title;
pub use model::{
    MAX_COOLDOWN, MAX_PLAYS, MAX_PRICE, MAX_TAG, MAX_TAGS, MAX_TITLE, Meme, MemeChange, MemeStatus, NewMeme,
    normal_tags, title_of,
};
pub use repo::{
    catalogue::{count, list, tags},
    create, delete,
    favourites::{
        MOST_FAVOURITES, add_favourite, count_favourites, favourites_among, list_favourites, remove_favourite,
    },
    find,
    pool::{Pooled, find_pooled, list_pool},
    restore,
    search::{Found, search},
    similar::{find_showing, find_similar},
    update,
};
