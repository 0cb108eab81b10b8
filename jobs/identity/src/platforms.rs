//! The platforms that are configured, and what one does with them.

use std::{collections::BTreeMap, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use domain::identities::{Grant, Identity, Provider, Token};
use reqwest::RequestBuilder;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::{
    IdentityError,
    client::Client,
    discovery::{Discovery, Metadata},
    grants::{self, Refusal, Tokens},
    profiles::{self, NotUsable, Profile},
    proof::{self, Expected, Flaw},
    registry::{self, Call, Endpoints, Exchange, Row, Who},
    tokens::{AppTokens, Turns},
};

/// What the settings say about a platform.
#[derive(Debug, Clone, Default)]
pub struct Access {
    pub client_id: Option<String>,
    pub client_secret: Option<Token>,
    /// Instead of the platform's own hosts; of an OpenID provider: its issuer.
    pub url: Option<Url>,
    /// Where its API is, if that alone is elsewhere.
    pub api: Option<Url>,
    /// Instead of the usual ones, with spaces between.
    pub scopes: Option<String>,
}

/// What a login takes to the platform.
#[derive(Debug, Clone, Copy)]
pub struct Trip<'a> {
    pub state: &'a str,
    pub verifier: &'a str,
    pub nonce: &'a str,
    /// Where the platform sends the browser back to.
    pub redirect_uri: &'a str,
    /// Asked for beside the usual ones.
    pub scopes: &'a [&'a str],
}

/// What a browser brings back, beside the state.
#[derive(Debug, Clone, Copy)]
pub struct Returned<'a> {
    pub code: &'a str,
    /// `iss`: who sends it (RFC 9207).
    pub issuer: Option<&'a str>,
    /// `device_id`
    pub device: Option<&'a str>,
}

/// All platforms. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Platforms {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    access: BTreeMap<Provider, Access>,
    pub(crate) client: Client,
    discovery: Discovery,
    pub(crate) turns: Turns,
    pub(crate) app_tokens: AppTokens,
}

/// A platform with all that is needed to speak to it.
pub(crate) struct Door<'a> {
    pub(crate) row: &'static Row,
    pub(crate) client_id: &'a str,
    pub(crate) secret: &'a Token,
    url: Option<&'a Url>,
    api: Option<&'a Url>,
    scopes: Vec<String>,
}

/// What is asked for at the token endpoint.
type Form<'a> = Vec<(&'static str, &'a str)>;

impl Platforms {
    /// # Errors
    /// There is no TLS on this machine.
    pub fn new(access: BTreeMap<Provider, Access>) -> Result<Self, reqwest::Error> {
        let client = Client::new(access.values().flat_map(|access| [&access.url, &access.api]).flatten())?;
        let (turns, app_tokens) = (Turns::default(), AppTokens::default());
        Ok(Self { inner: Arc::new(Inner { access, client, discovery: Discovery::default(), turns, app_tokens }) })
    }

    /// The settings of the platform: client id, client secret, address, scopes.
    #[must_use]
    pub fn settings(provider: Provider) -> [&'static str; 4] {
        registry::row(provider).settings
    }

