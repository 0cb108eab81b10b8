//! Where the process listens.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ::api::{ForwardedBy, Network};
use url::{Host, Url};

use super::{Environment, Reader};

#[derive(Debug, Clone)]
pub struct Http {
    /// `LISTEN_ADDRESS`: IP address of the API. Default 127.0.0.1 in dev, where nothing else is accepted; 0.0.0.0 in beta
    /// and prod.
    pub address: IpAddr,
    /// `PORT`: TCP port of the API. Default 8080; 0 takes a free one.
    pub port: u16,
    /// `METRICS_PORT`: TCP port of `/metrics`, always on 127.0.0.1. Default 9090; 0 takes a free one. When it is taken
    /// (another process of the house on this machine), the next free one of the following 31 is used and logged.
    pub metrics_port: u16,
    /// `PUBLIC_BASE_URL`: how browsers reach the API, for the links that it hands out. Default http://localhost:PORT.
    pub public_base_url: Option<String>,
    /// `CORS_ORIGINS`: sites whose pages may use the API with a person's session, comma separated, each
    /// `https://host[:port]`; http in dev only. Default none.
    pub cors_origins: Vec<String>,
    /// `TRUSTED_PROXIES`: addresses that may say for whom they ask, comma separated, each an IP address or a network like
    /// 10.0.0.0/8. Default none.
    pub trusted_proxies: Vec<Network>,
    /// `TRUSTED_PROXY_HEADER`: the header in which they say it, `x-forwarded-for` or `forwarded`; the other one is not read.
    /// Default x-forwarded-for.
    pub trusted_proxy_header: ForwardedBy,
    /// `RATE_LIMIT_PER_MINUTE`: requests of one address a minute, beside the budgets that some operations have. Default 100.
    pub rate_limit: u32,
    /// `RATE_LIMIT_FACTOR`: all budgets are so many times their size; 0: there are none. Default 1.
    pub rate_limit_factor: u32,
}

impl Http {
    pub(super) fn read(reader: &mut Reader, environment: Environment) -> Self {
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let default = if environment.is_dev() { loopback } else { IpAddr::V4(Ipv4Addr::UNSPECIFIED) };
        let address = reader.parse("LISTEN_ADDRESS", "an IP address").unwrap_or(default);
        if environment.is_dev() && !address.is_loopback() {
            reader.complain(format!(
                "LISTEN_ADDRESS is {address}, but MEMALERTS_ENV=dev lets anyone log in as anyone: it listens on loopback only"
            ));
        }
        let public_base_url = public_base_url(reader, environment);
        let mut tcp_port = |name, usual| {
            let port = reader.parse(name, "a TCP port (0 to 65535)").unwrap_or(usual);
            reader.otherwise(name, port);
            port
        };
        let http = Self {
            address,
            port: tcp_port("PORT", 8080),
            metrics_port: tcp_port("METRICS_PORT", 9090),
            public_base_url,
            cors_origins: origins(reader, environment),
            trusted_proxies: networks(reader),
            trusted_proxy_header: proxy_header(reader),
            rate_limit: whole(reader.number("RATE_LIMIT_PER_MINUTE", 100, 1, 1_000_000)),
            rate_limit_factor: whole(reader.number("RATE_LIMIT_FACTOR", 1, 0, 1_000_000)),
        };
        reader.otherwise("LISTEN_ADDRESS", address);
        reader.otherwise("PUBLIC_BASE_URL", http.public_url());
        http
    }

    #[must_use]
    pub fn socket_address(&self) -> SocketAddr {
        SocketAddr::new(self.address, self.port)
    }

    /// What will not work because `PUBLIC_BASE_URL` is not set; in dev its default is right.
    #[must_use]
    pub(super) fn public_url_problem(&self, environment: Environment) -> Option<String> {
        (self.public_base_url.is_none() && !environment.is_dev()).then(|| {
            format!(
                "PUBLIC_BASE_URL is not set: the links that are given out (overlays, credits, bot answers) begin with {}, which \
                 opens on this machine only",
                self.public_url()
            )
        })
    }

