//! What is wrong with a request, in the words of the document: which parameter or field, and what is allowed there.
//!
//! The framework says that a request does not fit in words of its own code (`param0`, `string_uuid`). The operation's
//! schema says what would fit, and it is what clients know.

mod schema;
mod twice;

use std::{
    borrow::Cow,
    collections::BTreeSet,
    sync::{Arc, LazyLock},
};

use bytes::Bytes;
use domain::identities::Provider;
use poem::{
    Body, Endpoint, Error, IntoResponse, Request, Response,
    error::MethodNotAllowedError,
    http::{HeaderValue, Method, StatusCode, Uri, header},
};
use poem_openapi::{
    OpenApi,
    error::{ContentTypeError, ParseParamError, ParsePathError, ParseRequestPayloadError},
    registry::{MetaApi, MetaOperation, MetaParamIn, MetaPath, Registry},
};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    limits,
    problem::{ErrorCode, Fault, Problem},
    problems::promised,
    routes,
};

/// Characters that are repeated of what somebody has written.
const LONGEST: usize = 80;
/// How bodies begin that were compressed: with gzip, with zstd.
const PACKED: [&[u8]; 2] = [&[0x1f, 0x8b], &[0x28, 0xb5, 0x2f, 0xfd]];
/// Things that are wrong with a body, as many are named at once.
const MOST: usize = 20;

/// Of all operations that clients know.
pub(crate) static DOCUMENT: LazyLock<Document> = LazyLock::new(|| Document::of(&routes::all()));

/// What every operation takes.
pub(crate) struct Document {
    apis: Vec<MetaApi>,
    registry: Registry,
}

impl Document {
    /// Of these operations.
    pub(crate) fn of<T: OpenApi>(_operations: &T) -> Self {
        let mut registry = Registry::new();
        T::register(&mut registry);
        Self { apis: T::meta(), registry }
    }

    /// Calls the operation; what does not fit the document, or is refused by the framework, is explained.
    pub(crate) async fn explain<E: Endpoint>(&self, inner: Arc<E>, mut request: Request) -> poem::Result<Response> {
        let (method, uri) = (request.method().clone(), request.uri().clone());
        if let Some(detail) = self.misunderstood(&method, &uri) {
            return Err(Problem::bad_request(ErrorCode::ValidationError, detail).into());
        }
        let mut body = Bytes::new();
        // Small by now: `limits` has seen to it. Uploads are no JSON, and pass.
        if request.content_type().is_some_and(|kind| kind.contains("json")) {
            body = request.take_body().into_bytes().await?;
            // The framework takes `true` and `1` for texts, and leaves out what it does not know. It gets what it refuses
            // instead, so that who asks is looked at before what they say, as everywhere.
            let given = if self.fits(&method, &uri, &body) { body.clone() } else { Bytes::from_static(b"null") };
            request.set_body(Body::from_bytes(given));
        }
        match inner.call(request).await {
            Ok(answer) => Ok(answer.into_response()),
            Err(error) => Err(self.words(&method, &uri, &body, &error).map_or(error, Error::from)),
        }
    }

    /// A parameter that an operation which changes something would leave unread, or read in one of two ways: what it does
    /// may not be what was meant. Reading takes no harm from parameters that it does not know.
    fn misunderstood(&self, method: &Method, uri: &Uri) -> Option<String> {
        let query = uri.query()?;
        if method.is_safe() {
            return None;
        }
        let (_, operation) = self.operation(method, uri.path())?;
        let asker = operation.operation_id.and_then(promised::asker);
        let channel = asker.is_some_and(promised::Asker::acts_on_a_channel).then_some("channel");
        let known = operation.params.iter().filter(|it| it.in_type == MetaParamIn::Query).map(|it| it.name.as_str());
        let known: Vec<&str> = known.chain(channel).collect();
        let mut names: BTreeSet<Cow<'_, str>> = BTreeSet::new();
        for (name, _) in url::form_urlencoded::parse(query.as_bytes()) {
            let shown: String = name.chars().take(LONGEST).collect();
            if !known.contains(&&*name) {
                let there = if known.is_empty() {
                    "it takes none".to_owned()
                } else {
                    format!("there are {}", known.join(", "))
                };
                return Some(format!("{shown}: there is no such parameter; {there}"));
            }
            if !names.insert(name) {
                return Some(format!("{shown}: it is given twice"));
            }
        }
        None
    }

