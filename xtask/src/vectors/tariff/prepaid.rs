//! Fee control in the meter: the purse, remote control and what a power cut leaves.

use ::tariff::Money;
use ::tariff::Rounding;
use ::tariff::purse::{Answer, Cause, Customer, Limits, Purse, Recharge, Refusal, SERR_REPEATED};
use ::tariff::remote::{Command, Remote};
use ::tariff::stored::recover;
use serde_json::{Value, json};

use super::{fixed, list, money, price, wh};

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

pub fn prepaid(input: &Value) -> Option<Value> {
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
                    let (customer, count) = (purse.customer(), purse.refunds() + 1);
                    let order = Recharge {
                        customer,
                        count,
                        amount,
                    };
                    purse.refund(order, 0).and_then(|answer| match answer {
                        Answer::Done(_, change) => Ok(change),
                        Answer::AlreadyDone(_) => Err(Refusal::Repeated),
                    })
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

pub fn recovery(input: &Value) -> Option<Value> {
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

pub fn remote(input: &Value) -> Option<Value> {
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
