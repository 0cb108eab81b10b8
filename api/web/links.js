// Where links in mails lead. The token stands behind the `#`, which browsers tell nobody, and is taken out of the address at
// once; it is used up when the person clicks, not before: mail servers and previews open links, too.

const WORDS = {
  en: {
    "verify-email": { title: "Verify your e-mail address", button: "Verify", done: "The address is verified." },
    "reset-password": { title: "Set another password", button: "Set", done: "The password is set. Log in with it." },
    back: "To the front page",
    label: "New password, 8 characters at least",
    missing: "The link is not complete: copy all of it from the mail.",
    offline: "The server does not answer. Try again.",
    LINK_INVALID: "The link was used already or is too old. Ask for a new one.",
    EMAIL_TAKEN: "Another account has this address by now.",
    RATE_LIMITED: "Too many tries. Wait a minute.",
    TOO_MANY_REQUESTS: "Too many tries. Wait a minute.",
    VALIDATION_ERROR: "This password cannot be taken: it is too short, too well known, or one of your names.",
    other: "This did not work. Try again later.",
  },
  ru: {
    "verify-email": { title: "Подтверждение адреса почты", button: "Подтвердить", done: "Адрес подтверждён." },
    "reset-password": { title: "Новый пароль", button: "Сохранить", done: "Пароль изменён. Войдите с ним." },
    back: "На главную",
    label: "Новый пароль, не короче 8 символов",
    missing: "Ссылка неполная: скопируйте её из письма целиком.",
    offline: "Сервер не отвечает. Попробуйте ещё раз.",
    LINK_INVALID: "Ссылка уже использована или устарела. Запросите новую.",
    EMAIL_TAKEN: "Этот адрес уже принадлежит другой учётной записи.",
    RATE_LIMITED: "Слишком много попыток. Подождите минуту.",
    TOO_MANY_REQUESTS: "Слишком много попыток. Подождите минуту.",
    VALIDATION_ERROR: "Такой пароль не подходит: он слишком короткий, слишком известный или совпадает с вашим именем.",
    other: "Не получилось. Попробуйте позже.",
  },
};

const language = navigator.languages.map((tag) => tag.slice(0, 2)).find((tag) => tag in WORDS) ?? "en";
const words = WORDS[language];
const main = document.querySelector("main");
const form = document.querySelector("form");
const button = document.querySelector("button");
const password = document.querySelector("#password");
const told = document.querySelector("#told");
const back = document.querySelector("#back");
const page = words[main.id];

document.documentElement.lang = language;
document.title = page.title;
document.querySelector("#title").textContent = page.title;
button.textContent = page.button;
back.firstChild.textContent = words.back;
if (password) document.querySelector("#label").textContent = words.label;

// Kept for a reload, where only this tab finds it.
const token = new URLSearchParams(location.hash.slice(1)).get("token") ?? history.state?.token;
history.replaceState({ token }, "", location.pathname);
if (!token) {
  form.hidden = true;
  back.hidden = false;
  told.textContent = words.missing;
}

async function use() {
  const path = password ? "/auth/password/reset" : "/auth/verify-email";
  const body = password ? { token, password: password.value } : { token };
  const headers = { "content-type": "application/json", accept: "application/json" };
  try {
    const answer = await fetch(path, { method: "POST", credentials: "same-origin", headers, body: JSON.stringify(body) });
    if (answer.ok) {
      history.replaceState(null, "", location.pathname);
      form.hidden = true;
      back.hidden = false;
      return page.done;
    }
    const problem = await answer.json().catch(() => ({}));
    return words[problem.errorCode] ?? words.other;
  } catch {
    return words.offline;
  }
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  button.disabled = true;
  told.textContent = "";
  told.textContent = await use();
  button.disabled = false;
});
