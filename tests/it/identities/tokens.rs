//! Tokens that are good now: one renews them, whoever asks, and what was renewed is kept before it is used.

use std::time::Duration;

use domain::{
    access::Vault,
    identities::{Provider, Token, TokenError},
};
use futures_util::future::join_all;
use harness::{TestApp, wait_until};
use identity::{
    Platforms,
    simulator::{Fault, Simulator},
};
use uuid::Uuid;

use super::{Visitor, knowing, system};

/// What a process of the system has to renew tokens with.
struct Process {
    platforms: Platforms,
}

impl Process {
    fn of(app: &TestApp) -> Self {
        Self { platforms: Platforms::new(app.process.config.identity.access.clone()).unwrap() }
    }

    async fn token(&self, app: &TestApp, account: Uuid, rejected: Option<&Token>) -> Result<Token, TokenError> {
        let vault: &std::sync::Arc<Vault> = &app.process.vault;
        self.platforms.fresh_token(&app.db, vault, account, rejected.cloned()).await
    }
}

async fn account_of(app: &TestApp, provider: Provider) -> (Visitor, Uuid) {
    let visitor = Visitor::new(app);
    visitor.log_in(provider, "anna").await;
    let id = visitor.accounts().await[0]["id"].as_str().unwrap().parse().unwrap();
    (visitor, id)
}

fn renewals(platforms: &Simulator) -> usize {
    platforms.requests().iter().filter(|seen| seen.grant == "refresh_token").count()
}

#[tokio::test]
async fn of_many_in_several_processes_one_renews_and_all_get_what_it_got() {
    let (platforms, app) = system().await;
    // Each ends all its grants when it sees a refresh token twice.
    for provider in
        [Provider::Kick, Provider::Trovo, Provider::Vk, Provider::VkVideo, Provider::Discord, Provider::Oidc]
    {
        let (_, account) = account_of(&app, provider).await;
        let processes = [Process::of(&app), Process::of(&app), Process::of(&app)];
        for round in 1..=3 {
            let before = renewals(&platforms);
            app.advance(Duration::from_hours(48)).await;
            let callers = processes.iter().cycle().take(24);
            let tokens = join_all(callers.map(|process| process.token(&app, account, None))).await;
            let tokens: Vec<Token> = tokens.into_iter().map(|token| token.unwrap()).collect();
            assert!(tokens.iter().all(|token| *token == tokens[0]), "{provider}, round {round}");
            assert!(platforms.knows(provider, tokens[0].expose()), "{provider}, round {round}");
            assert_eq!(renewals(&platforms) - before, 1, "{provider}, round {round}");
        }
    }
}

