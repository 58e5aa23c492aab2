//! Fee control over the line, by this project's own master: sealed orders to the purse, the programmed change of mode,
//! friendly hours, standing charge, over-power trip, the trip that waits for the current, holidays and rest days.

mod bench;
mod world;

use bench::KeyService;
use dlt645::{Control, Err645, Order};
use meter::face::{FALLBACK_RATE, FRIENDLY_HOURS, INITIAL_CREDIT, OVER_POWER, STANDING};
use meter_proto::message::Status;
use security::gate::Refusal;
use security::key::Purpose;
use security::order::{Kind, Outcome};
use world::{PASSWORD, World, stamp};

/// Gives orders under rising numbers and tells how they ended.
struct Office {
    keys: KeyService,
    number: u64,
}

impl Office {
    fn order(&mut self, world: &mut World, kind: Kind, amount: u32, count: u32) -> Outcome {
        self.number += 1;
        let until = world.now_ms + 600_000;
        let order = self
            .keys
            .purse_order(kind, [amount, count], self.number, until);
        let result = world.command(&order);
        let ack = self
            .keys
            .open_ack(Purpose::Purse, &result.sealed.unwrap().envelope);
        assert_eq!((ack.kind, ack.number), (kind, self.number));
        assert_eq!(result.status == Status::DONE, ack.outcome == Outcome::Done);
        ack.outcome
    }
}

fn balance(world: &mut World) -> i32 {
    world.number(0x0090_0200)
}

#[test]
fn sealed_orders_refund_correct_close_and_change_the_mode() {
    let mut office = Office {
        keys: KeyService::new(),
        number: 0,
    };
    let mut world = World::new(&office.keys, stamp(6, 1, 9, 0));
    let mut order =
        |world: &mut World, kind, amount, count| office.order(world, kind, amount, count);
    let refused = Outcome::Refused;
    assert_eq!(
        order(&mut world, Kind::Refund, 1_000, 2),
        refused(Refusal::RechargeCount)
    );
    assert_eq!(
        order(&mut world, Kind::Refund, 50_001, 1),
        refused(Refusal::Amount)
    );
    assert_eq!(order(&mut world, Kind::Refund, 1_000, 1), Outcome::Done);
    assert_eq!(
        order(&mut world, Kind::Refund, 1_000, 1),
        refused(Refusal::RechargeRepeated)
    );
    assert_eq!(order(&mut world, Kind::CorrectDown, 500, 2), Outcome::Done);
    assert_eq!(order(&mut world, Kind::CorrectUp, 250, 1), Outcome::Done);
    assert_eq!(balance(&mut world), 50_000 - 1_500 + 250);
    assert_eq!(world.number(0x0333_0301), 250);
    // The last refund: when, count, amount, before, after.
    assert_eq!(
        world.read(0x0334_0001).unwrap(),
        [
            0x00, 0x09, 0x01, 0x06, 0x26, 0x02, 0x00, 0x00, 0x05, 0, 0, 0x00, 0x90, 0x04, 0, 0x00,
            0x85, 0x04, 0
        ]
    );

    // Closed with the count of now only; then nothing moves the money until it is opened again.
    assert_eq!(
        order(&mut world, Kind::CloseAccount, 0, 0),
        refused(Refusal::RechargeCount)
    );
    assert_eq!(
        order(&mut world, Kind::CloseAccount, 1, 1),
        refused(Refusal::Amount)
    );
    assert_eq!(order(&mut world, Kind::CloseAccount, 0, 1), Outcome::Done);
    let word_3 = |world: &mut World| {
        let word = world.read(0x0400_0503).unwrap();
        u16::from_le_bytes([word[0], word[1]])
    };
    assert_eq!(word_3(&mut world) >> 14, 3);
    for (kind, count) in [
        (Kind::Refund, 3),
        (Kind::CorrectUp, 2),
        (Kind::CloseAccount, 1),
    ] {
        assert_eq!(order(&mut world, kind, 0, count), refused(Refusal::Account));
    }
    assert_eq!(order(&mut world, Kind::OpenAccount, 100, 2), Outcome::Done);
    assert_eq!((word_3(&mut world) >> 14, balance(&mut world)), (0, 48_850));

    // To remote fee control and back; the freeze holds what the purse held before.
    assert_eq!(
        order(&mut world, Kind::ToLocal, 0, 0),
        refused(Refusal::Account)
    );
    assert_eq!(order(&mut world, Kind::ToRemote, 0, 2), Outcome::Done);
    assert_eq!((word_3(&mut world) >> 8 & 3, balance(&mut world)), (0, 0));
    let frozen = world.read(0x0509_0001).unwrap();
    assert_eq!(frozen, [0x00, 0x09, 0x01, 0x06, 0x26]);
    assert_eq!(
        order(&mut world, Kind::ToRemote, 0, 0),
        refused(Refusal::Account)
    );
    assert_eq!(
        order(&mut world, Kind::Recharge, 100, 1),
        refused(Refusal::NotThisCore)
    );
    let mut world = world.restart(&office.keys);
    assert_eq!(
        office.order(&mut world, Kind::ToLocal, 3_000, 0),
        Outcome::Done
    );
    assert_eq!(
        (word_3(&mut world) >> 8 & 3, balance(&mut world)),
        (2, 3_000)
    );
    assert_eq!(
        office.order(&mut world, Kind::OpenAccount, 1_000, 1),
        Outcome::Done
    );
    assert_eq!(balance(&mut world), 4_000);
}

