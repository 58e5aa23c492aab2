//! Cases by the whole meter, and bills of the cloud by the meter's engine where its calendar and its prices of four
//! places hold them.

use ::tariff::bill::{Biller, Interval};
use ::tariff::calendar::{Calendar, Holiday, Slot};
use ::tariff::civil::Moment;
use ::tariff::freeze::Kind;
use ::tariff::machine::Clock;
use ::tariff::meter::{Kept, Meter, Parameters, Reading};
use ::tariff::purse::Limits;
use ::tariff::sets::{Sets, Table};
use ::tariff::settlement::{KEPT, Modulus, SettlementDays};
use ::tariff::tier::{Reset, Tier, TierTotal};
use ::tariff::{Machine, Money, Price, Rounding, Tariff};
use serde_json::{Map, Value, json};

use super::super::calendar::Tables;
use super::super::meter::{prices, settlement_day, stamp};
use super::super::{
    ALL_YEAR, cents, exact, fixed, kwh, list, minute, moment, price, rounded, scaled, short,
    tier_list, wh,
};

/// All rates that a meter may have.
const RATES: usize = 63;
const MONTHLY: Reset = Reset::Monthly { day: 1, hour: 0 };

/// One rate all day at price zero: the tiers alone have prices.
const ONE_SLOT: [Slot; 1] = [Slot {
    table: 1,
    start: 0,
    rate: 1,
}];
const NO_PRICE: [Price; 1] = [Price::from_ten_thousandths(0)];

fn tiers_alone(tiers: &[Tier], reset: Reset) -> Option<Tariff<'_>> {
    let calendar = Calendar::try_new(ALL_YEAR, &ONE_SLOT).ok()?;
    Tariff::try_new(calendar, &NO_PRICE)
        .and_then(|tariff| tariff.with_tiers(tiers, reset))
        .ok()
}

/// Takes credit, uses energy step by step, and tells what the purse paid.
fn paid(
    p: &Parameters<'_>,
    switches: &[(Table, Moment)],
    start: Moment,
    steps: i64,
    step_s: i64,
    wh: u64,
) -> Option<Money> {
    const CREDIT: Money = Money::from_hundredths(99_999_999);
    let mut machine = Machine::<RATES>::prepaid(Limits::default());
    let _ = machine.purse_input(|purse| purse.initialise(CREDIT)).ok()?;
    let mut meter = Whole::around(machine);
    for &(table, at) in switches {
        meter.arm(table, at, start.plus(-1));
    }
    for step in 0..=steps {
        let total = u64::try_from(step).ok()? * wh;
        let to = start.plus(step * step_s);
        advance(&mut meter, p, (to.plus(-step_s), to), total, |_| ());
    }
    Some(CREDIT - meter.machine().purse().balance())
}

type Whole = Meter<1, RATES, 0, 0>;

