//! Fee control in the meter: the purse, remote control and what a power cut leaves.

use ::tariff::calendar::{Calendar, Slot};
use ::tariff::civil::Moment;
use ::tariff::machine::{Clock, Effect};
use ::tariff::meter::{Meter, Parameters, Reading};
use ::tariff::purse::{Answer, Cause, Customer, Limits, Recharge, Refusal, SERR_REPEATED};
use ::tariff::remote::Command;
use ::tariff::sets::Sets;
use ::tariff::stored::{self, recover};
use ::tariff::{Machine, Money, Price, Rounding, Tariff};
use serde_json::{Value, json};

use super::{ALL_YEAR, fixed, list, money, price, wh};

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

/// A whole meter whose state is stored and read back after every input, as if the power had gone.
struct Stored {
    meter: Meter<1, 1, 0, 0>,
    sequence: u32,
}

impl Stored {
    fn new(machine: Machine<1>) -> Self {
        Stored {
            meter: Meter::around(machine),
            sequence: 0,
        }
    }

    fn machine(&self) -> &Machine<1> {
        self.meter.machine()
    }

    fn input<T>(&mut self, at_s: i64, input: impl FnOnce(&mut Machine<1>) -> T) -> Option<T> {
        let at = Moment {
            utc_s: at_s,
            offset_s: 0,
        };
        let answer = self.meter.input(at, |_| (), input);
        let mut record = [0; stored::longest_meter(1, 1, 0)];
        let length = stored::encode_meter(&self.meter, self.sequence, &mut record).ok()?;
        let (sequence, meter) = stored::decode_meter(record.get(..length)?).ok()?;
        // What is kept outside the state starts anew with the power.
        (self.sequence, self.meter) = (sequence + 1, meter);
        Some(answer)
    }
}

/// What an input answered, for a purchase with its record.
type Done = Result<Option<Answer>, Refusal>;

pub fn prepaid(input: &Value) -> Option<Value> {
    let config = &input["config"];
    let mut limits = Limits {
        alarm_1: money(&config["alarm1"])?,
        alarm_2: money(&config["alarm2"])?,
        overdraft: money(&config["overdraft"])?,
        hoard: money(&config["hoard"])?,
        close_allow: money(&config["close_allow"])?,
    };
    let mut meter = Stored::new(Machine::prepaid(limits));
    let (mut after, mut relay_log, mut bought) = (Vec::new(), Vec::new(), Vec::new());
    for event in list(&input["events"]) {
        let verb = event["do"].as_str()?;
        if let ("set", Some(limit)) = (verb, event["limit"].as_str()) {
            *named(&mut limits, limit)? = money(&event["value"])?;
        }
        let (done, effect) = meter.input(0, |machine| act(machine, event, limits))??;
        if verb == "init_purse" && done.is_ok() {
            bought.clear();
        }
        let is_key = verb == "key";
        let result = match done {
            Ok(_) if is_key && effect.is_none_or(|effect| effect.relay_open.is_none()) => {
                "ignored".to_owned()
            }
            Ok(Some(Answer::Done(purchase, _))) => {
                bought.push(purchase);
                "ok".to_owned()
            }
            Ok(Some(Answer::AlreadyDone(_))) => format!("SERR 0x{SERR_REPEATED:04X}"),
            Ok(None) => "ok".to_owned(),
            Err(Refusal::Account) if verb != "recharge" => "refused".to_owned(),
            Err(Refusal::Amount) => "refused".to_owned(),
            Err(refusal) => format!("SERR 0x{:04X}", refusal.serr()),
        };
        let is_purchase = verb == "open" && event["amount"].is_string();
        let closer = if is_purchase { "recharge" } else { verb };
        let purse = meter.machine().purse();
        let open = effect.and_then(|effect| effect.relay_open);
        relay_log.extend(relay(open, cause(purse.cause()), closer));
        after.push(json!({
            "result": result,
            "remaining": fixed(purse.remaining_hundredths() as i64, 2),
            "overdraft": fixed(purse.overdraft_hundredths() as i64, 2),
            "balance_micro_yuan": purse.balance().rounded(6, Rounding::Trunc),
            "relay": if meter.machine().wants_open() { "open" } else { "closed" },
            "cause": cause(purse.cause()),
            "count": purse.count(),
            "alarm1": purse.alarm_1(),
            "keep_power": purse.keep_power(),
        }));
    }
    let purse = meter.machine().purse();
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

fn named<'a>(limits: &'a mut Limits, limit: &str) -> Option<&'a mut Money> {
    Some(match limit {
        "alarm1" => &mut limits.alarm_1,
        "alarm2" => &mut limits.alarm_2,
        "overdraft" => &mut limits.overdraft,
        "hoard" => &mut limits.hoard,
        "close_allow" => &mut limits.close_allow,
        _ => return None,
    })
}

