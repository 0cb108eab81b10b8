//! Rate limits: budgets of addresses and of people, shared by all processes.
//!
//! - [`policy`]: which budget a request is of, and how large that is.
//! - [`address`]: from where a request comes, also through proxies.
//! - [`desk`]: how a process takes its part of what all share.
//! - [`twins`]: a request that arrives again while it is being worked on uses nothing up.

mod address;
mod desk;
mod policy;
mod twins;

use std::{sync::Arc, time::Duration};

use domain::requests;
use futures_util::future::BoxFuture;
use poem::{
    Endpoint, IntoResponse, Request, Response,
    http::{HeaderName, HeaderValue, StatusCode, header},
};
use time::OffsetDateTime;
use uuid::Uuid;

pub(crate) use self::address::ClientAddress;
use self::{
    address::Proxies,
    desk::{Account, Desk, Verdict, Whom},
    policy::Kind,
    twins::Twins,
};
pub use self::{
    address::{ForwardedBy, Network},
    policy::Limits,
};
use crate::{
    app::{App, Settings},
    auth, limits,
    problem::Problem,
    telemetry,
};
pub(crate) use policy::of_operation;

/// The budgets of this instance, and who may say for whom they ask.
#[derive(Debug)]
pub(crate) struct Budgets {
    desk: Desk,
    proxies: Proxies,
    twins: Twins,
}

impl Budgets {
    /// Starts the desk, so it needs a running tokio.
    pub(crate) fn open(db: queue::Database, keys: domain::access::Keys, settings: &Settings) -> Self {
        describe();
        let proxies = Proxies::new(settings.trusted_proxies.clone(), settings.trusted_proxy_header);
        Self { desk: Desk::open(db, keys, settings.limits), proxies, twins: Twins::default() }
    }
}

const REFUSED: &str = "http_rate_limited_total";

const KEY: &str = "idempotency-key";
/// How long a repeated request waits for the answer to the first one: as long as it would for the first one's locks.
const TWINS_PATIENCE: Duration = Duration::from_secs(5);

/// Uses of a budget in its time; what is left of them; seconds until there is more; both sizes in one.
const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// The same for clients of older habits, whose reset is a time: seconds since 1970.
const OLD_LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const OLD_REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const OLD_RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

fn describe() {
    metrics::describe_counter!(REFUSED, "Requests refused because a budget was used up, by the budget");
    for kind in Kind::ALL {
        metrics::counter!(REFUSED, "budget" => kind.as_str()).increment(0);
    }
}

/// Around everything that answers: one use of the budget of the address that asks. Operations find the address as
/// [`ClientAddress`].
pub(crate) fn of_the_address<E: Endpoint + 'static>(
    app: App,
) -> impl Fn(Arc<E>, Request) -> BoxFuture<'static, poem::Result<Response>> {
    move |inner, mut request| {
        let app = app.clone();
        Box::pin(async move {
            let Some(client) = app.budgets.proxies.client_of(&request) else {
                return inner.call(request).await.map(IntoResponse::into_response);
            };
            request.set_data(client);
            telemetry::asked_from(client.0);
            let kind = policy::of_address(request.uri().path());
            let verdict = app.budgets.desk.spend(Account { kind, whom: Whom::Address(client.holder()) }).await;
            let response = match verdict.filter(|verdict| !verdict.granted) {
                Some(spent) => limits::turned_away(&mut request, refusal(kind, &spent)),
                None => inner.call(request).await?.into_response(),
            };
            Ok(told(response, verdict))
        })
    }
}

