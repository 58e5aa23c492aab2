//! Charging sessions.

use ::tariff::charging::ebike::{self, Bracket, By};
use ::tariff::charging::ocpi::{Dimension, Kind, Period, Session, Tariff};
use ::tariff::charging::pile::{Limits, Model, Session as Pile, Step, Stop};
use ::tariff::civil::Moment;
use serde_json::{Value, json};

use super::{fixed, list, moment, scaled};

pub fn ocpi(input: &Value) -> Option<Value> {
    let sessions: Option<Vec<Value>> = list(&input["sessions"]).iter().map(ocpi_session).collect();
    Some(json!({"sessions": sessions?}))
}

fn ocpi_session(row: &Value) -> Option<Value> {
    let tariff = Tariff::from_json(&row["tariff"].to_string()).ok()?;
    let periods: Option<Vec<Period>> = list(&row["periods"])
        .iter()
        .map(|period| {
            let kind = match period["kind"].as_str()? {
                "charging" => Kind::Charging,
                "parked" => Kind::Parked,
                _ => return None,
            };
            let thousandths = |value: &Value| u64::try_from(scaled(value, 3)?).ok();
            let mwh = thousandths(&period["wh"])?;
            Some(Period {
                mwh,
                current_ma: thousandths(&period["amps"]),
                power_w: thousandths(&period["kw"]),
                ..Period::new(kind, u32::try_from(period["seconds"].as_u64()?).ok()?, 0)
            })
        })
        .collect();
    let session = Session {
        start: moment(row["start_local"].as_str()?)?,
        periods: periods?,
    };
    let cost = tariff.price(&session)?;
    let lines = cost.lines.iter().map(|line| {
        let (dimension, unit) = match line.component.dimension {
            Dimension::Flat => ("FLAT", "piece"),
            Dimension::Energy => ("ENERGY", "Wh"),
            Dimension::Time => ("TIME", "s"),
            _ => ("PARKING_TIME", "s"),
        };
        // Whole numbers as such, others as text.
        let whole = line
            .billed
            .in_units(0)
            .and_then(|units| i64::try_from(units).ok());
        json!({
            "dimension": dimension, "unit": unit,
            "billed": whole.map_or_else(|| json!(line.billed.to_string()), |units| json!(units)),
            "price": line.component.price.to_string(), "excl": line.excluding_vat.to_string(),
            "incl": line.including_vat.to_string(),
        })
    });
    Some(json!({
        "lines": lines.collect::<Vec<_>>(), "total_excl": cost.excluding_vat.to_string(),
        "total_incl": cost.including_vat.to_string(),
    }))
}

/// `N` numbers of so many places.
fn scaled_list<const N: usize>(value: &Value, places: usize) -> Option<[u32; N]> {
    let numbers: Option<Vec<u32>> = list(value)
        .iter()
        .map(|price| u32::try_from(scaled(price, places)?).ok())
        .collect();
    numbers?.try_into().ok()
}

