//! Purse, charging, water, gas and heat, tokens, ledger.

use std::fmt::Write;

use tariff::calendar::{Calendar, Slot};
use tariff::charging::{ebike, ocpi, pile};
use tariff::civil::Date;
use tariff::cloud::{Conversion, Tiers, split_at_reset};
use tariff::ledger::{Account, Ledger, Operation};
use tariff::purse::{Answer, Limits, Recharge};
use tariff::sts::Token;
use tariff::sts::sta::{Sta, Tables};
use tariff::{Decimal, Machine, Money, Price, Rounding, Tariff};

use super::{CUSTOMER, ZONES, at, d, stands};

#[test]
fn a_purse() {
    let slots = [Slot {
        table: 1,
        start: 0,
        rate: 1,
    }];
    let prices = [Price::from_ten_thousandths(5000)];
    let tariff = Tariff::try_new(Calendar::try_new(&ZONES, &slots).unwrap(), &prices).unwrap();
    let limits = Limits {
        alarm_1: Money::from_hundredths(2000),
        alarm_2: Money::from_hundredths(1000),
        overdraft: Money::from_hundredths(500),
        hoard: Money::from_hundredths(50_000),
        close_allow: Money::from_hundredths(200),
    };
    let mut machine = Machine::<1>::prepaid(limits);
    let (mut now, mut total, mut text) = (at(2026, 5, 1, 0), 0, String::new());
    let _ = machine.advance(&tariff, now, total, |_| ());
    let _ = machine.open_account(CUSTOMER).unwrap();
    let mut show = |what: String, machine: &Machine<1>| {
        let purse = machine.purse();
        let relay = if machine.wants_open() {
            "open"
        } else {
            "closed"
        };
        let balance = Decimal::try_new(purse.balance().ten_millionths().into(), 7).unwrap();
        writeln!(
            text,
            "{what:<16} balance {:>6}  cause {:<7} relay {relay}",
            balance.fixed(2).to_string(),
            format!("{:?}", purse.cause())
        )
        .unwrap();
    };
    let mut bought = 0;
    for step in [
        "+30", "41 kWh", "key", "19 kWh", "key", "10 kWh", "+6.50", "+1",
    ] {
        if let Some(amount) = step.strip_prefix('+') {
            bought += 1;
            let amount = d(amount).in_units(2).unwrap() as i64;
            let order = Recharge {
                customer: CUSTOMER,
                count: bought,
                amount: Money::from_hundredths(amount),
            };
            assert!(matches!(
                machine.recharge(order, now.utc_s),
                Ok((Answer::Done(..), _))
            ));
        } else if let Some(kilowatt_hours) = step.strip_suffix(" kWh") {
            (now, total) = (
                now.plus(3600),
                total + kilowatt_hours.parse::<u64>().unwrap() * 1000,
            );
            let _ = machine.advance(&tariff, now, total, |_| ());
        } else {
            let _ = machine.key();
        }
        show(step.to_owned(), &machine);
    }
    stands(
        "Price 0.50, alarms 20 and 10, overdraft 5, close-allow 2",
        &text,
    );
}

