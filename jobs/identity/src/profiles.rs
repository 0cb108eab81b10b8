//! How each platform tells who came, in the words of its own interface. What is missing is refused, what is more is ignored.

use serde_json::Value;
use url::Url;

/// Who came, as the platform tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Profile {
    /// The id, which never changes.
    pub(crate) subject: String,
    pub(crate) login: String,
    pub(crate) display_name: String,
    pub(crate) avatar_url: Option<String>,
}

/// How a platform's answer is read.
pub(crate) type Read = fn(&Value) -> Result<Profile, NotUsable>;

/// Why an answer names nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotUsable {
    /// No id, or one that cannot be one.
    NoId,
    /// A person, but without the channel that is asked for.
    NoChannel,
}

/// `{"data":[{"id","login","display_name","profile_image_url"}]}`
pub(crate) fn twitch(answer: &Value) -> Result<Profile, NotUsable> {
    let user = only(&answer["data"])?;
    profile(&user["id"], &user["login"], &user["display_name"], &user["profile_image_url"])
}

/// `{"items":[{"id":"UC...","snippet":{"title","customUrl":"@handle","thumbnails":{"default":{"url"}}}}]}`
pub(crate) fn youtube(answer: &Value) -> Result<Profile, NotUsable> {
    let Some(channel) = answer["items"].as_array().and_then(|items| items.first()) else {
        // Google leaves `items` out when there is none.
        return Err(if answer.is_object() { NotUsable::NoChannel } else { NotUsable::NoId });
    };
    let snippet = &channel["snippet"];
    profile(&channel["id"], &snippet["customUrl"], &snippet["title"], &snippet["thumbnails"]["default"]["url"])
}

/// `{"id":1,"login","name","avatar_url"}`
pub(crate) fn github(answer: &Value) -> Result<Profile, NotUsable> {
    profile(&answer["id"], &answer["login"], &answer["name"], &answer["avatar_url"])
}

/// `{"user":{"user_id","first_name","last_name","avatar"}}`
pub(crate) fn vk(answer: &Value) -> Result<Profile, NotUsable> {
    let user = &answer["user"];
    let name = [&user["first_name"], &user["last_name"]].map(|part| part.as_str().unwrap_or_default()).join(" ");
    profile(&user["user_id"], &Value::Null, &Value::String(name), &user["avatar"])
}

/// `{"data":{"user":{"id","nick","avatar_url"}}}`
pub(crate) fn vkvideo(answer: &Value) -> Result<Profile, NotUsable> {
    let user = &answer["data"]["user"];
    profile(&user["id"], &user["nick"], &user["nick"], &user["avatar_url"])
}

/// `{"data":[{"user_id":1,"name","profile_picture"}]}`
pub(crate) fn kick(answer: &Value) -> Result<Profile, NotUsable> {
    let user = only(&answer["data"])?;
    profile(&user["user_id"], &user["name"], &user["name"], &user["profile_picture"])
}

/// `{"userId","userName","nickName","profilePic"}`
pub(crate) fn trovo(answer: &Value) -> Result<Profile, NotUsable> {
    profile(&answer["userId"], &answer["userName"], &answer["nickName"], &answer["profilePic"])
}

/// `{"id","username","global_name","avatar":"hash"}`
pub(crate) fn discord(answer: &Value) -> Result<Profile, NotUsable> {
    let picture = match (answer["id"].as_str(), answer["avatar"].as_str()) {
        (Some(id), Some(hash)) => Value::String(format!("https://cdn.discordapp.com/avatars/{id}/{hash}.png")),
        _ => Value::Null,
    };
    profile(&answer["id"], &answer["username"], &answer["global_name"], &picture)
}

/// Claims of an id token: `{"sub","preferred_username","name","picture"}`.
pub(crate) fn openid(claims: &Value) -> Result<Profile, NotUsable> {
    // The protocol says a string; a number could be read in two ways.
    if !claims["sub"].is_string() {
        return Err(NotUsable::NoId);
    }
    let login = &claims["preferred_username"];
    let login = if login.is_string() { login } else { &claims["nickname"] };
    profile(&claims["sub"], login, &claims["name"], &claims["picture"])
}

/// The first of a list that must hold one: the platform was asked about one person, and two would be anybody.
fn only(list: &Value) -> Result<&Value, NotUsable> {
    match list.as_array().map(Vec::as_slice) {
        Some([user]) => Ok(user),
        _ => Err(NotUsable::NoId),
    }
}

