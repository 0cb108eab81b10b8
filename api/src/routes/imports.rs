//! Sending memes in by the address of their file.

use domain::{
    memes,
    requests::Request,
    submissions::{self, NewImport},
};
use percent_encoding::percent_decode_str;
use poem::web::Data;
use poem_openapi::{OpenApi, param::Header, payload::Json};
use serde_json::json;
use url::Url;

use super::{
    Group,
    submissions::{Submitted, answer, channel_of, wait},
};
use crate::{
    app::{App, AppState},
    auth::Viewer,
    idempotency,
    problem::{ErrorCode, Problem},
    views::submissions::ImportWish,
};

pub(crate) struct Imports;

#[OpenApi]
impl Imports {
    /// Send in a meme by its address
    ///
    /// A job fetches the file from there, and then it is worked on as one that was sent (`POST /submissions`); until it is there
    /// its `fileSize` is 0 and its `type` a guess. The address is https, without a port, and on one of the hosts that this service
    /// fetches from; so are those that it redirects to: anything else is 400 `INVALID_MEDIA_URL`, and 404 `FEATURE_NOT_AVAILABLE`
    /// where nothing is fetched at all. A server that is away is asked again for some minutes. Why there is no file in the end is the
    /// submission's `errorCode`: `MEDIA_NOT_AVAILABLE`, `INVALID_MEDIA_URL`, `FILE_TOO_LARGE`, or what uploads fail with. With `Prefer:
    /// wait=5` the answer comes when the file is ready, if it is within 5 s.
    #[oai(path = "/submissions/import", method = "post", operation_id = "importMeme", tag = "Group::Memes")]
    async fn import(
        &self,
        app: Data<&App>,
        viewer: Viewer,
        /// 1 to 128 visible characters of your choice that name this submission: repeated, it is not made twice.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        /// `wait=N`: answer with the verdict if there is one within N seconds, at most 30.
        #[oai(name = "Prefer")]
        prefer: Header<Option<String>>,
        wish: Json<ImportWish>,
    ) -> Result<Submitted, Problem> {
        let key = key.0;
        let wish = wish.0;
        let url = judged(&app, &wish.url)?;
        let channel = channel_of(&app, viewer.id, wish.channel_id).await?;
        let title = wish.title.filter(|title| !title.trim().is_empty()).unwrap_or_else(|| title_of(&url));
        let new = NewImport {
            channel_id: channel.id,
            submitter_id: viewer.id,
            url: url.into(),
            title,
            notes: wish.notes.filter(|notes| !notes.is_empty()),
            tags: wish.tags.unwrap_or_default(),
            claimed_duration_ms: wish.duration_ms,
        };
        new.check()?;
        let request = key.map(|key| Request::new(viewer.id, "import", key, question(&new).as_bytes()));
        let ordered = idempotency::made_once(&app.db, request.as_ref(), async |tx| {
            Ok::<_, Problem>(submissions::order_import(tx, &new).await?.id)
        });
        let id = ordered.await?;
        answer(&app, viewer.id, id, wait(prefer.0.as_deref())).await
    }
}

/// The address, if it is of a form that is fetched.
fn judged(app: &AppState, text: &str) -> Result<Url, Problem> {
    let hosts = &app.settings.import_hosts;
    if hosts.is_empty() {
        let detail = "nothing is fetched from elsewhere here: IMPORT_HOSTS is not set";
        return Err(Problem::not_found(ErrorCode::FeatureNotAvailable, detail));
    }
    hosts.judge(text).map_err(|refusal| Problem::bad_request(ErrorCode::InvalidMediaUrl, format!("url: {refusal}")))
}

/// As of a file that is sent without a title: of its name.
fn title_of(url: &Url) -> String {
    let name = url.path_segments().and_then(Iterator::last).unwrap_or_default();
    memes::title_of(&percent_decode_str(name).decode_utf8_lossy())
}

/// All that decides what a submission becomes.
fn question(new: &NewImport) -> String {
    json!([new.channel_id, new.url, new.title, new.notes, new.tags, new.claimed_duration_ms]).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_title_is_called_as_its_address_ends() {
        for (url, title) in [
            ("https://cdn.example.org/a/my%20funny_cat.mp4?width=3", "my funny cat"),
            ("https://cdn.example.org/%D0%BA%D0%BE%D1%82.gif", "кот"),
            ("https://cdn.example.org/", "Untitled"),
            ("https://cdn.example.org/%ff%00.png", "\u{fffd}"),
        ] {
            let found = title_of(&Url::parse(url).unwrap());
            assert!(found == title || found == "Untitled", "{url}: {found}");
        }
    }
}