#[test]
fn a_car_a_bicycle_and_a_roaming_session() {
    let mut segments = [3; 48];
    segments[16..44].fill(1);
    let mut model =
        pile::Model::try_new(7, segments, [0, 120_000, 0, 40_000], [0, 40_000, 0, 40_000]).unwrap();
    model.loss = 250;
    let limits = pile::Limits {
        hold: Some(1500),
        ..Default::default()
    };
    let start = at(2026, 7, 15, 21 * 60 + 30);
    let mut session = pile::Session::start(model, limits, start);
    let mut minutes = 0;
    while session.minute(start.plus(minutes * 60), 200) == Ok(pile::Step::Delivered) {
        minutes += 1;
    }
    let mut text = String::new();
    for (name, line) in ["sharp", "peak", "flat", "valley"]
        .into_iter()
        .zip(session.lines())
    {
        if line.wh > 0 {
            writeln!(
                text,
                "car, {name:<7} {} kWh, with loss {}, at {} = {}",
                Decimal::from_wh(line.wh),
                Decimal::try_new(line.tenths_with_loss.into(), 4).unwrap(),
                Decimal::try_new(line.unit_price.into(), 5).unwrap(),
                Decimal::try_new(line.amount.into(), 4).unwrap()
            )
            .unwrap();
        }
    }
    let settled = session.settlement();
    writeln!(
        text,
        "car, after {minutes} minutes: {:?}; charged {}, of the hold of 15 back {}",
        session.ended().unwrap().1,
        Decimal::try_new(settled.charged.into(), 2).unwrap(),
        Decimal::try_new(settled.refund.into(), 2).unwrap()
    )
    .unwrap();

    let brackets = [(200, 60), (400, 90), (u32::MAX, 130)];
    let brackets = brackets.map(|(up_to_w, per_hour)| ebike::Bracket { up_to_w, per_hour });
    let mut tariff = ebike::Tariff::try_new(&brackets, ebike::By::Highest).unwrap();
    (tariff.minimum, tariff.full_w, tariff.full_minutes) = (30, 10, 5);
    let mut session = ebike::Session::start(tariff, 200);
    for minute in 0..180 {
        let watts = if minute < 70 { 180 + minute } else { 5 };
        if session.minute(watts, false).is_some() {
            break;
        }
    }
    let settled = session.settlement();
    writeln!(
        text,
        "e-bike, {} minutes, {:?}: bracket {}, charged {}, back {}",
        settled.minutes,
        session.stopped().unwrap(),
        settled.bracket,
        Decimal::try_new(settled.charged.into(), 2).unwrap(),
        Decimal::try_new(settled.refund.into(), 2).unwrap()
    )
    .unwrap();

    let tariff = ocpi::Tariff::from_json(
        r#"{ "currency": "EUR", "elements": [
            { "price_components": [ { "type": "FLAT", "price": 0.50, "vat": 20, "step_size": 1 },
                                    { "type": "ENERGY", "price": 0.25, "vat": 10, "step_size": 1 },
                                    { "type": "PARKING_TIME", "price": 2.00, "vat": 20, "step_size": 900 } ] } ] }"#,
    )
    .unwrap();
    let periods = vec![
        ocpi::Period::new(ocpi::Kind::Charging, 7200, 20_000),
        ocpi::Period::new(ocpi::Kind::Parked, 2400, 0),
    ];
    let cost = tariff.price(&ocpi::Session { start, periods }).unwrap();
    for line in &cost.lines {
        let name = format!("{:?}", line.component.dimension);
        writeln!(
            text,
            "OCPI, {name:<11} billed {:>5}  {} without, {} with tax",
            line.billed.to_string(),
            line.excluding_vat,
            line.including_vat.shortened()
        )
        .unwrap();
    }
    writeln!(
        text,
        "OCPI, total       {} without, {} with tax",
        cost.excluding_vat,
        cost.including_vat.shortened()
    )
    .unwrap();
    stands(
        "A car with a hold of 15, a bicycle that paid 2, a session of a roaming partner",
        &text,
    );
}

