//! Media: files by content with their references, and the assets (safe renditions) that screens show.
//!
//! Whoever publishes or removes bytes calls [`hold`] first, in the same transaction that changes the row: it serialises
//! all writers of one hash, so that nobody unlinks a file that another is just about to refer to.

mod completion;
mod container;
mod error;
mod jobs;
mod kind;
mod look;
mod loudness;
mod model;
mod repo;

pub use completion::{AT_ONCE, Lacks, complete, incomplete, lacks, order_again, order_some};
pub use container::{Container, HEAD, Unwelcome};
pub use error::MediaError;
pub use jobs::{CompleteAsset, CompleteAssets, DrawPreviews};
pub use kind::MediaType;
pub use look::{Look, alike};
pub use loudness::Loudness;
pub use model::{Asset, File, NOTHING, NewAsset, NewFile, Previews};
pub use repo::{
    add_reference, create_asset, empty_asset, find_asset, find_asset_of_source, find_previews_of_file, find_servable,
    get_file, hide_new, hold, is_hidden, is_referenced, looks::find_look, looks::keep_look, referenced, release,
    remove_asset, set_previews,
};
