//! Docks and programs, which show a token of their own instead of a person's session.
//!
//! A token that has been good is kept in mind for some minutes, so that budgets ask the database for none. That it was revoked, or
//! is over, is known from [`Ended`](super::Ended) within a second, as with sessions; whoever lets a request in looks.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use domain::tokens::{self, Program, Secret};
use poem::Request;

use super::{scopes, session::bearer};
use crate::{app::AppState, problem::Problem};

/// Much shorter than ended ones are kept in mind.
const KEEP: Duration = Duration::from_mins(5);
/// As many as are kept; with more, all are asked for anew.
const MOST: usize = 10_000;

/// The good tokens that this process knows, by their hashes.
#[derive(Debug, Default)]
pub(crate) struct Programs {
    known: RwLock<HashMap<[u8; 32], Known>>,
}

#[derive(Debug)]
struct Known {
    since: Instant,
    program: Arc<Program>,
}

impl Programs {
    async fn find(&self, app: &AppState, token: &str) -> Result<Option<Arc<Program>>, sqlx::Error> {
        let hash = Secret::hash(token);
        let program = match self.recall(&hash) {
            Some(program) => program,
            None => {
                let mut conn = app.db.pool().acquire().await?;
                let Some(program) = tokens::find_good(&mut conn, token).await? else { return Ok(None) };
                let program = Arc::new(program);
                self.keep(hash, program.clone());
                program
            }
        };
        Ok((!app.ended.contains(program.token)).then_some(program))
    }

    fn recall(&self, hash: &[u8; 32]) -> Option<Arc<Program>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.get(hash).filter(|known| known.since.elapsed() < KEEP).map(|known| known.program.clone())
    }

    fn keep(&self, hash: [u8; 32], program: Arc<Program>) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(hash, Known { since: Instant::now(), program });
    }
}

/// The dock or program that the request proves; none for a request that shows no token of that form.
///
/// # Errors
/// 401 for a token that is no good.
pub(crate) async fn named(request: &Request, app: &AppState) -> Result<Option<Arc<Program>>, Problem> {
    let Some(token) = bearer(request).filter(|token| Secret::kind_of(token).is_some()) else { return Ok(None) };
    let program = app.programs.find(app, token).await?;
    Ok(Some(program.ok_or_else(no_good)?))
}

fn no_good() -> Problem {
    Problem::unauthorized("the token is unknown here, was revoked or is over")
}

/// Asks the database whether the request's token is good now, whatever is kept in mind of it: another process may have answered
/// its end, of which this one has not heard.
///
/// # Errors
/// 401 when it is not.
pub(super) async fn still_good(request: &Request, app: &AppState) -> Result<(), Problem> {
    let mut conn = app.db.pool().acquire().await?;
    let token = bearer(request).unwrap_or_default();
    tokens::find_good(&mut conn, token).await?.map(drop).ok_or_else(no_good)
}

/// Whether the program may do what the request asks for.
///
/// # Errors
/// 403 that names the scope.
pub(super) fn admit(program: &Program, request: &Request) -> Result<(), Problem> {
    match scopes::of_operation(request.method(), request.original_uri().path()) {
        Some(scope) if program.scopes.contains(&scope) => Ok(()),
        Some(scope) => Err(Problem::forbidden(format!("this needs a token with the scope {}", scope.as_str()))),
        None => Err(Problem::forbidden("no token opens this: log in")),
    }
}
