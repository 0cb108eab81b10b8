//! Platforms that do not behave: nobody is let in, nothing is linked, and nothing breaks on our side (S11).

use std::time::{Duration, Instant};

use domain::identities::Provider::{self, *};
use identity::simulator::Fault::{self, *};

use super::{Visitor, counts, system};
use crate::sizes::size;

const REFUSED: (u16, &str) = (400, "OAUTH_FAILED");
const MISMATCH: (u16, &str) = (400, "OAUTH_STATE_MISMATCH");
const UNAVAILABLE: (u16, &str) = (503, "OAUTH_UNAVAILABLE");

/// Each platform's misbehaviour, and what the browser is told.
fn misbehaviours() -> Vec<(Provider, Fault, (u16, &'static str))> {
    let mut all = vec![
        (Twitch, Deny, REFUSED),
        (Twitch, AuthorizeError, UNAVAILABLE),
        (Twitch, DropState, MISMATCH),
        (Twitch, ChangeState, MISMATCH),
        (Twitch, DropCode, REFUSED),
        (Twitch, ForgeCode, REFUSED),
        (Twitch, NameAnother, REFUSED),
        (Oidc, NameAnother, REFUSED),
        (Oidc, NameNobody, REFUSED),
        (Twitch, ProfileOfTwo, REFUSED),
    ];
    let tokens = [
        (TokenStatus { status: 400 }, REFUSED),
        (TokenStatus { status: 401 }, REFUSED),
        (TokenStatus { status: 403 }, REFUSED),
        (TokenStatus { status: 404 }, REFUSED),
        (TokenStatus { status: 429 }, UNAVAILABLE),
        (TokenStatus { status: 500 }, UNAVAILABLE),
        (TokenStatus { status: 503 }, UNAVAILABLE),
        (TokenRefuse, REFUSED),
        (TokenRefuseClient, REFUSED),
        (TokenHtml, UNAVAILABLE),
        (TokenEmpty, UNAVAILABLE),
        (TokenNull, UNAVAILABLE),
        (TokenNumber, UNAVAILABLE),
        (TokenLineBreak, UNAVAILABLE),
        (TokenOfOtherType, UNAVAILABLE),
        (TokenHuge, UNAVAILABLE),
        (TokenRedirect, UNAVAILABLE),
        (TokenHangUp, UNAVAILABLE),
    ];
    let people = [
        (ProfileStatus { status: 401 }, REFUSED),
        (ProfileStatus { status: 403 }, REFUSED),
        (ProfileStatus { status: 302 }, UNAVAILABLE),
        (ProfileStatus { status: 429 }, UNAVAILABLE),
        (ProfileStatus { status: 500 }, UNAVAILABLE),
        (ProfileHtml, UNAVAILABLE),
        (ProfileHuge, UNAVAILABLE),
        (ProfileEmpty, REFUSED),
        (ProfileWithoutId, REFUSED),
        (ProfileEmptyId, REFUSED),
        (ProfileHangUp, UNAVAILABLE),
    ];
    let proofs = [
        ProofMissing,
        ProofGarbage,
        ProofTruncated,
        ProofUnsigned,
        ProofOfSecret,
        ProofOfPublicKey,
        ProofOfForeignKey,
        ProofOfUnknownKey,
        ProofWithOwnKey,
        ProofOtherNonce,
        ProofNoNonce,
        ProofOtherAudience,
        ProofManyAudiences,
        ProofOtherParty,
        ProofOtherIssuer,
        ProofOver,
        ProofWithoutEnd,
        ProofFromFuture,
        ProofNotYet,
        ProofNoSubject,
        ProofEmptySubject,
        ProofNumberSubject,
        ProofTwice,
    ];
    for provider in [Twitch, GitHub, Trovo, VkVideo, Oidc] {
        all.extend(tokens.iter().map(|(fault, told)| (provider, fault.clone(), *told)));
    }
    for provider in [Twitch, GitHub, Trovo, VkVideo, Vk, Kick, Discord] {
        all.extend(people.iter().map(|(fault, told)| (provider, fault.clone(), *told)));
    }
    for provider in [Google, Oidc] {
        all.extend(proofs.iter().map(|fault| (provider, fault.clone(), REFUSED)));
    }
    all
}

#[tokio::test]
async fn whatever_twitch_and_github_do_nobody_gets_in_who_should_not() {
    nobody_gets_in(&[Twitch, GitHub]).await;
}

#[tokio::test]
async fn whatever_platforms_with_words_of_their_own_do_nobody_gets_in_who_should_not() {
    nobody_gets_in(&[Trovo, VkVideo, Vk, Kick, Discord]).await;
}

#[tokio::test]
async fn whatever_openid_providers_do_nobody_gets_in_who_should_not() {
    nobody_gets_in(&[Google, Oidc]).await;
}

/// Each misbehaviour of these, met by somebody who comes in and by somebody who links.
async fn nobody_gets_in(providers: &[Provider]) {
    let (platforms, app) = system().await;
    // What providers say of themselves is known before, as it is kept for an hour.
    for provider in providers {
        Visitor::new(&app).log_in(*provider, "known").await;
    }
    let anna = Visitor::new(&app);
    anna.log_in(YouTube, "linker").await;
    let (mut before, mut proven) = (counts(&app).await, Instant::now());
    let of_these = misbehaviours().into_iter().filter(|(provider, ..)| providers.contains(provider));
    let times = size(1, 100);
    for (provider, fault, told) in of_these.flat_map(|met| std::iter::repeat_n(met, times)) {
        // Whoever links must have proven lately who they are: in full size this goes on for longer than that counts.
        if proven.elapsed() > Duration::from_mins(5) {
            anna.log_in(YouTube, "linker").await;
            (before, proven) = (counts(&app).await, Instant::now());
        }
        for path in [format!("/auth/{provider}"), format!("/auth/{provider}/link")] {
            let newcomer = Visitor::new(&app);
            let visitor = if path.ends_with("link") { &anna } else { &newcomer };
            platforms.fault(provider, fault.clone());
            let answer = visitor.travel(&path, "mallory").await;
            let what = format!("{provider} {fault:?} at {path}: {}", answer.text);
            assert!(platforms.faults().is_empty(), "{what}: nobody met it");
            assert_eq!((answer.status.as_u16(), answer.error_code()), told, "{what}");
            assert!(!answer.headers.contains_key("set-cookie"), "{what}");
            assert_eq!(counts(&app).await, before, "{what}");
        }
    }
    for provider in providers {
        Visitor::new(&app).log_in(*provider, "mallory").await;
    }
}

#[tokio::test]
async fn a_provider_that_describes_itself_badly_is_not_believed() {
    for (fault, at_departure) in [
        (DiscoveryStatus { status: 500 }, true),
        (DiscoveryHtml, true),
        (DiscoveryOtherIssuer, true),
        (DiscoveryPrivate, true),
        (DiscoveryPlain, true),
        (KeysStatus { status: 500 }, false),
        (KeysEmpty, false),
    ] {
        let (platforms, app) = system().await;
        let visitor = Visitor::new(&app);
        platforms.fault(Oidc, fault.clone());
        let answer =
            if at_departure { visitor.get("/auth/oidc").await } else { visitor.travel("/auth/oidc", "anna").await };
        assert!(!answer.headers.contains_key("set-cookie"), "{fault:?}");
        let told = if fault == KeysEmpty { REFUSED } else { UNAVAILABLE };
        assert_eq!((answer.status.as_u16(), answer.error_code()), told, "{fault:?}");
        assert_eq!(counts(&app).await, (0, 0, 0), "{fault:?}");
        // What was wrong is not kept. (Keys that were empty are for some seconds: nobody makes us ask again and again.)
        if fault != KeysEmpty {
            visitor.log_in(Oidc, "anna").await;
        }
    }
}

#[tokio::test]
async fn names_that_nobody_should_have_to_read_are_made_readable() {
    let (platforms, app) = system().await;
    for provider in [Twitch, GitHub, Vk, VkVideo, Kick, Trovo, Discord] {
        platforms.fault(provider, ProfileStrangeNames);
        let visitor = Visitor::new(&app);
        let me = visitor.log_in(provider, "anna").await;
        let name = me["displayName"].as_str().unwrap();
        assert!((1..=50).contains(&name.chars().count()), "{provider}: {name:?}");
        assert!(!name.chars().any(|c| c.is_control() || c == '\u{202e}' || c == '\u{200b}'), "{provider}: {name:?}");
        let login = me["login"].as_str().unwrap();
        assert!(
            login.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'),
            "{login}"
        );
    }
}

#[tokio::test]
async fn names_that_a_proof_leaves_out_are_asked_for_and_believed_of_the_same_person_only() {
    let (platforms, app) = system().await;
    let first = Visitor::new(&app).log_in(Oidc, "anna").await;
    platforms.fault(Oidc, ProofWithoutNames);
    let again = Visitor::new(&app);
    assert_eq!(again.log_in(Oidc, "anna").await["id"], first["id"]);
    assert_eq!(again.accounts().await[0]["login"], "anna");
    for (fault, told) in [
        (ProfileOfAnother, REFUSED),
        (ProfileWithoutId, REFUSED),
        (ProfileStatus { status: 401 }, REFUSED),
        (ProfileStatus { status: 500 }, UNAVAILABLE),
        (ProfileHtml, UNAVAILABLE),
    ] {
        let before = counts(&app).await;
        platforms.fault(Oidc, ProofWithoutNames);
        platforms.fault(Oidc, fault.clone());
        let answer = Visitor::new(&app).travel("/auth/oidc", "mallory").await;
        assert_eq!((answer.status.as_u16(), answer.error_code()), told, "{fault:?}: {}", answer.text);
        assert!(platforms.faults().is_empty(), "{fault:?}: nobody met it");
        assert_eq!(counts(&app).await, before, "{fault:?}");
    }
}