fn profile(id: &Value, login: &Value, name: &Value, picture: &Value) -> Result<Profile, NotUsable> {
    let subject = match id {
        Value::String(id) => id.clone(),
        // Whole numbers only: a fraction has several texts.
        Value::Number(id) if id.is_u64() => id.to_string(),
        _ => return Err(NotUsable::NoId),
    };
    let plain = !subject.is_empty() && subject.len() <= 255 && subject.bytes().all(|byte| byte.is_ascii_graphic());
    // Nobody has the number 0; a platform that sends it has no id to send.
    if !plain || subject == "0" {
        return Err(NotUsable::NoId);
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().chars().take(255).collect::<String>();
    let (login, name) = (text(login), text(name));
    let avatar_url = picture.as_str().filter(|url| is_picture(url)).map(str::to_owned);
    let display_name = if name.trim().is_empty() { login.clone() } else { name.clone() };
    let login = if login.is_empty() { name } else { login };
    Ok(Profile { subject, login, display_name, avatar_url })
}

/// An address that a page may load.
fn is_picture(address: &str) -> bool {
    address.len() <= 2048
        && Url::parse(address).is_ok_and(|url| {
            url.scheme() == "https" && url.has_host() && url.username().is_empty() && url.password().is_none()
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_platform_s_own_words_are_understood() {
        let https = "https://img.example/a.png";
        let cases: [(Read, Value, [&str; 3]); 9] = [
            (
                twitch,
                json!({ "data": [{ "id": "44", "login": "anna", "display_name": "Anna", "profile_image_url": https }] }),
                ["44", "anna", "Anna"],
            ),
            (
                youtube,
                json!({ "items": [{ "id": "UC1", "snippet": { "title": "Anna TV", "customUrl": "@annatv",
                        "thumbnails": { "default": { "url": https } } } }] }),
                ["UC1", "@annatv", "Anna TV"],
            ),
            (github, json!({ "id": 7, "login": "anna", "name": null, "avatar_url": https }), ["7", "anna", "anna"]),
            (
                vk,
                json!({ "user": { "user_id": "9", "first_name": "Анна", "last_name": "Б", "avatar": https } }),
                ["9", "Анна Б", "Анна Б"],
            ),
            (
                vkvideo,
                json!({ "data": { "user": { "id": 5, "nick": "Anna", "avatar_url": https } } }),
                ["5", "Anna", "Anna"],
            ),
            (
                kick,
                json!({ "data": [{ "user_id": 3, "name": "anna", "profile_picture": https }], "message": "OK" }),
                ["3", "anna", "anna"],
            ),
            (
                trovo,
                json!({ "userId": "6", "userName": "anna", "nickName": "Anna", "profilePic": https, "email": "" }),
                ["6", "anna", "Anna"],
            ),
            (
                discord,
                json!({ "id": "8", "username": "anna", "global_name": "Anna", "avatar": "abc" }),
                ["8", "anna", "Anna"],
            ),
            (
                openid,
                json!({ "sub": "x|1", "preferred_username": "anna", "name": "Anna", "picture": https }),
                ["x|1", "anna", "Anna"],
            ),
        ];
        for (read, answer, [subject, login, name]) in cases {
            let profile = read(&answer).unwrap_or_else(|_| panic!("{answer}"));
            assert_eq!([&profile.subject, &profile.login, &profile.display_name], [subject, login, name], "{answer}");
            assert!(profile.avatar_url.unwrap().starts_with("https://"));
        }
    }

    #[test]
    fn an_answer_without_one_plain_id_names_nobody() {
        let ids = [
            json!(null),
            json!(""),
            json!("0"),
            json!(0),
            json!(-1),
            json!(1.5),
            json!(true),
            json!(["1"]),
            json!("1 2"),
            json!("1\n"),
            json!("x".repeat(256)),
        ];
        for id in ids {
            assert_eq!(github(&json!({ "id": id, "login": "anna" })), Err(NotUsable::NoId), "{id}");
        }
        for answer in [
            json!(null),
            json!([]),
            json!("x"),
            json!({ "data": [] }),
            json!({ "data": [{ "id": "1" }, { "id": "2" }] }),
        ] {
            assert_eq!(twitch(&answer), Err(NotUsable::NoId), "{answer}");
        }
        assert_eq!(openid(&json!({ "sub": 1 })), Err(NotUsable::NoId));
        assert_eq!(youtube(&json!({ "kind": "list" })), Err(NotUsable::NoChannel));
    }

    #[test]
    fn a_picture_is_an_https_address_or_none() {
        for bad in ["http://x.example/a", "javascript:alert(1)", "data:image/png,x", "//x", "https://u:p@x.example/"] {
            let profile = github(&json!({ "id": 1, "login": "a", "avatar_url": bad })).unwrap();
            assert_eq!(profile.avatar_url, None, "{bad}");
        }
    }
}
