//! Bills of the cloud: registers, series, tiers of every kind, demand, export, heat and water.

use std::collections::{BTreeMap, BTreeSet};

use ::tariff::calendar::{Calendar, Slot};
use ::tariff::civil::{Date, Moment};
use ::tariff::cloud::{
    Charge, DayTypes, DynamicPrices, Item, Local, Matrix, NetBank, Of, Offsets, Plan, Round,
    Schedule, Span, Tiers, Usage, split_at_reset, tally,
};
use ::tariff::combine::{ActiveWord, ReactiveWord};
use ::tariff::demand::{Demand, Maxima, Peak, Window, Windows};
use ::tariff::power_factor;
use ::tariff::settlement::Modulus;
use ::tariff::{Decimal, Rounding};
use serde_json::{Map, Value, json};

use super::{ALL_YEAR, fixed, list, minute, moment, scaled, short, wh};

/// Decimal text, or a whole number.
fn decimal(value: &Value) -> Option<Decimal> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.as_i64().map(Decimal::from_integer),
        _ => None,
    }
}

fn decimals(value: &Value) -> Option<Vec<Decimal>> {
    list(value).iter().map(decimal).collect()
}

/// Thousandths of a unit.
fn thousandths(value: &Value) -> Option<u64> {
    u64::try_from(decimal(value)?.in_units(3)?).ok()
}

fn tier_list(bounds: &Value, prices: &Value) -> Option<Tiers> {
    let bounds: Option<Vec<u64>> = list(bounds).iter().map(thousandths).collect();
    Tiers::try_new(bounds?, decimals(prices)?).ok()
}

fn text(value: Decimal) -> String {
    value.to_string()
}

fn cents(value: Decimal) -> String {
    value.fixed(2).to_string()
}

fn sum(values: impl IntoIterator<Item = Decimal>) -> Option<Decimal> {
    values
        .into_iter()
        .try_fold(Decimal::ZERO, Decimal::checked_add)
}

const CENT: fn() -> Round = Round::default;

fn bill(items: impl IntoIterator<Item = Item>, usage: Usage) -> Option<::tariff::cloud::Bill> {
    Plan::new("case", items).bill(&usage).ok()
}

pub fn register(input: &Value) -> Option<Value> {
    let modulus = Modulus::new(wh(&input["register_modulus_kwh"])?)?;
    // The bounds and prices stand in the words of the source.
    let tiers = Tiers::try_new(
        vec![240_000, 400_000],
        ["0.4883", "0.5383", "0.7883"]
            .map(|p| p.parse().unwrap_or_default())
            .into(),
    )
    .ok()?;
    let readings = list(&input["readings"]);
    let mut periods = Vec::new();
    for pair in readings.windows(2) {
        let used = modulus.used(wh(&pair[0]["kwh"])?, wh(&pair[1]["kwh"])?)?;
        let energy = Decimal::from_wh(used);
        let bill = bill(
            [Item::new("energy", Charge::tiered("import", tiers.clone()))],
            Usage::new().with("import", energy),
        )?;
        periods.push(json!({
            "from": pair[0]["at"], "to": pair[1]["at"], "kwh": energy.fixed(2).to_string(),
            "exact": text(bill.exact), "amount": cents(bill.total),
        }));
    }
    Some(json!({"periods": periods}))
}

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

