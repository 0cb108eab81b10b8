//! Tokens that are kept: whether the platform still takes them, and how it takes them back.

use domain::identities::{Provider, Token};

use crate::{
    IdentityError, Platforms,
    registry::{self, Return, Revoke},
};

impl Platforms {
    /// Those who want to be asked each hour whether their tokens are still good, as far as they are configured.
    pub fn validating(&self) -> impl Iterator<Item = Provider> {
        let asked = |provider: &Provider| registry::row(*provider).validate.is_some() && self.check(*provider).is_ok();
        Provider::ALL.into_iter().filter(asked)
    }

    /// Whether the platform still takes the token; true for one that does not want to be asked.
    ///
    /// # Errors
    /// The platform is not configured, or does not answer in its own words.
    pub async fn is_valid(&self, provider: Provider, access: &Token) -> Result<bool, IdentityError> {
        let door = self.door(provider)?;
        let Some(address) = door.row.validate else { return Ok(true) };
        let request = self.inner.client.get(&door.moved(address))?;
        let request = request.header("authorization", format!("OAuth {}", access.expose()));
        match self.inner.client.send(request).await?.status {
            200..=299 => Ok(true),
            401 => Ok(false),
            status => Err(IdentityError::unavailable(format!("asked about a token, the platform answered {status}"))),
        }
    }

    /// Gives tokens back; does nothing where the platform does not say how. One that the platform does not know any more is
    /// fine.
    ///
    /// # Errors
    /// The platform is not configured, refuses, or cannot be reached.
    pub async fn revoke(
        &self,
        provider: Provider,
        access: Option<&Token>,
        refresh: Option<&Token>,
    ) -> Result<(), IdentityError> {
        let door = self.door(provider)?;
        let Some(Revoke { address, form }) = door.row.revoke else { return Ok(()) };
        let address = door.moved(address);
        let kinds = [(access, "access_token"), (refresh, "refresh_token")];
        let mut each = kinds.into_iter().filter_map(|(token, kind)| Some((token?.expose(), kind)));
        let tokens: Vec<(&str, &str)> = match form {
            Return::Each | Return::EachInAddress => each.collect(),
            Return::Whole => each.next_back().into_iter().collect(),
            Return::OfClient | Return::Json => each.filter(|(_, kind)| *kind == "access_token").collect(),
        };
        for (token, kind) in tokens {
            let request = self.inner.client.post(&address)?;
            let request = match form {
                Return::OfClient => request.form(&[("client_id", door.client_id), ("token", token)]),
                Return::Whole => request.form(&[("token", token)]),
                Return::Each => {
                    let request = request.basic_auth(door.client_id, Some(door.secret.expose()));
                    request.form(&[("token", token), ("token_type_hint", kind)])
                }
                Return::EachInAddress => request.query(&[("token", token), ("token_hint_type", kind)]),
                Return::Json => {
                    let body = serde_json::json!({ "access_token": token });
                    request.header("client-id", door.client_id).json(&body)
                }
            };
            match self.inner.client.send(request).await?.status {
                200..=299 | 400 => {}
                status @ (408 | 425 | 429 | 500..) => {
                    return Err(IdentityError::unavailable(format!("the platform took no token back: {status}")));
                }
                status => return Err(IdentityError::refused(format!("the platform takes no token back: {status}"))),
            }
        }
        Ok(())
    }
}
