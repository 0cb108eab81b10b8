//! The pages behind links, in a real browser.

use harness::{Answer, Browser, wait_until};

use super::{forget, is, log_in, me, register, reset, system, token, verify};

/// Waits until the page says this.
async fn says(browser: &mut Browser, words: &str) {
    assert_eq!(says_although(browser, words).await, Vec::<String>::new());
}

/// The same where something was refused, of which a browser complains: its complaints.
async fn says_although(browser: &mut Browser, words: &str) -> Vec<String> {
    let look = wait_until("the page says it", async || {
        let look = browser.look().await;
        look.text.contains(words).then_some(look)
    })
    .await;
    look.complaints
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
    browser.click("#use button").await;
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
    browser.click("#use button").await;
    says(&mut browser, "This password cannot be taken").await;
    browser.fill("#password", "another horse").await;
    browser.click("#use button").await;
    says(&mut browser, "The password is set.").await;
    let answer: Answer = log_in(&app, "anna", "another horse").await;
    answer.expect(200);
}

#[tokio::test]
async fn a_link_that_opens_nothing_gets_another_one_sent_at_a_click() {
    let Some(mut browser) = Browser::start("a_link_that_opens_nothing_gets_another_one_sent_at_a_click").await else {
        return;
    };
    let (office, app) = system().await;
    register(&app, "anna").await;
    office.mail(0).await;
    let used = "x".repeat(43);
    browser.open(&format!("{}/verify-email#token={used}", app.base), false).await;
    browser.click("#use button").await;
    says_although(&mut browser, "used already or is too old").await;
    browser.click("#again button").await;
    says_although(&mut browser, "Log in first").await;

    browser.open(&format!("{}/reset-password#token={used}", app.base), false).await;
    browser.fill("#password", "another horse").await;
    browser.click("#use button").await;
    says_although(&mut browser, "used already or is too old").await;
    browser.fill("#address", "anna@example.org").await;
    browser.click("#again button").await;
    says_although(&mut browser, "Another link is on its way").await;
    let link = token(&office.mail(1).await);
    reset(&app, &link, "another horse").await.expect(204);
}
