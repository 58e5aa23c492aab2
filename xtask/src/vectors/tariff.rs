//! Bills, calendars and purses: the cases of a tariff file against the `tariff` crate.

use ::tariff::bill::{Biller, Interval};
use ::tariff::calendar::{By, Calendar, Holiday, Slot, Zone};
use ::tariff::civil::{Date, Moment};
use ::tariff::purse::{Answer, Cause, Customer, Limits, Purse, Recharge, Refusal, SERR_REPEATED};
use ::tariff::remote::{Command, Remote};
use ::tariff::stored::recover;
use ::tariff::tier::{Reset, Tier, TierTotal};
use ::tariff::{Money, Price, Rounding, Tariff};
use serde_json::{Value, json};

use super::Outcome;

/// Runs all cases of a file; topics that are not built yet are counted as skipped.
pub fn run(file: &Value) -> Outcome {
    let mut outcome = Outcome::default();
    for case in list(&file["cases"]) {
        let topic = case["topic"].as_str().unwrap_or("?");
        let input = &case["input"];
        let (got, expected) = match topic {
            "tiers/annual" => (annual(input), case["expected"].clone()),
            "tou+tiers/annual" => (two_rates(input), case["expected"].clone()),
            "tiers/monthly" => (monthly(input), case["expected"].clone()),
            "tou+tiers/slot-split" => (slots(input), case["expected"].clone()),
            "calendar/lookup" => (lookups(input, &case["expected"]), case["expected"].clone()),
            "prepaid/state" => (prepaid(input), case["expected"].clone()),
            "power-cut/recovery" => (recovery(input), case["expected"].clone()),
            "remote-control" => (remote(input), case["expected"].clone()),
            _ => {
                *outcome.skipped.entry(topic.to_owned()).or_default() += 1;
                continue;
            }
        };
        let id = case["id"].as_str().unwrap_or("?");
        match got {
            Some(got) => match difference("", &expected, &got) {
                None => outcome.passed += 1,
                Some(text) => outcome.failed.push(format!("{id}: {text}")),
            },
            None => outcome
                .failed
                .push(format!("{id}: the input is not as its topic says")),
        }
    }
    outcome
}

