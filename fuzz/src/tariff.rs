//! Tariffs: charging tariffs as text, tables, stored states, orders of fee control, tokens, ledgers.

use std::fmt::Write;

use tariff::bill::{Biller, Interval};
use tariff::calendar::{Holiday, Slot, Zone};
use tariff::charging::ocpi::{self, Kind, Period, Session};
use tariff::civil::{Date, Moment};
use tariff::ledger::{Account, Ledger, Operation, Outcome, Posted};
use tariff::meter::Meter;
use tariff::profile::Small;
use tariff::purse::{Answer, Limits, Recharge};
use tariff::remote::Command;
use tariff::sts::SpentTids;
use tariff::sts::Token;
use tariff::sts::sta::{Sta, Tables};
use tariff::tier::{Reset, Tier, TierTotal};
use tariff::{Decimal, Machine, Money, Price, Tariff, stored};

use crate::input::Input;

fn wide(input: &mut Input<'_>) -> u64 {
    u64::from(input.word()) << 32 | u64::from(input.word())
}

/// A time of this century, now and then any.
fn instant(input: &mut Input<'_>) -> Moment {
    let utc_s = match input.byte() {
        0 => wide(input) as i64,
        _ => i64::from(input.word()),
    };
    let offset_s = match input.byte() {
        0 => input.word() as i32,
        hours => (i32::from(hours) % 27 - 12) * 3600,
    };
    Moment { utc_s, offset_s }
}

/// A tariff of the Open Charge Point Interface as text, and a session: without limits of price the lines add up to
/// the total, and no line bills less than nothing at a price that is not below zero.
pub fn ocpi(bytes: &[u8]) {
    let mut input = Input { bytes };
    let mut periods = Vec::new();
    for _ in 0..input.byte() % 6 {
        let kind = match input.byte() % 3 {
            0 => Kind::Charging,
            1 => Kind::Parked,
            _ => Kind::Reserved(ocpi::Reservation::Used),
        };
        // Two days at most: every second of a longer one may be a piece of its own.
        let seconds = input.word() % 172_800;
        let mwh = u64::from(input.word()) * u64::from(input.byte());
        let mut period = Period::new(kind, seconds, 0);
        period.mwh = mwh;
        period.current_ma = (input.byte() & 1 == 0).then(|| u64::from(input.word()));
        periods.push(period);
    }
    let start = instant(&mut input);
    let Ok(text) = std::str::from_utf8(input.bytes) else {
        return;
    };
    let Ok(tariff) = ocpi::Tariff::from_json(text) else {
        return;
    };
    if tariff.elements.len() > 32 {
        return;
    }
    let Some(cost) = tariff.price(&Session { start, periods }) else {
        return;
    };
    let lines = cost.lines.iter().map(|line| line.excluding_vat);
    let sum = lines.clone().try_fold(Decimal::ZERO, Decimal::checked_add);
    let limits = (tariff.min_price, tariff.max_price);
    if limits == Default::default() {
        assert_eq!(sum, Some(cost.excluding_vat));
    }
    for line in &cost.lines {
        assert!(!line.billed.is_negative());
        assert!(line.component.price.is_negative() || !line.excluding_vat.is_negative());
    }
}

/// Tables as a line or a file brings them: what passes the checks has a rate for every instant, a next change that
/// lies ahead, and prices energy so that none is lost and a split inside a slot changes nothing.
pub fn tables(bytes: &[u8]) {
    let mut input = Input { bytes };
    let mut plan = Small::new();
    for _ in 0..input.byte() % 4 {
        let zone = Zone {
            start: input.word() as u16 % 1300,
            table: input.byte() % 4,
        };
        let _ = plan.zones.push(zone);
    }
    for _ in 0..input.byte() % 17 {
        let slot = Slot {
            table: input.byte() % 4,
            start: input.word() as u16 % 1500,
            rate: input.byte() % 6,
        };
        let _ = plan.slots.push(slot);
    }
    for _ in 0..input.byte() % 9 {
        let date = Date::from_days(i64::from(input.word() as i16) + 20_000);
        let table = input.byte() % 4;
        let _ = plan.holidays.push(Holiday { date, table });
    }
    (plan.work_days, plan.rest_table) = (input.byte(), input.byte() % 4);
    for _ in 0..input.byte() % 6 {
        let _ = plan.prices.push(Price::from_ten_thousandths(input.word()));
    }
    for _ in 0..input.byte() % 4 {
        let up_to_wh = if input.byte() & 1 == 0 {
            u64::MAX
        } else {
            u64::from(input.word())
        };
        let price = Price::from_ten_thousandths(input.word());
        let _ = plan.tiers.push(Tier { up_to_wh, price });
    }
    let (day, hour) = (input.byte() % 32, input.byte() % 26);
    plan.reset = match input.byte() & 1 {
        0 => Reset::Monthly { day, hour },
        _ => Reset::Yearly {
            month: input.byte() % 14,
            day,
            hour,
        },
    };
    let Ok(tariff) = plan.tariff() else {
        return;
    };
    let at = instant(&mut input);
    let rate = tariff.calendar().rate(at);
    assert!((1..=tariff.calendar().highest_rate()).contains(&rate));
    let next = tariff.next_change(at);
    assert!(next.utc_s > at.utc_s || at.utc_s == i64::MAX);
    assert!(next.utc_s.saturating_sub(at.utc_s) <= 86_400);
    let start = Moment {
        utc_s: i64::from(input.word()),
        ..at
    };
    price(&tariff, start, &mut input);
}

