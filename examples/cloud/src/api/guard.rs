//! Who is asking, and whether this request may write.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{Context, Problem};
use crate::auth;
use crate::store::{Device, Role, Session, User};

/// Name of the session cookie. The prefix `__Host-` needs TLS, which a proxy in front brings; on plain loopback a
/// browser would refuse it.
pub(super) const COOKIE: &str = "meterkit_session";
/// Header in which writing requests repeat the session's token.
pub(super) const CSRF: &str = "x-csrf-token";

/// Real time, not the platform's: a session does not end sooner because the demonstration's clock runs fast.
pub(super) fn real_now() -> u64 {
    crate::system_clock()()
}

/// A signed-in user.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(super) user: User,
    pub(super) session: Session,
}

/// A signed-in user whose request proved that it comes from our own page and who may change things.
#[derive(Debug, Clone)]
pub(crate) struct Writer(pub(super) Caller);

pub(super) fn cookie(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, value)| value)
}

pub(super) async fn caller(context: &Context, headers: &HeaderMap) -> Result<Caller, Problem> {
    let denied = || Problem::new(StatusCode::UNAUTHORIZED, "sign_in", "Sign in first.");
    let Some(token) = cookie(headers).map(auth::token_hash) else {
        return Err(denied());
    };
    let found = context
        .blocking(move |platform| {
            let Some(session) = platform.store.session(&token, real_now())? else {
                return Ok(None);
            };
            let user = platform.store.user(&session.user)?;
            Ok(user.map(|user| Caller { user, session }))
        })
        .await?;
    found.ok_or_else(denied)
}

/// Whether the request comes from a page of this very server. A request without the header comes from no page.
pub(super) fn same_origin(headers: &HeaderMap) -> bool {
    let text = |name| {
        headers
            .get(name)
            .and_then(|value: &header::HeaderValue| value.to_str().ok())
    };
    match text(header::ORIGIN) {
        None => true,
        Some(origin) => {
            let host = origin.split_once("://").map(|(_, host)| host);
            host.is_some() && host == text(header::HOST)
        }
    }
}

impl FromRequestParts<Context> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, context: &Context) -> Result<Self, Problem> {
        let found = caller(context, &parts.headers).await;
        // Asking who is signed in is how the page starts; "nobody" is an answer, not a refusal.
        if found.is_err() && parts.uri.path() != "/api/v1/session" {
            context.refused();
        }
        found
    }
}

impl FromRequestParts<Context> for Writer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, context: &Context) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, context).await?;
        let token = parts
            .headers
            .get(CSRF)
            .and_then(|value| value.to_str().ok());
        let foreign = !same_origin(&parts.headers)
            || token.is_none_or(|token| !same_text(token, &caller.session.csrf));
        let problem = if foreign {
            Problem::new(
                StatusCode::FORBIDDEN,
                "csrf",
                "This request does not come from our page. Load it again.",
            )
        } else if !caller.user.role.may_write() {
            Problem::new(
                StatusCode::FORBIDDEN,
                "rights",
                "You may look, but not change anything.",
            )
        } else {
            return Ok(Self(caller));
        };
        context.refused();
        Err(problem)
    }
}

/// Compares without telling by its time where the first difference is.
pub(super) fn same_text(a: &str, b: &str) -> bool {
    auth::token_hash(a) == auth::token_hash(b)
}

/// A device that the caller may see; the same answer for one that is missing and one that is not theirs.
pub(super) fn device(context: &Context, caller: &Caller, id: &str) -> Result<Device, Problem> {
    let found = context
        .platform
        .devices()
        .get(id)
        .filter(|device| auth::sees(&caller.user, device))
        .cloned();
    found.ok_or_else(Problem::not_found)
}

impl Caller {
    pub(super) fn role(&self) -> Role {
        self.user.role
    }
}

/// Failed logins: each further one for the same name has to wait longer, up to half a minute.
#[derive(Debug, Default)]
pub(crate) struct Attempts(Mutex<HashMap<String, (u32, Instant)>>);

impl Attempts {
    /// Names remembered; beyond, the oldest are forgotten.
    const KEPT: usize = 10_000;
    /// Failures that cost nothing.
    const FREE: u32 = 5;

    /// How long this name has to wait still.
    pub(super) fn wait(&self, name: &str) -> Option<Duration> {
        let failed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, last) = failed.get(name)?;
        let pause = Duration::from_secs(1 << count.saturating_sub(Self::FREE).min(5));
        if *count < Self::FREE {
            None
        } else {
            pause.checked_sub(last.elapsed())
        }
    }

    pub(super) fn failed(&self, name: &str) {
        let mut failed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if failed.len() >= Self::KEPT {
            failed.retain(|_, (_, last)| last.elapsed() < Duration::from_secs(60));
        }
        if failed.len() < Self::KEPT {
            let entry = failed.entry(name.to_owned()).or_insert((0, Instant::now()));
            *entry = (entry.0.saturating_add(1), Instant::now());
        }
    }

    pub(super) fn succeeded(&self, name: &str) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(name);
    }
}