    /// Settings that say where the platform's API alone is; the first that is set counts.
    #[must_use]
    pub fn api_settings(provider: Provider) -> &'static [&'static str] {
        registry::row(provider).api_settings
    }

    /// What is asked for where the setting says nothing else, with spaces between.
    #[must_use]
    pub fn usual_scopes(provider: Provider) -> &'static str {
        registry::row(provider).scopes
    }

    /// Where the platform is without the setting; empty for the one that the setting names.
    #[must_use]
    pub fn usual_url(provider: Provider) -> &'static str {
        registry::row(provider).issuer
    }

    /// # Errors
    /// [`IdentityError::NotConfigured`] with the first setting that is missing.
    pub fn check(&self, provider: Provider) -> Result<(), IdentityError> {
        self.door(provider).map(drop)
    }

    /// Where the browser goes.
    ///
    /// # Errors
    /// The platform is not configured, or does not say where its doors are.
    pub async fn address(&self, provider: Provider, trip: &Trip<'_>) -> Result<Url, IdentityError> {
        let door = self.door(provider)?;
        let mut url = match &door.row.endpoints {
            Endpoints::Fixed { authorize, .. } => self.inner.client.allowed(&door.moved(authorize))?,
            Endpoints::Discovered => self.inner.client.allowed(&self.metadata(&door).await?.authorization_endpoint)?,
        };
        let mut scopes = door.scopes.clone();
        for more in trip.scopes {
            if scopes.iter().all(|scope| scope != more) {
                scopes.push((*more).to_owned());
            }
        }
        {
            let mut query = url.query_pairs_mut();
            query.append_pair("response_type", "code");
            query.append_pair("client_id", door.client_id);
            query.append_pair("redirect_uri", trip.redirect_uri);
            if !scopes.is_empty() {
                query.append_pair("scope", &scopes.join(&door.row.separator.to_string()));
            }
            query.append_pair("state", trip.state);
            if door.row.pkce {
                query.append_pair("code_challenge", &BASE64.encode(Sha256::digest(trip.verifier)));
                query.append_pair("code_challenge_method", "S256");
            }
            if matches!(door.row.endpoints, Endpoints::Discovered) {
                query.append_pair("nonce", trip.nonce);
            }
            query.extend_pairs(door.row.extra);
        }
        Ok(url)
    }

    /// Who came, and what we may do for them.
    ///
    /// # Errors
    /// All of [`IdentityError`].
    pub async fn redeem(
        &self,
        provider: Provider,
        trip: &Trip<'_>,
        returned: &Returned<'_>,
    ) -> Result<(Identity, Grant), IdentityError> {
        let door = self.door(provider)?;
        let mut form =
            vec![("grant_type", "authorization_code"), ("code", returned.code), ("redirect_uri", trip.redirect_uri)];
        if door.row.pkce {
            form.push(("code_verifier", trip.verifier));
        }
        if door.row.device {
            let device = returned.device.ok_or_else(|| IdentityError::refused("the browser brought no device"))?;
            form.extend([("device_id", device), ("state", trip.state)]);
        }
        let (profile, issuer, mut grant) = match &door.row.endpoints {
            Endpoints::Fixed { authorize, token, who, .. } => {
                let at = self.inner.client.allowed(&door.moved(authorize))?;
                if returned.issuer.is_some_and(|issuer| !same_host(issuer, &at)) {
                    return Err(IdentityError::refused("another platform sent the browser back"));
                }
                let tokens = self.ask(&door, door.row.exchange, &door.moved(token), form).await?.map_err(of_code)?;
                let profile = self.who(&door, who, &tokens.grant.access).await?;
                (profile, door.row.issuer.to_owned(), tokens.grant)
            }
            Endpoints::Discovered => {
                let metadata = self.metadata(&door).await?;
                let silent = metadata.authorization_response_iss_parameter_supported && returned.issuer.is_none();
                if silent || returned.issuer.is_some_and(|issuer| issuer != metadata.issuer) {
                    return Err(IdentityError::refused("another platform sent the browser back"));
                }
                let exchange = if metadata.takes_secret_in_form() { Exchange::Form } else { Exchange::Basic };
                let tokens = self.ask(&door, exchange, &metadata.token_endpoint, form).await?.map_err(of_code)?;
                let mut profile = self.proven(&door, &metadata, tokens.id_token.as_deref(), trip.nonce).await?;
                // Many say in the proof who came, but not how they are called.
                if profile.login.is_empty()
                    && let Some(address) = &metadata.userinfo_endpoint
                {
                    profile = self.described(address, &tokens.grant.access, profile).await?;
                }
                let issuer =
                    if door.row.issuer.is_empty() { metadata.issuer.clone() } else { door.row.issuer.to_owned() };
                (profile, issuer, tokens.grant)
            }
        };
        if door.row.device {
            grant.device = returned.device.map(str::to_owned);
        }
        let Profile { subject, login, display_name, avatar_url } = profile;
        Ok((Identity { provider, issuer, subject, login, display_name, avatar_url }, grant))
    }

    /// New tokens for a refresh token.
    pub(crate) async fn renewed(
        &self,
        provider: Provider,
        refresh: &Token,
        device: Option<&str>,
    ) -> Result<Grant, IdentityError> {
        let door = self.door(provider)?;
        let mut form = vec![("grant_type", "refresh_token"), ("refresh_token", refresh.expose())];
        if let Some(device) = device.filter(|_| door.row.device) {
            form.push(("device_id", device));
        }
        let answer = match &door.row.endpoints {
            Endpoints::Fixed { renew, .. } => self.ask(&door, door.row.exchange, &door.moved(renew), form).await?,
            Endpoints::Discovered => {
                let metadata = self.metadata(&door).await?;
                let exchange = if metadata.takes_secret_in_form() { Exchange::Form } else { Exchange::Basic };
                self.ask(&door, exchange, &metadata.token_endpoint, form).await?
            }
        };
        match answer {
            Ok(tokens) => Ok(tokens.grant),
            Err(Refusal { why, of_grant: true }) => Err(IdentityError::Refused(why)),
            Err(Refusal { why, of_grant: false }) => Err(IdentityError::Unavailable(why)),
        }
    }

    /// Where an address of the platform is for us, and the client that we are there: for whoever asks it for more than who
    /// somebody is.
    ///
    /// # Errors
    /// The platform is not configured.
    pub fn api_of(&self, provider: Provider, address: &str) -> Result<(String, &str), IdentityError> {
        let door = self.door(provider)?;
        Ok((door.moved_api(address), door.client_id))
    }

    /// New tokens for the application itself.
    pub(crate) async fn granted_to_app(&self, provider: Provider) -> Result<Grant, IdentityError> {
        let door = self.door(provider)?;
        let Endpoints::Fixed { token, .. } = &door.row.endpoints else {
            return Err(IdentityError::refused("the platform gives tokens to people only"));
        };
        let form = vec![("grant_type", "client_credentials")];
        match self.ask(&door, door.row.exchange, &door.moved(token), form).await? {
            Ok(tokens) => Ok(tokens.grant),
            Err(Refusal { why, .. }) => Err(IdentityError::Refused(why)),
        }
    }

    pub(crate) fn door(&self, provider: Provider) -> Result<Door<'_>, IdentityError> {
        let row = registry::row(provider);
        let missing = |which: usize| IdentityError::NotConfigured(row.settings[which]);
        let access = self.inner.access.get(&provider).ok_or_else(|| missing(0))?;
        let client_id = access.client_id.as_deref().ok_or_else(|| missing(0))?;
        let secret = access.client_secret.as_ref().ok_or_else(|| missing(1))?;
        if row.issuer.is_empty() && access.url.is_none() {
            return Err(missing(2));
        }
        let scopes = access.scopes.as_deref().unwrap_or(row.scopes);
        let scopes = scopes.split([' ', ',']).filter(|scope| !scope.is_empty()).map(str::to_owned).collect();
        Ok(Door { row, client_id, secret, url: access.url.as_ref(), api: access.api.as_ref(), scopes })
    }

    async fn metadata(&self, door: &Door<'_>) -> Result<Arc<Metadata>, IdentityError> {
        let issuer = door.url.map_or_else(|| door.row.issuer.to_owned(), |url| url.as_str().to_owned());
        // The parser gives a bare host a slash, which no issuer has.
        let issuer = if door.url.is_some_and(|url| url.path() == "/") { issuer.trim_end_matches('/') } else { &issuer };
        self.inner.discovery.metadata(&self.inner.client, door.row.provider, issuer).await
    }

    async fn ask(
        &self,
        door: &Door<'_>,
        exchange: Exchange,
        address: &str,
        mut form: Form<'_>,
    ) -> Result<Result<Tokens, Refusal>, IdentityError> {
        let request = self.inner.client.post(address)?;
        let request = match exchange {
            Exchange::Form => {
                form.extend([("client_id", door.client_id), ("client_secret", door.secret.expose())]);
                request.form(&form)
            }
            Exchange::Basic => request.basic_auth(door.client_id, Some(door.secret.expose())).form(&form),
            Exchange::Json => {
                form.push(("client_secret", door.secret.expose()));
                let members = form.into_iter().map(|(name, value)| (name.to_owned(), Value::from(value)));
                request.header("client-id", door.client_id).json(&Value::Object(members.collect::<Map<_, _>>()))
            }
        };
        grants::read(&self.inner.client.send(request).await?, &door.scopes)
    }

    async fn who(&self, door: &Door<'_>, who: &Who, access: &Token) -> Result<Profile, IdentityError> {
        let address = door.moved_api(who.address);
        let get = || self.inner.client.get(&address);
        let with_client = |request: RequestBuilder| request.header("client-id", door.client_id);
        let request = match who.call {
            Call::Bearer => get()?.bearer_auth(access.expose()),
            Call::BearerAndClient => with_client(get()?.bearer_auth(access.expose())),
            Call::OAuthAndClient => with_client(get()?.header("authorization", format!("OAuth {}", access.expose()))),
            Call::Form => {
                let form = [("access_token", access.expose()), ("client_id", door.client_id)];
                self.inner.client.post(&address)?.form(&form)
            }
        };
        (who.read)(&self.told(request).await?).map_err(nobody)
    }

    /// The proven person with the names that the provider tells beside the proof.
    async fn described(&self, address: &str, access: &Token, proven: Profile) -> Result<Profile, IdentityError> {
        let told = self.told(self.inner.client.get(address)?.bearer_auth(access.expose())).await?;
        let described = profiles::openid(&told).map_err(nobody)?;
        if described.subject == proven.subject {
            Ok(described)
        } else {
            Err(IdentityError::refused("the platform tells of somebody else than it has proven"))
        }
    }

    /// What a platform answers about a person.
    async fn told(&self, request: RequestBuilder) -> Result<Value, IdentityError> {
        let answer = self.inner.client.send(request).await?;
        match answer.status {
            200..=299 => {}
            400..=499 if !matches!(answer.status, 408 | 425 | 429) => {
                return Err(IdentityError::refused(format!("the platform tells of nobody: {}", answer.status)));
            }
            status => return Err(IdentityError::unavailable(format!("the platform tells of nobody: {status}"))),
        }
        serde_json::from_slice(&answer.body)
            .map_err(|_| IdentityError::unavailable("the platform tells of people in no words of its own"))
    }

    /// Who came, by the id token. Keys are asked for anew when it names one that we have not seen.
    async fn proven(
        &self,
        door: &Door<'_>,
        metadata: &Metadata,
        id_token: Option<&str>,
        nonce: &str,
    ) -> Result<Profile, IdentityError> {
        let token = id_token.ok_or_else(|| IdentityError::refused("the platform proves nothing: no id token"))?;
        let expected = Expected { issuer: &metadata.issuer, client_id: door.client_id, nonce };
        let (client, discovery) = (&self.inner.client, &self.inner.discovery);
        let keys = discovery.keys(client, door.row.provider, metadata, false).await?;
        let mut checked = proof::check(token, &keys, expected);
        if checked == Err(Flaw::UnknownKey) {
            let keys = discovery.keys(client, door.row.provider, metadata, true).await?;
            checked = proof::check(token, &keys, expected);
        }
        match checked {
            Ok(claims) => profiles::openid(&claims).map_err(nobody),
            Err(Flaw::UnknownKey) => {
                Err(IdentityError::refused("id token: signed with a key that is not the platform's"))
            }
            Err(Flaw::Bad(why)) => Err(IdentityError::Refused(why)),
        }
    }
}

impl Door<'_> {
    /// The address on the host that the setting names, if it names one.
    pub(crate) fn moved(&self, address: &str) -> String {
        at(self.url, address)
    }

    /// The same for an address of its API.
    fn moved_api(&self, address: &str) -> String {
        at(self.api.or(self.url), address)
    }
}

fn at(base: Option<&Url>, address: &str) -> String {
    let Some(base) = base else { return address.to_owned() };
    let path = address.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map_or("", |(_, path)| path);
    format!("{}/{path}", base.as_str().trim_end_matches('/')).trim_end_matches('/').to_owned()
}

fn of_code(refusal: Refusal) -> IdentityError {
    IdentityError::Refused(refusal.why)
}

fn nobody(why: NotUsable) -> IdentityError {
    match why {
        NotUsable::NoId => IdentityError::refused("the platform tells of somebody without an id"),
        NotUsable::NoChannel => IdentityError::NoChannel,
    }
}

/// Platforms that name themselves without saying so beforehand do it in several spellings; the host is the same in all.
fn same_host(issuer: &str, authorize: &Url) -> bool {
    Url::parse(issuer).is_ok_and(|issuer| issuer.host().is_some() && issuer.host() == authorize.host())
}
