//! What was refused and how much was taken.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::guard::Caller;
use super::{Answer, Context, Problem};
use crate::diagnostics::{Counts, Refusal};
use crate::history::RecordCount;
use crate::store::{Audit, Role};

/// State of the platform itself.
#[derive(Serialize, ToSchema)]
pub(super) struct Diagnostics {
    /// Platform time, UTC milliseconds.
    now: u64,
    /// Counts since the program started.
    counts: Counts,
    /// The last refusals in words, latest first.
    refusals: Vec<Refusal>,
    /// Sealed records that are kept, by meter and boot.
    sealed: Vec<RecordCount>,
    /// What people and meters did, latest first.
    audit: Vec<Audit>,
}

/// Counts, refusals, records and acts. For administrators: counts tell about all tenants.
#[utoipa::path(get, path = "/api/v1/diagnostics", tag = "diagnostics", responses(
    (status = 200, description = "State of the platform", body = Diagnostics),
    (status = 403, description = "Not an administrator", body = Problem),
))]
pub(super) async fn read(
    State(context): State<Context>,
    caller: Caller,
) -> Answer<Json<Diagnostics>> {
    if caller.role() != Role::Admin {
        context.refused();
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "rights",
            "This page is for administrators.",
        ));
    }
    let diagnostics = context
        .blocking(|platform| {
            Ok(Diagnostics {
                now: (platform.clock)(),
                counts: platform.counters.read(),
                refusals: platform.refusals.latest(),
                sealed: platform.history.sealed_counts()?,
                audit: platform.store.audits(50)?,
            })
        })
        .await?;
    Ok(Json(diagnostics))
}
