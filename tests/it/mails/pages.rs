//! The pages behind links, in a real browser.

use harness::{Answer, Browser, wait_until};

use super::{forget, is, log_in, me, register, system, token, verify};

/// Waits until the page says this.
async fn says(browser: &mut Browser, words: &str) {
    let look = wait_until("the page says it", async || {
        let look = browser.look().await;
        look.text.contains(words).then_some(look)
    })
    .await;
    assert_eq!(look.complaints, Vec::<String>::new());
}

#[tokio::test]
async fn whoever_follows_a_link_clicks_and_is_told_what_came_of_it() {
    let Some(mut browser) = Browser::start("whoever_follows_a_link_clicks_and_is_told_what_came_of_it").await else {
        return;
    };
    let (office, app) = system().await;
    let anna = register(&app, "anna").await;
    let first = token(&office.mail(0).await);
    let verify_page = format!("{}/verify-email#token={first}", app.base);
    assert_eq!(browser.open(&verify_page, false).await, 200);
    says(&mut browser, "Verify your e-mail address").await;
    assert_eq!(me(&anna).await["isVerified"], false, "nothing happens before the click");
    browser.click("button").await;
    says(&mut browser, "The address is verified.").await;
    says(&mut browser, "To the front page").await;
    assert_eq!(me(&anna).await["isVerified"], true);
    is(&verify(&app, &first).await, 400, "LINK_INVALID");
    // The address does not hold the token any more.
    browser.reload().await;
    says(&mut browser, "The link is not complete").await;
    forget(&app, "anna@example.org").await.expect(202);
    let second = token(&office.mail(1).await);
    browser.open(&format!("{}/reset-password#token={second}", app.base), false).await;
    browser.fill("#password", "password123").await;
    browser.click("button").await;
    says(&mut browser, "This password cannot be taken").await;
    browser.fill("#password", "another horse").await;
    browser.click("button").await;
    says(&mut browser, "The password is set.").await;
    let answer: Answer = log_in(&app, "anna", "another horse").await;
    answer.expect(200);
}
