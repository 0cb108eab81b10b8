//! The multipart form of an upload, read as it arrives: the file goes to the store while it is hashed, and nothing is ever
//! held in memory whole. Fields may come in any order; the first that is wrong ends the reading.

use blobs::{Blobs, StageError, Staged};
use domain::{
    media::{Container, HEAD, MediaType},
    memes,
};
use poem::{
    Body, Request, RequestBody,
    http::{StatusCode, header::CONTENT_LENGTH},
    web::{Field, Multipart},
};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaMediaType, MetaRequest, MetaSchema, MetaSchemaRef},
};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use uuid::Uuid;

use crate::{
    gate::Gate,
    problem::{ErrorCode, Problem},
};

/// Bytes of a field that is not the file.
const MOST_TEXT: u64 = 16 * 1024;
/// Fields, the file among them.
const MOST_FIELDS: usize = 16;
/// Bytes that the other fields and the boundaries may add to a file.
const AROUND: u64 = 1 << 20;
/// Bytes read at once.
const CHUNK: usize = 64 * 1024;

/// A form about to be read; `AGAIN`: of changes to what was sent in before, of which nothing must be there.
pub(crate) struct Incoming<const AGAIN: bool = false> {
    multipart: Multipart,
    gate: Gate,
    /// Bytes of the whole body, if the sender said.
    length: Option<u64>,
}

/// A form that has been read.
#[derive(Debug, Default)]
pub(crate) struct Form {
    /// Empty when the sender gave none.
    title: String,
    pub(crate) kind: Option<MediaType>,
    pub(crate) notes: Option<String>,
    /// None when the sender said nothing of them.
    pub(crate) tags: Option<Vec<String>>,
    pub(crate) duration_ms: Option<i32>,
    pub(crate) channel_id: Option<Uuid>,
    file: Option<Received>,
}

/// The file, safe on disk, without a public name.
#[derive(Debug)]
struct Received {
    staged: Staged,
    /// As the sender calls it; not to be trusted with more than a title.
    name: String,
    content_type: Option<String>,
    head: Vec<u8>,
}

impl<const AGAIN: bool> Incoming<AGAIN> {
    /// Reads the form; the file may have `limit` bytes.
    pub(crate) async fn read(mut self, blobs: &Blobs, limit: u64) -> Result<Form, Problem> {
        // Told before a single byte of it is read.
        if self.length.is_some_and(|length| length > limit.saturating_add(AROUND)) {
            return Err(too_large(limit));
        }
        self.fields(blobs, limit).await
    }

    async fn fields(&mut self, blobs: &Blobs, limit: u64) -> Result<Form, Problem> {
        let gate = self.gate.clone();
        let mut form = Form::default();
        for _ in 0..MOST_FIELDS {
            let Some(field) = self.multipart.next_field().await.map_err(malformed)? else {
                return Ok(form);
            };
            gate.understood();
            match field.name().unwrap_or_default() {
                "file" if form.file.is_some() => return Err(invalid("file: there is more than one")),
                "file" => form.file = Some(receive(field, &gate, blobs, limit, form.kind).await?),
                "title" => form.title = text(field, &gate).await?,
                "type" => form.kind = kind(&text(field, &gate).await?)?,
                "notes" => form.notes = Some(text(field, &gate).await?).filter(|notes| !notes.is_empty()),
                "tags" => form.tags = Some(tags(&text(field, &gate).await?)?),
                "durationMs" => form.duration_ms = optional(&text(field, &gate).await?, "durationMs: a whole number")?,
                "channelId" => form.channel_id = optional(&text(field, &gate).await?, "channelId: an id")?,
                // Of a newer client, perhaps.
                _ => drop(text(field, &gate).await?),
            }
        }
        Err(invalid("the form has too many fields"))
    }
}

