//! The words. What is left out has the value that is nothing of its kind.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Not an object of this protocol.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a word of the protocol: {0}")]
pub struct Malformed(pub String);

/// What a client asks, under a number of its own from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    pub id: u32,
    pub request: Request,
}

/// What can be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// The first of a connection.
    Connect {
        token: String,
        name: String,
    },
    /// `token` where the channel is not public; `from` to hear what was said since then.
    Subscribe {
        channel: String,
        token: Option<String>,
        from: Option<(String, u64)>,
    },
    Unsubscribe {
        channel: String,
    },
    /// A new token for the connection.
    Refresh {
        token: String,
    },
    /// A new token for a channel.
    SubRefresh {
        channel: String,
        token: String,
    },
}

impl Request {
    /// The field under which it is asked and answered.
    #[must_use]
    pub fn method(&self) -> &'static str {
        match self {
            Self::Connect { .. } => "connect",
            Self::Subscribe { .. } => "subscribe",
            Self::Unsubscribe { .. } => "unsubscribe",
            Self::Refresh { .. } => "refresh",
            Self::SubRefresh { .. } => "sub_refresh",
        }
    }

    fn body(&self) -> Value {
        match self {
            Self::Connect { token, name } => json!({ "token": token, "name": name }),
            Self::Subscribe { channel, token, from } => {
                let mut body = Map::from_iter([("channel".to_owned(), json!(channel))]);
                if let Some(token) = token {
                    body.insert("token".to_owned(), json!(token));
                }
                if let Some((epoch, offset)) = from {
                    body.insert("recover".to_owned(), json!(true));
                    body.insert("epoch".to_owned(), json!(epoch));
                    body.insert("offset".to_owned(), json!(offset));
                }
                Value::Object(body)
            }
            Self::Unsubscribe { channel } => json!({ "channel": channel }),
            Self::Refresh { token } => json!({ "token": token }),
            Self::SubRefresh { channel, token } => json!({ "channel": channel, "token": token }),
        }
    }
}

impl std::fmt::Display for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", json!({ "id": self.id, self.request.method(): self.request.body() }))
    }
}

/// What somebody who plays the server hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    Command(Command),
    /// The answer to a ping.
    Pong,
    /// A command that nobody has here; its number, if it has one.
    Other(u32),
}

/// What a server says.
#[derive(Debug, Clone, PartialEq)]
pub enum Saying {
    /// To be answered with `{}` where the server wants that.
    Ping,
    /// The answer to the command of this number: the whole object, whose field of the method's name is the result.
    Reply {
        id: u32,
        result: Result<Value, Refusal>,
    },
    Push(Push),
}

/// Why a command was refused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{code} {message}")]
#[serde(default)]
pub struct Refusal {
    pub code: u32,
    pub message: String,
    /// The same may be asked again.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub temporary: bool,
}

impl Refusal {
    /// The token has ended: with a new one it may be asked again.
    pub const TOKEN_EXPIRED: u32 = 109;
    /// We are subscribed already.
    pub const ALREADY_SUBSCRIBED: u32 = 105;
    /// What was said since the position is not kept any more.
    pub const UNRECOVERABLE: u32 = 112;
}

/// What a server says by itself.
#[derive(Debug, Clone, PartialEq)]
pub enum Push {
    Publication {
        channel: String,
        publication: Publication,
    },
    /// We are subscribed no more; see [`Push::may_subscribe_again`].
    Unsubscribe {
        channel: String,
        code: u32,
        reason: String,
    },
    Disconnect {
        code: u16,
        reason: String,
    },
    /// Joins, leaves, and what newer servers say.
    Other,
}

impl Push {
    /// Whether somebody who was unsubscribed with the code may come back at once.
    #[must_use]
    pub fn may_subscribe_again(code: u32) -> bool {
        code >= 2500
    }
}

/// Something said in a channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Publication {
    #[serde(default)]
    pub data: Value,
    /// Its place in the channel, from 1; 0 where the channel keeps nothing.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub offset: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The objects of a frame that a server has sent.
pub fn sayings(frame: &str) -> impl Iterator<Item = Result<Saying, Malformed>> {
    objects(frame).map(|object| object.and_then(saying))
}

/// The objects of a frame that a client has sent.
pub fn commands(frame: &str) -> impl Iterator<Item = Result<Said, Malformed>> {
    objects(frame).map(|object| object.and_then(|object| said(&object)))
}

fn objects(frame: &str) -> impl Iterator<Item = Result<Map<String, Value>, Malformed>> {
    frame
        .split('\n')
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_str(line).map_err(|error| Malformed(error.to_string())))
}

fn saying(mut object: Map<String, Value>) -> Result<Saying, Malformed> {
    let id = number(&object, "id")?;
    if id > 0 {
        let result = match object.remove("error") {
            Some(error) => Err(read(error)?),
            None => Ok(Value::Object(object)),
        };
        return Ok(Saying::Reply { id, result });
    }
    match object.remove("push") {
        Some(push) => Ok(Saying::Push(pushed(read(push)?)?)),
        None if object.is_empty() => Ok(Saying::Ping),
        None => Ok(Saying::Push(Push::Other)),
    }
}

fn pushed(mut push: Map<String, Value>) -> Result<Push, Malformed> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Farewell {
        code: u32,
        reason: String,
    }
    let channel = text(&push, "channel");
    if let Some(publication) = push.remove("pub") {
        return Ok(Push::Publication { channel, publication: read(publication)? });
    }
    if let Some(farewell) = push.remove("unsubscribe") {
        let Farewell { code, reason } = read(farewell)?;
        return Ok(Push::Unsubscribe { channel, code, reason });
    }
    if let Some(farewell) = push.remove("disconnect") {
        let Farewell { code, reason } = read(farewell)?;
        return Ok(Push::Disconnect { code: u16::try_from(code).unwrap_or_default(), reason });
    }
    Ok(Push::Other)
}