fn price(tariff: &Tariff<'_>, start: Moment, input: &mut Input<'_>) {
    let total = TierTotal {
        wh: u64::from(input.word()),
        period: None,
    };
    let (seconds, wh) = (
        1 + i64::from(input.word() % 200_000),
        u64::from(input.word()),
    );
    let mut whole = Biller::new(*tariff, total);
    let mut sum = 0;
    let priced = whole.price(Interval { start, seconds, wh }, |_, line| sum += line.wh);
    assert!(priced.is_ok() && sum == wh && whole.wh() == wh);
    let inside = tariff.next_change(start).utc_s - start.utc_s;
    if seconds > inside.min(seconds - 1) && seconds > 1 && seconds <= inside {
        let (cut_s, cut_wh) = (1 + i64::from(input.word()) % (seconds - 1), wh / 3);
        let mut parts = Biller::new(*tariff, total);
        let first = Interval {
            start,
            seconds: cut_s,
            wh: cut_wh,
        };
        let rest = Interval {
            start: start.plus(cut_s),
            seconds: seconds - cut_s,
            wh: wh - cut_wh,
        };
        let both = parts
            .price(first, |_, _| ())
            .and(parts.price(rest, |_, _| ()));
        assert_eq!(both, Ok(()));
        assert_eq!(parts.tiers(), whole.tiers());
        // Sums that do not fit stay at their end.
        if whole.amount() < Money::from_ten_millionths(i64::MAX) {
            assert_eq!(parts.amount(), whole.amount());
        }
    }
}

/// Stored bytes of any layout and shape: a state of the present layout is written and read again as the same; one of
/// the first, whose purchases may contradict its sums, after it was written once.
pub fn meter_state(bytes: &[u8]) {
    fn alone<const R: usize>(bytes: &[u8]) {
        let again = |machine: &Machine<R>, sequence| {
            let mut out = [0; 2048];
            let len = stored::encode(machine, sequence, &mut out).expect("what was read fits");
            assert!(len <= stored::longest(R));
            stored::decode::<R>(&out[..len]).expect("what was written is read")
        };
        if let Ok((sequence, machine)) = stored::decode::<R>(bytes) {
            let once = again(&machine, sequence);
            assert!(bytes[0] == 1 || once == (sequence, machine));
            assert_eq!(again(&once.1, sequence), once);
        }
    }
    fn whole<const C: usize, const R: usize, const D: usize, const S: usize>(bytes: &[u8]) {
        let again = |meter: &Meter<C, R, D, S>, sequence| {
            let mut out = [0; 4096];
            let len = stored::encode_meter(meter, sequence, &mut out).expect("what was read fits");
            assert!(len <= stored::longest_meter(C, R, D));
            stored::decode_meter::<C, R, D, S>(&out[..len]).expect("what was written is read")
        };
        if let Ok((sequence, meter)) = stored::decode_meter::<C, R, D, S>(bytes) {
            let once = again(&meter, sequence);
            assert!(bytes[0] == 1 || once == (sequence, meter));
            assert_eq!(again(&once.1, sequence), once);
        }
    }
    // A reader of stored bytes sees what the check value lets through: the bytes with the right one as well.
    let mut sealed = bytes.to_vec();
    if let Some(at) = sealed.len().checked_sub(4) {
        let crc = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(&sealed[..at]);
        sealed[at..].copy_from_slice(&crc.to_le_bytes());
    }
    for bytes in [bytes, &sealed] {
        alone::<2>(bytes);
        alone::<4>(bytes);
        whole::<1, 2, 0, 0>(bytes);
        whole::<2, 2, 2, 15>(bytes);
        let _ = stored::newest::<4>([bytes, &sealed]);
    }
}

