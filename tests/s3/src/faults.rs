//! What goes wrong between a client and the server.

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use hyper::{
    Method, Response, StatusCode,
    header::{CONTENT_LENGTH, ETAG, HeaderValue},
};
use s3s::{Body, HttpResponse};

/// One thing that goes wrong with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The server says so, and has done nothing.
    Status(u16),
    /// The server has done it, and says this all the same.
    DoneBut(u16),
    /// No answer, ever.
    Silence,
    /// The connection ends instead of an answer.
    Reset,
    /// The body ends halfway, and the connection with it.
    Truncated,
    /// The body is half of the object, and the answer says that this is all.
    Short,
    /// As many bytes, and one of them another.
    Flipped,
    /// The server has done it and names the outcome by another ETag.
    WrongTag,
    /// The server has done nothing, says 200, and the body says what went wrong.
    ErrorIn200,
    /// The server says 200 with an ETag, and has kept nothing.
    Forgotten,
}

/// A fault that waits for its requests.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) fault: Fault,
    pub(crate) method: Method,
    /// Part of the path and query.
    pub(crate) part: String,
    pub(crate) times: usize,
}

const SORRY: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>InternalError</Code><Message>We encountered \
                     an internal error. Please try again.</Message></Error>";

impl Fault {
    /// Whether the server hears of the request.
    pub(crate) const fn reaches_the_server(self) -> bool {
        !matches!(self, Self::Status(_) | Self::Silence | Self::Reset | Self::ErrorIn200 | Self::Forgotten)
    }

    /// The answer of those that the server does not hear of; none: the connection ends.
    pub(crate) async fn instead(self) -> Option<HttpResponse> {
        match self {
            Self::Status(status) => Some(sorry(status)),
            Self::ErrorIn200 => Some(sorry(200)),
            Self::Forgotten => {
                let mut response = Response::new(Body::empty());
                response.headers_mut().insert(ETAG, HeaderValue::from_static("\"d41d8cd98f00b204e9800998ecf8427e\""));
                Some(response)
            }
            Self::Silence => std::future::pending().await,
            _ => None,
        }
    }

    /// What becomes of the server's answer.
    pub(crate) async fn after(self, response: HttpResponse) -> HttpResponse {
        if let Self::DoneBut(status) = self {
            return sorry(status);
        }
        let (mut parts, body) = response.into_parts();
        if self == Self::WrongTag {
            parts.headers.insert(ETAG, HeaderValue::from_static("\"00000000000000000000000000000000\""));
            return HttpResponse::from_parts(parts, body);
        }
        let mut bytes = whole(body).await;
        match self {
            Self::Truncated => {
                bytes.truncate(bytes.len() / 2);
                let half = stream::iter([Ok(Bytes::from(bytes)), Err(std::io::Error::other("the end"))]);
                let half = half.map(|piece| piece.map(hyper_frame));
                return HttpResponse::from_parts(parts, Body::http_body_unsync(Stream(Box::pin(half))));
            }
            Self::Short => {
                bytes.truncate(bytes.len() / 2);
                parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
            }
            _ => {
                if let Some(first) = bytes.first_mut() {
                    *first ^= 1;
                }
            }
        }
        HttpResponse::from_parts(parts, Body::from(bytes))
    }
}

fn sorry(status: u16) -> HttpResponse {
    saying(status, SORRY)
}

pub(crate) fn no_such_bucket() -> HttpResponse {
    saying(404, "<Error><Code>NoSuchBucket</Code><Message>The specified bucket does not exist</Message></Error>")
}

fn saying(status: u16, xml: &str) -> HttpResponse {
    let mut response = Response::new(Body::from(xml.to_owned()));
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    response
}

async fn whole(mut body: Body) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(piece) = body.next().await {
        bytes.extend_from_slice(&piece.expect("the server's own body"));
    }
    bytes
}

fn hyper_frame(bytes: Bytes) -> hyper::body::Frame<Bytes> {
    hyper::body::Frame::data(bytes)
}

type Frames = std::pin::Pin<Box<dyn futures_util::Stream<Item = std::io::Result<hyper::body::Frame<Bytes>>> + Send>>;

/// A body of pieces.
struct Stream(Frames);

impl hyper::body::Body for Stream {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
        self.0.poll_next_unpin(context)
    }
}
