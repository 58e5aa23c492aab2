//! Records of what was bought, opened, closed and programmed, read over the DL/T 645 line by this project's own master.

mod bench;
mod world;

use bench::KeyService;
use dlt645::{Control, Err645, Message, Order};
use meter_proto::message::Status;
use world::{PASSWORD, World, stamp};

#[test]
fn purchases_and_trips_leave_their_records() {
    let mut keys = KeyService::new();
    let mut world = World::new(&keys, stamp(6, 1, 9, 0));
    world.run(stamp(6, 1, 10, 0));
    for count in 1..=11 {
        let order = keys.recharge(
            1_000 + count,
            count,
            40 + u64::from(count),
            world.now_ms + 600_000,
        );
        assert_eq!(world.command(&order).status, Status::DONE);
    }
    // The newest: 10.11 on top of 500.00 - 0.60 + 10 purchases.
    let last = [0x00, 0x10, 0x01, 0x06, 0x26, 0x11, 0x00];
    let record = world.read(0x0333_FF01).unwrap();
    assert_eq!(record[..7], last);
    assert_eq!(record[7..11], [0x11, 0x10, 0, 0]);
    assert_eq!(world.number(0x0333_0301), 1_011);
    assert_eq!(world.number(0x0333_0401), 49_940 + 10_055);
    assert_eq!(world.number(0x0333_0501), 49_940 + 11_066);
    assert_eq!(world.number(0x0333_0601), 11_066);
    assert_eq!(world.number(0x0333_020A), 2, "ten are kept");
    assert_eq!(world.read(0x0333_020B), Err(Err645::NO_DATA));
    // A trip for five minutes, which comes back alone.
    let expires = Some(stamp(6, 1, 11, 0));
    let control = Control {
        order: Order::TripThenClose,
        delay: 1,
        expires,
    };
    let done = world
        .exchange(|master, now, address| master.control(now, address, PASSWORD, control).unwrap());
    assert_eq!(done, Ok(Vec::new()));
    world.talk();
    assert!(!world.totals.relay.closed);
    world.run(stamp(6, 1, 10, 5));
    assert!(world.totals.relay.closed);
    assert_eq!(
        (world.number(0x1D00_0001), world.number(0x1E00_0001)),
        (1, 1)
    );
    let trip = world.read(0x1D00_FF01).unwrap();
    assert_eq!(
        (trip.len(), &trip[..6]),
        (34, &[0, 0x00, 0x10, 0x01, 0x06, 0x26][..])
    );
    assert_eq!(
        world.read(0x1E00_FF01).unwrap()[..6],
        [0, 0x05, 0x10, 0x01, 0x06, 0x26]
    );
    assert_eq!(trip[6..10], PASSWORD.operator.line());
    // The clock by the line: counted, and kept with who did it, before and after.
    assert_eq!(world.write(0x0400_0102, &[0, 0x30, 0x10]), Ok(Vec::new()));
    assert_eq!(world.number(0x0330_0400), 1);
    let mut set = PASSWORD.operator.line().to_vec();
    set.extend([0, 0x05, 0x10, 0x01, 0x06, 0x26]);
    set.extend([0, 0x30, 0x10, 0x01, 0x06, 0x26]);
    assert_eq!(world.read(0x0330_0401).unwrap(), set);
    assert_eq!(world.read(0x0330_0402), Err(Err645::NO_DATA));
    // A trip after a delay, with a restart in between, names who ordered it; the key that closes names nobody.
    let control = |world: &mut World, order, delay| {
        let control = Control {
            order,
            delay,
            expires: Some(stamp(6, 1, 23, 0)),
        };
        let done = world.exchange(|master, now, address| {
            master.control(now, address, PASSWORD, control).unwrap();
        });
        assert_eq!(done, Ok(Vec::new()));
    };
    control(&mut world, Order::Trip, 2);
    let mut world = world.restart(&keys);
    world.run(stamp(6, 1, 10, 33));
    assert_eq!(world.number(0x1D00_0001), 2);
    assert_eq!(
        world.read(0x1D00_FF01).unwrap()[6..10],
        PASSWORD.operator.line()
    );
    control(&mut world, Order::AllowClose, 0);
    world.core.press_key();
    assert_eq!(world.number(0x1E00_0001), 2);
    assert_eq!(world.read(0x1E00_FF01).unwrap()[6..10], [0; 4]);
}

