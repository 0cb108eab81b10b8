//! Which world this is: it decides what may be absent and what may exist.

use std::{fmt, str::FromStr};

/// dev has a login without proof and demo data, and listens on loopback only; beta and prod have neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Environment {
    Dev,
    Beta,
    Prod,
}

impl Environment {
    /// `MEMALERTS_ENV`: dev, beta or prod; default prod, so that forgetting it is safe.
    pub(super) fn read(reader: &mut super::Reader) -> Self {
        let environment = reader.parse("MEMALERTS_ENV", "dev, beta or prod").unwrap_or(Self::Prod);
        reader.otherwise("MEMALERTS_ENV", environment);
        environment
    }

    #[must_use]
    pub fn is_dev(self) -> bool {
        self == Self::Dev
    }

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Beta => "beta",
            Self::Prod => "prod",
        }
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Environment {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "dev" => Ok(Self::Dev),
            "beta" => Ok(Self::Beta),
            "prod" => Ok(Self::Prod),
            _ => Err(()),
        }
    }
}
