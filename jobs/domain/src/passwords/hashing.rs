//! Hashes of passwords: argon2id with the parameters that OWASP recommends (19 MiB, 2 passes); bcrypt is read.

use std::sync::LazyLock;

use argon2::{
    Argon2,
    password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString},
};

/// What became of a password that somebody showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    Right,
    /// Right, under a hash that should be made anew.
    RightOnce,
    Wrong,
}

/// The hash of a new password, with a salt of its own.
#[must_use]
pub fn hash(password: &str) -> String {
    let salt: [u8; 16] = rand::random();
    // Neither fails: the salt's length and the parameters are constants that the tests below try.
    let Ok(salt) = SaltString::encode_b64(&salt) else { return String::new() };
    Argon2::default().hash_password(password.as_bytes(), &salt).map(|hash| hash.to_string()).unwrap_or_default()
}

/// Compared with when there is nothing to compare with: an account that is not there answers as slowly as one that is.
static DECOY: LazyLock<String> = LazyLock::new(|| hash(&format!("{:032x}", rand::random::<u128>())));

/// Whether it is the password behind the hash; never for none, in the same time.
#[must_use]
pub fn verify(password: &str, stored: Option<&str>) -> Proof {
    let hash = stored.unwrap_or_else(|| &DECOY);
    if hash.starts_with("$2") {
        return if bcrypt::verify(password, hash).unwrap_or(false) { Proof::RightOnce } else { Proof::Wrong };
    }
    let Ok(parsed) = PasswordHash::new(hash) else { return Proof::Wrong };
    let argon = Argon2::default();
    if argon.verify_password(password.as_bytes(), &parsed).is_err() || stored.is_none() {
        return Proof::Wrong;
    }
    let ours = argon2::Params::try_from(&parsed).is_ok_and(|params| {
        let usual = argon.params();
        (params.m_cost(), params.t_cost(), params.p_cost()) == (usual.m_cost(), usual.t_cost(), usual.p_cost())
    });
    if ours { Proof::Right } else { Proof::RightOnce }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_proven_under_its_own_hash_only_and_no_two_hashes_are_alike() {
        let (one, two) = (hash("correct horse"), hash("correct horse"));
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        assert_ne!(one, two);
        assert_eq!(verify("correct horse", Some(&one)), Proof::Right);
        assert_eq!(verify("correct horse", Some(&two)), Proof::Right);
        for wrong in ["correct horsf", "", "Correct horse", "correct horse "] {
            assert_eq!(verify(wrong, Some(&one)), Proof::Wrong, "{wrong:?}");
        }
        for damaged in ["", "correct horse", "$argon2id$", "$2b$", "$2b$99$x"] {
            assert_eq!(verify("correct horse", Some(damaged)), Proof::Wrong, "{damaged:?}");
        }
        assert_eq!(verify("correct horse", None), Proof::Wrong);
    }

    #[test]
    fn hashes_of_bcrypt_and_of_weaker_parameters_are_good_once() {
        let old = bcrypt::hash("correct horse", 4).unwrap();
        assert_eq!(verify("correct horse", Some(&old)), Proof::RightOnce);
        assert_eq!(verify("correct horsf", Some(&old)), Proof::Wrong);
        let weak = Argon2::new(
            argon2::Algorithm::Argon2id,
            argon2::Version::V0x13,
            argon2::Params::new(1024, 1, 1, None).unwrap(),
        );
        let weak =
            weak.hash_password(b"correct horse", &SaltString::encode_b64(&[1; 16]).unwrap()).unwrap().to_string();
        assert_eq!(verify("correct horse", Some(&weak)), Proof::RightOnce);
    }
}