    /// Whether the body is what the document says, as far as it is JSON at all.
    fn fits(&self, method: &Method, uri: &Uri, body: &[u8]) -> bool {
        let Some((_, operation)) = self.operation(method, uri.path()) else { return true };
        let Some(content) = operation.request.as_ref().and_then(|request| request.content.first()) else { return true };
        let Ok(value) = serde_json::from_slice(body) else { return true };
        schema::complaints(&self.registry, &content.schema, &value).is_empty() && twice::doubled(body).is_empty()
    }

    /// Calls whatever is there; a method that is not is answered with those that are.
    pub(crate) async fn name_methods<E: Endpoint>(&self, inner: Arc<E>, request: Request) -> poem::Result<Response> {
        let uri = request.uri().clone();
        match inner.call(request).await {
            Ok(answer) => Ok(answer.into_response()),
            Err(error) if error.is::<MethodNotAllowedError>() => {
                let mut answer = Problem::from_framework(&error).into_response();
                if let Ok(methods) = HeaderValue::from_str(&self.methods(uri.path())) {
                    answer.headers_mut().insert(header::ALLOW, methods);
                }
                Err(Error::from_response(answer))
            }
            Err(error) => Err(error),
        }
    }

    /// The methods of a path, as `Allow` lists them.
    fn methods(&self, asked: &str) -> String {
        let paths: Vec<&MetaPath> = self.paths(asked).collect();
        // Of several paths that fit, only the one with the fewest parameters is ever reached.
        let fewest = paths.iter().map(|path| parameters(path)).min();
        let operations = paths.iter().filter(|path| Some(parameters(path)) == fewest).flat_map(|path| &path.operations);
        let mut methods: Vec<&str> = operations.map(|operation| operation.method.as_str()).collect();
        if methods.is_empty() {
            methods.push(routes::method_of_undocumented(asked));
        }
        if methods.contains(&"GET") && !limits::is_get_alone(asked) {
            methods.push("HEAD");
        }
        methods.join(", ")
    }

