//! Series of energy by rate: weekends and holidays, clock changes, day types, dynamic prices, a year of a rate database.

use std::collections::{BTreeMap, BTreeSet};

use ::tariff::calendar::{Calendar, Slot};
use ::tariff::civil::Date;
use ::tariff::cloud::{
    Charge, DayTypes, DynamicPrices, Item, Local, Matrix, Offsets, Plan, Round, Schedule, Span,
    Usage, tally,
};
use ::tariff::{Decimal, Rounding};
use serde_json::{Map, Value, json};

use super::super::{ALL_YEAR, list, moment};
use super::{CENT, bill, cents, day_text, decimal, decimals, sum, text, tier_list};

/// Profile hours of a month at two prices: weekday peak, else off-peak.
pub fn weekday_holiday(input: &Value) -> Option<Value> {
    let hours = list(&input["peak_hours"]);
    let slot = |table, start: u64, rate| Slot {
        table,
        start: start as u16 * 60,
        rate,
    };
    let slots = [
        slot(1, 0, 2),
        slot(1, hours.first()?.as_u64()?, 1),
        slot(1, hours.get(1)?.as_u64()?, 2),
        slot(2, 0, 2),
    ];
    let holidays: Option<Vec<_>> = list(&input["holidays"])
        .iter()
        .map(|day| {
            let date = moment(&format!("{}T00:00", day.as_str()?))?.date();
            Some(::tariff::calendar::Holiday { date, table: 2 })
        })
        .collect();
    let holidays = holidays?;
    // Bits from Sunday up: Monday to Friday work.
    let calendar = Calendar::try_new(ALL_YEAR, &slots)
        .and_then(|calendar| calendar.with_rest_days(0b011_1110, 2))
        .and_then(|calendar| calendar.with_holidays(&holidays))
        .ok()?;
    let day = |key: &str| moment(&format!("{}T00:00", input[key].as_str()?));
    let (first, last) = (day("first_day")?, day("last_day")?);
    let profile = list(&input["hourly_wh_profile"]);
    let days = (last.utc_s - first.utc_s) / 86_400 + 1;
    let series = (0..days * 24).filter_map(|hour| {
        Some(Span {
            start_s: first.utc_s + hour * 3600,
            seconds: 3600,
            quantity: profile.get(hour as usize % 24)?.as_u64()?,
        })
    });
    let rates = tally(&calendar, &Offsets::fixed(first.offset_s), series);
    let energy = |rate| Decimal::from_wh(rates.get(&rate).copied().unwrap_or(0));
    let bill = bill(
        [
            Item::new(
                "peak",
                Charge::per_unit("peak", decimal(&input["peak_price"])?),
            )
            .rounded(CENT()),
            Item::new(
                "offpeak",
                Charge::per_unit("offpeak", decimal(&input["offpeak_price"])?),
            )
            .rounded(CENT()),
        ],
        Usage::new()
            .with("peak", energy(1))
            .with("offpeak", energy(2)),
    )?;
    Some(json!({
        "peak_kwh": text(energy(1)), "offpeak_kwh": text(energy(2)),
        "peak_amount": cents(bill.item("peak")?), "offpeak_amount": cents(bill.item("offpeak")?),
        "total": cents(bill.total),
    }))
}

/// UTC text to seconds.
fn utc(text: &str) -> Option<i64> {
    let local = moment(text)?;
    Some(local.utc_s + i64::from(local.offset_s))
}

/// Ontario: off-peak at night and on rest days, mid and on-peak change places with the season.
pub fn clock_change(input: &Value) -> Option<Value> {
    const PRICES: [(&str, &str); 3] = [("off", "0.076"), ("mid", "0.122"), ("on", "0.158")];
    let (mid, on) = match input["season"].as_str()? {
        "winter" => (2, 3),
        "summer" => (3, 2),
        _ => return None,
    };
    let mut day = [1_u8; 24];
    day[7..11].fill(on);
    day[11..17].fill(mid);
    day[17..19].fill(on);
    let holidays: Option<BTreeSet<Date>> = list(&input["holidays"])
        .iter()
        .map(|day| Some(moment(&format!("{}T00:00", day.as_str()?))?.date()))
        .collect();
    let schedule = Matrix {
        weekday: [day; 12],
        weekend: [[1; 24]; 12],
        holidays: holidays?,
    };
    let changes: Option<Vec<(i64, i32)>> = list(&input["utc_offsets"])
        .iter()
        .map(|row| {
            let hours = i32::try_from(row["hours"].as_i64()?).ok()?;
            Some((utc(row["from_utc"].as_str()?)?, hours * 3600))
        })
        .collect();
    let local = Offsets::new(changes?);
    let start = utc(input["start_utc"].as_str()?)?;
    let profile = list(&input["local_hour_wh_profile"]);
    let hours = input["hours"].as_i64()?;
    let series: Option<Vec<Span>> = (0..hours)
        .map(|hour| {
            let start_s = start + hour * 3600;
            let at = local.moment(start_s);
            let quantity = profile
                .get(usize::from(at.minute_of_day() / 60))?
                .as_u64()?;
            Some(Span {
                start_s,
                seconds: 3600,
                quantity,
            })
        })
        .collect();
    let rates = tally(&schedule, &local, series?);
    let mut hours_by_day: BTreeMap<Date, u32> = BTreeMap::new();
    for hour in 0..hours {
        *hours_by_day
            .entry(local.moment(start + hour * 3600).date())
            .or_default() += 1;
    }
    let odd: Map<String, Value> = hours_by_day
        .iter()
        .filter(|&(_, &hours)| hours != 24)
        .map(|(date, hours)| (day_text(*date), json!(hours)))
        .collect();
    let (mut kwh, mut amounts, mut total) = (Map::new(), Map::new(), Decimal::ZERO);
    for (rate, (name, price)) in (1..).zip(PRICES) {
        let Some(&energy) = rates.get(&rate) else {
            continue;
        };
        let energy = Decimal::from_wh(energy);
        let amount = CENT().apply(energy.checked_mul(price.parse().ok()?)?);
        kwh.insert(name.to_owned(), json!(text(energy)));
        amounts.insert(name.to_owned(), json!(cents(amount)));
        total = total.checked_add(amount)?;
    }
    Some(json!({
        "hours_per_local_day": odd, "kwh": kwh, "amounts": amounts, "total": cents(total),
    }))
}

