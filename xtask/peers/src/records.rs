//! Charge records: those of the samples, and made-up ones, as sessions.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use ocpi_tariffs::Version;
use serde_json::{Value, json};
use tariff::Decimal;
use tariff::charging::ocpi::{Kind, Period, Session};
use tariff::cloud::Local;
use testkit::Rng;

/// The charge records of a sample.
pub fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if name.starts_with("cdr") && name.ends_with(".json") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The first tariff that a record brings.
pub fn tariff_inside(record: &str) -> anyhow::Result<String> {
    // Taken as text: prices keep their digits.
    #[derive(serde::Deserialize)]
    struct Record<'a> {
        #[serde(borrow)]
        tariffs: Vec<&'a serde_json::value::RawValue>,
    }
    let record: Record<'_> = serde_json::from_str(record)?;
    Ok(record
        .tariffs
        .first()
        .context("the record has no tariff")?
        .get()
        .to_owned())
}

fn instant(value: &Value) -> anyhow::Result<i64> {
    let text = value.as_str().context("an instant is text")?;
    let zoned = if text.ends_with('Z') || text.contains('+') {
        text.to_owned()
    } else {
        format!("{text}Z")
    };
    Ok(zoned.parse::<Timestamp>()?.as_second())
}

/// The session that a record tells of.
pub fn session(record: &str) -> anyhow::Result<Session> {
    let record: Value = serde_json::from_str(record)?;
    let mut periods: Vec<&Value> = record["charging_periods"]
        .as_array()
        .context("no periods")?
        .iter()
        .collect();
    periods.sort_by_key(|period| instant(&period["start_date_time"]).unwrap_or_default());
    let end = record["end_date_time"]
        .as_str()
        .map_or(&record["stop_date_time"], |_| &record["end_date_time"]);
    let (begin, end) = (instant(&record["start_date_time"])?, instant(end)?);
    let mut out = Vec::new();
    for (number, period) in periods.iter().enumerate() {
        let from = instant(&period["start_date_time"])?.max(begin);
        let to = periods
            .get(number + 1)
            .map_or(Ok(end), |next| instant(&next["start_date_time"]))?;
        ensure!(from <= to, "a period ends before it begins");
        let volume = |name: &str| -> anyhow::Result<Option<u64>> {
            let all = period["dimensions"].as_array().context("no dimensions")?;
            let found = all.iter().find(|dimension| dimension["type"] == name);
            let Some(volume) = found.map(|dimension| dimension["volume"].to_string()) else {
                return Ok(None);
            };
            let volume: Decimal = volume.parse().map_err(|error| anyhow::anyhow!("{error}"))?;
            let millionths = volume.rounded(6, tariff::Rounding::HalfUp).in_units(6);
            Ok(millionths.and_then(|units| u64::try_from(units).ok()))
        };
        let parked = volume("PARKING_TIME")?.is_some();
        out.push(Period {
            kind: if parked { Kind::Parked } else { Kind::Charging },
            seconds: u32::try_from(to - from)?,
            mwh: volume("ENERGY")?.unwrap_or_default(),
            current_ma: volume("MAX_CURRENT")?.map(|millionths| millionths / 1000),
            power_w: volume("MAX_POWER")?.map(|millionths| millionths / 1000),
        });
    }
    let zone = TimeZone::get("Europe/Amsterdam")?;
    Ok(Session {
        start: zone.moment(begin),
        periods: out,
    })
}

/// Minutes of a made-up period: 0.05 h, exact in the four places that the other engine reads.
const STEP: i64 = 3;

/// A record of a session in steps of three minutes, so that every bound of the samples lies between two periods: it
/// charges, rests now and then, and stands at the end.
pub fn made_up(rng: &mut Rng, version: Version) -> String {
    // Within the days of all samples.
    let first: Timestamp = "2019-02-04T00:00:00Z".parse().unwrap_or_default();
    let begin = first + (rng.between(0, 40 * 480) * STEP).minutes();
    let charging = rng.between(1, 80);
    let steps = charging
        + if rng.chance(500_000) {
            rng.between(1, 40)
        } else {
            0
        };
    let amperes = *rng.pick(&[8, 16, 32, 40]).unwrap_or(&16);
    // Bounds of energy lie between two periods.
    let wh = *rng.pick(&[250, 500, 1000]).unwrap_or(&500);
    let rests = rng.chance(300_000);
    let (mut energy, mut parked) = (0, 0);
    let mut periods = Vec::new();
    for step in 0..steps {
        let parks = step >= charging || (rests && (10..13).contains(&(step % 20)));
        let hours = STEP as f64 / 60.0;
        let mut dimensions = Vec::new();
        if parks {
            parked += 1;
            dimensions.push(json!({ "type": "PARKING_TIME", "volume": hours }));
        } else {
            energy += wh;
            dimensions.push(json!({ "type": "TIME", "volume": hours }));
            dimensions.push(json!({ "type": "ENERGY", "volume": wh as f64 / 1000.0 }));
            for (name, volume) in [("CURRENT", amperes), ("POWER", wh / 50)] {
                dimensions.push(json!({ "type": format!("MIN_{name}"), "volume": volume }));
                dimensions.push(json!({ "type": format!("MAX_{name}"), "volume": volume }));
            }
        }
        let start = begin + (step * STEP).minutes();
        periods.push(json!({ "start_date_time": start.to_string(), "dimensions": dimensions }));
    }
    let end = (begin + (steps * STEP).minutes()).to_string();
    let mut record = json!({
        "start_date_time": begin.to_string(), "currency": "EUR", "tariffs": [], "charging_periods": periods,
        "total_energy": energy as f64 / 1000.0, "total_time": (steps * STEP) as f64 / 60.0,
        "total_parking_time": (parked * STEP) as f64 / 60.0, "last_updated": end,
    });
    match version {
        Version::V221 => {
            record["end_date_time"] = end.into();
            record["cdr_location"] = json!({ "country": "NLD" });
            record["total_cost"] = json!({ "excl_vat": 0, "incl_vat": 0 });
        }
        Version::V211 => {
            record["stop_date_time"] = end.into();
            record["location"] = json!({ "country": "NLD" });
            record["total_cost"] = 0.into();
        }
    }
    record.to_string()
}