    /// None for an error of another kind.
    fn words(&self, method: &Method, uri: &Uri, body: &[u8], error: &Error) -> Option<Problem> {
        let (path, operation) = self.operation(method, uri.path())?;
        let detail = if let Some(error) = error.downcast_ref::<ParsePathError>() {
            // The framework numbers them in the order of the path.
            let number: usize = error.name.strip_prefix("param")?.parse().ok()?;
            let (place, name) = parts(&path.path).enumerate().filter(|(_, part)| part.starts_with('{')).nth(number)?;
            let given = parts(uri.path()).nth(place);
            let detail = self.parameter(operation, MetaParamIn::Path, name.trim_matches(['{', '}']), given);
            // A platform that there is not has no bot, as one whose bot is not built.
            let of_bots = ["/owner/bots/", "/streamer/bot"].iter().any(|begins| path.path.starts_with(begins));
            if of_bots && name == "{provider}" {
                return Some(Problem::not_found(ErrorCode::FeatureNotAvailable, detail));
            }
            detail
        } else if let Some(error) = error.downcast_ref::<ParseParamError>() {
            let query = uri.query().unwrap_or_default().as_bytes();
            let given = url::form_urlencoded::parse(query).find(|(name, _)| name == error.name);
            self.parameter(operation, MetaParamIn::Query, error.name, given.as_ref().map(|(_, value)| &**value))
        } else if error.is::<ParseRequestPayloadError>() {
            return Some(self.body(operation, body));
        } else if let Some(error) = error.downcast_ref::<ContentTypeError>() {
            let taken = operation.request.as_ref()?.content.first()?.content_type;
            let taken = taken.split(';').next().unwrap_or_default();
            let detail = match error {
                ContentTypeError::NotSupported { content_type } => {
                    format!("Content-Type: {taken} is taken, not {content_type:?}")
                }
                ContentTypeError::ExpectContentType => format!("Content-Type: it is missing; {taken} is taken"),
            };
            return Some(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, ErrorCode::UnsupportedMediaType, detail));
        } else {
            return None;
        };
        Some(Problem::bad_request(ErrorCode::ValidationError, detail))
    }

    /// The operation that the request is for. A name outranks a parameter.
    fn operation(&self, method: &Method, asked: &str) -> Option<(&MetaPath, &MetaOperation)> {
        let operations = self
            .paths(asked)
            .filter_map(|path| Some((path, path.operations.iter().find(|operation| operation.method == *method)?)));
        operations.min_by_key(|(path, _)| parameters(path))
    }

    /// The path of the operation that the request is for, with the ids that are in it, but neither names of people and
    /// channels nor tokens.
    pub(crate) fn place(&self, method: &Method, asked: &str) -> Option<String> {
        let (path, _) = self.operation(method, asked)?;
        let of_ours = |part: &str, asked: &str| part == "{provider}" && asked.parse::<Provider>().is_ok();
        let told = parts(&path.path)
            .zip(parts(asked))
            .map(|(part, asked)| if asked.parse::<Uuid>().is_ok() || of_ours(part, asked) { asked } else { part });
        Some(told.collect::<Vec<_>>().join("/"))
    }

    /// The paths that stand for the one that is asked for.
    fn paths(&self, asked: &str) -> impl Iterator<Item = &MetaPath> {
        let fits = move |path: &&MetaPath| {
            parts(&path.path).count() == parts(asked).count()
                && parts(&path.path).zip(parts(asked)).all(|(part, asked)| part.starts_with('{') || part == asked)
        };
        self.apis.iter().flat_map(|api| &api.paths).filter(fits)
    }

    fn parameter(&self, operation: &MetaOperation, place: MetaParamIn, name: &str, given: Option<&str>) -> String {
        let Some(given) = given else { return format!("{name}: it is missing") };
        let parameter = operation.params.iter().find(|parameter| parameter.in_type == place && parameter.name == name);
        let complaint = parameter.and_then(|parameter| {
            let value = schema::typed(&self.registry, &parameter.schema, given);
            schema::complaints(&self.registry, &parameter.schema, &value).into_iter().next()
        });
        complaint.map_or_else(|| format!("{name}: it cannot be read"), |complaint| complaint.told_of(name))
    }

    /// `detail` is the first thing that is wrong, `errors` are all.
    fn body(&self, operation: &MetaOperation, body: &[u8]) -> Problem {
        let invalid = |detail: String| Problem::bad_request(ErrorCode::ValidationError, detail);
        if body.is_empty() {
            return invalid("the body: it is missing".to_owned());
        }
        if PACKED.iter().any(|begin| body.starts_with(begin)) {
            let detail = "Content-Encoding: a body is taken as it is, not compressed";
            return Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, ErrorCode::UnsupportedMediaType, detail);
        }
        let value: Value = match serde_json::from_slice(body) {
            Ok(value) => value,
            Err(error) => return invalid(format!("the body: it is not JSON: {error}")),
        };
        let content = operation.request.as_ref().and_then(|request| request.content.first());
        let complaints =
            content.map(|content| schema::complaints(&self.registry, &content.schema, &value)).unwrap_or_default();
        let doubled =
            twice::doubled(body).into_iter().map(|field| Fault { field, detail: "it is given twice".to_owned() });
        let wrong = complaints.iter().map(|it| Fault { field: it.place_in(""), detail: it.words().to_owned() });
        let faults: Vec<Fault> = doubled.chain(wrong).take(MOST).collect();
        if faults.is_empty() {
            return invalid("the body: it is not what the operation takes".to_owned());
        }
        Problem::of_faults(faults)
    }
}

fn parameters(path: &MetaPath) -> usize {
    path.path.matches('{').count()
}

fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
}
