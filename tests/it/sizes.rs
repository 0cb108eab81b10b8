//! How large an attack is: small in `make test`, whole in `make security`.

/// `usual`, or `full` where `SECURITY_FULL` is set.
pub(crate) fn size(usual: usize, full: usize) -> usize {
    if std::env::var_os("SECURITY_FULL").is_some() { full } else { usual }
}