/// Tempo: days of a colour roll at 06:00, prices are those of the source line.
pub fn day_types(input: &Value) -> Option<Value> {
    const COLOURS: [(&str, &str, &str); 3] = [
        ("BLANC", "0.1486", "0.1894"),
        ("BLEU", "0.1296", "0.1609"),
        ("ROUGE", "0.1568", "0.7562"),
    ];
    let days: Option<BTreeMap<Date, usize>> = input["colours"]
        .as_object()?
        .iter()
        .map(|(day, colour)| {
            let date = moment(&format!("{day}T00:00"))?.date();
            let kind = COLOURS.iter().position(|(name, ..)| colour == name)?;
            Some((date, kind))
        })
        .collect();
    // Off-peak from 22:00 to 06:00, then peak: two rates a colour.
    let slots = (0..3).map(|kind| vec![(360, kind * 2 + 2), (1320, kind * 2 + 1)]);
    let schedule = DayTypes {
        begins_s: 6 * 3600,
        days: days?,
        slots: slots.collect(),
    };
    let series: Option<Vec<Span>> = list(&input["starts"])
        .iter()
        .zip(list(&input["mean_w"]))
        .map(|(start, watts)| {
            Some(Span {
                start_s: moment(start.as_str()?)?.utc_s,
                seconds: 1800,
                // Tenths of a watt hour: half an hour at so many watts.
                quantity: watts.as_u64()? * 5,
            })
        })
        .collect();
    let rates = tally(&schedule, &Offsets::fixed(28_800), series?);
    let (mut lines, mut total) = (Vec::new(), Decimal::ZERO);
    for (rate, tenths) in rates {
        let (colour, off, peak) = COLOURS.get(usize::from(rate - 1) / 2)?;
        let (period, price) = match rate % 2 {
            1 => ("HC", off),
            _ => ("HP", peak),
        };
        let energy = Decimal::try_new(tenths.into(), 4)?;
        let price: Decimal = price.parse().ok()?;
        let exact = energy.checked_mul(price)?;
        let amount = CENT().apply(exact);
        total = total.checked_add(amount)?;
        lines.push(json!({
            "colour": colour, "period": period, "kwh": text(energy), "price": text(price),
            "exact": text(exact), "amount": cents(amount),
        }));
    }
    Some(json!({"lines": lines, "total": cents(total)}))
}

/// Half hours at prices of their own, a standing charge, export credit; pence.
pub fn half_hourly(input: &Value) -> Option<Value> {
    let side = |energy: &Value, prices: &Value| {
        let mut known = DynamicPrices::new();
        for (start, price) in (0..).step_by(1800).zip(decimals(prices)?) {
            known.set(start, 1800, price);
        }
        let costs: Option<Vec<Decimal>> = (0..)
            .step_by(1800)
            .zip(list(energy))
            .map(|(start_s, wh)| {
                let quantity = wh.as_u64()?;
                let span = Span {
                    start_s,
                    seconds: 1800,
                    quantity,
                };
                known.cost(span).ok()?
            })
            .collect();
        sum(costs?)
    };
    let import = side(&input["import_wh"], &input["import_p_per_kwh"])?;
    let export = side(&input["export_wh"], &input["export_p_per_kwh"])?;
    let net = import
        .checked_add(decimal(&input["standing_p"])?)?
        .checked_sub(export)?;
    let penny = |amount| text(Round::whole(1, Rounding::HalfUp).apply(amount));
    Some(json!({
        "import_exact_p": text(import), "export_exact_p": text(export), "net_exact_p": text(net),
        "import_p": penny(import), "export_p": penny(export), "net_p": penny(net),
    }))
}

