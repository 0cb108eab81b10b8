//! What mails say, in each language.

use domain::mails::{Kind, Language, Letter};

/// A mail's words. The text and the page say the same.
#[derive(Debug)]
pub(super) struct Words {
    pub(super) subject: &'static str,
    paragraphs: Vec<String>,
    /// Stands after the first paragraph.
    link: Option<String>,
}

pub(super) fn of(letter: &Letter, public_url: &str) -> Words {
    let page = if letter.kind == Kind::ResetPassword { "reset-password" } else { "verify-email" };
    // Behind the `#`: browsers tell it to nobody, neither to a server's log nor to the next site.
    let link = letter.link.as_ref().map(|link| format!("{public_url}/{page}#token={}", link.expose()));
    let (subject, news) = match letter.language {
        Language::English => english(letter),
        Language::Russian => russian(letter),
    };
    let greeting = match letter.language {
        Language::English => format!("Hello {}!", letter.login),
        Language::Russian => format!("Здравствуйте, {}!", letter.login),
    };
    let mut paragraphs = vec![format!("{greeting} {}", news[0])];
    paragraphs.extend(news[1..].iter().cloned());
    paragraphs.push(public_url.to_owned());
    Words { subject, paragraphs, link }
}

const NOT_ME: &str = "If it was not you, set another password at once: it ends all sessions.";
const NOT_ME_RU: &str = "Если это были не вы, сразу смените пароль: это завершит все сеансы.";
/// Another password would not let the person in: the code is asked for all the same.
const NOT_MY_CODES: &str = "If it was not you, ask those who run this place to switch the codes off, and set another password: it ends all sessions.";
const NOT_MY_CODES_RU: &str = "Если это были не вы, попросите тех, кто ведёт этот сайт, выключить коды, и смените пароль: это завершит все сеансы.";
/// A new password would be sent to the other address.
const NOT_MY_ADDRESS: &str = "If it was not you, ask those who run this place to ban the account until it is yours again; if you still know the password, set another one at once: it ends all sessions.";
const NOT_MY_ADDRESS_RU: &str = "Если это были не вы, попросите тех, кто ведёт этот сайт, закрыть учётную запись, пока она снова не станет вашей; если вы ещё знаете пароль, сразу смените его: это завершит все сеансы.";
const ASK: &str = "If you have questions, ask those who run this place.";
const ASK_RU: &str = "Если есть вопросы, задайте их тем, кто ведёт этот сайт.";
const IGNORE: &str = "If you did not ask for this, ignore this mail: nothing happens.";
const IGNORE_RU: &str = "Если вы этого не просили, просто не обращайте внимания на это письмо: ничего не изменится.";

/// What somebody said of why, behind `words`; nothing where nobody did.
fn because(details: &str, words: &str) -> String {
    if details.is_empty() { String::new() } else { format!("{words}{details}") }
}

