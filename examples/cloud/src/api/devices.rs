//! Devices, their present and their past.

use axum::Json;
use axum::extract::{Path, Query, State};
use meter_proto::point::PointId;
use meter_proto::value::Value;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::guard::{Caller, device};
use super::{Answer, Context, Problem};
use crate::auth;
use crate::history::{Rollup, Span};
use crate::platform::Platform;
use crate::view::{DeviceDetail, DeviceView, scaled};

/// Most values of one answer.
const MOST: u64 = 2_000;

/// All devices of the tenant.
#[utoipa::path(get, path = "/api/v1/devices", tag = "devices", responses(
    (status = 200, description = "All devices of the tenant", body = Vec<DeviceView>),
    (status = 401, description = "Not signed in", body = Problem),
))]
pub(super) async fn list(
    State(context): State<Context>,
    caller: Caller,
) -> Answer<Json<Vec<DeviceView>>> {
    let views = context
        .blocking(move |platform| {
            let devices = platform.devices();
            let seen = devices
                .values()
                .filter(|device| auth::sees(&caller.user, device));
            Ok(seen
                .map(|device| platform.view(device))
                .collect::<crate::store::Result<Vec<_>>>()?)
        })
        .await?;
    Ok(Json(views))
}

/// One device with every point.
#[utoipa::path(get, path = "/api/v1/devices/{id}", tag = "devices",
    params(("id" = String, Path, description = "Identity of the device")), responses(
    (status = 200, description = "The device", body = DeviceDetail),
    (status = 404, description = "No such device", body = Problem),
))]
pub(super) async fn detail(
    State(context): State<Context>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer<Json<DeviceDetail>> {
    let device = device(&context, &caller, &id)?;
    Ok(Json(
        context
            .blocking(move |platform| Ok(platform.detail(&device)?))
            .await?,
    ))
}

/// Fineness of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Fineness {
    /// Single values, thinned evenly.
    Raw,
    /// One row per hour.
    Hour,
    /// One row per local day.
    Day,
}

/// Which part of the past.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Period {
    /// Number of the point in the unified standard.
    point: u64,
    /// First UTC millisecond.
    from: u64,
    /// UTC millisecond behind the last.
    to: u64,
    /// Fineness; by default single values up to six hours, hours up to four days, days beyond.
    by: Option<Fineness>,
    /// Most values wanted of a raw series, at most 2000.
    limit: Option<u64>,
}

/// A series of values.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Series {
    /// Unit of the values.
    unit: String,
    /// Fineness that was chosen: `raw`, `hour` or `day`.
    by: &'static str,
    /// Rows, oldest first.
    rows: Vec<SeriesRow>,
}

/// One row of a series.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SeriesRow {
    /// UTC milliseconds; of an hour or day its start.
    time: u64,
    /// The value; of an hour or day its last one. Exact decimal.
    value: String,
    /// Least value of the hour or day.
    #[serde(skip_serializing_if = "Option::is_none")]
    least: Option<String>,
    /// Greatest value of the hour or day.
    #[serde(skip_serializing_if = "Option::is_none")]
    most: Option<String>,
    /// What a register grew in the hour or day, from the last value before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    grown: Option<String>,
    /// Whether the value came out of a sealed block.
    sealed: bool,
}

/// Values of one point over time.
#[utoipa::path(get, path = "/api/v1/devices/{id}/history", tag = "devices",
    params(("id" = String, Path, description = "Identity of the device"), Period), responses(
    (status = 200, description = "The series", body = Series),
    (status = 404, description = "No such device", body = Problem),
    (status = 422, description = "The period is not one", body = Problem),
))]
pub(super) async fn history(
    State(context): State<Context>,
    caller: Caller,
    Path(id): Path<String>,
    Query(period): Query<Period>,
) -> Answer<Json<Series>> {
    let device = device(&context, &caller, &id)?;
    if period.to <= period.from {
        return Err(Problem::field("to", "The end lies before the beginning."));
    }
    if period.to > 253_402_300_800_000 {
        return Err(Problem::field("to", "The end lies beyond the year 9999."));
    }
    let length = period.to - period.from;
    let by = period.by.unwrap_or(match length {
        0..=21_600_000 => Fineness::Raw,
        21_600_001..=345_600_000 => Fineness::Hour,
        _ => Fineness::Day,
    });
    let series = context
        .blocking(move |platform| Ok(series(platform, &device.id, &period, by)?))
        .await?;
    Ok(Json(series))
}

fn series(
    platform: &Platform,
    device: &str,
    period: &Period,
    by: Fineness,
) -> crate::store::Result<Series> {
    let point = PointId::from_bits(period.point);
    let currency = platform.config.currency.as_str();
    let text = |value: Value| scaled(point.quantity(), value, currency).0.to_string();
    let unit = scaled(point.quantity(), Value::new(0, 0), currency).1;
    let (name, rows) = match by {
        Fineness::Raw => {
            let limit = period.limit.unwrap_or(600).clamp(1, MOST);
            let samples = platform
                .history
                .series(device, point, period.from, period.to, limit)?;
            let row = |sample: crate::history::Sample| SeriesRow {
                time: sample.time,
                value: text(sample.value),
                least: None,
                most: None,
                grown: None,
                sealed: sample.sealed,
            };
            ("raw", samples.into_iter().map(row).collect())
        }
        Fineness::Hour => (
            "hour",
            rolled(platform, device, point, Span::Hour, period, text)?,
        ),
        Fineness::Day => (
            "day",
            rolled(platform, device, point, Span::Day, period, text)?,
        ),
    };
    Ok(Series {
        unit,
        by: name,
        rows,
    })
}

fn rolled(
    platform: &Platform,
    device: &str,
    point: PointId,
    span: Span,
    period: &Period,
    text: impl Fn(Value) -> String,
) -> crate::store::Result<Vec<SeriesRow>> {
    let rollups = platform
        .history
        .rollups(device, point, span, period.from, period.to)?;
    let mut before = platform
        .history
        .rollup_before(device, point, span, period.from)?
        .map(|rollup| rollup.last);
    let mut rows = Vec::with_capacity(rollups.len());
    for rollup in rollups {
        let Rollup {
            start,
            first,
            last,
            last_sealed,
            least,
            most,
            ..
        } = rollup;
        rows.push(SeriesRow {
            time: start,
            value: text(last),
            least: Some(text(least)),
            most: Some(text(most)),
            grown: last.checked_sub(&before.unwrap_or(first)).map(&text),
            sealed: last_sealed,
        });
        before = Some(last);
    }
    Ok(rows)
}
