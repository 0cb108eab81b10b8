//! Platforms to log in with.

use std::collections::BTreeMap;

use domain::identities::{Provider, Token};
use identity::{Access, Platforms};
use url::Url;

use super::{Environment, Reader};

/// A platform without client id and secret is not offered: who wants to log in with it is told which setting is missing.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Of each platform `P` (`TWITCH`, `GOOGLE`, `YOUTUBE`, `GITHUB`, `VK`, `VKVIDEO`, `KICK`, `TROVO`, `DISCORD`, `OIDC`):
    /// `P_CLIENT_ID` and `P_CLIENT_SECRET` as registered there; `P_URL`: another host that speaks like it, for OIDC the
    /// issuer and required; `P_SCOPES`: what is asked for, with spaces between. Defaults: the platform's own.
    /// `VKVIDEO_API_BASE_URL`, or `VKVIDEO_USERINFO_URL` as it was called once: where the API alone is.
    pub access: BTreeMap<Provider, Access>,
    /// Platforms that nothing is said about: in dev `memalerts all` simulates them.
    pub simulated: Vec<Provider>,
}

impl Identity {
    pub(super) fn read(reader: &mut Reader, environment: Environment) -> Self {
        let mut identity = Self { access: BTreeMap::new(), simulated: Vec::new() };
        for provider in Provider::ALL {
            let access = read(reader, provider, environment);
            if environment.is_dev()
                && access.client_id.is_none()
                && access.client_secret.is_none()
                && access.url.is_none()
            {
                identity.simulated.push(provider);
            }
            identity.access.insert(provider, access);
        }
        identity
    }
}

fn read(reader: &mut Reader, provider: Provider, environment: Environment) -> Access {
    let [id, secret, url, scopes] = Platforms::settings(provider);
    let access = Access {
        client_id: reader.text(id),
        client_secret: reader.secret(secret).map(|secret| Token::new(secret.expose())),
        url: address(reader, url, environment),
        api: api(reader, provider, environment),
        scopes: reader.text(scopes),
    };
    // Half a platform is a slip, which people would meet at their logins.
    let url_is_needed = Platforms::usual_url(provider).is_empty();
    let needed = [(id, access.client_id.is_some()), (secret, access.client_secret.is_some())];
    let needed = needed.into_iter().chain(url_is_needed.then_some((url, access.url.is_some())));
    let (given, missing): (Vec<_>, Vec<_>) = needed.partition(|(_, given)| *given);
    if !given.is_empty() && !missing.is_empty() {
        let named = |all: &[(&str, bool)]| all.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(" and ");
        reader.complain(format!("{} without {}: set all or none", named(&given), named(&missing)));
    }
    if environment.is_dev() {
        for name in [id, secret, url] {
            reader.otherwise(name, "the simulator within memalerts all");
        }
    } else if !Platforms::usual_url(provider).is_empty() {
        reader.otherwise(url, Platforms::usual_url(provider));
    }
    reader.otherwise(scopes, Platforms::usual_scopes(provider));
    access
}

/// Where the API alone is: the host, also where somebody has written down a path of it (`/v1/current_user`).
fn api(reader: &mut Reader, provider: Provider, environment: Environment) -> Option<Url> {
    let mut found = None;
    for name in Platforms::api_settings(provider) {
        let named = address(reader, name, environment);
        reader.otherwise(name, "beside the rest of the platform");
        found = found.or(named);
    }
    let mut url = found?;
    let path = url.path().split("/v1").next().unwrap_or_default().to_owned();
    url.set_path(&path);
    Some(url)
}

/// Secrets go there: in clear on a dev machine only.
fn address(reader: &mut Reader, name: &'static str, environment: Environment) -> Option<Url> {
    let text = reader.text(name)?;
    let url = Url::parse(&text).ok().filter(|url| {
        let kind = url.scheme() == "https" || (url.scheme() == "http" && environment.is_dev());
        kind && url.has_host() && url.query().is_none() && url.fragment().is_none()
    });
    if url.is_none() {
        reader.complain(format!("{name} must be an https:// address without a query, not {text:?}"));
    }
    url
}
