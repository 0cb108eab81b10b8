//! Memes without the road that uploads take: bytes straight into the store.

use domain::{
    channels,
    media::{self, MediaType, NewAsset, NewFile},
    memes::{self, NewMeme},
};

use crate::{Session, TestApp};

/// What screens are given.
#[derive(Debug, Clone, Copy)]
pub struct Rendition<'a> {
    pub kind: MediaType,
    pub mime_type: &'a str,
    /// Milliseconds.
    pub duration_ms: i32,
    pub bytes: &'a [u8],
}

impl TestApp {
    /// A meme of the streamer's channel that is shown by these bytes, titled `Made`; its id.
    pub async fn meme(&self, streamer: &Session, rendition: Rendition<'_>) -> String {
        let Rendition { kind, mime_type, duration_ms, bytes } = rendition;
        let blobs = &self.process.blobs;
        let mut staging = blobs.stage(50 << 20).await.expect("stage");
        staging.write(bytes).await.expect("write");
        let staged = staging.seal().await.expect("seal");
        let (hash, size) = (staged.hash.to_string(), i64::try_from(staged.size).expect("a size"));
        let mut tx = self.db.begin().await.expect("begin");
        media::hold(&mut tx, &hash).await.expect("hold the hash");
        media::add_reference(&mut tx, NewFile { hash: &hash, size, mime_type }).await.expect("refer to the file");
        let asset = NewAsset {
            kind,
            file_hash: &hash,
            source_hash: None,
            duration_ms,
            width: None,
            height: None,
            loudness: None,
        };
        let asset = media::create_asset(&mut tx, asset).await.expect("create the asset");
        let owner = streamer.user_id.parse().expect("an id");
        let channel = channels::find_of_owner(&mut tx, owner).await.expect("look").expect("a channel");
        let (channel_id, asset_id) = (channel.id, asset.id);
        let new = NewMeme { channel_id, asset_id, title: "Made", price: None, created_by: owner, tags: &[] };
        let meme = memes::create(&mut tx, new).await.expect("create the meme");
        blobs.publish(staged).await.expect("publish");
        tx.commit().await.expect("commit");
        meme.id.to_string()
    }
}
