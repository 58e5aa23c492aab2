//! Signing in and out.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::guard::{COOKIE, Caller, real_now, same_origin};
use super::{Answer, Context, Problem};
use crate::auth;
use crate::platform::Platform;
use crate::store::{Role, Session, User};

/// Length of a session.
const LIFE_MS: u64 = 12 * 3_600_000;

/// Who wants in.
#[derive(Deserialize, ToSchema)]
pub(super) struct Login {
    /// Name of the user.
    user: String,
    /// Password.
    password: String,
}

/// The session as the page needs it.
#[derive(Serialize, ToSchema)]
pub(super) struct SessionView {
    /// Name of the user.
    user: String,
    /// Tenant whose devices the user sees.
    tenant: String,
    /// Rights.
    role: Role,
    /// Token that writing requests repeat in the header `x-csrf-token`.
    csrf: String,
    /// Platform time, UTC milliseconds.
    now: u64,
    /// Times real time at which the platform's clock runs.
    speed: u32,
    /// Local time of the site, minutes ahead of UTC.
    offset_minutes: i32,
    /// Currency of all amounts.
    currency: String,
}

impl SessionView {
    fn new(platform: &Platform, user: &User, csrf: &str) -> Self {
        Self {
            user: user.name.clone(),
            tenant: user.tenant.clone(),
            role: user.role,
            csrf: csrf.to_owned(),
            now: (platform.clock)(),
            speed: platform.config.speed,
            offset_minutes: platform.config.offset_minutes,
            currency: platform.config.currency.clone(),
        }
    }
}

/// Checks name and password; on success a stored session and the token for the cookie.
pub(super) async fn sign_in(
    context: &Context,
    headers: &HeaderMap,
    name: String,
    password: String,
) -> Answer<(User, Session, String)> {
    if !same_origin(headers) {
        context.refused();
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "csrf",
            "This request does not come from our page.",
        ));
    }
    if let Some(wait) = context.attempts.wait(&name) {
        context.refused();
        let seconds = wait.as_secs() + 1;
        return Err(Problem::new(
            StatusCode::TOO_MANY_REQUESTS,
            "wait",
            format!("Too many wrong passwords. Try again in {seconds} s."),
        ));
    }
    let token = auth::random_hex::<32>();
    let session = Session {
        token_hash: auth::token_hash(&token),
        user: name.clone(),
        csrf: auth::random_hex::<16>(),
        expires: real_now() + LIFE_MS,
    };
    let stored = session.clone();
    let tried = name.clone();
    let user = context
        .blocking(move |platform| {
            let user = platform.store.user(&tried)?;
            let hash = user
                .as_ref()
                .map_or(auth::dummy_hash(), |user| user.password_hash.as_str());
            if !auth::verify(&password, hash) {
                return Ok(None);
            }
            if user.is_some() {
                platform.store.put_session(&stored, real_now())?;
                platform.audit(&tried, "login", "platform", "");
            }
            Ok(user)
        })
        .await?;
    match user {
        Some(user) => {
            context.attempts.succeeded(&name);
            Ok((user, session, token))
        }
        None => {
            context.attempts.failed(&name);
            context.refused();
            Err(Problem::new(
                StatusCode::UNAUTHORIZED,
                "wrong",
                "Name or password is wrong.",
            ))
        }
    }
}

pub(super) fn set_cookie(token: &str) -> String {
    format!(
        "{COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={}",
        LIFE_MS / 1000
    )
}

/// Signs in.
#[utoipa::path(post, path = "/api/v1/login", tag = "session", request_body = Login, responses(
    (status = 200, description = "Signed in; the cookie carries the session", body = SessionView),
    (status = 401, description = "Name or password is wrong", body = Problem),
    (status = 429, description = "Too many wrong passwords", body = Problem),
))]
pub(super) async fn login(
    State(context): State<Context>,
    headers: HeaderMap,
    Json(login): Json<Login>,
) -> Answer<Response> {
    let (user, session, token) = sign_in(&context, &headers, login.user, login.password).await?;
    let view = SessionView::new(&context.platform, &user, &session.csrf);
    Ok(([(header::SET_COOKIE, set_cookie(&token))], Json(view)).into_response())
}

/// Signs out.
#[utoipa::path(post, path = "/api/v1/logout", tag = "session", responses(
    (status = 204, description = "Signed out"),
    (status = 401, description = "Not signed in", body = Problem),
))]
pub(super) async fn logout(State(context): State<Context>, caller: Caller) -> Answer<Response> {
    let hash = caller.session.token_hash;
    context
        .blocking(move |platform| Ok(platform.store.drop_session(&hash)?))
        .await?;
    let gone = format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, gone)]).into_response())
}

/// The present session.
#[utoipa::path(get, path = "/api/v1/session", tag = "session", responses(
    (status = 200, description = "Who is signed in", body = SessionView),
    (status = 401, description = "Not signed in", body = Problem),
))]
pub(super) async fn current(State(context): State<Context>, caller: Caller) -> Json<SessionView> {
    Json(SessionView::new(
        &context.platform,
        &caller.user,
        &caller.session.csrf,
    ))
}
