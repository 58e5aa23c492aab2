//! Alarms: what is up, and who has it.

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use utoipa::ToSchema;

use super::guard::{Caller, Writer, device};
use super::{Answer, Context, Problem};
use crate::auth;
use crate::platform::Change;
use crate::store::Alarm;

/// What somebody writes when taking an alarm on.
#[derive(Deserialize, ToSchema)]
pub(super) struct Acknowledgement {
    /// At most 500 characters; may be empty.
    comment: String,
}

/// Latest alarms: those that are up first, then those that nobody acknowledged, at most 200.
#[utoipa::path(get, path = "/api/v1/alarms", tag = "alarms", responses(
    (status = 200, description = "The alarms", body = Vec<Alarm>),
    (status = 401, description = "Not signed in", body = Problem),
))]
pub(super) async fn list(
    State(context): State<Context>,
    caller: Caller,
) -> Answer<Json<Vec<Alarm>>> {
    let alarms = context
        .blocking(move |platform| {
            let devices = platform.devices();
            let mine = |alarm: &Alarm| {
                devices
                    .get(&alarm.device)
                    .is_some_and(|device| auth::sees(&caller.user, device))
            };
            Ok(platform
                .store
                .alarms(200)?
                .into_iter()
                .filter(mine)
                .collect())
        })
        .await?;
    Ok(Json(alarms))
}

/// Acknowledges an alarm with a comment.
#[utoipa::path(post, path = "/api/v1/alarms/{id}/acknowledge", tag = "alarms", request_body = Acknowledgement,
    params(("id" = i64, Path, description = "Number of the alarm"),
        ("x-csrf-token" = String, Header, description = "Token of the session")), responses(
    (status = 200, description = "The alarm as it stands now", body = Alarm),
    (status = 404, description = "No such alarm", body = Problem),
))]
pub(super) async fn acknowledge(
    State(context): State<Context>,
    Writer(caller): Writer,
    Path(id): Path<i64>,
    Json(acknowledgement): Json<Acknowledgement>,
) -> Answer<Json<Alarm>> {
    let comment = acknowledgement.comment.trim().to_owned();
    if comment.chars().count() > 500 {
        return Err(Problem::field("comment", "At most 500 characters."));
    }
    let present = context
        .blocking(|platform| Ok(platform.store.alarms(u32::MAX)?))
        .await?;
    let alarm = present
        .into_iter()
        .find(|alarm| alarm.id == id)
        .ok_or_else(Problem::not_found)?;
    device(&context, &caller, &alarm.device)?;
    let alarm = context
        .blocking(move |platform| {
            let now = (platform.clock)();
            let alarm = platform
                .store
                .acknowledge_alarm(id, &caller.user.name, &comment, now)?
                .ok_or_else(Problem::not_found)?;
            platform.audit(
                &caller.user.name,
                "acknowledge",
                &alarm.device,
                &format!("{}: {comment}", alarm.code),
            );
            platform.tell(Change::Alarm(alarm.clone()));
            Ok(alarm)
        })
        .await?;
    Ok(Json(alarm))
}