pub fn pile(input: &Value) -> Option<Value> {
    let segments: Option<Vec<u8>> = list(&input["segments_48"])
        .iter()
        .map(|kind| u8::try_from(kind.as_u64()?).ok())
        .collect();
    let mut model = Model::try_new(
        1,
        segments?.try_into().ok()?,
        scaled_list(&input["electricity_price"], 5)?,
        scaled_list(&input["service_price"], 5)?,
    )
    .ok()?;
    model.loss = u16::try_from(scaled(&input["loss_percent"], 2)?).ok()?;
    let hold = match &input["prepaid"] {
        Value::Null => None,
        prepaid => Some(u64::try_from(scaled(prepaid, 2)?).ok()?),
    };
    let limits = Limits {
        hold,
        ..Limits::default()
    };
    let start = moment(input["start"].as_str()?)?;
    let mut session = Pile::start(model, limits, start);
    let cycle = list(&input["wh_per_minute_cycle"]);
    for minute in 0..input["minutes"].as_u64()? {
        let wh = cycle.get(minute as usize % cycle.len())?.as_u64()?;
        let step = session.minute(start.plus(minute as i64 * 60), wh).ok()?;
        if step != Step::Delivered {
            break;
        }
    }
    let names = ["sharp", "peak", "flat", "valley"];
    let lines = names.into_iter().zip(session.lines()).map(|(name, line)| {
        json!({
            "rate": name, "unit_price": fixed(line.unit_price as i64, 5),
            "kwh": fixed(line.wh as i64 * 10, 4),
            "kwh_with_loss": fixed(line.tenths_with_loss as i64, 4), "amount": fixed(line.amount, 4),
        })
    });
    let settled = session.settlement();
    let total: u64 = session.lines().iter().map(|line| line.wh).sum();
    let mut result = json!({
        "lines": lines.collect::<Vec<_>>(), "total_kwh": fixed(total as i64 * 10, 4),
        "total_amount_4": fixed(settled.exact, 4), "charged": fixed(settled.charged as i64, 2),
    });
    if let Some((at, Stop::Balance)) = session.ended() {
        result["stopped_at"] = json!(stamp(at));
        result["stop_reason"] = json!("balance");
    }
    if hold.is_some() {
        result["refund"] = json!(fixed(settled.refund as i64, 2));
    }
    Some(result)
}

fn stamp(at: Moment) -> String {
    let (date, minute) = (at.date(), at.minute_of_day());
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}",
        date.year(),
        date.month(),
        date.day(),
        minute / 60,
        minute % 60
    )
}

pub fn ebike(input: &Value) -> Option<Value> {
    let sessions: Option<Vec<Value>> = list(&input["sessions"]).iter().map(socket).collect();
    Some(json!({"sessions": sessions?}))
}

fn socket(row: &Value) -> Option<Value> {
    let brackets: Option<Vec<Bracket>> = list(&row["brackets"])
        .iter()
        .map(|bracket| {
            Some(Bracket {
                up_to_w: match &bracket[0] {
                    Value::Null => u32::MAX,
                    bound => u32::try_from(bound.as_u64()?).ok()?,
                },
                per_hour: u32::try_from(scaled(&bracket[1], 2)?).ok()?,
            })
        })
        .collect();
    let brackets = brackets?;
    let mut tariff = ebike::Tariff::try_new(&brackets, By::Highest).ok()?;
    tariff.minimum = u32::try_from(scaled(&row["min_fee"], 2)?).ok()?;
    tariff.full_w = u32::try_from(row["full_w"].as_u64()?).ok()?;
    tariff.full_minutes = u16::try_from(row["full_minutes"].as_u64()?).ok()?;
    let paid = u32::try_from(scaled(&row["paid"], 2)?).ok()?;
    let mut session = ebike::Session::start(tariff, paid);
    for (minute, watts) in (0_u64..).zip(list(&row["minute_w"])) {
        let unplugged = row["unplug_at"].as_u64() == Some(minute);
        let watts = u32::try_from(watts.as_u64()?).ok()?;
        if session.minute(watts, unplugged).is_some() {
            break;
        }
    }
    let reason = match session.stopped() {
        Some(ebike::Stop::Full) => "full",
        Some(ebike::Stop::Unplugged) => "unplugged",
        Some(ebike::Stop::TimeUsed) => "time_used",
        _ => "series_end",
    };
    let settled = session.settlement();
    let bracket = brackets.get(usize::from(settled.bracket) - 1)?;
    Some(json!({
        "max_w": session.highest_w(), "bracket": settled.bracket,
        "price_per_hour": fixed(bracket.per_hour.into(), 2), "minutes": settled.minutes,
        "reason": reason, "charged": fixed(settled.charged.into(), 2),
        "refund": fixed(settled.refund.into(), 2),
        "energy_wh": fixed(settled.energy_tenths as i64, 1),
    }))
}