/// Orders to a prepaid meter, any amounts and counts: a repeat changes nothing, a refusal changes nothing, the count
/// grows by one at a purchase and only then, an input closes or opens the relay at most once.
pub fn fee_control(bytes: &[u8]) {
    let mut input = Input { bytes };
    let amount = |input: &mut Input<'_>| match input.byte() % 4 {
        0 => Money::from_ten_millionths(wide(input) as i64),
        _ => Money::from_hundredths(i64::from(input.word() as i16)),
    };
    let limits = Limits {
        alarm_1: amount(&mut input).max(Money::ZERO),
        alarm_2: amount(&mut input).max(Money::ZERO),
        overdraft: amount(&mut input).max(Money::ZERO),
        hoard: amount(&mut input).max(Money::ZERO),
        close_allow: amount(&mut input).max(Money::ZERO),
    };
    let mut meter: Meter<1, 2, 0, 0> = Meter::around(Machine::prepaid(limits));
    while !input.bytes.is_empty() {
        let at = instant(&mut input);
        let before = meter.clone();
        let choice = input.byte() % 8;
        let done = match choice {
            0 | 1 => {
                let order = Recharge {
                    customer: [input.byte() % 2; 6],
                    count: before
                        .machine()
                        .purse()
                        .count()
                        .wrapping_add(u32::from(input.byte() % 3)),
                    amount: amount(&mut input),
                };
                let answer = meter.input(at, |_| (), |machine| machine.recharge(order, at.utc_s));
                if let Ok((Answer::Done(purchase, _), _)) = answer {
                    let booked = meter.clone();
                    let again =
                        meter.input(at, |_| (), |machine| machine.recharge(order, at.utc_s));
                    assert!(
                        matches!(again, Ok((Answer::AlreadyDone(same), _)) if same == purchase)
                    );
                    assert_eq!(meter, booked);
                    let count = before.machine().purse().count();
                    assert_eq!(purchase.count, count + 1);
                }
                matches!(answer, Ok((Answer::Done(..), _)))
            }
            2 => {
                let order = Recharge {
                    customer: [input.byte() % 2; 6],
                    count: before
                        .machine()
                        .purse()
                        .refunds()
                        .wrapping_add(u32::from(input.byte() % 3)),
                    amount: amount(&mut input),
                };
                let answer = meter.input(at, |_| (), |machine| machine.refund(order, at.utc_s));
                matches!(answer, Ok((Answer::Done(..), _)))
            }
            3 => {
                let customer = [input.byte() % 2; 6];
                meter.input(at, |_| (), |machine| machine.open_account(customer).is_ok())
            }
            4 => meter.input(at, |_| (), |machine| machine.close_account().is_ok()),
            5 => {
                let command = match input.byte() % 6 {
                    0 => Command::Trip {
                        delay_s: input.word(),
                    },
                    1 => Command::TripFor {
                        open_s: input.word(),
                        by_key: input.byte() & 1 == 0,
                    },
                    2 => Command::AllowClose,
                    3 => Command::Close,
                    4 => Command::KeepPower,
                    _ => Command::KeepPowerOff,
                };
                meter.input(
                    at,
                    |_| (),
                    |machine| machine.command(command, at.utc_s).is_ok(),
                )
            }
            6 => {
                let initial = amount(&mut input);
                let local = input.byte() & 1 == 0;
                meter.input(
                    at,
                    |_| (),
                    |machine| match local {
                        true => machine.to_local(initial).is_ok(),
                        false => machine.to_remote().is_ok(),
                    },
                )
            }
            _ => {
                meter.input(
                    at,
                    |_| (),
                    |machine| {
                        let _ = machine.key();
                    },
                );
                true
            }
        };
        assert!(
            done || meter == before,
            "input {choice} was refused and changed something"
        );
        let bought = meter.machine().purse().count() > before.machine().purse().count();
        assert!(!bought || choice < 2);
    }
}