#[test]
fn a_programmed_change_of_mode_happens_once() {
    let keys = KeyService::new();
    let mut world = World::new(&keys, stamp(6, 1, 9, 0));
    let at_ten = [0x00, 0x10, 0x01, 0x06, 0x26];
    assert_eq!(world.read(0x0400_010B).unwrap(), [0; 5]);
    assert_eq!(world.write(0x0400_010B, &at_ten), Ok(Vec::new()));
    assert_eq!(
        world.write(0x0400_010B, &[0; 5]),
        Ok(Vec::new()),
        "taken back"
    );
    world.run(stamp(6, 1, 10, 5));
    assert_eq!(world.read(0x0509_0001), Err(Err645::NO_DATA));
    let at_eleven = [0x00, 0x11, 0x01, 0x06, 0x26];
    assert_eq!(world.write(0x0400_010B, &at_eleven), Ok(Vec::new()));
    assert_eq!(world.read(0x0400_010B).unwrap(), at_eleven);
    // The power is off over the switch.
    world.run(stamp(6, 1, 10, 55));
    world.now_ms += 600_000;
    let mut world = world.restart(&keys);
    world.run(stamp(6, 1, 11, 10));
    assert_eq!(world.read(0x0400_010B).unwrap(), [0; 5], "done");
    assert_eq!(
        world.read(0x0509_0001).unwrap(),
        [0x05, 0x11, 0x01, 0x06, 0x26]
    );
    assert_eq!(balance(&mut world), 0);
    assert!(world.totals.relay.closed, "a bill is no reason to trip");
    // Back to local with a credit for the time until the account is opened.
    assert_eq!(
        world.write(INITIAL_CREDIT.0, &[0x00, 0x20, 0, 0]),
        Ok(Vec::new())
    );
    assert_eq!(
        world.write(0x0400_010B, &[0x00, 0x12, 0x01, 0x06, 0x26]),
        Ok(Vec::new())
    );
    world.run(stamp(6, 1, 12, 0));
    assert_eq!(balance(&mut world), 2_000);
    let mut world = world.restart(&keys);
    world.run(stamp(6, 1, 13, 0));
    assert_eq!(balance(&mut world), 2_000 - 60);
    assert_eq!(world.read(0x0509_0003), Err(Err645::NO_DATA), "two changes");
}

#[test]
fn a_standing_charge_falls_due_at_midnight_and_friendly_hours_hold_the_trip_back() {
    let mut office = Office {
        keys: KeyService::new(),
        number: 0,
    };
    // A Monday.
    let mut world = World::new(&office.keys, stamp(6, 1, 22, 0));
    assert_eq!(world.write(STANDING.0, &[0x50, 0, 0, 0]), Ok(Vec::new()));
    // Friendly on Monday from 22:00 to 06:00; holidays not.
    let friendly = [0, 1 << 1, 0x00, 0x22, 0x00, 0x06];
    assert_eq!(world.write(FRIENDLY_HOURS.0, &friendly), Ok(Vec::new()));
    assert_eq!(
        world.write(FRIENDLY_HOURS.0, &[0, 2, 0x60, 0x22, 0, 6]),
        Err(Err645::OTHER)
    );
    assert_eq!(world.write(FALLBACK_RATE.0, &[5]), Err(Err645::OTHER));
    assert_eq!(world.write(FALLBACK_RATE.0, &[2]), Ok(Vec::new()));
    assert_eq!(
        office.order(&mut world, Kind::Refund, 49_900, 1),
        Outcome::Done
    );
    let mut world = world.restart(&office.keys);
    assert_eq!(world.read(FRIENDLY_HOURS.0).unwrap(), friendly);
    assert_eq!(world.read(STANDING.0).unwrap(), [0x50, 0, 0, 0]);
    assert_eq!(world.read(FALLBACK_RATE.0).unwrap(), [2]);
    // 2.4 kWh at 0.25 until midnight, then the day's 0.50: nothing is left, and supply goes on until six.
    world.run(stamp(6, 1, 23, 59));
    assert_eq!(balance(&mut world), 40);
    world.run(stamp(6, 2, 0, 0));
    assert_eq!(balance(&mut world), 0);
    assert_eq!(world.number(0x0090_0201), 10);
    world.run(stamp(6, 2, 5, 59));
    assert!(world.totals.relay.closed);
    world.run(stamp(6, 2, 6, 0));
    assert!(!world.totals.relay.closed);
}