#[tokio::test]
async fn a_token_that_the_platform_has_rejected_is_renewed_once_whenever_it_ends() {
    let (platforms, app) = system().await;
    let (_, account) = account_of(&app, Provider::Twitch).await;
    let processes = [Process::of(&app), Process::of(&app)];
    let old = processes[0].token(&app, account, None).await.unwrap();
    assert_eq!(renewals(&platforms), 0, "it is good for hours");
    let callers = processes.iter().cycle().take(16);
    let tokens = join_all(callers.map(|process| process.token(&app, account, Some(&old)))).await;
    assert!(tokens.iter().all(|token| *token.as_ref().unwrap() != old));
    assert_eq!(renewals(&platforms), 1);
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_take_the_renewal_along() {
    let (platforms, app) = system().await;
    let (_, account) = account_of(&app, Provider::Kick).await;
    let process = Process::of(&app);
    app.advance(Duration::from_hours(48)).await;
    platforms.fault(Provider::Kick, Fault::TokenHold);
    {
        let mut renewal = Box::pin(process.token(&app, account, None));
        wait_until("the platform was asked", async || {
            let asked = async { platforms.faults().is_empty().then_some(()) };
            tokio::select! {
                biased;
                _ = &mut renewal => panic!("it was held back"),
                asked = asked => asked,
            }
        })
        .await;
    }
    platforms.release();
    let token = process.token(&app, account, None).await.unwrap();
    assert!(platforms.knows(Provider::Kick, token.expose()));
    assert_eq!(renewals(&platforms), 1, "what was renewed without a caller is kept");
}

#[tokio::test]
async fn what_was_renewed_is_there_after_a_restart() {
    let (platforms, mut app) = system().await;
    let (_, account) = account_of(&app, Provider::Discord).await;
    app.advance(Duration::from_hours(24 * 30)).await;
    let renewed = Process::of(&app).token(&app, account, None).await.unwrap();
    app.stop();
    let again = knowing(&platforms, app.beside().pools(&[])).start().await;
    assert_eq!(Process::of(&again).token(&again, account, None).await.unwrap(), renewed);
    again.advance(Duration::from_hours(24 * 30)).await;
    let next = Process::of(&again).token(&again, account, None).await.unwrap();
    assert!(platforms.knows(Provider::Discord, next.expose()));
    assert_eq!(renewals(&platforms), 2);
}

#[tokio::test]
async fn a_grant_that_was_taken_back_asks_its_person_to_link_again() {
    let (platforms, app) = system().await;
    for provider in Provider::ALL {
        let (anna, account) = account_of(&app, provider).await;
        if provider == Provider::GitHub {
            // Its tokens have no end and no successor.
            app.advance(Duration::from_hours(24 * 365)).await;
            assert!(Process::of(&app).token(&app, account, None).await.is_ok());
        }
        platforms.revoke(provider, "anna");
        let process = Process::of(&app);
        let rejected = process.token(&app, account, None).await.unwrap();
        let answers = [(); 2].map(|()| process.token(&app, account, Some(&rejected)));
        for answer in join_all(answers).await {
            assert!(matches!(answer, Err(TokenError::Relink(_))), "{provider}: {answer:?}");
        }
        if provider == Provider::GitHub {
            continue;
        }
        assert_eq!(anna.accounts().await[0]["needsRelink"], true, "{provider}");
        anna.log_in(provider, "anna").await;
        assert_eq!(anna.accounts().await[0]["needsRelink"], false, "{provider}: the login brought a new grant");
        assert!(process.token(&app, account, None).await.is_ok(), "{provider}");
    }
}

#[tokio::test]
async fn a_grant_that_was_taken_back_is_shown_as_such() {
    let (platforms, app) = system().await;
    let (anna, account) = account_of(&app, Provider::Kick).await;
    app.advance(Duration::from_secs(600)).await;
    platforms.fault(Provider::Kick, Fault::RenewalRefuse);
    let process = Process::of(&app);
    let rejected = process.token(&app, account, None).await.unwrap();
    assert!(matches!(process.token(&app, account, Some(&rejected)).await, Err(TokenError::Relink(_))));
    let accounts = anna.accounts().await;
    assert_eq!(accounts[0]["needsRelink"], true);
    assert!(accounts[0]["relinkReason"].as_str().unwrap().contains("invalid_grant"), "{accounts:?}");
    let kept: (bool, bool) =
        sqlx::query_as("select access_token is null, refresh_token is null from external_accounts")
            .fetch_one(app.pool())
            .await
            .unwrap();
    assert_eq!(kept, (true, true), "tokens that are good for nothing are not kept");
}

#[tokio::test]
async fn a_platform_in_trouble_costs_nobody_a_grant() {
    let (platforms, app) = system().await;
    let (_, account) = account_of(&app, Provider::Oidc).await;
    let process = Process::of(&app);
    app.advance(Duration::from_hours(48)).await;
    let troubles = [
        Fault::RenewalStatus { status: 500 },
        Fault::RenewalStatus { status: 429 },
        Fault::RenewalStatus { status: 403 },
        Fault::RenewalStatus { status: 404 },
        Fault::RenewalRefuseClient,
        Fault::RenewalHtml,
    ];
    for trouble in troubles {
        // It answers so before it does anything.
        platforms.fault(Provider::Oidc, trouble.clone());
        let answer = process.token(&app, account, None).await;
        assert!(matches!(answer, Err(TokenError::Unavailable(_))), "{trouble:?}: {answer:?}");
    }
    let token = process.token(&app, account, None).await.unwrap();
    assert!(platforms.knows(Provider::Oidc, token.expose()));
}