#[test]
fn programming_leaves_who_did_what_and_what_stood_there_before() {
    let keys = KeyService::new();
    let mut world = World::new(&keys, stamp(6, 1, 9, 0));
    for group in [0x00, 0x05, 0x06, 0x07, 0x08, 0x0C, 0x0F, 0x10] {
        assert_eq!(world.number(0x0330_0000 | group << 8), 0);
        assert_eq!(world.read(0x0330_0001 | group << 8), Err(Err645::NO_DATA));
    }
    let head = |minute: u8| {
        let mut head = vec![0, minute, 0x09, 0x01, 0x06, 0x26];
        head.extend(PASSWORD.operator.line());
        head
    };
    let table = [1, 0x00, 0x08, 2, 0x30, 0x10];
    for (id, new) in [
        (0x0402_0001, &table[..]),
        (0x0402_0000, &[1, 1, 1]),
        (0x0405_0201, &[0x00, 0x80, 0, 0]),
        (0x0400_0B02, &[0x12, 0x14]),
        (0x0400_0802, &[1]),
        (0x0403_0001, &[1, 2, 6, 0x26]),
    ] {
        assert_eq!(world.write(id, new), Ok(Vec::new()), "{id:08X}");
    }
    // Refused: nothing is kept of it.
    assert_eq!(
        world.write(0x0402_0001, &[3, 0x00, 0x08]),
        Err(Err645::TARIFFS)
    );
    // One record of all six, the first one lowest.
    let mut any = head(0);
    for id in [
        0x0402_0001_u32,
        0x0402_0000,
        0x0405_0201,
        0x0400_0B02,
        0x0400_0802,
        0x0403_0001,
    ] {
        any.extend(id.to_le_bytes());
    }
    any.extend([0xFF; 16]);
    assert_eq!(world.number(0x0330_0000), 1);
    assert_eq!(world.read(0x0330_0001).unwrap(), any);
    // What stood there before: both sets, all places.
    let tables = world.read(0x0330_0501).unwrap();
    assert_eq!(tables.len(), 682);
    assert_eq!(tables[..10], head(0));
    let old = [1, 0x00, 0x08, 2, 0x00, 0x22, 2, 0x00, 0x22];
    assert_eq!((&tables[10..19], &tables[346..355]), (&old[..], &old[..]));
    assert_eq!(tables[10 + 42..][..3], [0; 3], "no second table");
    let zones = world.read(0x0330_0601).unwrap();
    assert_eq!((zones.len(), &zones[10..13]), (94, &[1, 1, 1][..]));
    assert_eq!(world.read(0x0330_0701).unwrap()[10..], [0]);
    let holidays = world.read(0x0330_0801).unwrap();
    assert_eq!(holidays.len(), 1026);
    assert!(holidays[10..].iter().all(|byte| *byte == 0));
    assert_eq!(
        world.read(0x0330_0C01).unwrap()[10..],
        [0, 1, 0x99, 0x99, 0x99, 0x99]
    );
    let prices = [0x00, 0x50, 0, 0, 0x00, 0x25, 0, 0];
    assert_eq!(
        world.read(0x0330_0F01).unwrap()[10..],
        [prices, prices].concat()
    );

    // Later: records of their own, the newest first, over a restart; ten stay.
    for minute in 1..=11 {
        world.run(stamp(6, 1, 9, minute));
        assert_eq!(world.write(0x0402_0001, &table), Ok(Vec::new()));
    }
    let mut tiers = vec![0; 24];
    tiers.extend([0; 28]);
    tiers.extend([0x99; 18]);
    assert_eq!(world.write(0x0406_0BFF, &tiers), Ok(Vec::new()));
    let mut world = world.restart(&keys);
    assert_eq!(
        (world.number(0x0330_0000), world.number(0x0330_0500)),
        (12, 12)
    );
    let tables = world.read(0x0330_0501).unwrap();
    assert_eq!(
        (&tables[..10], &tables[346..352]),
        (&head(0x11)[..], &table[..])
    );
    assert_eq!(world.read(0x0330_050A).unwrap()[..10], head(0x02));
    assert_eq!(world.read(0x0330_050B), Err(Err645::NO_DATA));
    let ladders = world.read(0x0330_1001).unwrap();
    assert_eq!((ladders.len(), &ladders[..10]), (570, &head(0x11)[..]));
    // A clearing of demand: who, and what was held.
    world.run(stamp(6, 1, 9, 30));
    let held = world.read(0x0101_0000).unwrap();
    assert_eq!(world.ask(&Message::ClearDemand(PASSWORD)), Ok(Vec::new()));
    let cleared = world.read(0x0330_0201).unwrap();
    assert_eq!(cleared.len(), 202);
    assert_eq!(
        (&cleared[..10], &cleared[10..18]),
        (&head(0x30)[..], &held[..])
    );
    assert!(cleared[58..].iter().all(|byte| *byte == 0xFF));
}