/// Around all operations, within what proves that the request is no forgery: one use of the budget of the person who asks,
/// or of the address where nobody is known yet. A request that was answered before, or is being answered, is answered again,
/// whatever was used, and uses nothing.
pub(crate) async fn of_the_person<E: Endpoint>(inner: Arc<E>, mut request: Request) -> poem::Result<Response> {
    let (mut verdict, mut twin) = (None, None);
    let (mut spent_by, mut asker) = (None, None);
    if let Some((kind, operation)) = policy::of_operation(request.method(), request.uri().path())
        && let Some(app) = request.data::<App>()
        && app.budgets.desk.counts(kind)
        && let Some(account) = account(kind, &request, app).await
    {
        let named = Named::of(&request, app, operation).await;
        // Before it spends, so that a twin cannot come between.
        twin = request.header(KEY).map(|key| app.budgets.twins.enter(account, key));
        // None of them needs another's answer, and each asks the database.
        let (answered, spent, found) =
            tokio::join!(is_answered(app, named), app.budgets.desk.spend(account), asker_of(account, &request, app));
        asker = found;
        if !answered? {
            verdict = spent;
            spent_by = Some((app.clone(), account));
        } else if let Some(spent) = spent.filter(|spent| spent.granted) {
            app.budgets.desk.give_back(account, spent);
        }
        if let Some(spent) = verdict.filter(|verdict| !verdict.granted) {
            if let Some(Err(first)) = twin.take_if(|twin| twin.is_err()) {
                first.wait(TWINS_PATIENCE).await;
            }
            let answered = match named {
                Some(named) if !is_answered(app, Some(named)).await? => {
                    twins::answered_elsewhere(&app.db, named.person, named.operation, named.key).await?
                }
                named => named.is_some(),
            };
            if !answered {
                return Ok(told(refusal(kind, &spent).into_response(), verdict));
            }
            verdict = Some(Verdict { granted: true, ..spent });
            spent_by = None;
        }
    }
    if let Some(asker) = asker {
        request.set_data(asker);
    }
    let response = match inner.call(request).await {
        Ok(answer) => answer.into_response(),
        Err(error) => Problem::answer_to(error),
    };
    drop(twin);
    if let (Some(spent), Some((app, account))) = (verdict, spent_by)
        && response.status() == StatusCode::PAYMENT_REQUIRED
    {
        // Whoever could not pay has had nothing, and need not wait once there are coins.
        verdict = Some(app.budgets.desk.give_back(account, spent));
    }
    Ok(told(response, verdict))
}

/// Under which name the answer to a request is kept.
#[derive(Debug, Clone, Copy)]
struct Named<'a> {
    person: Uuid,
    operation: &'static str,
    key: &'a str,
}

impl<'a> Named<'a> {
    /// None where nothing is kept, or nobody is known.
    async fn of(request: &'a Request, app: &App, operation: Option<&'static str>) -> Option<Self> {
        let (operation, key) = (operation?, request.header(KEY)?);
        let person = auth::keeper(request, app).await?;
        Some(Self { person, operation, key })
    }
}

/// None for somebody without a session where one is needed: the operation says so.
async fn account(kind: Kind, request: &Request, app: &App) -> Option<Account> {
    let whom = match kind {
        Kind::Secrets | Kind::Registrations | Kind::Switch => Whom::Address(request.data::<ClientAddress>()?.holder()),
        _ => Whom::Person(auth::spender(request, app).await?),
    };
    Some(Account { kind, whom })
}

/// Who asks, where a person's budget is used; elsewhere nobody needs to be known.
async fn asker_of(account: Account, request: &Request, app: &App) -> Option<auth::Proven> {
    match account.whom {
        Whom::Address(_) => None,
        Whom::Person(_) => auth::look_ahead(request, app).await,
    }
}

/// Whether an answer is kept under this name.
async fn is_answered(app: &App, named: Option<Named<'_>>) -> Result<bool, Problem> {
    let Some(Named { person, operation, key }) = named else { return Ok(false) };
    let mut conn = app.db.pool().acquire().await?;
    Ok(requests::is_known(&mut conn, person, operation, key).await?)
}

fn refusal(kind: Kind, verdict: &Verdict) -> Problem {
    metrics::counter!(REFUSED, "budget" => kind.as_str()).increment(1);
    let (most, per, wait) = (verdict.budget.most, verdict.budget.per.as_secs(), seconds(verdict.more_in));
    let detail = format!("too many requests: {most} in {per} s are allowed, come again in {wait} s");
    Problem::new(StatusCode::TOO_MANY_REQUESTS, kind.error_code(), detail)
}

/// Whole seconds, rounded up: who comes then is not too early.
fn seconds(time: Duration) -> u64 {
    time.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX)
}

/// The answer, with what it says of the budget; of several budgets it is the one that is nearest to the operation.
fn told(mut response: Response, verdict: Option<Verdict>) -> Response {
    let Some(verdict) = verdict else { return response };
    let headers = response.headers_mut();
    if headers.contains_key(LIMIT) {
        return response;
    }
    let wait = seconds(verdict.more_in);
    if !verdict.granted {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.max(1)));
    }
    let at = u64::try_from(OffsetDateTime::now_utc().unix_timestamp()).unwrap_or(0) + wait;
    headers.insert(LIMIT, verdict.budget.most.into());
    headers.insert(REMAINING, verdict.left.into());
    headers.insert(RESET, wait.into());
    let policy = format!("{};w={}", verdict.budget.most, verdict.budget.per.as_secs());
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(POLICY, policy);
    }
    headers.insert(OLD_LIMIT, verdict.budget.most.into());
    headers.insert(OLD_REMAINING, verdict.left.into());
    headers.insert(OLD_RESET, at.into());
    response
}
