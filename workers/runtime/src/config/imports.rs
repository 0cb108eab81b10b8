//! From where memes are fetched whose address somebody has named.

use std::{net::SocketAddr, time::Duration};

use egress::Hosts;

use super::{Environment, Reader};

#[derive(Debug, Clone)]
pub struct Imports {
    /// `IMPORT_HOSTS`: hosts that memes are fetched from, comma separated: `cdn.example.org`, `*.example.org` for all below it.
    /// Default none: nothing is fetched.
    pub hosts: Hosts,
    /// `IMPORT_TIMEOUT_MS`: how long one fetch may take. Default 60000.
    pub timeout: Duration,
    /// `IMPORT_RESOLVE`: in dev, where names lead instead, comma separated, each `name=address:port`. What leads to a loopback address
    /// is asked there in clear. Default none.
    pub resolve: Vec<(String, SocketAddr)>,
}

impl Imports {
    pub(super) fn read(reader: &mut Reader, environment: Environment) -> Self {
        let hosts = reader.text("IMPORT_HOSTS").unwrap_or_default();
        let hosts = hosts.parse().unwrap_or_else(|unfit| {
            reader.complain(format!("IMPORT_HOSTS must have names of hosts, comma separated: {unfit}"));
            Hosts::default()
        });
        reader.otherwise("IMPORT_HOSTS", &hosts);
        let timeout = reader.milliseconds("IMPORT_TIMEOUT_MS", 60_000, 1);
        if timeout > Duration::from_mins(2) {
            reader.complain("IMPORT_TIMEOUT_MS must be at most 120000: a fetch that takes longer keeps others waiting");
        }
        Self { hosts, timeout, resolve: resolve(reader, environment) }
    }
}

fn resolve(reader: &mut Reader, environment: Environment) -> Vec<(String, SocketAddr)> {
    const NAME: &str = "IMPORT_RESOLVE";
    let text = reader.text(NAME).unwrap_or_default();
    reader.otherwise(NAME, "");
    if !text.is_empty() && !environment.is_dev() {
        reader.complain(format!("{NAME} is for MEMALERTS_ENV=dev: elsewhere names lead where they lead"));
    }
    let mut led = Vec::new();
    for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
        match entry.split_once('=').and_then(|(name, to)| Some((name.to_ascii_lowercase(), to.parse().ok()?))) {
            Some(entry) => led.push(entry),
            None => reader.complain(format!("{NAME} must have entries name=address:port, not {entry:?}")),
        }
    }
    led
}

#[cfg(test)]
mod tests {
    use super::super::{Complaints, Config};

    fn told(pairs: &[(&str, &str)]) -> Result<super::Imports, Vec<String>> {
        let values = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::from_values(values).map(|config| config.imports).map_err(|Complaints { lines, .. }| lines)
    }

    #[test]
    fn names_lead_elsewhere_in_dev_only() {
        let led = [("IMPORT_HOSTS", "a.test"), ("IMPORT_RESOLVE", "A.test=127.0.0.1:9, b.test=[::1]:8")];
        let dev = told(&[("MEMALERTS_ENV", "dev"), led[0], led[1]]).unwrap();
        assert_eq!((dev.resolve.len(), dev.resolve[0].0.as_str(), dev.resolve[0].1.port()), (2, "a.test", 9));
        for environment in ["beta", "prod"] {
            let lines = told(&[("MEMALERTS_ENV", environment), led[0], led[1]]).unwrap_err();
            assert!(lines.iter().any(|line| line.starts_with("IMPORT_RESOLVE is for MEMALERTS_ENV=dev")), "{lines:?}");
        }
        for wrong in ["a.test", "a.test=127.0.0.1", "a.test=b.test:80"] {
            assert_eq!(told(&[("MEMALERTS_ENV", "dev"), ("IMPORT_RESOLVE", wrong)]).unwrap_err().len(), 1, "{wrong}");
        }
    }

    #[test]
    fn hosts_are_names() {
        assert!(told(&[("MEMALERTS_ENV", "dev")]).unwrap().hosts.is_empty());
        for wrong in ["127.0.0.1", "https://a.test", "localhost", "*"] {
            let lines = told(&[("MEMALERTS_ENV", "dev"), ("IMPORT_HOSTS", wrong)]).unwrap_err();
            assert!(lines[0].starts_with("IMPORT_HOSTS must have names"), "{lines:?}");
        }
        assert!(told(&[("MEMALERTS_ENV", "dev"), ("IMPORT_TIMEOUT_MS", "120001")]).is_err());
    }
}