/// A year of hourly energy over the two matrices of a utility rate database.
pub fn utility_year(input: &Value) -> Option<Value> {
    let matrix = |key: &str| -> Option<[[u8; 24]; 12]> {
        let rows: Option<Vec<[u8; 24]>> = list(&input[key])
            .iter()
            .map(|row| {
                let hours: Option<Vec<u8>> = list(row)
                    .iter()
                    .map(|rate| u8::try_from(rate.as_u64()?).ok())
                    .collect();
                hours?.try_into().ok()
            })
            .collect();
        rows?.try_into().ok()
    };
    let schedule = Matrix {
        weekday: matrix("weekday_schedule")?,
        weekend: matrix("weekend_schedule")?,
        holidays: BTreeSet::new(),
    };
    let load = |key: &str| input["load"][key].as_u64();
    let (mul, modulus, base, evening) =
        (load("mul")?, load("mod")?, load("base")?, load("evening")?);
    // 2018 begins on a Monday and has 365 days.
    let start = Date::try_new(2018, 1, 1)?.days() * 86_400;
    let (local, energy_prices) = (Offsets::fixed(0), decimals(&input["energy_prices"])?);
    let demand_prices = decimals(&input["tou_demand_prices"])?;
    let tiers = match &input["tiers"] {
        Value::Null => None,
        tiers => Some(
            tier_list(&tiers["bounds"], &tiers["prices"])
                .or_else(|| tier_list(&tiers["bounds_kwh"], &tiers["prices"]))?,
        ),
    };
    let mut year: BTreeMap<u8, Vec<Span>> = BTreeMap::new();
    for hour in 0..8760_u64 {
        let late = if (17..=20).contains(&(hour % 24)) {
            evening
        } else {
            0
        };
        let span = Span {
            start_s: start + hour as i64 * 3600,
            seconds: 3600,
            quantity: base + hour * mul % modulus + late,
        };
        let month = local.moment(span.start_s).date().month();
        year.entry(month).or_default().push(span);
    }
    let (mut months, mut total) = (Vec::new(), Decimal::ZERO);
    for (month, series) in year {
        let energy = tally(&schedule, &local, series.iter().copied());
        // Demand is the highest hourly mean, so a watt hour is a watt.
        let mut peaks: BTreeMap<u8, u64> = BTreeMap::new();
        for span in &series {
            let peak = peaks
                .entry(schedule.rate(local.moment(span.start_s)))
                .or_default();
            *peak = span.quantity.max(*peak);
        }
        let flat = peaks.values().copied().max()?;
        let mut usage = Usage::new().with("flat", Decimal::from_wh(flat));
        usage.set("month", Decimal::from_wh(energy.values().sum()));
        let name = |what: &str, rate: &u8| format!("{what}{rate}");
        let mut plan = Plan::new("case", []);
        let mut group = |title: &str, charges: Vec<Charge>| {
            for charge in charges {
                plan.items.push(Item::new(title, charge));
            }
        };
        let of_rate = |prices: &[Decimal], what: &str, rate: &u8| {
            Some(Charge::per_unit(
                &name(what, rate),
                *prices.get(usize::from(*rate).checked_sub(1)?)?,
            ))
        };
        for (rate, wh) in &energy {
            usage.set(&name("energy", rate), Decimal::from_wh(*wh));
        }
        for (rate, w) in &peaks {
            usage.set(&name("peak", rate), Decimal::from_wh(*w));
        }
        group(
            "energy",
            match &tiers {
                Some(tiers) => vec![Charge::tiered("month", tiers.clone())],
                None => energy
                    .keys()
                    .map(|rate| of_rate(&energy_prices, "energy", rate))
                    .collect::<Option<_>>()?,
            },
        );
        group(
            "flat",
            vec![Charge::per_unit(
                "flat",
                decimal(&input["flat_demand_price"])?,
            )],
        );
        group(
            "tou",
            peaks
                .keys()
                .map(|rate| of_rate(&demand_prices, "peak", rate))
                .collect::<Option<_>>()?,
        );
        group(
            "fixed",
            vec![Charge::Fixed(decimal(&input["fixed_month"])?)],
        );
        let bill = plan.bill(&usage).ok()?;
        let exact = |title: &str| bill.item(title);
        let parts = [exact("energy")?, exact("flat")?, exact("tou")?];
        let month_total = sum(parts
            .map(|part| CENT().apply(part))
            .into_iter()
            .chain([exact("fixed")?]))?;
        total = total.checked_add(month_total)?;
        let shown = |map: &BTreeMap<u8, u64>| -> Map<String, Value> {
            map.iter()
                .map(|(rate, value)| (rate.to_string(), json!(text(Decimal::from_wh(*value)))))
                .collect()
        };
        months.push(json!({
            "month": month, "kwh_by_period": shown(&energy), "peak_kw": text(Decimal::from_wh(flat)),
            "peak_kw_by_period": shown(&peaks), "energy_charge_exact": text(parts[0]),
            "flat_demand_exact": text(parts[1]), "tou_demand_exact": text(parts[2]),
            "bill": cents(month_total),
        }));
    }
    Some(json!({"months": months, "year_total": cents(total)}))
}
