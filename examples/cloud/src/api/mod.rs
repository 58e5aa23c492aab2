//! The HTTP side: API under `/api/v1`, page under `/`, plain page under `/plain`.

// The macro that describes handlers repeats the paths of their arguments.
#![allow(unused_qualifications)]

mod alarms;
mod devices;
mod diagnostics;
mod guard;
mod live;
mod orders;
mod plain;
mod session;

use axum::Json;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::watch;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};
use tower_http::set_header::SetResponseHeaderLayer;
use utoipa::{OpenApi, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::door::Visitor;

use crate::page;
use crate::platform::Platform;
use crate::store::StoreError;

/// What every handler gets.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) platform: Arc<Platform>,
    pub(crate) stopped: watch::Receiver<bool>,
    pub(crate) attempts: Arc<guard::Attempts>,
}

#[derive(OpenApi)]
#[openapi(info(
    title = "meterkit platform",
    description = "Meters, history, orders and alarms. Sign in with POST /api/v1/login; writing requests repeat the \
                   token `csrf` of the session in the header `x-csrf-token`. Energies, powers and money are exact \
                   decimal texts.",
    license(name = "MIT OR Apache-2.0")
))]
struct Api;

fn described() -> (axum::Router<Context>, utoipa::openapi::OpenApi) {
    OpenApiRouter::with_openapi(Api::openapi())
        .routes(routes!(session::login))
        .routes(routes!(session::logout))
        .routes(routes!(session::current))
        .routes(routes!(devices::list))
        .routes(routes!(devices::detail))
        .routes(routes!(devices::history))
        .routes(routes!(orders::sell))
        .routes(routes!(orders::relay))
        .routes(routes!(orders::list))
        .routes(routes!(orders::one))
        .routes(routes!(orders::sales))
        .routes(routes!(alarms::list))
        .routes(routes!(alarms::acknowledge))
        .routes(routes!(live::stream))
        .routes(routes!(diagnostics::read))
        .split_for_parts()
}

/// The description of the API in OpenAPI's JSON, as it stands in `docs/openapi.json`.
pub fn openapi() -> String {
    let mut text = described().1.to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}

/// Everything that is served over HTTP.
pub(crate) fn router(platform: Arc<Platform>, stopped: watch::Receiver<bool>) -> axum::Router {
    let context = Context {
        platform,
        stopped,
        attempts: Arc::default(),
    };
    let fixed = |name: &'static str, value: &'static str| {
        SetResponseHeaderLayer::if_not_present(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        )
    };
    described()
        .0
        .route(
            "/api/openapi.json",
            get(|| async { ([(header::CONTENT_TYPE, "application/json")], openapi()) }),
        )
        .route("/", get(index))
        .route("/web/{*name}", get(asset))
        .merge(plain::routes())
        .layer(
            // A compressed stream of events would wait for its buffer to fill.
            CompressionLayer::new().compress_when(
                SizeAbove::new(256).and(NotForContentType::new("text/event-stream")),
            ),
        )
        .layer(fixed("x-content-type-options", "nosniff"))
        .layer(fixed("referrer-policy", "no-referrer"))
        .layer(fixed("x-frame-options", "DENY"))
        .layer(axum::middleware::from_fn(greet))
        .with_state(context)
}

/// Tells the connection that a request was read from it.
async fn greet(request: axum::extract::Request, next: axum::middleware::Next) -> Response {
    if let Some(ConnectInfo(visitor)) = request.extensions().get::<ConnectInfo<Visitor>>() {
        visitor.understood();
    }
    next.run(request).await
}

async fn index(State(context): State<Context>, headers: HeaderMap) -> Response {
    if page::complete() {
        page::index()
    } else {
        plain::overview(State(context), headers).await
    }
}

async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    page::asset(&name, &headers)
}

/// Why a request was not served.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// HTTP status.
    #[serde(skip)]
    status: u16,
    /// One word for programs.
    error: &'static str,
    /// A sentence for people.
    message: String,
    /// The field of the request that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'static str>,
}

impl Problem {
    fn new(status: StatusCode, error: &'static str, message: impl Into<String>) -> Self {
        Self {
            status: status.as_u16(),
            error,
            message: message.into(),
            field: None,
        }
    }

    fn field(field: &'static str, message: impl Into<String>) -> Self {
        Self {
            field: Some(field),
            ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_field", message)
        }
    }

    fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "There is no such thing, or it is not yours.",
        )
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(self)).into_response()
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "a request failed");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "database",
            "The database failed; the log says why.",
        )
    }
}

impl From<anyhow::Error> for Problem {
    fn from(error: anyhow::Error) -> Self {
        tracing::error!(%error, "a request failed");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Something failed; the log says what.",
        )
    }
}

pub(crate) type Answer<T> = Result<T, Problem>;

impl Context {
    /// Runs work that waits for the disk outside the threads that serve.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Platform) -> Answer<T> + Send + 'static,
    ) -> Answer<T> {
        let platform = Arc::clone(&self.platform);
        match tokio::task::spawn_blocking(move || work(&platform)).await {
            Ok(answer) => answer,
            Err(error) => Err(anyhow::Error::from(error).into()),
        }
    }

    fn refused(&self) {
        self.platform
            .counters
            .refused_requests
            .fetch_add(1, Ordering::Relaxed);
    }
}
