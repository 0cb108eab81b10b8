//! Which addresses may be named: on hosts of a list, by names, over https, at its usual port.

use std::{fmt, net::IpAddr, str::FromStr};

use url::{Host, Url};

/// Bytes of an address.
pub const MAX_URL: usize = 2000;

/// Why an address is not asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("it is no address of at most {MAX_URL} characters, without spaces")]
    Form,
    #[error("it does not begin with https://")]
    Scheme,
    #[error("it names a user or a password")]
    UserInfo,
    #[error("it names a port: only 443 is asked")]
    Port,
    #[error("nothing is fetched from this host: it is none of {0}")]
    Host(Hosts),
}

/// The list: `cdn.example.org`, and `*.example.org` for all names below it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hosts(Vec<String>);

/// A line of the list that is no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no name of a host, and not *. before one")]
pub struct UnfitHost(pub String);

impl Hosts {
    /// From the names as they are set, in any case.
    ///
    /// # Errors
    /// The first that is an address, or no name of at least two parts.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, UnfitHost> {
        let fit = |name: &'a str| {
            let below = name.strip_prefix("*.").unwrap_or(name);
            let star = if below.len() < name.len() { "*." } else { "" };
            let plain = Host::parse(below).ok().filter(|_| !below.starts_with('.') && !below.ends_with('.'));
            match plain {
                Some(Host::Domain(domain)) if domain.contains('.') && !domain.contains('*') => {
                    Ok(format!("{star}{domain}"))
                }
                _ => Err(UnfitHost(name.to_owned())),
            }
        };
        names.into_iter().map(fit).collect::<Result<_, _>>().map(Self)
    }

    /// Nothing is fetched at all.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|known| match known.strip_prefix('*') {
            Some(end) => name.len() > end.len() && name.ends_with(end),
            None => known == name,
        })
    }

    /// The address, if it may be asked. Where its name leads is judged when it is looked up ([`crate::Guard`]).
    ///
    /// # Errors
    /// The first [`Refusal`] that applies.
    pub fn judge(&self, text: &str) -> Result<Url, Refusal> {
        // What parsers pass over in silence, or take for a slash.
        let odd = |c: char| c.is_whitespace() || c.is_control() || c == '\\';
        if text.len() > MAX_URL || text.contains(odd) {
            return Err(Refusal::Form);
        }
        let mut url = Url::parse(text).map_err(|_| Refusal::Form)?;
        if url.scheme() != "https" || !text.get(..8).is_some_and(|begin| begin.eq_ignore_ascii_case("https://")) {
            return Err(Refusal::Scheme);
        }
        // As it is written: the parser passes over further slashes, and over an empty name before `@`.
        let authority = text[8..].split(['/', '?', '#']).next().unwrap_or_default();
        if authority.is_empty() {
            return Err(Refusal::Form);
        }
        if !url.username().is_empty() || url.password().is_some() || authority.contains('@') {
            return Err(Refusal::UserInfo);
        }
        if url.port().is_some() {
            return Err(Refusal::Port);
        }
        let known = match url.host() {
            Some(Host::Domain(name)) => self.has(name) && name.parse::<IpAddr>().is_err(),
            _ => false,
        };
        if !known {
            return Err(Refusal::Host(self.clone()));
        }
        url.set_fragment(None);
        Ok(url)
    }
}

impl fmt::Display for Hosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

impl FromStr for Hosts {
    type Err = UnfitHost;

    /// Comma separated.
    fn from_str(text: &str) -> Result<Self, UnfitHost> {
        Self::new(text.split(',').map(str::trim).filter(|name| !name.is_empty()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_names_and_no_addresses() {
        let hosts: Hosts = "CDN.example.org, *.media.example,бюро.example".parse().unwrap();
        assert_eq!(hosts.to_string(), "cdn.example.org, *.media.example, xn--90a0af9c.example");
        for wrong in ["127.0.0.1", "*.1", "[::1]", "localhost", "*", "*.org.", ".org", "a..b/", "x y.org", "*.*.org"] {
            assert!(wrong.parse::<Hosts>().is_err(), "{wrong}");
        }
        assert!("".parse::<Hosts>().unwrap().is_empty());
    }

    #[test]
    fn an_address_is_asked_on_hosts_of_the_list_over_https_and_nowhere_else() {
        let hosts: Hosts = "cdn.example.org,*.media.example".parse().unwrap();
        for good in [
            "https://cdn.example.org/a.mp4",
            "HTTPS://CDN.EXAMPLE.ORG:443/a%20b.mp4?x=1#part",
            "https://a.b.media.example",
            "https://ｃdn.example.org/",
        ] {
            assert!(hosts.judge(good).is_ok(), "{good}");
        }
        assert_eq!(hosts.judge("https://cdn.example.org/a#b").unwrap().as_str(), "https://cdn.example.org/a");
        let host = Refusal::Host(hosts.clone());
        for (bad, why) in [
            ("", Refusal::Form),
            ("cdn.example.org/a.mp4", Refusal::Form),
            ("//cdn.example.org/a.mp4", Refusal::Form),
            ("https://cdn.example.org/a b", Refusal::Form),
            ("https:\\\\cdn.example.org\\a", Refusal::Form),
            ("https://cdn.example.org\t/", Refusal::Form),
            ("https:cdn.example.org/", Refusal::Scheme),
            ("https:///cdn.example.org/", Refusal::Form),
            ("http://cdn.example.org/", Refusal::Scheme),
            ("file:///etc/passwd", Refusal::Scheme),
            ("https://a@cdn.example.org/", Refusal::UserInfo),
            ("https://:b@cdn.example.org/", Refusal::UserInfo),
            ("https://@cdn.example.org/", Refusal::UserInfo),
            ("https://cdn.example.org:8443/", Refusal::Port),
            ("https://cdn.example.org:80/", Refusal::Port),
            ("https://cdn.example.org./", host.clone()),
            ("https://media.example/", host.clone()),
            ("https://xmedia.example/", host.clone()),
            ("https://example.org/", host.clone()),
            ("https://cdn.example.org.evil.example/", host.clone()),
            ("https://127.0.0.1/", host.clone()),
            ("https://2130706433/", host.clone()),
            ("https://[::1]/", host),
        ] {
            assert_eq!(hosts.judge(bad), Err(why), "{bad}");
        }
        assert_eq!(hosts.judge(&format!("https://cdn.example.org/{}", "x".repeat(MAX_URL))), Err(Refusal::Form));
        assert!(Hosts::default().judge("https://cdn.example.org/").is_err());
    }
}