fn english(letter: &Letter) -> (&'static str, Vec<String>) {
    let details = letter.details.as_deref().unwrap_or_default();
    let (subject, first, last) = match letter.kind {
        Kind::VerifyEmail => (
            "Confirm your e-mail address",
            "Confirm that this address is yours. The link is good for 24 hours and once:".to_owned(),
            IGNORE,
        ),
        Kind::ChangeEmail => (
            "Confirm your new e-mail address",
            "Confirm that this shall be the address of your account from now on. The link is good for 24 hours and once:"
                .to_owned(),
            IGNORE,
        ),
        Kind::ResetPassword => (
            "Set another password",
            "Here you can set another password. The link is good for 30 minutes and once:".to_owned(),
            IGNORE,
        ),
        Kind::EmailChanged => (
            "Your e-mail address was changed",
            "Your account has another e-mail address now; this one belongs to it no more.".to_owned(),
            NOT_MY_ADDRESS,
        ),
        Kind::PasswordChanged => {
            ("Your password was changed", "The password of your account was changed.".to_owned(), NOT_ME)
        }
        Kind::CodesOn => (
            "Logins ask for a code now",
            "From now on logins to your account ask for a code of your app.".to_owned(),
            NOT_MY_CODES,
        ),
        Kind::CodesOff => (
            "Logins ask for no code any more",
            "Logins to your account ask for the password alone again.".to_owned(),
            NOT_ME,
        ),
        Kind::RecoveryCodeUsed => (
            "A recovery code was used",
            "Somebody has logged in to your account with one of its recovery codes.".to_owned(),
            NOT_ME,
        ),
        Kind::CodesGuessed => (
            "Somebody knows your password",
            "Somebody has given your password, and then a wrong code so often that no further one is taken for a while. Of \
             more such guesses within an hour there is no other mail."
                .to_owned(),
            "If it was not you, set another password at once: codes alone keep whoever it is out now. If it was, wait a quarter \
             of an hour, and check that the clock of your phone is right.",
        ),
        Kind::PasswordGuessed => (
            "Somebody guesses at your password",
            "A hundred wrong passwords were given for your account within an hour, from several networks. For up to an hour \
             it takes logins only from networks that you have logged in from within the last 30 days. Of more such guesses \
             within a day there is no other mail."
                .to_owned(),
            "Nobody got in by this. If your password is short or used elsewhere, set another one; codes of an app keep out even \
             who finds it.",
        ),
        Kind::RecoveryCodesReplaced => (
            "New recovery codes were made",
            "Your account has ten new recovery codes. Those that you had before open it no more.".to_owned(),
            NOT_ME,
        ),
        Kind::AccountLinked => (
            "An account was linked",
            format!("From now on this account opens yours, too: {details}."),
            "If it was not you, unlink it and set another password at once.",
        ),
        Kind::AccountUnlinked => {
            ("An account was unlinked", format!("From now on this account does not open yours any more: {details}."), NOT_ME)
        }
        Kind::RoleChanged => (
            "Your role was changed",
            format!("An admin has changed your role: it is {details} now. All sessions have ended; log in again."),
            ASK,
        ),
        Kind::Banned => (
            "Your account was banned",
            format!(
                "An admin has banned your account: it cannot log in, and what it has here stands still, a channel and its overlays, too.{}",
                because(details, " What was said of why: ")
            ),
            ASK,
        ),
        Kind::Unbanned => {
            ("Your account is not banned any more", "An admin has taken the ban of your account back.".to_owned(), ASK)
        }
        Kind::CoinsAdjusted => (
            "Your coins were adjusted",
            "An admin has given you coins or taken some; your wallets say how many there are now. Of more such changes \
             within an hour there is no other mail."
                .to_owned(),
            ASK,
        ),
        Kind::TeamRoleGiven => (
            "You are in a channel's team",
            format!("The owner of a channel lets you act on it from now on, in this role: {details}."),
            "If you do not want to, leave the team.",
        ),
        Kind::TeamRoleTaken => (
            "You are in a channel's team no more",
            format!("The owner of a channel has taken you out of its team: {details}."),
            "If you have questions, ask the channel's owner.",
        ),
        Kind::TokenMade => (
            "A token was made",
            format!("A dock or a program may act in your name on your channel from now on: {details}."),
            "If it was not you, revoke it and set another password at once.",
        ),
        Kind::TokenElsewhere => (
            "A token of your channel is used from two places",
            format!(
                "One of your channel's addresses or tokens comes from two networks at the same time: {details}. Of more such \
                 tokens within an hour there is no other mail."
            ),
            "If one of the two is not yours, rotate the address, or revoke the token, at once. If both are, say so in the list \
             of tokens.",
        ),
        Kind::SessionStolen => (
            "A session of yours was ended",
            "Two browsers or programs have used the same session of yours: one of the two has a copy. It was ended for both."
                .to_owned(),
            "Log in again. If you have not copied a session yourself, look at your sessions and set another password.",
        ),
        Kind::AccountDeleted => (
            "Your account is being deleted",
            "As you asked, everything that says something about you is being erased here. This is the last mail.".to_owned(),
            "There is no way back. If it was not you, write to those who run this place.",
        ),
    };
    (subject, vec![first, last.to_owned()])
}

