//! Selling credit and switching relays.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::guard::{Caller, Writer, device};
use super::{Answer, Context, Problem};
use crate::auth;
use crate::orders::{OrderView, Wish, cents, parse_amount};
use crate::store::{Begun, Device, DeviceKind, Order, OrderKind};

/// Header whose value makes a repeat of the same request harmless.
const IDEMPOTENCY: &str = "idempotency-key";
/// Largest amount of one sale in hundredths of the currency.
const MOST: u32 = 10_000_000;

/// A sale.
#[derive(Deserialize, ToSchema)]
pub(super) struct Sale {
    /// Amount as decimal text with at most two places, such as `20` or `20.50`.
    amount: String,
}

/// What the relay is told.
#[derive(Deserialize, ToSchema)]
pub(super) struct RelayWish {
    /// `open`, `close`, `permit_close`, `keep_power` or `end_keep_power`.
    action: OrderKind,
}

/// Which orders.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Identity of one device; without it all.
    device: Option<String>,
}

fn key(headers: &HeaderMap) -> Answer<String> {
    let key = headers
        .get(IDEMPOTENCY)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if (8..=64).contains(&key.len())
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    {
        return Ok(key.to_owned());
    }
    Err(Problem::new(
        StatusCode::BAD_REQUEST,
        "idempotency_key",
        "The header idempotency-key must hold 8 to 64 letters, digits or hyphens, a new one for each new wish.",
    ))
}

async fn give(
    context: &Context,
    device: Device,
    wish: Wish,
) -> Answer<(StatusCode, Json<OrderView>)> {
    let (kind, amount) = (wish.kind, wish.amount);
    let begun = context
        .blocking(move |platform| Ok(platform.give(&device, &wish)?))
        .await?;
    match begun {
        Begun::Fresh(order) => Ok((StatusCode::ACCEPTED, Json(OrderView::from(&order)))),
        Begun::Repeat(order) if order.kind == kind && order.amount == amount => {
            Ok((StatusCode::OK, Json(OrderView::from(&order))))
        }
        Begun::Repeat(order) => Err(Problem::new(
            StatusCode::CONFLICT,
            "idempotency_key",
            format!(
                "This key was used for order {}, which asked for something else.",
                order.number
            ),
        )),
        Begun::Busy(order) => Err(Problem::new(
            StatusCode::CONFLICT,
            "sale_under_way",
            format!(
                "A sale of {} to this meter is still under way (order {}). Wait until it is done.",
                cents(order.amount.unwrap_or(0)),
                order.number
            ),
        )),
    }
}

/// Sells credit: a sealed order that recharges the meter. The answer comes when the order is written down; its state
/// tells when the meter has done it.
#[utoipa::path(post, path = "/api/v1/devices/{id}/sales", tag = "orders", request_body = Sale,
    params(("id" = String, Path, description = "Identity of the meter"),
        ("idempotency-key" = String, Header, description = "A new one for each sale"),
        ("x-csrf-token" = String, Header, description = "Token of the session")), responses(
    (status = 202, description = "The order is on its way", body = OrderView),
    (status = 200, description = "The same sale was made before; this is its order", body = OrderView),
    (status = 409, description = "Another sale is under way", body = Problem),
    (status = 422, description = "The amount is not one, or the meter is not prepaid", body = Problem),
))]
pub(super) async fn sell(
    State(context): State<Context>,
    Writer(caller): Writer,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(sale): Json<Sale>,
) -> Answer<(StatusCode, Json<OrderView>)> {
    let device = device(&context, &caller, &id)?;
    if device.customer.is_none() {
        return Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "not_prepaid",
            "This meter is not prepaid.",
        ));
    }
    let amount = parse_amount(&sale.amount).ok_or_else(|| {
        Problem::field(
            "amount",
            "Enter an amount above zero with at most two decimal places.",
        )
    })?;
    if amount > MOST {
        return Err(Problem::field(
            "amount",
            format!("At most {} in one sale.", cents(MOST)),
        ));
    }
    let wish = Wish {
        kind: OrderKind::Recharge,
        amount: Some(amount),
        actor: caller.user.name.clone(),
        idempotency: key(&headers)?,
    };
    give(&context, device, wish).await
}

