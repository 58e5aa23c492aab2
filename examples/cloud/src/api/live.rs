//! The present as a stream of events.

use axum::extract::State;
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;

use super::guard::Caller;
use super::{Context, Problem};
use crate::auth;
use crate::platform::Change;

/// Changes of one device within this time become one event.
const GATHER: Duration = Duration::from_millis(250);

/// Changes as server-sent events: `device` (a device as in the list), `alarm` (an alarm as in the list) and `clock`
/// (platform time). The first events tell the present state of every device.
#[utoipa::path(get, path = "/api/v1/live", tag = "live", responses(
    (status = 200, description = "The stream", content_type = "text/event-stream", body = String),
    (status = 401, description = "Not signed in", body = Problem),
))]
pub(super) async fn stream(State(context): State<Context>, caller: Caller) -> impl IntoResponse {
    let (send, events) = mpsc::channel(64);
    tokio::spawn(feed(context, caller, send));
    let sse = Sse::new(ReceiverStream::new(events))
        .keep_alive(KeepAlive::new().interval(Duration::from_secs(10)));
    // Proxies that gather answers would hold events back.
    (
        [("x-accel-buffering", "no"), ("cache-control", "no-store")],
        sse,
    )
}

/// Runs until the page goes, the session ends or the program stops.
async fn feed(context: Context, caller: Caller, send: mpsc::Sender<Result<Event, Infallible>>) {
    let mut changes = context.platform.listen();
    let mut stopped = context.stopped.clone();
    let mut dirty: BTreeSet<String> = context.platform.devices().keys().cloned().collect();
    let mut flush = tokio::time::interval(GATHER);
    flush.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut ticks = 0_u32;
    loop {
        tokio::select! {
            () = ended(&mut stopped) => return,
            () = send.closed() => return,
            change = changes.recv() => match change {
                Ok(Change::Device(id)) => drop(dirty.insert(id)),
                Ok(Change::Alarm(alarm)) => {
                    dirty.insert(alarm.device.clone());
                    let mine = context
                        .platform
                        .devices()
                        .get(&alarm.device)
                        .is_some_and(|device| auth::sees(&caller.user, device));
                    if mine && !emit(&send, "alarm", &alarm).await {
                        return;
                    }
                }
                // Too slow: what was missed is told as state, not as history.
                Err(RecvError::Lagged(_)) => dirty.extend(context.platform.devices().keys().cloned()),
                Err(RecvError::Closed) => return,
            },
            _ = flush.tick() => {
                if ticks.is_multiple_of(20) && !emit(&send, "clock", &(context.platform.clock)()).await {
                    return;
                }
                // A session that was signed out elsewhere ends here within a few seconds.
                if ticks % 20 == 19 && !still(&context, &caller).await {
                    return;
                }
                ticks = ticks.wrapping_add(1);
                let wanted = std::mem::take(&mut dirty);
                if wanted.is_empty() {
                    continue;
                }
                let user = caller.user.clone();
                let views = context.blocking(move |platform| {
                    let devices = platform.devices();
                    let seen = wanted.iter().filter_map(|id| devices.get(id)).filter(|device| auth::sees(&user, device));
                    Ok(seen.map(|device| platform.view(device)).collect::<crate::store::Result<Vec<_>>>()?)
                });
                let Ok(views) = views.await else { return };
                for view in views {
                    if !emit(&send, "device", &view).await {
                        return;
                    }
                }
            }
        }
    }
}

/// Ends when the program stops.
async fn ended(stopped: &mut watch::Receiver<bool>) {
    // The guard of the value must not live across the other branches.
    let _ = stopped.wait_for(|stop| *stop).await.map(drop);
}

async fn still(context: &Context, caller: &Caller) -> bool {
    let hash = caller.session.token_hash;
    let session = context
        .blocking(move |platform| Ok(platform.store.session(&hash, super::guard::real_now())?))
        .await;
    matches!(session, Ok(Some(_)))
}

async fn emit(
    send: &mpsc::Sender<Result<Event, Infallible>>,
    name: &'static str,
    content: &impl serde::Serialize,
) -> bool {
    let Ok(event) = Event::default().event(name).json_data(content) else {
        return false;
    };
    send.send(Ok(event)).await.is_ok()
}
