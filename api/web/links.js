// Where links in mails lead. The token stands behind the `#`, which browsers tell nobody, and is taken out of the address at
// once; it is used up when the person clicks, not before: mail servers and previews open links, too.

const WORDS = {
  en: {
    "verify-email": { title: "Verify your e-mail address", button: "Verify", done: "The address is verified." },
    "reset-password": { title: "Set another password", button: "Set", done: "The password is set. Log in with it." },
    back: "To the front page",
    again: "Send another link",
    sent: "Another link is on its way, if the account can have one.",
    label: "New password, 8 characters at least",
    address: "The account's e-mail address",
    UNAUTHORIZED: "Log in first: the link goes to the address of your account.",
    CONFLICT: "The address of your account is verified already, or it has none.",
    MAIL_NOT_CONFIGURED: "No mails are sent from here. Ask whoever runs this.",
    missing: "The link is not complete: copy all of it from the mail.",
    offline: "The server does not answer. Try again.",
    LINK_INVALID: "The link was used already or is too old.",
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
    again: "Прислать новую ссылку",
    sent: "Новая ссылка в пути, если учётной записи она положена.",
    label: "Новый пароль, не короче 8 символов",
    address: "Адрес почты учётной записи",
    UNAUTHORIZED: "Сначала войдите: ссылка придёт на адрес вашей учётной записи.",
    CONFLICT: "Адрес вашей учётной записи уже подтверждён, или его нет.",
    MAIL_NOT_CONFIGURED: "Отсюда письма не отправляются. Обратитесь к тому, кто ведёт этот сервер.",
    missing: "Ссылка неполная: скопируйте её из письма целиком.",
    offline: "Сервер не отвечает. Попробуйте ещё раз.",
    LINK_INVALID: "Ссылка уже использована или устарела.",
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
const form = document.querySelector("#use");
const again = document.querySelector("#again");
const password = document.querySelector("#password");
const address = document.querySelector("#address");
const told = document.querySelector("#told");
const back = document.querySelector("#back");
const page = words[main.id];

document.documentElement.lang = language;
document.title = page.title;
document.querySelector("#title").textContent = page.title;
form.querySelector("button").textContent = page.button;
again.querySelector("button").textContent = words.again;
back.firstChild.textContent = words.back;
if (password) document.querySelector("#label").textContent = words.label;
if (address) document.querySelector("#address-label").textContent = words.address;

// Kept for a reload, where only this tab finds it.
const token = new URLSearchParams(location.hash.slice(1)).get("token") ?? history.state?.token;
history.replaceState({ token }, "", location.pathname);
if (!token) {
  useless();
  told.textContent = words.missing;
}

// A link that opens nothing: another one is a click away.
function useless() {
  form.hidden = true;
  again.hidden = false;
  back.hidden = false;
}

function over() {
  form.hidden = true;
  again.hidden = true;
  back.hidden = false;
}

// What came of it: nothing when it was done, else the error's code.
async function post(path, body) {
  const headers = { "content-type": "application/json", accept: "application/json" };
  try {
    const answer = await fetch(path, { method: "POST", credentials: "same-origin", headers, body: JSON.stringify(body) });
    if (answer.ok) return null;
    const problem = await answer.json().catch(() => ({}));
    return problem.errorCode in words ? problem.errorCode : "other";
  } catch {
    return "offline";
  }
}

async function use() {
  const path = password ? "/auth/password/reset" : "/auth/verify-email";
  const error = await post(path, password ? { token, password: password.value } : { token });
  if (error === "LINK_INVALID") useless();
  if (error) return words[error];
  history.replaceState(null, "", location.pathname);
  over();
  return page.done;
}

async function another() {
  const error = address ? await post("/auth/password/forgot", { email: address.value }) : await post("/auth/verify-email/send", {});
  if (error === "VALIDATION_ERROR") return words.other;
  if (error) return words[error];
  over();
  return words.sent;
}

for (const [which, act] of [[form, use], [again, another]]) {
  which.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = which.querySelector("button");
    button.disabled = true;
    told.textContent = "";
    told.textContent = await act();
    button.disabled = false;
  });
}