fn russian(letter: &Letter) -> (&'static str, Vec<String>) {
    let details = letter.details.as_deref().unwrap_or_default();
    let (subject, first, last) = match letter.kind {
        Kind::VerifyEmail => (
            "Подтвердите адрес почты",
            "Подтвердите, что этот адрес принадлежит вам. Ссылка действует 24 часа и срабатывает один раз:".to_owned(),
            IGNORE_RU,
        ),
        Kind::ChangeEmail => (
            "Подтвердите новый адрес почты",
            "Подтвердите, что теперь это адрес вашей учётной записи. Ссылка действует 24 часа и срабатывает один раз:"
                .to_owned(),
            IGNORE_RU,
        ),
        Kind::ResetPassword => (
            "Новый пароль",
            "По этой ссылке можно задать новый пароль. Она действует 30 минут и срабатывает один раз:".to_owned(),
            IGNORE_RU,
        ),
        Kind::EmailChanged => (
            "Адрес почты изменён",
            "У вашей учётной записи теперь другой адрес почты; этот к ней больше не относится.".to_owned(),
            NOT_MY_ADDRESS_RU,
        ),
        Kind::PasswordChanged => ("Пароль изменён", "Пароль вашей учётной записи был изменён.".to_owned(), NOT_ME_RU),
        Kind::CodesOn => (
            "Для входа теперь нужен код",
            "Теперь для входа в вашу учётную запись нужен код из приложения.".to_owned(),
            NOT_MY_CODES_RU,
        ),
        Kind::CodesOff => (
            "Для входа код больше не нужен",
            "Теперь для входа в вашу учётную запись достаточно пароля.".to_owned(),
            NOT_ME_RU,
        ),
        Kind::RecoveryCodeUsed => (
            "Использован код восстановления",
            "В вашу учётную запись вошли с одним из её кодов восстановления.".to_owned(),
            NOT_ME_RU,
        ),
        Kind::CodesGuessed => (
            "Кто-то знает ваш пароль",
            "Кто-то верно назвал ваш пароль, а затем столько раз ошибся в коде, что коды пока не принимаются. О других таких \
             попытках в течение часа отдельного письма не будет."
                .to_owned(),
            "Если это были не вы, сразу смените пароль: сейчас вас защищают только коды. Если это были вы, подождите четверть \
             часа и проверьте, верно ли идут часы телефона.",
        ),
        Kind::PasswordGuessed => (
            "Кто-то подбирает ваш пароль",
            "За час для вашей учётной записи сто раз назвали неверный пароль, из нескольких сетей. Не дольше часа войти с \
             паролем можно только из тех сетей, откуда вы входили за последние 30 дней. О других таких попытках в течение \
             суток отдельного письма не будет."
                .to_owned(),
            "Войти никому не удалось. Если пароль короткий или используется где-то ещё, смените его; с кодами из приложения не \
             войдёт и тот, кто его подберёт.",
        ),
        Kind::RecoveryCodesReplaced => (
            "Созданы новые коды восстановления",
            "У вашей учётной записи десять новых кодов восстановления. Прежние больше не действуют.".to_owned(),
            NOT_ME_RU,
        ),
        Kind::AccountLinked => (
            "Привязан аккаунт",
            format!("Теперь с этим аккаунтом можно войти в вашу учётную запись: {details}."),
            "Если это были не вы, отвяжите его и сразу смените пароль.",
        ),
        Kind::AccountUnlinked => (
            "Аккаунт отвязан",
            format!("С этим аккаунтом больше нельзя войти в вашу учётную запись: {details}."),
            NOT_ME_RU,
        ),
        Kind::RoleChanged => (
            "Ваша роль изменена",
            format!("Администратор изменил вашу роль: теперь это {details}. Все сеансы завершены, войдите заново."),
            ASK_RU,
        ),
        Kind::Banned => (
            "Учётная запись заблокирована",
            format!(
                "Администратор заблокировал вашу учётную запись: войти в неё нельзя, и всё, что у неё здесь есть, остановлено, в том числе канал и оверлеи.{}",
                because(details, " Причина: ")
            ),
            ASK_RU,
        ),
        Kind::Unbanned => (
            "Учётная запись разблокирована",
            "Администратор снял блокировку с вашей учётной записи.".to_owned(),
            ASK_RU,
        ),
        Kind::CoinsAdjusted => (
            "Изменено количество монет",
            "Администратор начислил вам монеты или списал их; сколько их теперь, видно в кошельках. О других таких \
             изменениях в течение часа отдельного письма не будет."
                .to_owned(),
            ASK_RU,
        ),
        Kind::TeamRoleGiven => (
            "Вы в команде канала",
            format!("Владелец канала доверил вам помогать на нём, с этой ролью: {details}."),
            "Если вы этого не хотите, выйдите из команды.",
        ),
        Kind::TeamRoleTaken => (
            "Вы больше не в команде канала",
            format!("Владелец канала исключил вас из его команды: {details}."),
            "Если есть вопросы, задайте их владельцу канала.",
        ),
        Kind::TokenMade => (
            "Создан токен",
            format!("Теперь панель или программа может действовать от вашего имени на вашем канале: {details}."),
            "Если это были не вы, отзовите его и сразу смените пароль.",
        ),
        Kind::TokenElsewhere => (
            "Токен вашего канала используется из двух мест",
            format!(
                "Один из адресов или токенов вашего канала приходит одновременно из двух сетей: {details}. О других таких \
                 токенах в течение часа отдельного письма не будет."
            ),
            "Если одно из мест не ваше, сразу смените адрес или отзовите токен. Если оба ваши, отметьте это в списке токенов.",
        ),
        Kind::SessionStolen => (
            "Ваш сеанс завершён",
            "Два браузера или две программы воспользовались одним и тем же вашим сеансом: у кого-то копия. Он завершён \
             для обоих."
                .to_owned(),
            "Войдите заново. Если вы сами сеанс не копировали, проверьте список сеансов и смените пароль.",
        ),
        Kind::AccountDeleted => (
            "Учётная запись удаляется",
            "Как вы просили, мы стираем здесь всё, что о вас говорит. Это последнее письмо.".to_owned(),
            "Отменить это нельзя. Если это были не вы, напишите тем, кто ведёт этот сайт.",
        ),
    };
    (subject, vec![first, last.to_owned()])
}