/// Advances to an instant by way of all that is due before it; energy flows evenly.
fn advance(
    meter: &mut Whole,
    p: &Parameters<'_>,
    (from, to): (Moment, Moment),
    total_wh: u64,
    mut keep: impl FnMut(Kept<'_, 1, RATES, 0>),
) {
    let from_wh = meter.channel(0).map_or(0, |channel| channel.total / 10);
    while let Some(due_s) = meter.next_deadline(p).filter(|&due_s| due_s < to.utc_s) {
        let share = (total_wh - from_wh) * (due_s - from.utc_s).unsigned_abs()
            / (to.utc_s - from.utc_s).unsigned_abs();
        read(
            meter,
            p,
            from.plus(due_s - from.utc_s),
            from_wh + share,
            &mut keep,
        );
    }
    read(meter, p, to, total_wh, &mut keep);
}

fn read(
    meter: &mut Whole,
    p: &Parameters<'_>,
    at: Moment,
    total_wh: u64,
    keep: impl FnMut(Kept<'_, 1, RATES, 0>),
) {
    let reading = Reading {
        tenths: [total_wh * 10],
        watts: None,
    };
    let _ = meter.advance(p, Clock::good(at), &reading, keep);
}

pub fn price_sets(input: &Value) -> Option<Value> {
    let slots: Option<Vec<Slot>> = list(&input["day_table"])
        .iter()
        .map(|row| {
            Some(Slot {
                table: 1,
                start: minute(row[0].as_str()?)?,
                rate: u8::try_from(row[1].as_u64()?).ok()?,
            })
        })
        .collect();
    let (slots, current) = (slots?, prices(&input["current_prices"])?);
    let spare = prices(&input["spare_prices"])?;
    let tariff = Tariff::try_new(Calendar::try_new(ALL_YEAR, &slots).ok()?, &current).ok()?;
    let sets = Sets::try_new(tariff, ALL_YEAR, &slots, &spare, tariff.tiers()).ok()?;
    let switch = [(Table::Prices, moment(input["switch_at"].as_str()?)?)];
    let (start, minutes) = (
        moment(input["start"].as_str()?)?,
        input["minutes"].as_i64()?,
    );
    let wh = input["wh_per_minute"].as_u64()?;
    let paid = paid(&Parameters::of(sets), &switch, start, minutes, 60, wh)?;
    Some(json!({"exact_total": exact(paid), "total": cents(paid)}))
}

pub fn four_sets(input: &Value) -> Option<Value> {
    let (a, b) = (
        Tables::read(&input["set_a"])?,
        Tables::read(&input["set_b"])?,
    );
    let (prices_a, prices_b) = (prices(&input["prices_a"])?, prices(&input["prices_b"])?);
    let tiers = |key: &str| tier_list(&input[key]["bounds"], &input[key]["adders"]);
    let (tiers_a, tiers_b) = (tiers("tiers_a")?, tiers("tiers_b")?);
    let first = Tariff::try_new(a.calendar()?, &prices_a)
        .and_then(|tariff| tariff.with_tiers(&tiers_a, MONTHLY))
        .ok()?;
    let sets = Sets::try_new(first, &b.zones, &b.slots, &prices_b, &tiers_b).ok()?;
    let names = ["zones", "tables", "prices", "tiers"];
    let switches = Table::ALL
        .into_iter()
        .zip(names)
        .filter_map(|(table, name)| {
            let key = format!("switch_{name}");
            Some((table, moment(input[key.as_str()].as_str()?)?))
        });
    let switches: Vec<(Table, Moment)> = switches.collect();
    let (start, hours) = (moment(input["start"].as_str()?)?, input["hours"].as_i64()?);
    let wh = input["wh_per_hour"].as_u64()?;
    let paid = paid(&Parameters::of(sets), &switches, start, hours, 3600, wh)?;
    Some(json!({"exact_total": exact(paid), "total": cents(paid)}))
}

/// The rows that the whole meter keeps: registers at each settlement, the periods are what lies between them.
pub fn settlement_days(input: &Value) -> Option<Value> {
    let tables = Tables::read(&input["calendar"])?;
    let free = [Price::default(); RATES];
    let tariff = Tariff::try_new(tables.calendar()?, &free).ok()?;
    let sets = Sets::try_new(tariff, &tables.zones, &tables.slots, &free, tariff.tiers()).ok()?;
    let days = list(&input["settlement_days"]);
    let days = [0, 1, 2].map(|place| days.get(place).and_then(settlement_day));
    let p = Parameters {
        settlement: SettlementDays(days),
        ..Parameters::of(sets)
    };
    let mut meter = Whole::around(Machine::new());
    let (start, wh) = (
        moment(input["start"].as_str()?)?,
        input["wh_per_hour"].as_u64()?,
    );
    let (mut rows, mut before) = (Vec::new(), (start, [0; RATES]));
    for hour in 0..=input["hours"].as_i64()? {
        let (to, total) = (start.plus(hour * 3600), u64::try_from(hour).ok()? * wh);
        advance(&mut meter, &p, (to.plus(-3600), to), total, |kept| {
            if kept.kind == Kind::Settlement {
                let registers = kept.snapshot.channels[0].by_rate;
                rows.push((before.0, kept.snapshot.at, before.1, registers));
                before = (kept.snapshot.at, registers);
            }
        });
    }
    let newest = rows.iter().rev().take(KEPT).map(|(from, to, before, after)| {
        let used = before.iter().zip(after).map(|(before, after)| (after - before) / 10);
        let by_rate: Map<String, Value> = (1..)
            .zip(used.clone())
            .filter(|&(_, wh)| wh > 0)
            .map(|(rate, wh): (u8, u64)| (rate.to_string(), json!(kwh(wh))))
            .collect();
        json!({
            "from": stamp(*from), "to": stamp(*to), "kwh_by_rate": by_rate, "kwh_total": kwh(used.sum()),
        })
    });
    Some(json!({"settlements_seen": rows.len(), "kept_newest_first": newest.collect::<Vec<_>>()}))
}

/// Monthly tiers; every period begins its total anew.
pub fn register(input: &Value) -> Option<Value> {
    let modulus = Modulus::new(wh(&input["register_modulus_kwh"])?)?;
    let tiers = tier_list(
        &json!(["240", "400"]),
        &json!(["0.4883", "0.5383", "0.7883"]),
    )?;
    let tariff = tiers_alone(&tiers, MONTHLY)?;
    let mut periods = Vec::new();
    for pair in list(&input["readings"]).windows(2) {
        let used = modulus.used(wh(&pair[0]["kwh"])?, wh(&pair[1]["kwh"])?)?;
        let mut bill = Biller::new(tariff, TierTotal::default());
        let interval = Interval {
            start: moment(pair[0]["at"].as_str()?)?,
            seconds: 3600,
            wh: used,
        };
        bill.price(interval, |_, _| ()).ok()?;
        periods.push(json!({
            "from": pair[0]["at"], "to": pair[1]["at"], "kwh": fixed(i64::try_from(used / 10).ok()?, 2),
            "exact": exact(bill.amount()), "amount": cents(bill.amount()),
        }));
    }
    Some(json!({"periods": periods}))
}

/// Rate sums of hourly energy: (energy, exact cost) of each rate from 1.
fn by_rate(
    tariff: Tariff<'_>,
    series: impl Iterator<Item = Option<(Moment, u64)>>,
) -> Option<[(u64, Money); 4]> {
    let mut bill = Biller::new(tariff, TierTotal::default());
    let mut sums = [(0, Money::ZERO); 4];
    for step in series {
        let (start, wh) = step?;
        let interval = Interval {
            start,
            seconds: 3600,
            wh,
        };
        bill.price(interval, |_, line| {
            if let Some(sum) = sums.get_mut(usize::from(line.rate) - 1) {
                *sum = (sum.0 + line.wh, sum.1 + line.amount);
            }
        })
        .ok()?;
    }
    Some(sums)
}

fn holidays(input: &Value, table: u8) -> Option<Vec<Holiday>> {
    let day = |day: &Value| {
        let date = moment(&format!("{}T00:00", day.as_str()?))?.date();
        Some(Holiday { date, table })
    };
    list(&input["holidays"]).iter().map(day).collect()
}

fn slot(table: u8, hour: u16, rate: u8) -> Slot {
    Slot {
        table,
        start: hour * 60,
        rate,
    }
}

pub fn weekday_holiday(input: &Value) -> Option<Value> {
    let hour = |place: usize| u16::try_from(input["peak_hours"][place].as_u64()?).ok();
    let slots = [
        slot(1, 0, 2),
        slot(1, hour(0)?, 1),
        slot(1, hour(1)?, 2),
        slot(2, 0, 2),
    ];
    let holidays = holidays(input, 2)?;
    let calendar = Calendar::try_new(ALL_YEAR, &slots)
        .and_then(|calendar| calendar.with_rest_days(0b011_1110, 2))
        .and_then(|calendar| calendar.with_holidays(&holidays))
        .ok()?;
    // Prices of five places are none of a meter's: its energies by rate are compared then.
    let prices = [price(&input["peak_price"]), price(&input["offpeak_price"])];
    let fits = prices.iter().all(Option::is_some);
    let prices = prices.map(Option::unwrap_or_default);
    let tariff = Tariff::try_new(calendar, &prices).ok()?;
    let day = |key: &str| moment(&format!("{}T00:00", input[key].as_str()?));
    let (first, last) = (day("first_day")?, day("last_day")?);
    let profile = list(&input["hourly_wh_profile"]);
    let hours = (last.utc_s - first.utc_s) / 3600 + 24;
    let series = (0..hours).map(|hour| {
        let wh = profile.get(hour as usize % 24)?.as_u64()?;
        Some((first.plus(hour * 3600), wh))
    });
    let [peak, off, ..] = by_rate(tariff, series)?;
    let mut given = json!({"peak_kwh": kwh(peak.0), "offpeak_kwh": kwh(off.0)});
    if fits {
        given["peak_amount"] = json!(cents(peak.1));
        given["offpeak_amount"] = json!(cents(off.1));
        given["total"] = json!(cents(rounded(peak.1) + rounded(off.1)));
    }
    Some(given)
}

/// The meter is told the offset with the time.
pub fn clock_change(input: &Value) -> Option<Value> {
    let (mid, on) = match input["season"].as_str()? {
        "winter" => (2, 3),
        _ => (3, 2),
    };
    let slots = [
        slot(1, 0, 1),
        slot(1, 7, on),
        slot(1, 11, mid),
        slot(1, 17, on),
        slot(1, 19, 1),
        slot(2, 0, 1),
    ];
    let holidays = holidays(input, 2)?;
    let calendar = Calendar::try_new(ALL_YEAR, &slots)
        .and_then(|calendar| calendar.with_rest_days(0b011_1110, 2))
        .and_then(|calendar| calendar.with_holidays(&holidays))
        .ok()?;
    let prices = [760, 1220, 1580].map(Price::from_ten_thousandths);
    let tariff = Tariff::try_new(calendar, &prices).ok()?;
    let utc = |text: &str| Some(moment(text)?.utc_s + 28_800);
    let changes: Option<Vec<(i64, i32)>> = list(&input["utc_offsets"])
        .iter()
        .map(|row| {
            let hours = i32::try_from(row["hours"].as_i64()?).ok()?;
            Some((utc(row["from_utc"].as_str()?)?, hours * 3600))
        })
        .collect();
    let (changes, start_s) = (changes?, utc(input["start_utc"].as_str()?)?);
    let profile = list(&input["local_hour_wh_profile"]);
    let series = (0..input["hours"].as_i64()?).map(|hour| {
        let utc_s = start_s + hour * 3600;
        let offset_s = changes.iter().rev().find(|(from_s, _)| *from_s <= utc_s)?.1;
        let at = Moment { utc_s, offset_s };
        let wh = profile
            .get(usize::from(at.minute_of_day() / 60))?
            .as_u64()?;
        Some((at, wh))
    });
    let sums = by_rate(tariff, series)?;
    let (mut energy, mut amounts, mut total) = (Map::new(), Map::new(), Money::ZERO);
    for (name, (wh, amount)) in ["off", "mid", "on"].into_iter().zip(sums) {
        if wh > 0 {
            energy.insert(name.to_owned(), json!(kwh(wh)));
            amounts.insert(name.to_owned(), json!(cents(amount)));
            total = total + rounded(amount);
        }
    }
    Some(json!({"kwh": energy, "amounts": amounts, "total": cents(total)}))
}

/// The energy bought; selling is a price below zero, which a meter does not have.
pub fn two_bills(input: &Value) -> Option<Value> {
    let tiers = tier_list(&input["bounds_kwh"], &input["prices"])?;
    let yearly = Reset::Yearly {
        month: 1,
        day: 1,
        hour: 0,
    };
    let mut bill = Biller::new(tiers_alone(&tiers, yearly)?, TierTotal::default());
    let (mut months, mut before) = (Vec::new(), Money::ZERO);
    let mut year = Money::ZERO;
    for (month, row) in (1..=12).zip(list(&input["months_import_export_kwh"])) {
        let interval = Interval {
            start: moment(&format!("2024-{month:02}-01T00:00"))?,
            seconds: 3600,
            wh: wh(&row[0])?,
        };
        bill.price(interval, |_, _| ()).ok()?;
        let buy = rounded(bill.amount() - before);
        (before, year) = (bill.amount(), year + buy);
        months.push(json!({"month": month, "buy": cents(buy)}));
    }
    Some(json!({"months": months, "year_buy": cents(year)}))
}

/// Energy and tiers as the meter splits them, each line in whole dong.
pub fn integer_currency(input: &Value) -> Option<Value> {
    let texts = |value: &Value| -> Vec<Value> {
        let row = list(value).iter();
        row.map(|item| {
            json!(
                item.as_str()
                    .map_or_else(|| item.to_string(), str::to_owned)
            )
        })
        .collect()
    };
    let bounds = json!(texts(&input["bounds_kwh"]));
    let tiers = tier_list(&bounds, &input["prices"])?;
    let tariff = tiers_alone(&tiers, MONTHLY)?;
    let mut rows = Vec::new();
    for energy in list(&input["kwh"]) {
        let mut bill = Biller::new(tariff, TierTotal::default());
        let (mut lines, mut subtotal) = (Vec::new(), 0);
        let interval = Interval {
            start: moment("2024-01-01T00:00")?,
            seconds: 3600,
            wh: wh(energy)?,
        };
        bill.price(interval, |_, line| {
            let amount = line.amount.rounded(0, Rounding::HalfUp);
            subtotal += amount;
            lines.push(
                json!({"tier": line.tier, "kwh": kwh(line.wh), "amount": amount.to_string()}),
            );
        })
        .ok()?;
        let vat = Rounding::HalfUp.divide(subtotal.checked_mul(scaled(&input["vat"], 4)?)?, 10_000);
        rows.push(json!({
            "kwh": energy, "lines": lines, "subtotal": short(subtotal, 0), "vat": short(vat, 0),
            "total": short(subtotal + vat, 0),
        }));
    }
    Some(json!({"rows": rows}))
}