/// Switches a relay: a sealed order that the metering core checks itself.
#[utoipa::path(post, path = "/api/v1/devices/{id}/relay", tag = "orders", request_body = RelayWish,
    params(("id" = String, Path, description = "Identity of the meter"),
        ("idempotency-key" = String, Header, description = "A new one for each wish"),
        ("x-csrf-token" = String, Header, description = "Token of the session")), responses(
    (status = 202, description = "The order is on its way", body = OrderView),
    (status = 200, description = "The same wish was made before; this is its order", body = OrderView),
    (status = 422, description = "The device has no relay, or this is not a relay order", body = Problem),
))]
pub(super) async fn relay(
    State(context): State<Context>,
    Writer(caller): Writer,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(wish): Json<RelayWish>,
) -> Answer<(StatusCode, Json<OrderView>)> {
    let device = device(&context, &caller, &id)?;
    if device.kind != DeviceKind::Electricity {
        return Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "no_relay",
            "This device has no relay.",
        ));
    }
    if wish.action == OrderKind::Recharge {
        return Err(Problem::field(
            "action",
            "A recharge is a sale, not a relay order.",
        ));
    }
    let wish = Wish {
        kind: wish.action,
        amount: None,
        actor: caller.user.name.clone(),
        idempotency: key(&headers)?,
    };
    give(&context, device, wish).await
}

async fn orders(
    context: &Context,
    caller: Caller,
    which: Which,
    wanted: fn(&Order) -> bool,
) -> Answer<Vec<OrderView>> {
    let only = which
        .device
        .map(|id| device(context, &caller, &id))
        .transpose()?;
    context
        .blocking(move |platform| {
            let devices = platform.devices();
            let orders = platform
                .store
                .orders(only.as_ref().map(|device| device.id.as_str()), 200)?;
            let mine = |order: &&Order| {
                wanted(order)
                    && devices
                        .get(&order.device)
                        .is_some_and(|device| auth::sees(&caller.user, device))
            };
            Ok(orders.iter().filter(mine).map(OrderView::from).collect())
        })
        .await
}

/// Latest orders first, at most 200.
#[utoipa::path(get, path = "/api/v1/orders", tag = "orders", params(Which), responses(
    (status = 200, description = "The orders", body = Vec<OrderView>),
))]
pub(super) async fn list(
    State(context): State<Context>,
    caller: Caller,
    Query(which): Query<Which>,
) -> Answer<Json<Vec<OrderView>>> {
    orders(&context, caller, which, |_| true).await.map(Json)
}

/// Latest sales first, at most 200.
#[utoipa::path(get, path = "/api/v1/sales", tag = "orders", params(Which), responses(
    (status = 200, description = "The sales", body = Vec<OrderView>),
))]
pub(super) async fn sales(
    State(context): State<Context>,
    caller: Caller,
    Query(which): Query<Which>,
) -> Answer<Json<Vec<OrderView>>> {
    orders(&context, caller, which, |order| {
        order.kind == OrderKind::Recharge
    })
    .await
    .map(Json)
}

/// One order.
#[utoipa::path(get, path = "/api/v1/orders/{number}", tag = "orders",
    params(("number" = u64, Path, description = "Number of the order")), responses(
    (status = 200, description = "The order", body = OrderView),
    (status = 404, description = "No such order", body = Problem),
))]
pub(super) async fn one(
    State(context): State<Context>,
    caller: Caller,
    Path(number): Path<u64>,
) -> Answer<Json<OrderView>> {
    let order = context
        .blocking(move |platform| Ok(platform.store.order(number)?))
        .await?;
    let order = order.ok_or_else(Problem::not_found)?;
    device(&context, &caller, &order.device)?;
    Ok(Json(OrderView::from(&order)))
}