impl Words {
    pub(super) fn text(&self) -> String {
        let mut parts: Vec<&str> = self.paragraphs.iter().map(String::as_str).collect();
        if let Some(link) = &self.link {
            parts.insert(1, link);
        }
        format!("{}\n", parts.join("\n\n"))
    }

    pub(super) fn html(&self) -> String {
        let mut parts: Vec<String> =
            self.paragraphs.iter().map(|paragraph| format!("<p>{}</p>", escaped(paragraph))).collect();
        if let Some(link) = &self.link {
            let link = escaped(link);
            parts.insert(1, format!("<p><a href=\"{link}\">{link}</a></p>"));
        }
        format!("<!doctype html>\n<html><body>\n{}\n</body></html>\n", parts.join("\n"))
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn letter(kind: Kind, language: Language) -> Letter {
        Letter {
            id: Uuid::nil(),
            kind,
            language,
            recipient: "anna@example.org".to_owned(),
            login: "anna".to_owned(),
            details: Some("kick: <b>\"anna\"</b>".to_owned()),
            link: None,
        }
    }

    #[test]
    fn each_kind_has_its_words_in_each_language() {
        let mut subjects = Vec::new();
        for kind in Kind::ALL {
            for language in [Language::English, Language::Russian] {
                let words = of(&letter(kind, language), "https://memes.example");
                assert!(!subjects.contains(&words.subject), "{kind}: {}", words.subject);
                subjects.push(words.subject);
                assert_eq!(words.subject.is_ascii(), language == Language::English, "{kind}");
                assert!(words.text().contains("anna") && words.text().contains("https://memes.example"), "{kind}");
            }
        }
    }

    #[test]
    fn a_name_of_elsewhere_is_a_text_in_the_page() {
        let words = of(&letter(Kind::AccountLinked, Language::English), "https://memes.example");
        assert!(words.text().contains("kick: <b>\"anna\"</b>."));
        assert!(words.html().contains("kick: &lt;b&gt;&quot;anna&quot;&lt;/b&gt;."), "{}", words.html());
    }
}