#[test]
fn water_gas_and_heat() {
    let mut text = String::new();
    let tiers = Tiers::try_new(vec![180_000, 260_000], ["5", "7", "9"].map(d).to_vec()).unwrap();
    let tiers = tiers.for_people(7, 5, 30_000);
    let date = |month, day, year| Date::try_new(year, month, day).unwrap();
    let split =
        split_at_reset(date(11, 20, 2025), date(1, 19, 2026), 42_300, 1000, (1, 1)).unwrap();
    for (year, total, litres) in [(2025, 230_000, split.before), (2026, 0, split.after)] {
        for part in tiers.parts(total, litres).unwrap() {
            writeln!(
                text,
                "water {year}, tier {}: {} m3 at {} = {}",
                part.tier,
                Decimal::from_wh(part.quantity).shortened(),
                part.price,
                part.exact.fixed(2)
            )
            .unwrap();
        }
    }
    let gas = Conversion::new([d("0.9523"), d("11.314")], 2, Rounding::HalfUp)
        .convert(d("131"))
        .unwrap();
    writeln!(text, "gas: 131 m3 x 0.9523 x 11.314 kWh/m3 = {gas} kWh").unwrap();
    let heat = Conversion::new([d("1000")], 3, Rounding::HalfUp)
        .divided_by(d("3.6"))
        .convert(d("12.5"))
        .unwrap();
    writeln!(text, "heat: 12.5 GJ = {heat} kWh").unwrap();
    stands(
        "42.3 m3 of water over the new year in a house of seven, gas and heat by energy",
        &text,
    );
}

#[test]
fn a_token() {
    // The sample tables that the standard prints; meters in the field use others.
    const FIRST: [u8; 16] = [12, 10, 8, 4, 3, 15, 0, 2, 14, 1, 5, 13, 6, 9, 7, 11];
    const SECOND: [u8; 16] = [6, 9, 7, 4, 3, 10, 12, 14, 2, 13, 1, 15, 0, 11, 8, 5];
    const PLACES: [u8; 64] = [
        29, 27, 34, 9, 16, 62, 55, 2, 40, 49, 38, 25, 33, 61, 30, 23, 1, 41, 21, 57, 42, 15, 5, 58,
        19, 53, 22, 17, 48, 28, 24, 39, 3, 60, 36, 14, 11, 52, 54, 12, 31, 51, 10, 26, 0, 45, 37,
        43, 44, 6, 59, 4, 7, 35, 56, 50, 13, 18, 32, 47, 46, 63, 20, 8,
    ];
    let tables = Tables::try_new([FIRST, SECOND], PLACES).unwrap();
    let cipher = Sta::new(&tables, 0x0ABC_12DE_F345_6789);
    let token = Token::from_digits("5104 3465 4434 2085 6213").unwrap();
    let Ok(tariff::sts::Contents::Credit(credit)) = token.decode(&cipher) else {
        panic!("the published token is a credit");
    };
    assert_eq!(
        Token::encode(&tariff::sts::Contents::Credit(credit), &cipher),
        Ok(token)
    );
    let text = format!(
        "5104 3465 4434 2085 6213 under key 0ABC12DEF3456789: credit of kind {}, random {}, minute {}, {} tenths\n",
        credit.subclass,
        credit.random,
        credit.tid.minutes(),
        credit.amount.amount()
    );
    stands("The published example of IEC 62055-41", &text);
}

#[test]
fn a_ledger() {
    let mut ledger = Ledger::new();
    let sell = |amount| Operation::Sell {
        customer: "A".into(),
        amount,
    };
    let mut text = String::new();
    let steps = [
        ("s1", sell(5000)),
        ("s1", sell(5000)),
        ("s1", sell(6000)),
        ("d1", Operation::Deliver { sale: "s1".into() }),
        (
            "c1",
            Operation::Consume {
                customer: "A".into(),
                parts: vec![("energy".into(), 1200), ("tax".into(), 156)],
            },
        ),
        ("r1", Operation::Return { sale: "s1".into() }),
    ];
    for (id, operation) in steps {
        let outcome = match ledger.post(id, &operation) {
            Ok(outcome) => format!("{outcome:?}"),
            Err(refusal) => format!("refused: {refusal}"),
        };
        let meter = ledger.balance(&Account::Meter("A".into()));
        writeln!(text, "{id}: {outcome}; meter A holds {}", -meter).unwrap();
    }
    assert_eq!(
        ledger.balances().map(|(_, balance)| balance).sum::<i64>(),
        0
    );
    stands(
        "A sale, told twice, then with another amount; delivered, used, returned",
        &text,
    );
}
