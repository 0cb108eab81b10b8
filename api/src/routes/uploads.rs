//! Files of memes, by the hash of what they contain: public, and never changing.

#![allow(clippy::duplicated_attributes, reason = "several headers with the same kind of description")]

use std::time::Duration;

use blobs::{Blob, Hash};
use domain::media;
use poem::{
    Body, Endpoint, EndpointExt as _, IntoResponse, Request, Response,
    http::{
        HeaderValue, StatusCode,
        header::{ACCEPT_RANGES, CONTENT_SECURITY_POLICY},
    },
    web::Data,
};
use poem_openapi::{
    ApiResponse, OpenApi,
    param::{Header, Path},
    payload::{Binary, Json},
};

use super::Group;
use crate::{
    app::App,
    headers::show_anywhere,
    limits::OnlyHead,
    problem::{ErrorCode, Problem, ProblemBody},
    range::Part,
};

/// A name is never given to other bytes.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// How long the address in the bucket is good: for as long as it takes to begin, a download goes on after it.
const LIFE: Duration = Duration::from_secs(300);
/// Such an address is for one use.
const NEVER: &str = "no-store";
/// Opened as a page, the file can run nothing and load nothing.
const POLICY: &str = "default-src 'none'; media-src 'self'; img-src 'self'; style-src 'unsafe-inline'; sandbox";

pub(crate) struct Uploads;

/// A file, or a part of it.
#[derive(ApiResponse)]
pub(crate) enum Served {
    /// The file.
    #[oai(status = 200)]
    Whole(
        Binary<Body>,
        /// What it is.
        #[oai(header = "Content-Type")]
        String,
        /// Bytes.
        #[oai(header = "Content-Length")]
        u64,
        /// Its hash.
        #[oai(header = "ETag")]
        String,
        /// It never changes.
        #[oai(header = "Cache-Control")]
        String,
    ),
    /// The part that `Range` asked for.
    #[oai(status = 206)]
    Partial(
        Binary<Body>,
        /// What it is.
        #[oai(header = "Content-Type")]
        String,
        /// Bytes of this part.
        #[oai(header = "Content-Length")]
        u64,
        /// Which part, of how much.
        #[oai(header = "Content-Range")]
        String,
        /// Its hash.
        #[oai(header = "ETag")]
        String,
        /// It never changes.
        #[oai(header = "Cache-Control")]
        String,
    ),
    /// The store serves it, at an address that is good for some minutes: ask here again then. Only where the instance is set
    /// so.
    #[oai(status = 302)]
    Elsewhere(
        /// The address. It takes `Range`.
        #[oai(header = "Location")]
        String,
        /// It is for one use.
        #[oai(header = "Cache-Control")]
        String,
    ),
    /// You have it: `If-None-Match` names it.
    #[oai(status = 304)]
    Unchanged(
        /// Its hash.
        #[oai(header = "ETag")]
        String,
        /// It never changes.
        #[oai(header = "Cache-Control")]
        String,
    ),
    /// `Range` asks for what is beyond its end.
    #[oai(status = 416, content_type = "application/problem+json")]
    Beyond(
        Json<ProblemBody>,
        /// How much there is.
        #[oai(header = "Content-Range")]
        String,
    ),
}

#[OpenApi(tag = "Group::Memes")]
impl Uploads {
    /// A meme's file
    ///
    /// By the SHA-256 of its bytes, as `fileUrl`, `posterUrl` and `previewUrl` name it. Renditions only: what somebody sent in is never served.
    #[oai(path = "/uploads/:hash", method = "get", operation_id = "getFile", transform = "harmless")]
    async fn file(
        &self,
        app: Data<&App>,
        request: &Request,
        /// 64 hex digits in lower case.
        hash: Path<String>,
        /// One part: `bytes=first-last`. Several parts are answered with the whole.
        #[oai(name = "Range")]
        range: Header<Option<String>>,
        /// The part is wanted only of this version.
        #[oai(name = "If-Range")]
        if_range: Header<Option<String>>,
        /// Versions that you have.
        #[oai(name = "If-None-Match")]
        if_none_match: Header<Option<String>>,
    ) -> Result<Served, Problem> {
        let unknown = || Problem::not_found(ErrorCode::NotFound, "there is no such file");
        // A name of any other form is no name: nothing of it ever reaches the file system.
        let hash: Hash = hash.0.parse().map_err(|_| unknown())?;
        let mut conn = app.db.pool().acquire().await?;
        let file = media::find_servable(&mut conn, &hash.to_string()).await?.ok_or_else(unknown)?;
        drop(conn);
        let tag = format!("\"{hash}\"");
        let cache = FOR_EVER.to_owned();
        if if_none_match.0.is_some_and(|known| names(&known, &tag)) {
            return Ok(Served::Unchanged(tag, cache));
        }
        let opened = app.blobs.open(&hash).await.map_err(|error| Problem::storage(&error))?;
        let blob = opened.ok_or_else(|| Problem::missing_file(hash))?;
        // What is signed for GET is good for GET only.
        if app.settings.media_origin.is_some() && request.data::<OnlyHead>().is_none() {
            let address = app.blobs.address(&hash, &file.mime_type, LIFE).await;
            if let Some(address) = address.map_err(|error| Problem::storage(&error))? {
                return Ok(Served::Elsewhere(address, NEVER.to_owned()));
            }
        }

        let size = blob.size;
        let fresh = if_range.0.is_none_or(|version| version == tag);
        match Part::of(range.0.as_deref().filter(|_| fresh), size) {
            Part::Whole => Ok(Served::Whole(body(blob, 0, size).await?, file.mime_type, size, tag, cache)),
            Part::Bytes { start, length } => {
                let which = format!("bytes {start}-{}/{size}", start + length - 1);
                let body = body(blob, start, length).await?;
                Ok(Served::Partial(body, file.mime_type, length, which, tag, cache))
            }
            Part::None => {
                let detail = format!("Range: the file has {size} bytes");
                let problem = Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, ErrorCode::RangeNotSatisfiable, detail);
                Ok(Served::Beyond(Json((&problem).into()), format!("bytes */{size}")))
            }
        }
    }
}

/// Whatever is answered: no browser runs it, and pages of other sites may show it, as anybody may have it.
fn harmless(endpoint: impl Endpoint) -> impl Endpoint {
    endpoint.map_to_response().after(|answer: poem::Result<Response>| async move {
        let mut response = answer?.into_response();
        let headers = response.headers_mut();
        show_anywhere(headers);
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
        headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        Ok::<_, poem::Error>(response)
    })
}

async fn body(blob: Blob, start: u64, length: u64) -> Result<Binary<Body>, Problem> {
    let reader = blob.into_range(start, length).await;
    let reader = reader.map_err(|error| Problem::storage(&error))?;
    Ok(Binary(Body::from_async_read(reader)))
}

/// Whether a list of entity tags names this one.
pub(super) fn names(list: &str, tag: &str) -> bool {
    list.split(',').map(str::trim).any(|known| known == "*" || known.trim_start_matches("W/") == tag)
}