/// The first place at which two values differ.
fn difference(at: &str, expected: &Value, got: &Value) -> Option<String> {
    match (expected, got) {
        (Value::Object(a), Value::Object(b)) => {
            let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
            keys.into_iter()
                .find_map(|key| difference(&format!("{at}/{key}"), &expected[key], &got[key]))
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => a
            .iter()
            .zip(b)
            .enumerate()
            .find_map(|(i, (a, b))| difference(&format!("{at}/{i}"), a, b)),
        _ if expected == got => None,
        _ => Some(format!("{at}: expected {expected}, got {got}")),
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Decimal text to an integer of 10^-`places`; `None` when digits would be lost.
fn scaled(value: &Value, places: usize) -> Option<i64> {
    let text = value.as_str()?;
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let part = part.trim_end_matches('0');
    if part.len() > places {
        return None;
    }
    format!("{whole}{part:0<places$}")
        .parse::<i64>()
        .ok()
        .map(|number| sign * number)
}

/// An integer of 10^-`places` as decimal text, all places shown.
fn fixed(value: i64, places: usize) -> String {
    let digits = format!("{:0>width$}", value.unsigned_abs(), width = places + 1);
    let (whole, part) = digits.split_at(digits.len() - places);
    let sign = if value < 0 { "-" } else { "" };
    if places == 0 {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{part}")
    }
}

/// The same without trailing zeros.
fn short(value: i64, places: usize) -> String {
    let text = fixed(value, places);
    if !text.contains('.') {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn wh(value: &Value) -> Option<u64> {
    scaled(value, 3)?.try_into().ok()
}

fn kwh(wh: u64) -> String {
    short(wh as i64, 3)
}

fn price(value: &Value) -> Option<Price> {
    Some(Price::from_ten_thousandths(
        scaled(value, 4)?.try_into().ok()?,
    ))
}

fn show(price: Price) -> String {
    short(price.ten_thousandths().into(), 4)
}

fn exact(money: Money) -> String {
    short(money.ten_millionths(), 7)
}

fn cents(money: Money) -> String {
    fixed(money.hundredths(Rounding::HalfUp), 2)
}

fn money(value: &Value) -> Option<Money> {
    scaled(value, 7).map(Money::from_ten_millionths)
}

fn rounded(money: Money) -> Money {
    Money::from_hundredths(money.hundredths(Rounding::HalfUp))
}

fn moment(text: &str) -> Option<Moment> {
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<u16>().ok();
    let date = Date::try_new(number(0..4)?, number(5..7)? as u8, number(8..10)? as u8)?;
    let minutes = u32::from(number(11..13)?) * 60 + u32::from(number(14..16)?);
    Some(Moment::from_local(date, minutes * 60, 28_800))
}

fn tiers(bounds: &Value, prices: &Value) -> Option<Vec<Tier>> {
    let bounds = list(bounds).iter().map(wh).chain([Some(u64::MAX)]);
    bounds
        .zip(list(prices))
        .map(|(bound, adder)| {
            Some(Tier {
                up_to_wh: bound?,
                price: price(adder)?,
            })
        })
        .collect()
}

const JANUARY: Reset = Reset::Yearly {
    month: 1,
    day: 1,
    hour: 0,
};
const ALL_YEAR: &[Zone] = &[Zone {
    start: 101,
    table: 1,
}];

/// The first hour of a month of 2024.
fn month(number: usize, hour: u32) -> Option<Moment> {
    let date = Date::try_new(2024, number as u8, 1)?;
    Some(Moment::from_local(date, hour * 3600, 28_800))
}

fn annual(input: &Value) -> Option<Value> {
    let slots = [Slot {
        table: 1,
        start: 0,
        rate: 1,
    }];
    let prices = [Price::default()];
    let tiers = tiers(&input["bounds_kwh"], &input["prices"])?;
    let tariff = Tariff::try_new(Calendar::try_new(ALL_YEAR, &slots).ok()?, &prices)
        .and_then(|tariff| tariff.with_tiers(&tiers, JANUARY))
        .ok()?;
    let mut bill = Biller::new(tariff, TierTotal::default());
    let (mut months, mut year) = (Vec::new(), Money::ZERO);
    for (i, energy) in list(&input["monthly_kwh"]).iter().enumerate() {
        let (mut lines, mut sum) = (Vec::new(), Money::ZERO);
        let interval = Interval {
            start: month(i + 1, 0)?,
            seconds: 3600,
            wh: wh(energy)?,
        };
        bill.price(interval, |_, line| {
            sum = sum + rounded(line.amount);
            lines.push(json!({
                "tier": line.tier, "kwh": kwh(line.wh), "price": show(line.price()),
                "exact": exact(line.amount), "amount": cents(line.amount),
            }));
        })
        .ok()?;
        year = year + sum;
        months.push(json!({
            "month": i + 1, "kwh": energy, "cumulative_kwh": kwh(bill.tiers().wh),
            "lines": lines, "amount": cents(sum),
        }));
    }
    Some(json!({"months": months, "year_total": cents(year)}))
}

fn two_rates(input: &Value) -> Option<Value> {
    let slots = [
        Slot {
            table: 1,
            start: 0,
            rate: 2,
        },
        Slot {
            table: 1,
            start: 480,
            rate: 1,
        },
    ];
    let prices = [
        price(&input["rates"]["peak"])?,
        price(&input["rates"]["valley"])?,
    ];
    let tiers = tiers(&input["bounds_kwh"], &input["tier_adders"])?;
    let tariff = Tariff::try_new(Calendar::try_new(ALL_YEAR, &slots).ok()?, &prices)
        .and_then(|tariff| tariff.with_tiers(&tiers, JANUARY))
        .ok()?;
    let mut bill = Biller::new(tariff, TierTotal::default());
    let (mut months, mut year) = (Vec::new(), Money::ZERO);
    for (i, energy) in list(&input["monthly_peak_valley_kwh"]).iter().enumerate() {
        // Rate lines carry their own price, tier lines the adder on the energy of the tier.
        let mut items = [
            ("peak", 0),
            ("valley", 0),
            ("tier2_adder", 0),
            ("tier3_adder", 0),
        ]
        .map(|(name, wh)| (name, wh, Price::default()));
        for (hour, part) in [(0, 1), (8, 0)] {
            let start = month(i + 1, hour)?;
            let interval = Interval {
                start,
                seconds: 3600,
                wh: wh(&energy[part])?,
            };
            bill.price(interval, |_, line| {
                let rate = &mut items[usize::from(line.rate) - 1];
                *rate = (rate.0, rate.1 + line.wh, line.rate_price);
                if line.tier > 1 {
                    let tier = &mut items[usize::from(line.tier)];
                    *tier = (tier.0, tier.1 + line.wh, line.tier_price);
                }
            })
            .ok()?;
        }
        let (mut lines, mut sum) = (Vec::new(), Money::ZERO);
        for (item, energy, price) in items.into_iter().filter(|item| item.1 > 0) {
            let cost = price.cost(energy);
            sum = sum + rounded(cost);
            lines.push(json!({
                "item": item, "kwh": kwh(energy), "price": show(price),
                "exact": exact(cost), "amount": cents(cost),
            }));
        }
        year = year + sum;
        months.push(json!({
            "month": i + 1, "cumulative_kwh": kwh(bill.tiers().wh),
            "lines": lines, "amount": cents(sum),
        }));
    }
    Some(json!({"months": months, "year_total": cents(year)}))
}

fn monthly(input: &Value) -> Option<Value> {
    let slots = [Slot {
        table: 1,
        start: 0,
        rate: 1,
    }];
    let prices = [Price::default()];
    let tiers = tiers(&input["bounds_kwh"], &input["prices"])?;
    let tariff = Tariff::try_new(Calendar::try_new(ALL_YEAR, &slots).ok()?, &prices)
        .and_then(|tariff| tariff.with_tiers(&tiers, Reset::Monthly { day: 1, hour: 0 }))
        .ok()?;
    let mut rows = Vec::new();
    for energy in list(&input["kwh"]) {
        let mut bill = Biller::new(tariff, TierTotal::default());
        let (mut parts, mut by_line) = (Vec::new(), Money::ZERO);
        let interval = Interval {
            start: month(1, 0)?,
            seconds: 3600,
            wh: wh(energy)?,
        };
        bill.price(interval, |_, line| {
            parts.push(kwh(line.wh));
            by_line = by_line + rounded(line.amount);
        })
        .ok()?;
        rows.push(json!({
            "kwh": energy, "tiers_kwh": parts, "exact": exact(bill.amount()),
            "amount_total_rounded": cents(bill.amount()), "amount_line_rounded": cents(by_line),
        }));
    }
    Some(json!({"rows": rows}))
}

fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    Some(hour.parse::<u16>().ok()? * 60 + minute.parse::<u16>().ok()?)
}

fn slots(input: &Value) -> Option<Value> {
    let rows = list(&input["slots"]);
    let table: Vec<Slot> = rows
        .iter()
        .map(|row| {
            let rate = row["rate"].as_u64()? as u8;
            Some(Slot {
                table: 1,
                start: minute(row["start"].as_str()?)?,
                rate,
            })
        })
        .collect::<Option<_>>()?;
    let prices: Vec<Price> = list(&input["rate_prices"])
        .iter()
        .map(price)
        .collect::<Option<_>>()?;
    let tiers = tiers(&input["bounds_kwh"], &input["tier_adders"])?;
    let tariff = Tariff::try_new(Calendar::try_new(ALL_YEAR, &table).ok()?, &prices)
        .and_then(|tariff| tariff.with_tiers(&tiers, Reset::Monthly { day: 1, hour: 0 }))
        .ok()?;
    let total = TierTotal {
        wh: wh(&input["start_cumulative_kwh"])?,
        period: None,
    };
    let mut bill = Biller::new(tariff, total);
    let mut parts = Vec::new();
    for (row, slot) in rows.iter().zip(&table) {
        let start = month(1, 0)?.plus(i64::from(slot.start) * 60);
        let interval = Interval {
            start,
            seconds: 900,
            wh: row["wh"].as_u64()?,
        };
        bill.price(interval, |_, line| {
            parts.push(json!({
                "slot": row["start"], "rate": line.rate, "tier": line.tier, "kwh": kwh(line.wh),
                "price": show(line.price()), "exact": exact(line.amount),
            }));
        })
        .ok()?;
    }
    Some(json!({
        "parts": parts, "end_cumulative_kwh": kwh(bill.tiers().wh),
        "exact_total": exact(bill.amount()), "total": cents(bill.amount()),
        "total_1e7": bill.amount().ten_millionths(),
    }))
}

fn lookups(input: &Value, expected: &Value) -> Option<Value> {
    let calendar = &input["calendar"];
    let zones: Vec<Zone> = list(&calendar["zones"])
        .iter()
        .map(|row| {
            let (month, day) = row[0].as_str()?.split_once('-')?;
            let start = month.parse::<u16>().ok()? * 100 + day.parse::<u16>().ok()?;
            Some(Zone {
                start,
                table: row[1].as_u64()? as u8,
            })
        })
        .collect::<Option<_>>()?;
    let mut slots = Vec::new();
    for (table, rows) in calendar["tables"].as_object()? {
        for row in list(rows) {
            slots.push(Slot {
                table: table.parse().ok()?,
                start: minute(row[0].as_str()?)?,
                rate: row[1].as_u64()? as u8,
            });
        }
    }
    let holidays: Vec<Holiday> = calendar["holidays"]
        .as_object()?
        .iter()
        .map(|(date, table)| {
            let date = moment(&format!("{date}T00:00"))?.date();
            Some(Holiday {
                date,
                table: table.as_u64()? as u8,
            })
        })
        .collect::<Option<_>>()?;
    let work_days = calendar["week_word"].as_u64()? as u8;
    let rest_table = calendar["rest_table"].as_u64()? as u8;
    let calendar = Calendar::try_new(&zones, &slots)
        .and_then(|calendar| calendar.with_rest_days(work_days, rest_table))
        .and_then(|calendar| calendar.with_holidays(&holidays))
        .ok()?;
    let mut rows = Vec::new();
    for row in list(&expected["lookups"]) {
        let at = moment(row["at"].as_str()?)?;
        let (table, by) = calendar.day_table(at.date());
        let by = match by {
            By::Holiday => "holiday",
            By::RestDay => "rest_day",
            By::Zone => "zone",
        };
        let rate = calendar.rate(at);
        rows.push(json!({"at": row["at"], "day_table": table, "rate": rate, "by": by}));
    }
    Some(json!({"lookups": rows}))
}

fn customer(value: &Value) -> Option<Customer> {
    let number: u64 = value.as_str()?.parse().ok()?;
    let [_, _, bytes @ ..] = number.to_be_bytes();
    Some(bytes)
}

fn cause(cause: Cause) -> &'static str {
    match cause {
        Cause::None => "none",
        Cause::Alarm2 => "alarm2",
        Cause::Zero => "zero",
        Cause::Locked => "locked",
    }
}

fn prepaid(input: &Value) -> Option<Value> {
    let config = &input["config"];
    let mut limits = Limits {
        alarm_1: money(&config["alarm1"])?,
        alarm_2: money(&config["alarm2"])?,
        overdraft: money(&config["overdraft"])?,
        hoard: money(&config["hoard"])?,
        close_allow: money(&config["close_allow"])?,
    };
    let mut purse = Purse::new(limits);
    let (mut after, mut relay_log, mut bought) = (Vec::new(), Vec::new(), Vec::new());
    for event in list(&input["events"]) {
        let verb = event["do"].as_str()?;
        let mut closer = verb;
        let order = || {
            let count = event["count"].as_u64()? as u32;
            let amount = money(&event["amount"])?;
            Some(Recharge {
                customer: customer(&event["customer"])?,
                count,
                amount,
            })
        };
        let result = match verb {
            "open" if event["amount"].is_string() => {
                closer = "recharge";
                Some(purse.open_with(order()?, 0).map(Some))
            }
            "recharge" => Some(purse.recharge(order()?, 0).map(Some)),
            "open" => Some(purse.open(customer(&event["customer"])?).map(|change| {
                relay_log.extend(relay(change.relay_open, cause(change.cause), closer));
                None
            })),
            "consume" => {
                let change = purse.consume(price(&event["price"])?.cost(wh(&event["kwh"])?));
                relay_log.extend(relay(change.relay_open, cause(change.cause), closer));
                Some(Ok(None))
            }
            "key" => purse.key().map(|change| {
                relay_log.extend(relay(change.relay_open, cause(change.cause), closer));
                Ok(None)
            }),
            "keep_power" => {
                let change = purse.set_keep_power(event["on"].as_bool()?);
                relay_log.extend(relay(change.relay_open, cause(change.cause), closer));
                Some(Ok(None))
            }
            "set" => {
                let value = money(&event["value"])?;
                match event["limit"].as_str()? {
                    "alarm1" => limits.alarm_1 = value,
                    "alarm2" => limits.alarm_2 = value,
                    "overdraft" => limits.overdraft = value,
                    "hoard" => limits.hoard = value,
                    "close_allow" => limits.close_allow = value,
                    _ => return None,
                }
                let change = purse.set_limits(limits);
                relay_log.extend(relay(change.relay_open, cause(change.cause), closer));
                Some(Ok(None))
            }
            "refund" | "init_purse" => {
                let amount = money(&event["amount"])?;
                let refund = verb == "refund";
                let done = if refund {
                    purse.refund(amount)
                } else {
                    purse.initialise(amount)
                };
                if done.is_ok() && !refund {
                    bought.clear();
                }
                Some(done.map(|change| {
                    relay_log.extend(relay(change.relay_open, cause(change.cause), closer));
                    None
                }))
            }
            "close_account" => Some(purse.close().map(|()| None)),
            _ => return None,
        };
        let result = match result {
            None => "ignored".to_owned(),
            Some(Ok(Some(Answer::Done(purchase, change)))) => {
                bought.push(purchase);
                relay_log.extend(relay(change.relay_open, cause(change.cause), closer));
                "ok".to_owned()
            }
            Some(Ok(Some(Answer::AlreadyDone(_)))) => format!("SERR 0x{SERR_REPEATED:04X}"),
            Some(Ok(None)) => "ok".to_owned(),
            Some(Err(Refusal::Account)) if verb != "recharge" => "refused".to_owned(),
            Some(Err(Refusal::Amount)) => "refused".to_owned(),
            Some(Err(refusal)) => format!("SERR 0x{:04X}", refusal.serr()),
        };
        after.push(json!({
            "result": result,
            "remaining": fixed(purse.remaining_hundredths() as i64, 2),
            "overdraft": fixed(purse.overdraft_hundredths() as i64, 2),
            "balance_micro_yuan": purse.balance().rounded(6, Rounding::Trunc),
            "relay": if purse.wants_open() { "open" } else { "closed" },
            "cause": cause(purse.cause()),
            "count": purse.count(),
            "alarm1": purse.alarm_1(),
            "keep_power": purse.keep_power(),
        }));
    }
    let amount = |money: Money| fixed(money.hundredths(Rounding::Trunc), 2);
    let kept = bought.len().saturating_sub(::tariff::purse::PURCHASES);
    if bought.get(kept..) != Some(purse.purchases()) {
        return None;
    }
    let recharge_log: Vec<Value> = purse
        .purchases()
        .iter()
        .map(|purchase| {
            json!({
                "count": purchase.count, "amount": amount(purchase.amount),
                "before": amount(purchase.before), "after": amount(purchase.after),
            })
        })
        .collect();
    Some(json!({
        "after_each_event": after, "recharge_log": recharge_log, "relay_log": relay_log,
        "cumulative_purchase": amount(purse.cumulative()),
    }))
}

fn relay(open: Option<bool>, cause: &str, by: &str) -> Option<Value> {
    Some(match open? {
        true => json!({"to": "open", "cause": cause}),
        false => json!({"to": "close", "cause": by}),
    })
}

fn recovery(input: &Value) -> Option<Value> {
    let mut images = Vec::new();
    for image in list(&input["images"]) {
        let copy = |at: usize| {
            let copy = &image["copies"][at];
            let state = (copy["balance_fen"].as_i64()?, copy["count"].as_u64()?);
            let sequence = copy["seq"].as_u64()? as u32;
            (copy["crc_ok"] == true).then_some((sequence, state))
        };
        let journal = list(&image["journal"]).iter().map(|entry| {
            let sequence = entry["seq"].as_u64()? as u32;
            (entry["crc_ok"] == true).then_some((sequence, entry))
        });
        let mut applied = Vec::new();
        let state = recover(
            [copy(0), copy(1)],
            journal,
            |state: &mut (i64, u64), entry: &Value| {
                let amount = entry["fen"].as_i64().unwrap_or(0);
                *state = match entry["kind"].as_str() {
                    Some("recharge") => (state.0 + amount, state.1 + 1),
                    _ => (state.0 - amount, state.1),
                };
                applied.push(entry["seq"].clone());
            },
        );
        images.push(match state {
            Some(found) => json!({
                "state": if found.degraded { "degraded" } else { "ok" },
                "balance_fen": found.state.0, "count": found.state.1, "seq": found.sequence,
                "applied": applied,
            }),
            None => json!({"state": "fault", "balance_fen": null, "count": null, "applied": []}),
        });
    }
    Some(json!({"images": images}))
}

fn remote(input: &Value) -> Option<Value> {
    let (mut remote, mut now) = (Remote::default(), 0);
    let mut after = Vec::new();
    for row in list(&input["commands"]) {
        let delay_s = row["delay_min"].as_u64().unwrap_or(0) as u32 * 60;
        let command = match row["cmd"].as_str()? {
            "1A" => Some(Command::Trip { delay_s }),
            "1B" => Some(Command::AllowClose),
            "1C" => Some(Command::Close),
            "2A" => Some(Command::Alarm),
            "2B" => Some(Command::AlarmOff),
            "3A" => Some(Command::KeepPower),
            "3B" => Some(Command::KeepPowerOff),
            _ => None,
        };
        let result = match command {
            Some(command) => match remote.command(command, now) {
                Ok(()) => "ok",
                Err(_) => "refused_keep_power",
            },
            None if row["cmd"] == "key" => {
                if remote.key() {
                    "ok"
                } else {
                    "ignored"
                }
            }
            None => {
                now += row["minutes"].as_i64()? * 60;
                remote.handle_time(now);
                "ok"
            }
        };
        let word = |open| if open { "open" } else { "closed" };
        after.push(json!({
            "result": result, "relay": word(remote.wants_open()),
            "command": word(remote.commands_open()), "close_allowed": remote.close_allowed(),
            "status_word_3_bits": format!("{:04X}", remote.status_bits(remote.wants_open())),
        }));
    }
    Some(json!({"after_each": after}))
}