    /// That nobody is held back, which is meant for measurements.
    #[must_use]
    pub(super) fn budgets_problem(&self, environment: Environment) -> Option<String> {
        (self.rate_limit_factor == 0 && !environment.is_dev()).then(|| {
            "RATE_LIMIT_FACTOR is 0: there are no budgets, whoever asks may ask as often as they like".to_owned()
        })
    }

    /// Where clients reach the API, without a trailing slash.
    #[must_use]
    pub fn public_url(&self) -> String {
        self.public_base_url.clone().unwrap_or_else(|| format!("http://localhost:{}", self.port))
    }
}

/// Cookies are for https outside of dev, and links that say otherwise lead nowhere.
fn public_base_url(reader: &mut Reader, environment: Environment) -> Option<String> {
    let text = reader.text("PUBLIC_BASE_URL")?;
    let schemes: &[&str] = if environment.is_dev() { &["https", "http"] } else { &["https"] };
    let plain = |url: &Url| {
        let bare =
            url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
        bare && url.has_host() && (schemes.contains(&url.scheme()) || is_of_this_machine(url))
    };
    if !Url::parse(&text).is_ok_and(|url| plain(&url)) {
        reader.complain(format!(
            "PUBLIC_BASE_URL must be an address like https://host{}, without a name, a password or a query",
            if environment.is_dev() { " (or http:// in dev)" } else { "; http:// for this machine alone" }
        ));
    }
    Some(text.trim_end_matches('/').to_owned())
}

/// What nobody else can listen to, and what browsers take for safe.
fn is_of_this_machine(url: &Url) -> bool {
    url.scheme() == "http"
        && match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
}

/// A name that is written otherwise than browsers write it would never be found: it is complained about.
fn origins(reader: &mut Reader, environment: Environment) -> Vec<String> {
    let list = reader.text("CORS_ORIGINS").unwrap_or_default();
    reader.otherwise("CORS_ORIGINS", "none");
    let origins: Vec<String> =
        list.split(',').map(str::trim).filter(|origin| !origin.is_empty()).map(str::to_owned).collect();
    for origin in &origins {
        let written = Url::parse(origin).map(|url| url.origin().ascii_serialization());
        let schemes: &[&str] = if environment.is_dev() { &["https://", "http://"] } else { &["https://"] };
        if written.as_ref() != Ok(origin)
            || origin.contains('*')
            || !schemes.iter().any(|scheme| origin.starts_with(scheme))
        {
            reader.complain(format!(
                "CORS_ORIGINS must hold origins as browsers write them (https://host or https://host:port, no path, no *{}), \
                 not {origin:?}",
                if environment.is_dev() { "; http:// in dev only" } else { "" }
            ));
        }
    }
    origins
}

fn networks(reader: &mut Reader) -> Vec<Network> {
    let list = reader.text("TRUSTED_PROXIES").unwrap_or_default();
    reader.otherwise("TRUSTED_PROXIES", "none");
    let mut networks = Vec::new();
    for text in list.split(',').map(str::trim).filter(|text| !text.is_empty()) {
        match text.parse::<Network>() {
            Ok(network) if network.is_too_wide() => {
                reader.complain(format!("TRUSTED_PROXIES must not hold {text}: strangers could say for whom they ask"));
            }
            Ok(network) => networks.push(network),
            Err(()) => reader
                .complain(format!("TRUSTED_PROXIES must hold IP addresses or networks like 10.0.0.0/8, not {text:?}")),
        }
    }
    networks
}

fn proxy_header(reader: &mut Reader) -> ForwardedBy {
    let header: ForwardedBy = reader.parse("TRUSTED_PROXY_HEADER", "x-forwarded-for or forwarded").unwrap_or_default();
    reader.otherwise("TRUSTED_PROXY_HEADER", header.as_str());
    header
}

fn whole(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
