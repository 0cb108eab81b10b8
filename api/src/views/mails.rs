//! Words of addresses and of the links that are mailed to them.

use poem_openapi::Object;

/// An e-mail address.
#[derive(Object)]
#[oai(example)]
pub(crate) struct Address {
    #[oai(validator(max_length = 255))]
    pub(crate) email: String,
}

/// What stands behind `#token=` in the link of a mail.
#[derive(Object)]
#[oai(example)]
pub(crate) struct LinkToken {
    #[oai(validator(max_length = 64))]
    pub(crate) token: String,
}

/// Another password, by who comes with a link.
#[derive(Object)]
#[oai(example)]
pub(crate) struct Reset {
    /// As in the link.
    #[oai(validator(max_length = 64))]
    pub(crate) token: String,
    /// 8 to 128 characters; none of your names, and none of those that everybody tries first.
    #[oai(validator(max_length = 512))]
    pub(crate) password: String,
}