fn said(object: &Map<String, Value>) -> Result<Said, Malformed> {
    if object.is_empty() {
        return Ok(Said::Pong);
    }
    let id = number(object, "id")?;
    let body = |method: &str| object.get(method).and_then(Value::as_object);
    let request = if let Some(body) = body("connect") {
        Request::Connect { token: text(body, "token"), name: text(body, "name") }
    } else if let Some(body) = body("subscribe") {
        let recover = body.get("recover") == Some(&Value::Bool(true));
        let offset = body.get("offset").and_then(Value::as_u64).unwrap_or_default();
        Request::Subscribe {
            channel: text(body, "channel"),
            token: Some(text(body, "token")).filter(|token| !token.is_empty()),
            from: recover.then(|| (text(body, "epoch"), offset)),
        }
    } else if let Some(body) = body("unsubscribe") {
        Request::Unsubscribe { channel: text(body, "channel") }
    } else if let Some(body) = body("refresh") {
        Request::Refresh { token: text(body, "token") }
    } else if let Some(body) = body("sub_refresh") {
        Request::SubRefresh { channel: text(body, "channel"), token: text(body, "token") }
    } else {
        return Ok(Said::Other(id));
    };
    if id == 0 {
        return Err(Malformed("id: missing".to_owned()));
    }
    Ok(Said::Command(Command { id, request }))
}

fn number(object: &Map<String, Value>, name: &str) -> Result<u32, Malformed> {
    match object.get(name) {
        None => Ok(0),
        Some(value) => {
            let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
            number.ok_or_else(|| Malformed(format!("{name}: not a number of 32 bits")))
        }
    }
}

fn text(object: &Map<String, Value>, name: &str) -> String {
    object.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn read<T: for<'de> Deserialize<'de>>(value: Value) -> Result<T, Malformed> {
    serde_json::from_value(value).map_err(|error| Malformed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_frame_holds_several_objects_and_an_empty_one_is_a_ping() {
        let frame = "{\"id\":1,\"connect\":{\"client\":\"c\"}}\n{}\n\n{\"push\":{\"channel\":\"x\",\"pub\":{\"data\":{\"a\":1},\"offset\":12}}}\n";
        let heard: Vec<Saying> = sayings(frame).map(Result::unwrap).collect();
        let publication = Publication { data: json!({ "a": 1 }), offset: 12 };
        assert_eq!(
            heard,
            [
                Saying::Reply { id: 1, result: Ok(json!({ "id": 1, "connect": { "client": "c" } })) },
                Saying::Ping,
                Saying::Push(Push::Publication { channel: "x".to_owned(), publication }),
            ]
        );
    }

    #[test]
    fn a_refusal_says_its_code_and_whether_to_ask_again() {
        let heard: Vec<_> =
            sayings(r#"{"id":7,"error":{"code":111,"message":"too many requests","temporary":true}}"#).collect();
        let refusal = Refusal { code: 111, message: "too many requests".to_owned(), temporary: true };
        assert_eq!(heard, [Ok(Saying::Reply { id: 7, result: Err(refusal) })]);
    }

    #[test]
    fn what_newer_servers_say_is_let_pass_and_what_is_no_object_is_told() {
        assert_eq!(
            sayings(r#"{"push":{"channel":"x","join":{}}}"#).collect::<Vec<_>>(),
            [Ok(Saying::Push(Push::Other))]
        );
        assert_eq!(sayings(r#"{"new":1}"#).collect::<Vec<_>>(), [Ok(Saying::Push(Push::Other))]);
        for wrong in ["[]", "1", "{", r#"{"id":-1}"#, r#"{"id":4294967296}"#, r#"{"push":[]}"#, r#"{"push":{"pub":1}}"#]
        {
            assert!(sayings(wrong).any(|said| said.is_err()), "{wrong}");
        }
    }

    fn request() -> impl Strategy<Value = Request> {
        let from = proptest::option::of(("[a-z]{1,5}", any::<u64>()));
        prop_oneof![
            (".{0,20}", ".{0,9}").prop_map(|(token, name)| Request::Connect { token, name }),
            (".{1,20}", proptest::option::of(".{1,20}"), from).prop_map(|(channel, token, from)| Request::Subscribe {
                channel,
                token,
                from
            }),
            ".{1,20}".prop_map(|channel| Request::Unsubscribe { channel }),
            ".{1,20}".prop_map(|token| Request::Refresh { token }),
            (".{1,20}", ".{1,20}").prop_map(|(channel, token)| Request::SubRefresh { channel, token }),
        ]
    }

    proptest! {
        #[test]
        fn a_command_is_heard_as_it_was_said(id in 1_u32.., request in request()) {
            let command = Command { id, request };
            let written = command.to_string();
            prop_assert!(!written.contains('\n'));
            prop_assert_eq!(commands(&written).collect::<Vec<_>>(), [Ok(Said::Command(command))]);
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,200}") {
            prop_assert!(sayings(&text).count() + commands(&text).count() < 1000);
        }

        #[test]
        fn no_object_makes_it_panic(key in "id|push|error|connect|[a-z]{1,8}", value in ".{0,40}", number in any::<i64>()) {
            for object in [json!({ &key: value }), json!({ &key: number }), json!({ "id": 1, &key: [value] }),
                           json!({ "push": { "channel": value, "pub": { "offset": number } } }),
                           json!({ "push": { &key: number } }), json!({ "id": number, "subscribe": { &key: value } })] {
                let text = object.to_string();
                prop_assert!(sayings(&text).count() + commands(&text).count() < 1000);
            }
        }
    }
}