impl Form {
    /// The sender's title, else one of the file's name: a meme without a name cannot be found again.
    pub(crate) fn take_title(&mut self) -> String {
        match std::mem::take(&mut self.title) {
            title if title.trim().is_empty() => memes::title_of(self.file.as_ref().map_or("", |file| &file.name)),
            title => title,
        }
    }

    /// The sender's title, if there is one.
    pub(crate) fn take_own_title(&mut self) -> Option<String> {
        Some(std::mem::take(&mut self.title)).filter(|title| !title.trim().is_empty())
    }

    /// Whether there is a file in it.
    pub(crate) fn has_file(&self) -> bool {
        self.file.is_some()
    }

    /// The file, with what it was recognised as and the type of the meme it shall be (what the sender said, else what the
    /// file lends itself to).
    pub(crate) fn into_file(self) -> Result<(Staged, Container, MediaType), Problem> {
        let Some(file) = self.file else { return Err(invalid("file: it is missing")) };
        let (container, kind) = Container::of_upload(self.kind, file.content_type.as_deref(), &file.head)?;
        Ok((file.staged, container, kind))
    }
}

/// Takes the file in; what its first bytes give away is told before the rest is read.
async fn receive(
    field: Field,
    gate: &Gate,
    blobs: &Blobs,
    limit: u64,
    kind: Option<MediaType>,
) -> Result<Received, Problem> {
    let content_type = field.content_type().map(str::to_owned);
    let name = field.file_name().unwrap_or_default().to_owned();
    let mut reader = Box::pin(field.into_async_read());
    let mut head = Vec::with_capacity(HEAD);
    while head.len() < HEAD {
        let mut rest = vec![0; HEAD - head.len()];
        match read(&mut reader, &mut rest, gate).await? {
            0 => break,
            count => head.extend_from_slice(&rest[..count]),
        }
    }
    Container::of_upload(kind, content_type.as_deref(), &head)?;

    let refused = |error| match error {
        StageError::TooLarge { limit } => too_large(limit),
        StageError::Io(error) => Problem::storage(&error),
    };
    let mut staging = blobs.stage(limit).await.map_err(refused)?;
    staging.write(&head).await.map_err(refused)?;
    let mut chunk = vec![0; CHUNK];
    loop {
        match read(&mut reader, &mut chunk, gate).await? {
            0 => break,
            count => staging.write(&chunk[..count]).await.map_err(refused)?,
        }
    }
    Ok(Received { staged: staging.seal().await.map_err(refused)?, name, content_type, head })
}

/// A field of text.
async fn text(field: Field, gate: &Gate) -> Result<String, Problem> {
    let name = field.name().unwrap_or_default().to_owned();
    let mut reader = Box::pin(field.into_async_read().take(MOST_TEXT + 1));
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        match read(&mut reader, &mut chunk, gate).await? {
            0 => break,
            count => bytes.extend_from_slice(&chunk[..count]),
        }
    }
    if bytes.len() as u64 > MOST_TEXT {
        return Err(invalid(format!("{name}: it is too long")));
    }
    let text = String::from_utf8(bytes).map_err(|_| invalid(format!("{name}: it is not UTF-8")))?;
    // The database holds none.
    match text.contains('\0') {
        true if name == "title" => {
            Err(Problem::bad_request(ErrorCode::InvalidTitle, "title: it contains a NUL character"))
        }
        true => Err(invalid(format!("{name}: it contains a NUL character"))),
        false => Ok(text),
    }
}

/// An empty one is none: a page's form sends what nobody chose.
fn kind(text: &str) -> Result<Option<MediaType>, Problem> {
    let unknown = |error| Problem::bad_request(ErrorCode::InvalidMediaType, format!("type: {error}"));
    if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(unknown) }
}

fn tags(text: &str) -> Result<Vec<String>, Problem> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    serde_json::from_str(text).map_err(|_| invalid("tags: a JSON array of strings"))
}

/// A value that may be left empty.
fn optional<T: std::str::FromStr>(text: &str, what: &str) -> Result<Option<T>, Problem> {
    match text.trim() {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| invalid(what)),
    }
}