/// Tokens as typed under tables and a key: what decodes encodes to the same token, its digits read back; a list of
/// spent tokens takes each once and survives its stored form.
pub fn token(bytes: &[u8]) {
    let mut input = Input { bytes };
    let mut nibbles: [[u8; 16]; 2] = [std::array::from_fn(|n| n as u8); 2];
    let mut places: [u8; 64] = std::array::from_fn(|n| n as u8);
    for _ in 0..8 {
        let swap = input.byte();
        nibbles[usize::from(swap & 1)].swap(usize::from(swap >> 4), usize::from(swap >> 1 & 7));
        places.swap(usize::from(swap & 63), usize::from(input.byte() & 63));
    }
    let tables = Tables::try_new(nibbles, places).expect("swaps keep every place");
    let key = wide(&mut input);
    let cipher = Sta::new(&tables, key);
    let mut spent = SpentTids::<5>::decode(input.bytes).unwrap_or_default();
    let bits = u128::from(wide(&mut input)) | u128::from(input.byte() & 3) << 64;
    let mut text = String::new();
    let _ = write!(text, "{bits:020}");
    let digits = std::str::from_utf8(input.bytes).unwrap_or_default();
    for typed in [text.as_str(), digits] {
        let Ok(token) = Token::from_digits(typed) else {
            continue;
        };
        assert_eq!(Token::from_digits(&token.digits()), Ok(token));
        if let Ok(contents) = token.decode(&cipher) {
            assert_eq!(Token::encode(&contents, &cipher), Ok(token));
            if let tariff::sts::Contents::Credit(credit) = contents
                && spent.spend(credit.tid, 255).is_ok()
            {
                assert!(
                    spent.spend(credit.tid, 255).is_err(),
                    "a token is spent once"
                );
            }
        }
    }
    let mut kept = [0; SpentTids::<5>::ENCODED_LEN];
    assert!(spent.encode(&mut kept).is_some());
    assert_eq!(SpentTids::decode(&kept), Some(spent));
}

/// Operations on a ledger, as calls and as stored text: sums are zero, a refusal and a repeat change nothing, what was
/// posted replays to the same ledger.
pub fn ledger(bytes: &[u8]) {
    if let Ok(posted) = serde_json::from_slice::<Vec<Posted>>(bytes)
        && let Ok(ledger) = Ledger::replay(posted)
    {
        check(&ledger);
    }
    let mut input = Input { bytes };
    let mut ledger = Ledger::new();
    while !input.bytes.is_empty() {
        let who = |input: &mut Input<'_>| char::from(b'A' + input.byte() % 2).to_string();
        let other = |input: &mut Input<'_>| (input.byte() % 8).to_string();
        let amount = match input.byte() % 4 {
            0 => wide(&mut input) as i64,
            _ => i64::from(input.word() as i16),
        };
        let operation = match input.byte() % 9 {
            0 => Operation::Sell {
                customer: who(&mut input),
                amount,
            },
            1 => Operation::Deliver {
                sale: other(&mut input),
            },
            2 => Operation::Consume {
                customer: who(&mut input),
                parts: vec![
                    ("energy".into(), amount),
                    ("tax".into(), i64::from(input.byte())),
                ],
            },
            3 => Operation::Return {
                sale: other(&mut input),
            },
            4 => Operation::Correct {
                customer: who(&mut input),
                amount,
                reason: String::new(),
            },
            5 => Operation::Hold {
                customer: who(&mut input),
                amount,
                expires_s: i64::from(input.byte()),
            },
            6 => Operation::Capture {
                hold: other(&mut input),
                amount,
            },
            7 => Operation::Release {
                hold: other(&mut input),
            },
            _ => Operation::WriteOff {
                account: Account::Meter(who(&mut input)),
                amount,
            },
        };
        let id = other(&mut input);
        let before = ledger.posted().len();
        match ledger.post(&id, &operation) {
            Ok(Outcome::Booked) => {
                assert_eq!(ledger.post(&id, &operation), Ok(Outcome::Exists));
                assert_eq!(ledger.posted().len(), before + 1);
            }
            _ => assert_eq!(ledger.posted().len(), before),
        }
        if input.byte() == 0 {
            ledger.expire(i64::from(input.byte()));
        }
    }
    check(&ledger);
    assert_eq!(Ledger::replay(ledger.posted().to_vec()), Ok(ledger));
}

fn check(ledger: &Ledger) {
    let sum: i128 = ledger
        .balances()
        .map(|(_, balance)| i128::from(balance))
        .sum();
    assert_eq!(sum, 0);
    for entry in ledger.posted().iter().flat_map(|posted| &posted.entries) {
        assert!(entry.amount > 0);
    }
}