/// What an input without a purchase answered, and what changed.
fn told<T>(done: Result<(T, Effect), Refusal>) -> (Done, Option<Effect>) {
    match done {
        Ok((_, effect)) => (Ok(None), Some(effect)),
        Err(refusal) => (Err(refusal), None),
    }
}

/// Does what an event says; `None` for a word that is not in the vocabulary.
fn act(machine: &mut Machine<1>, event: &Value, limits: Limits) -> Option<(Done, Option<Effect>)> {
    let order = || {
        Some(Recharge {
            customer: customer(&event["customer"])?,
            count: u32::try_from(event["count"].as_u64()?).ok()?,
            amount: money(&event["amount"])?,
        })
    };
    let purchase = |done: Result<(Answer, Effect), Refusal>| match done {
        Ok((answer, effect)) => (Ok(Some(answer)), Some(effect)),
        Err(refusal) => (Err(refusal), None),
    };
    Some(match event["do"].as_str()? {
        "open" if event["amount"].is_string() => {
            let order = order()?;
            purchase(machine.purse_input(|purse| purse.open_with(order, 0)))
        }
        "open" => {
            let opened = machine.open_account(customer(&event["customer"])?);
            told(opened.map(|effect| ((), effect)))
        }
        "recharge" => purchase(machine.recharge(order()?, 0)),
        "consume" => {
            let cost = price(&event["price"])?.cost(wh(&event["kwh"])?);
            told(machine.purse_input(|purse| Ok(purse.consume(cost))))
        }
        "key" => (Ok(None), Some(machine.key())),
        "keep_power" => {
            let on = event["on"].as_bool()?;
            told(machine.purse_input(|purse| Ok(purse.set_keep_power(on))))
        }
        "set" => told(machine.purse_input(|purse| Ok(purse.set_limits(limits)))),
        "refund" => {
            let order = Recharge {
                customer: machine.purse().customer(),
                count: machine.purse().refunds() + 1,
                amount: money(&event["amount"])?,
            };
            told(machine.refund(order, 0))
        }
        "init_purse" => {
            let amount = money(&event["amount"])?;
            told(machine.purse_input(|purse| purse.initialise(amount)))
        }
        "close_account" => (machine.close_account().map(|()| None), None),
        _ => return None,
    })
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

/// Bits of status word 3 that remote control moves: relay, command, alarm, keep power.
const MOVED: u16 = 1 << 4 | 1 << 6 | 1 << 7 | 1 << 12;

pub fn remote(input: &Value) -> Option<Value> {
    let slots = [Slot {
        table: 1,
        start: 0,
        rate: 1,
    }];
    let prices = [Price::default()];
    let tariff = Tariff::try_new(Calendar::try_new(ALL_YEAR, &slots).ok()?, &prices).ok()?;
    let parameters =
        Parameters::of(Sets::try_new(tariff, ALL_YEAR, &slots, &prices, tariff.tiers()).ok()?);
    let (mut meter, mut now) = (Stored::new(Machine::new()), 0);
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
        let result = match (command, row["cmd"].as_str()?) {
            (Some(command), _) => {
                match meter.input(now, |machine| machine.command(command, now))? {
                    Ok(_) => "ok",
                    Err(_) => "refused_keep_power",
                }
            }
            (None, "key") => match meter.input(now, Machine::key)?.relay_open {
                Some(false) => "ok",
                _ => "ignored",
            },
            (None, "wait") => {
                now += row["minutes"].as_i64()? * 60;
                let at = Moment {
                    utc_s: now,
                    offset_s: 0,
                };
                let reading = Reading {
                    tenths: [0],
                    watts: None,
                };
                let _ = meter
                    .meter
                    .advance(&parameters, Clock::good(at), &reading, |_| ());
                "ok"
            }
            _ => return None,
        };
        let machine = meter.machine();
        let (open, remote) = (machine.wants_open(), machine.remote());
        let word = |open| if open { "open" } else { "closed" };
        after.push(json!({
            "result": result, "relay": word(open), "command": word(remote.commands_open()),
            "close_allowed": remote.close_allowed(),
            "status_word_3_bits": format!("{:04X}", machine.status_word_3(open) & MOVED),
        }));
    }
    Some(json!({"after_each": after}))
}