#[test]
fn power_above_the_limit_opens_the_relay() {
    let keys = KeyService::new();
    let mut world = World::new(&keys, stamp(6, 1, 9, 0));
    // Above 5 kW for two minutes; closes by itself once after three.
    let limit = [0x00, 0x50, 0, 0, 0x20, 0x01, 0x80, 0x01, 0x01, 0x00];
    assert_eq!(world.write(OVER_POWER.0, &limit), Ok(Vec::new()));
    assert_eq!(world.read(OVER_POWER.0).unwrap(), limit);
    world.run(stamp(6, 1, 9, 10));
    assert!(world.totals.relay.closed);
    world.values.active_mw = 6_000_000;
    world.run(stamp(6, 1, 9, 12));
    assert!(world.totals.relay.closed, "not for long enough");
    world.run(stamp(6, 1, 9, 14));
    assert!(!world.totals.relay.closed);
    world.values.active_mw = 0;
    world.run(stamp(6, 1, 9, 20));
    assert!(world.totals.relay.closed);
    assert_eq!(
        (world.number(0x1D00_0001), world.number(0x1E00_0001)),
        (1, 1)
    );
    assert_eq!(world.write(OVER_POWER.0, &[0; 10]), Ok(Vec::new()));
    assert_eq!(world.read(OVER_POWER.0).unwrap(), [0; 10]);
}

#[test]
fn a_trip_waits_until_the_current_falls_or_its_time_is_over() {
    let keys = KeyService::new();
    let mut world = World::new(&keys, stamp(6, 1, 9, 0));
    // 4 A, ten minutes at most; 4.32 A flow.
    for (id, new) in [
        (0x0400_1402, &[0x00, 0x40, 0x00][..]),
        (0x0400_1403, &[0x10, 0x00]),
    ] {
        assert_eq!(world.write(id, new), Ok(Vec::new()));
        assert_eq!(world.read(id).unwrap(), new);
    }
    let control = |world: &mut World, order| {
        let control = Control {
            order,
            delay: 0,
            expires: Some(stamp(6, 2, 0, 0)),
        };
        let done = world.exchange(|master, now, address| {
            master.control(now, address, PASSWORD, control).unwrap();
        });
        assert_eq!(done, Ok(Vec::new()));
        world.talk();
    };
    control(&mut world, Order::Trip);
    world.run(stamp(6, 1, 9, 4));
    assert!(world.totals.relay.closed);
    world.values.phase[0].current_ua = 4_000_000;
    world.run(stamp(6, 1, 9, 6));
    assert!(!world.totals.relay.closed, "the current fell");
    world.values.phase[0].current_ua = 9_000_000;
    control(&mut world, Order::Close);
    assert!(world.totals.relay.closed);
    world.run(stamp(6, 1, 9, 7));
    control(&mut world, Order::Trip);
    world.run(stamp(6, 1, 9, 16));
    assert!(world.totals.relay.closed);
    world.run(stamp(6, 1, 9, 18));
    assert!(!world.totals.relay.closed, "the time is over");
}

#[test]
fn holidays_and_rest_days_are_written_one_by_one() {
    let keys = KeyService::new();
    let mut world = World::new(&keys, stamp(6, 1, 9, 0));
    // A second day table in both sets: rate 2 all day.
    for id in [0x0401_0002, 0x0402_0002] {
        assert_eq!(world.write(id, &[2, 0, 0]), Ok(Vec::new()));
    }
    let (tuesday, christmas) = ([2, 0x02, 0x06, 0x26], [2, 0x25, 0x12, 0x26]);
    assert_eq!(
        world.write(0x0403_0002, &tuesday),
        Err(Err645::OTHER),
        "no gap"
    );
    assert_eq!(
        world.write(0x0403_0001, &[3, 0x02, 0x06, 0x26]),
        Err(Err645::OTHER),
        "no table"
    );
    assert_eq!(world.write(0x0403_0001, &tuesday), Ok(Vec::new()));
    assert_eq!(world.write(0x0403_0002, &christmas), Ok(Vec::new()));
    assert_eq!(world.read(0x0403_0002).unwrap(), christmas);
    assert_eq!(world.read(0x0400_0205).unwrap(), [2, 0]);
    assert_eq!(world.write(0x0400_0205, &[1, 0]), Ok(Vec::new()));
    assert_eq!(world.read(0x0403_0002), Err(Err645::NO_DATA));
    // Wednesday rests: first its table, then the day.
    assert_eq!(world.write(0x0400_0802, &[2]), Ok(Vec::new()));
    assert_eq!(world.write(0x0400_0801, &[0x77]), Ok(Vec::new()));
    let mut world = world.restart(&keys);
    assert_eq!(world.read(0x0400_0801).unwrap(), [0x77]);
    world.run(stamp(6, 1, 12, 1));
    assert_eq!(world.number(0x0280_0020), 5000);
    world.run(stamp(6, 2, 12, 0));
    assert_eq!(world.number(0x0280_0020), 2500, "a holiday");
    world.run(stamp(6, 3, 12, 0));
    assert_eq!(world.number(0x0280_0020), 2500, "a rest day");
    world.run(stamp(6, 4, 12, 0));
    assert_eq!(world.number(0x0280_0020), 5000);
}