async fn read(reader: &mut (impl AsyncRead + Unpin), buffer: &mut [u8], gate: &Gate) -> Result<usize, Problem> {
    let count = reader.read(buffer).await.map_err(malformed)?;
    gate.understood();
    Ok(count)
}

fn too_large(limit: u64) -> Problem {
    let detail = format!("file: at most {limit} bytes");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, ErrorCode::FileTooLarge, detail).with("maxBytes", limit)
}

fn malformed(error: impl std::fmt::Display) -> Problem {
    Problem::bad_request(ErrorCode::BadRequest, format!("the form cannot be read: {error}"))
}

fn invalid(detail: impl Into<String>) -> Problem {
    Problem::bad_request(ErrorCode::ValidationError, detail)
}

impl<'a, const AGAIN: bool> ApiExtractor<'a> for Incoming<AGAIN> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
    type ParamType = ();
    type ParamRawType = ();

    fn request_meta() -> Option<MetaRequest> {
        Some(MetaRequest {
            description: None,
            content: vec![MetaMediaType { content_type: "multipart/form-data", schema: schema(AGAIN) }],
            required: true,
        })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let length = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        if !request.content_type().is_some_and(|kind| kind.starts_with("multipart/form-data")) {
            let given = request.content_type().unwrap_or("nothing");
            let detail = format!("Content-Type: multipart/form-data is taken, not {given:?}");
            let code = ErrorCode::UnsupportedMediaType;
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, code, detail).into());
        }
        // None for a body that is no form at all, which the parser says at once.
        let gate = request.data::<Gate>().cloned().unwrap_or_else(|| Gate::new(Body::empty()).0);
        let multipart = <Multipart as poem::FromRequest>::from_request(request, body).await.map_err(malformed)?;
        Ok(Self { multipart, gate, length })
    }
}

/// The form, for the document.
fn schema(again: bool) -> MetaSchemaRef {
    let field = |ty, format, description| {
        MetaSchemaRef::Inline(Box::new(MetaSchema { format, description: Some(description), ..MetaSchema::new(ty) }))
    };
    let text = |most, description| {
        let schema = MetaSchema { max_length: Some(most), description: Some(description), ..MetaSchema::new("string") };
        MetaSchemaRef::Inline(Box::new(schema))
    };
    let kinds = MediaType::ALL.iter().map(|kind| kind.as_str().into()).collect();
    let kind = MetaSchema {
        enum_items: kinds,
        description: Some("What the meme shall be; what the file lends itself to when absent."),
        ..MetaSchema::new("string")
    };
    let title = "Up to 200 characters; the file's name without its ending when absent.";
    let title = if again { "Up to 200 characters; as it was when absent." } else { title };
    let mut schema = MetaSchema {
        required: if again { vec![] } else { vec!["file"] },
        properties: vec![
            ("file", field("string", Some("binary"), "mp4, mov, webm, png, jpeg, webp, gif, mp3, ogg, wav or m4a.")),
            ("title", text(200, title)),
            ("type", MetaSchemaRef::Inline(Box::new(kind))),
            ("notes", text(500, "For the streamer, up to 500 characters.")),
            ("tags", field("string", None, "A JSON array of up to 20 strings of up to 50 characters each.")),
            (
                "durationMs",
                field(
                    "integer",
                    Some("int32"),
                    "Milliseconds; for a picture, how long to show it: half a second at least, at most as long as a clip may play. What \
                 is beyond is shown for the nearest length, which the meme's `durationMs` says.",
                ),
            ),
        ],
        ..MetaSchema::new("object")
    };
    if !again {
        // Not `format: uuid`: a public generator of Python clients writes a syntax error for it.
        schema.properties.push(("channelId", field("string", None, "The channel's id; your own when absent.")));
    }
    MetaSchemaRef::Inline(Box::new(schema))
}