fn day_text(date: Date) -> String {
    format!("{:04}-{:02}-{:02}", date.year(), date.month(), date.day())
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

pub fn integer_currency(input: &Value) -> Option<Value> {
    let tiers = tier_list(&input["bounds_kwh"], &input["prices"])?;
    let one = Round::whole(1, Rounding::HalfUp);
    let plan = Plan::new(
        "case",
        [
            Item::new("energy", Charge::tiered("import", tiers)).rounded(one),
            Item::new("vat", Charge::percent_of_all(decimal(&input["vat"])?)).rounded(one),
        ],
    );
    let mut rows = Vec::new();
    for kwh in list(&input["kwh"]) {
        let bill = plan
            .bill(&Usage::new().with("import", decimal(kwh)?))
            .ok()?;
        let lines = bill.lines.iter().filter_map(|line| {
            let tier = line.tier?;
            Some(json!({"tier": tier, "kwh": text(line.quantity), "amount": text(line.amount)}))
        });
        rows.push(json!({
            "kwh": kwh, "lines": lines.collect::<Vec<_>>(), "subtotal": text(bill.item("energy")?),
            "vat": text(bill.item("vat")?), "total": text(bill.total),
        }));
    }
    Some(json!({"rows": rows}))
}

pub fn months_in_period(input: &Value) -> Option<Value> {
    let months = u32::try_from(input["months_in_period"].as_u64()?).ok()?;
    let mut bills = Vec::new();
    for row in list(&input["bills"]) {
        let prices = &input["prices"][row["season"].as_str()?];
        let tiers = tier_list(&input["bounds_month_kwh"], prices)?.for_months(months);
        let bill = bill(
            [Item::new("energy", Charge::tiered("import", tiers))],
            Usage::new().with("import", decimal(&row["kwh"])?),
        )?;
        let parts: Vec<String> = bill.lines.iter().map(|line| text(line.quantity)).collect();
        let shown = |places| bill.total.fixed(places).to_string();
        bills.push(json!({
            "season": row["season"], "kwh": row["kwh"], "tiers_kwh": parts, "exact": text(bill.exact),
            "amount_0_1": shown(1), "amount_1": shown(0),
        }));
    }
    Some(json!({"bills": bills}))
}

/// Korea: the schedule of the source line, four roundings in one bill.
pub fn mixed_rounding(input: &Value) -> Option<Value> {
    let d = |text: &str| text.parse::<Decimal>().unwrap_or_default();
    let floor = |unit| Round::whole(unit, Rounding::Floor);
    let part = |rate, names: [&str; 4]| Charge::Percent {
        rate,
        of: Of::Items(names.map(str::to_owned).into()),
    };
    const SUBTOTAL: [&str; 4] = ["base", "energy", "climate", "fuel"];
    let mut bills = Vec::new();
    for row in list(&input["bills"]) {
        let summer = row["summer"].as_bool()?;
        let bounds = if summer {
            [300_000, 450_000]
        } else {
            [200_000, 400_000]
        };
        let tiers = |prices: [&str; 3]| Tiers::try_new(bounds.into(), prices.map(d).into()).ok();
        let plan = Plan::new(
            "case",
            [
                Item::new(
                    "base",
                    Charge::ByTier {
                        quantity: "import".into(),
                        tiers: tiers(["910", "1600", "7300"])?,
                    },
                ),
                // The energy of all tiers is one line, cut once.
                Item::new(
                    "energy",
                    Charge::tiered("import", tiers(["120.0", "214.6", "307.3"])?),
                )
                .joined()
                .rounded(floor(1)),
                Item::new("climate", Charge::per_unit("import", d("9.0"))).rounded(floor(1)),
                Item::new("fuel", Charge::per_unit("import", d("5.0"))).rounded(floor(1)),
                Item::new("vat", part(d("0.1"), SUBTOTAL))
                    .rounded(Round::whole(1, Rounding::HalfUp)),
                Item::new("fund", part(decimal(&input["fund_rate"])?, SUBTOTAL)).rounded(floor(10)),
            ],
        )
        .rounded(floor(10));
        let bill = plan
            .bill(&Usage::new().with("import", decimal(&row["kwh"])?))
            .ok()?;
        let shown = |name| Some(text(bill.item(name)?));
        bills.push(json!({
            "kwh": row["kwh"], "summer": summer, "base": shown("base")?, "energy": shown("energy")?,
            "climate": shown("climate")?, "fuel": shown("fuel")?,
            "subtotal": text(sum(SUBTOTAL.iter().filter_map(|name| bill.item(name)))?),
            "vat": shown("vat")?, "fund": shown("fund")?, "total": text(bill.total),
        }));
    }
    Some(json!({"bills": bills}))
}

pub fn all_units(input: &Value) -> Option<Value> {
    let tiers = tier_list(&input["bounds_kwh"], &input["prices"])?
        .all_units_above(thousandths(&input["selective_above_kwh"])?);
    let mut bills = Vec::new();
    for kwh in list(&input["kwh"]) {
        let parts = tiers.parts(0, thousandths(kwh)?)?;
        let exact = sum(parts.iter().map(|part| part.exact))?;
        let kind = match parts.first() {
            Some(part) if part.all_units => format!("all_units_tier_{}", part.tier),
            _ => "graduated".to_owned(),
        };
        bills.push(json!({"kwh": kwh, "kind": kind, "exact": text(exact), "amount": cents(exact)}));
    }
    Some(json!({"bills": bills}))
}

fn stamp(at: Moment) -> String {
    let minute = at.minute_of_day();
    format!(
        "{}T{:02}:{:02}",
        day_text(at.date()),
        minute / 60,
        minute % 60
    )
}

fn peak(peak: Option<Peak>) -> Value {
    peak.map_or(
        Value::Null,
        |peak| json!({"kw": fixed(peak.ten_thousandths_kw(), 4), "at": stamp(peak.at)}),
    )
}

pub fn demand(input: &Value) -> Option<Value> {
    const RATES: usize = 63;
    let start = moment(input["start"].as_str()?)?;
    let minutes =
        |key: &str| -> Option<Vec<u64>> { list(&input[key]).iter().map(Value::as_u64).collect() };
    let number = |key: &str| u16::try_from(input[key].as_u64()?).ok();
    let (period, slip) = (number("period_min")?, number("slip_min")?);
    let (resets, restarts) = (minutes("reset_minutes")?, minutes("restart_minutes")?);
    let slots: Option<Vec<Slot>> = list(&input["rate_slots"])
        .iter()
        .map(|row| {
            Some(Slot {
                table: 1,
                start: minute(row[0].as_str()?)?,
                rate: u8::try_from(row[1].as_u64()?).ok()?,
            })
        })
        .collect();
    let slots = slots?;
    let calendar = Calendar::try_new(ALL_YEAR, &slots).ok();
    let run = |windows: Windows| -> Option<Vec<Window>> {
        let mut demand = Demand::<60>::new(windows);
        let mut closed = Vec::new();
        for (index, kw) in (0_u64..).zip(list(&input["minute_kw"])) {
            if restarts.contains(&index) {
                demand.restart();
            }
            let at = start.plus(index as i64 * 60);
            let rate = calendar.as_ref().map_or(1, |calendar| calendar.rate(at));
            let joules = scaled(kw, 6)? / 1000 * 60;
            demand.book(at, 60, joules, rate, |window| closed.push(window));
        }
        Some(closed)
    };
    let block = run(Windows::block(period)?)?;
    let sliding = run(Windows::sliding(period, slip)?)?;
    let maxima = |windows: &[Window], from_s: i64| {
        let mut maxima = Maxima::<RATES>::new();
        for window in windows {
            if window.end.utc_s - i64::from(window.seconds) >= from_s {
                maxima.take(window);
            }
        }
        maxima
    };
    let whole = maxima(&sliding, i64::MIN);
    let mut result = json!({
        "block": peak(maxima(&block, i64::MIN).total()), "sliding": peak(whole.total()),
        "block_windows": block.len(), "sliding_windows": sliding.len(),
    });
    if !slots.is_empty() {
        let rates: BTreeSet<u8> = slots.iter().map(|slot| slot.rate).collect();
        let by_rate = rates
            .iter()
            .map(|&rate| (rate.to_string(), peak(whole.rate(rate))));
        result["sliding_by_rate"] = Value::Object(by_rate.collect());
    }
    if let Some(&last) = resets.last() {
        let from = start.plus(last as i64 * 60).utc_s;
        result["sliding_after_reset"] = peak(maxima(&sliding, from).total());
    }
    Some(result)
}

pub fn two_part(input: &Value) -> Option<Value> {
    let d = |text: &str| text.parse::<Decimal>().unwrap_or_default();
    let (kva, kw) = (
        decimal(&input["price_per_kva"])?,
        decimal(&input["price_per_kw"])?,
    );
    let capacity = decimal(&input["capacity_kva"])?;
    let bound = capacity.checked_mul(d("260"))?;
    let ways = [
        ("by_capacity", Charge::per_unit("capacity", kva)),
        (
            "by_contract_demand",
            Charge::Contract {
                demand: "demand".into(),
                contract: decimal(&input["contract_kw"])?,
                allowed: d("1.05"),
                factor: d("2"),
                price: kw,
            },
        ),
        ("by_actual_demand", Charge::per_unit("demand", kw)),
        (
            "by_actual_demand_with_260_rule",
            Charge::CutFrom {
                quantity: "demand".into(),
                price: kw,
                decides: "import".into(),
                bound,
                share: d("0.9"),
            },
        ),
    ];
    let mut months = Vec::new();
    for month in list(&input["months"]) {
        let energy = decimal(&month["kwh"])?;
        let usage = Usage::new()
            .with("capacity", capacity)
            .with("demand", decimal(&month["max_demand_kw"])?)
            .with("import", energy);
        let mut row = json!({
            "max_demand_kw": month["max_demand_kw"], "month_kwh": month["kwh"],
            "rule_260_met": energy >= bound,
        });
        for (name, charge) in &ways {
            let bill = bill(
                [Item::new(name, charge.clone()).rounded(CENT())],
                usage.clone(),
            )?;
            row[*name] = json!(cents(bill.total));
        }
        months.push(row);
    }
    Some(json!({"months": months}))
}

pub fn power_factor(input: &Value) -> Option<Value> {
    let mut rows = Vec::new();
    for row in list(&input["rows"]) {
        let standard = u8::try_from(decimal(&row["standard"])?.in_units(2)?).ok()?;
        let cos = power_factor::hundredths(thousandths(&row["kwh"])?, thousandths(&row["kvarh"])?);
        let usage = Usage::new()
            .with("active", decimal(&row["kwh"])?)
            .with("reactive", decimal(&row["kvarh"])?)
            .with("part", decimal(&row["bill_part"])?);
        let adjustment = Charge::PowerFactor {
            active: "active".into(),
            reactive: "reactive".into(),
            standard,
            of: Of::All,
        };
        let bill = bill(
            [
                Item::new("part", Charge::per_unit("part", Decimal::from_integer(1))),
                Item::new("adjustment", adjustment).rounded(CENT()),
            ],
            usage,
        )?;
        let percent = bill
            .lines
            .last()?
            .price?
            .checked_mul(Decimal::from_integer(100))?;
        rows.push(json!({
            "standard": row["standard"], "kwh": row["kwh"], "kvarh": row["kvarh"],
            "cos_phi": fixed(cos.into(), 2), "percent": text(percent),
            "adjustment": cents(bill.item("adjustment")?),
        }));
    }
    Some(json!({"rows": rows}))
}

pub fn quadrants(input: &Value) -> Option<Value> {
    let mut rows = Vec::new();
    for row in list(&input["rows"]) {
        let register = |key: &str| u64::try_from(scaled(&row[key], 2)?).ok();
        let word = |key: &str| u8::try_from(row[key].as_u64()?).ok();
        let quadrants = [
            register("q1")?,
            register("q2")?,
            register("q3")?,
            register("q4")?,
        ];
        let active = ActiveWord(word("active_word")?);
        let reactive = |key| Some(ReactiveWord(word(key)?).combine(quadrants));
        rows.push(json!({
            "combined_active": short(active.combine(register("fwd")?, register("rev")?), 2),
            "combined_reactive_1": short(reactive("reactive1_word")?, 2),
            "combined_reactive_2": short(reactive("reactive2_word")?, 2),
        }));
    }
    Some(json!({"rows": rows}))
}

/// Buys over yearly tiers, sells at a fixed price; never netted in energy.
pub fn two_bills(input: &Value) -> Option<Value> {
    let tiers = tier_list(&input["bounds_kwh"], &input["prices"])?;
    let sell = decimal(&input["feed_in_price"])?.checked_neg()?;
    let buy = Charge::Tiered {
        quantity: "import".into(),
        before: Some("year".into()),
        tiers,
    };
    let items = [
        Item::new("buy", buy).joined().rounded(CENT()),
        Item::new("sell", Charge::per_unit("export", sell)).rounded(CENT()),
    ];
    let (mut months, mut year, mut sums) = (Vec::new(), Decimal::ZERO, [Decimal::ZERO; 3]);
    for (month, row) in (1..).zip(list(&input["months_import_export_kwh"])) {
        let import = decimal(&row[0])?;
        let usage = Usage::new()
            .with("import", import)
            .with("export", decimal(&row[1])?)
            .with("year", year);
        year = year.checked_add(import)?;
        let bill = bill(items.clone(), usage)?;
        let amounts = [
            bill.item("buy")?,
            bill.item("sell")?.checked_neg()?,
            bill.total,
        ];
        for (sum, amount) in sums.iter_mut().zip(amounts) {
            *sum = sum.checked_add(amount)?;
        }
        let [buy, sell, net] = amounts.map(cents);
        months.push(json!({"month": month, "buy": buy, "sell": sell, "net_payable": net}));
    }
    let [buy, sell, net] = sums.map(cents);
    Some(json!({"months": months, "year_buy": buy, "year_sell": sell, "year_net": net}))
}

pub fn net_metering(input: &Value) -> Option<Value> {
    let periods = ["peak", "off"];
    let mut banks = [NetBank::new(); 2];
    let mut months = Vec::new();
    for (month, row) in (1..).zip(list(&input["months"])) {
        let (mut shown, mut total) = (
            json!({"month": row.get("month").cloned().unwrap_or(json!(month))}),
            Decimal::ZERO,
        );
        for (name, bank) in periods.into_iter().zip(&mut banks) {
            let side = |way: &str| decimal(&row[format!("{name}_{way}")]);
            let price = decimal(&input["prices"][name])?;
            let done = bank.month(side("import")?, side("export")?, price, CENT())?;
            total = total.checked_add(done.amount)?;
            shown[name] = json!({
                "net_kwh": text(done.net), "billed_kwh": text(done.billed),
                "bank_after_kwh": text(done.bank), "amount": cents(done.amount),
            });
        }
        shown["amount"] = json!(cents(total));
        months.push(shown);
    }
    let left = sum(banks.iter_mut().map(NetBank::cash_out))?;
    let paid = CENT().apply(left.checked_mul(decimal(&input["cash_out"])?)?);
    Some(json!({"months": months, "bank_left_kwh": text(left), "cash_out": cents(paid)}))
}

pub fn heat(input: &Value) -> Option<Value> {
    let price = |key: &str| decimal(&input[key]);
    let parts = [
        Item::new("base", Charge::per_unit("area", price("base_per_m2")?)).rounded(CENT()),
        Item::new(
            "metered",
            Charge::per_unit("heat", price("metered_per_kwh")?),
        )
        .rounded(CENT()),
    ];
    let cap = Charge::Cap {
        quantity: "area".into(),
        price: price("area_price_per_m2")?,
        round: Some(CENT()),
        of: Of::All,
    };
    let mut customers = Vec::new();
    for row in list(&input["customers"]) {
        let area = decimal(&row["area_m2"])?;
        let usage = Usage::new()
            .with("area", area)
            .with("heat", decimal(&row["kwh"])?);
        let plain = bill(parts.clone(), usage.clone())?;
        let capped = bill(
            parts.iter().cloned().chain([Item::new("cap", cap.clone())]),
            usage,
        )?;
        let by_area = CENT().apply(area.checked_mul(price("area_price_per_m2")?)?);
        customers.push(json!({
            "area_m2": row["area_m2"], "kwh": row["kwh"], "base": cents(plain.item("base")?),
            "metered": cents(plain.item("metered")?), "total": cents(plain.total),
            "area_charge_for_comparison": cents(by_area), "capped_total": cents(capped.total),
        }));
    }
    Some(json!({"customers": customers}))
}

pub fn yearly_volume(input: &Value) -> Option<Value> {
    let mut tiers = tier_list(&input["bounds_m3"], &input["prices"])?;
    if !input["bound_shift_m3"].is_null() {
        tiers = tiers.shifted(thousandths(&input["bound_shift_m3"])?);
    }
    let (month, day) = input["reset"].as_str()?.split_once('-')?;
    let reset = (month.parse().ok()?, day.parse().ok()?);
    let date = |row: &Value| Some(moment(&format!("{}T00:00", row["at"].as_str()?))?.date());
    let (mut periods, mut year) = (Vec::new(), 0);
    for pair in list(&input["readings"]).windows(2) {
        let used = thousandths(&pair[1]["m3"])?.checked_sub(thousandths(&pair[0]["m3"])?)?;
        let split = split_at_reset(date(&pair[0])?, date(&pair[1])?, used, 1000, reset)?;
        if split.begins {
            year = 0;
        }
        let (mut lines, mut amount) = (Vec::new(), Decimal::ZERO);
        let mut price = |total: u64, volume: u64, after: bool| {
            for part in tiers.parts(total, volume)? {
                let rounded = CENT().apply(part.exact);
                amount = amount.checked_add(rounded)?;
                lines.push(json!({
                    "tier": part.tier, "m3": text(Decimal::from_wh(part.quantity)),
                    "price": text(part.price), "amount": cents(rounded), "after_reset": after,
                }));
            }
            Some(())
        };
        price(year, split.before, split.begins)?;
        year += split.before;
        if split.ends {
            year = split.after;
            price(0, split.after, true)?;
        }
        periods.push(json!({
            "from": pair[0]["at"], "to": pair[1]["at"], "m3": text(Decimal::from_wh(used)),
            "lines": lines, "amount": cents(amount), "year_total_m3": text(Decimal::from_wh(year)),
        }));
    }
    Some(json!({"periods": periods}))
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
