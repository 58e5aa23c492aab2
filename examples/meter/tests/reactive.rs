//! Reactive energy as the tariff keeps it: its demands by quantity, rate and period, its load records, and the feature
//! words that say what the combined registers hold.

mod bench;
mod world;

use bench::KeyService;
use dlt645::{DataId, Err645, Message, Value};
use world::{MINUTE_MS, PASSWORD, World, stamp};

/// Quadrant I 0.6 kvar, quadrant IV 0.06 kvar: combined 1 is I and II, combined 2 is III and IV.
const DEMANDS: [(u32, i32); 6] = [
    (0x0103_0000, 6_000),
    (0x0104_0000, 600),
    (0x0105_0000, 6_000),
    (0x0106_0000, 0),
    (0x0107_0000, 0),
    (0x0108_0000, 600),
];

#[test]
fn reactive_demands_are_read_by_quantity_rate_and_period() {
    let keys = KeyService::new();
    let mut world = World::new(&keys, stamp(3, 31, 20, 0));
    world.run(stamp(4, 1, 9, 0));
    for (id, expected) in DEMANDS {
        // The settled month: the first whole window; rate 2 from 22:00 on.
        let first = Some(stamp(3, 31, 20, 15));
        assert_eq!(world.demand(id | 1), (expected, first), "{id:08X}");
        let second = Some(stamp(3, 31, 22, 15));
        assert_eq!(world.demand(id | 0x0201), (expected, second), "{id:08X}");
        // The present one began with the window that ended behind midnight.
        let now = Some(stamp(4, 1, 0, 1));
        assert_eq!(world.demand(id), (expected, now), "{id:08X}");
    }
    // Blocks: total and both rates; now and the one settled period.
    assert_eq!(world.read(0x0103_FF00).unwrap().len(), 3 * 8);
    assert_eq!(world.read(0x0103_00FF).unwrap().len(), 2 * 8);
    assert_eq!(world.read(0x0103_FFFF).unwrap().len(), 2 * 3 * 8);
    for absent in [0x0103_0002, 0x0103_0300, 0x0103_000D, 0x0109_0000] {
        assert_eq!(world.read(absent), Err(Err645::NO_DATA), "{absent:08X}");
    }
    // Load class 6 and the present demands of a freeze: active, then combined reactive 1.
    let bytes = world.blocks(0x0606_0002, 1, None).unwrap();
    let Value::Load(all) = DataId(0x0606_0002).value(&bytes).unwrap() else {
        panic!("no load block");
    };
    let newest = all.blocks(6).next().unwrap().unwrap();
    let demands = newest.record(6).unwrap().unwrap();
    assert_eq!(demands.bytes(), [0x00, 0x20, 0x01, 0x00, 0x60, 0x00]);
    // All of it outlives the power, the state of the windows does not.
    let mut world = world.restart(&keys);
    assert_eq!(world.demand(0x0105_0001).0, 6_000);
    assert_eq!(world.demand(0x0103_0000), (6_000, Some(stamp(4, 1, 0, 1))));

    // Cleared by order: what the quadrants held stands in the record behind both directions.
    let quadrants: Vec<u8> = (5..9)
        .flat_map(|di2| world.read(0x0100_0000 | di2 << 16).unwrap())
        .collect();
    assert_eq!(world.ask(&Message::ClearDemand(PASSWORD)), Ok(Vec::new()));
    let cleared = world.read(0x0330_0201).unwrap();
    assert_eq!(cleared.len(), 202);
    assert_eq!(cleared[26..58], quadrants);
    assert!(cleared[58..].iter().all(|byte| *byte == 0xFF));
    let mut world = world.restart(&keys);
    assert_eq!(world.demand(0x0103_0000), (0, None));
    assert_eq!(world.read(0x0330_0201).unwrap(), cleared);
    // A settlement on another day than the first ends no demand and shows none.
    assert_eq!(world.write(0x0400_0B02, &[0x10, 0x01]), Ok(Vec::new()));
    world.run(stamp(4, 1, 10, 30));
    assert_eq!(world.demand(0x0103_0001), (0, None));
    assert_eq!(world.demand(0x0103_0002).0, 6_000);
    assert_eq!(world.demand(0x0103_0000), (6_000, Some(stamp(4, 1, 9, 15))));
}

#[test]
fn feature_words_say_what_combined_registers_hold_and_who_wrote_them() {
    let keys = KeyService::new();
    let mut world = World::new(&keys, stamp(6, 1, 9, 0));
    world.run(stamp(6, 1, 10, 0));
    let registers = [0x0000_0000, 0x0003_0000, 0x0004_0000, 0x000C_0000];
    // 1.2 kWh forward, 0.3 back; 0.6 kvarh in quadrant I, 0.06 in IV.
    assert_eq!(registers.map(|id| world.number(id)), [150, 60, 6, 150]);
    for (id, old, new) in [(1, 0x05, 0x09), (2, 0x05, 0x81), (3, 0x50, 0x14)] {
        let id = 0x0400_0600 | id;
        assert_eq!(world.read(id).unwrap(), [old]);
        assert_eq!(world.write(id, &[new]), Ok(Vec::new()));
        assert_eq!(world.read(id).unwrap(), [new]);
    }
    assert_eq!(world.write(0x0400_0601, &[0x10]), Err(Err645::OTHER));
    assert_eq!(
        world.write(0x0400_0602, &[1, 2]),
        Err(Err645::NOT_AUTHORISED)
    );
    // Forward less reverse, I less IV, II and III. The purse was charged what went in, before and after.
    assert_eq!(
        registers[..3]
            .iter()
            .map(|id| world.number(*id))
            .collect::<Vec<_>>(),
        [90, 54, 0]
    );
    let balance = world.number(0x0090_0200);
    // The records: when, who, the old word.
    for (group, old) in [(0x09, 0x05), (0x0A, 0x05), (0x0B, 0x50)] {
        assert_eq!(world.number(0x0330_0000 | group << 8), 1);
        let record = world.read(0x0330_0001 | group << 8).unwrap();
        assert_eq!(
            (record.len(), record[..6].to_vec()),
            (11, vec![0, 0, 0x10, 1, 6, 0x26])
        );
        assert_eq!(record[6..10], PASSWORD.operator.line());
        assert_eq!(record[10], old, "{group:02X}");
    }
    // The month keeps what it had and goes on with the new word; so it does over a restart.
    let mut world = world.restart(&keys);
    assert_eq!(world.number(0x000C_0000), 150);
    world.run(stamp(6, 1, 11, 0));
    assert_eq!(world.number(0x000C_0000), 150 + 90);
    assert_eq!(world.number(0x0000_0000), 180);
    assert_eq!(world.number(0x0090_0200), balance - 60);
    let mut world = world.restart(&keys);
    assert_eq!(world.number(0x000C_0000), 240);
    // Combined demand 1 is that of the new word: I less IV.
    world.now_ms += MINUTE_MS;
    world.run(stamp(6, 1, 11, 40));
    assert_eq!(world.read(0x0400_0602).unwrap(), [0x81]);
    assert_eq!(world.ask(&Message::ClearDemand(PASSWORD)), Ok(Vec::new()));
    world.run(stamp(6, 1, 12, 0));
    assert_eq!(world.demand(0x0103_0000).0, 5_400);
    assert_eq!(world.demand(0x0104_0000).0, 0);
}
