//! What the tariff keeps, read and programmed over the DL/T 645 line by this project's own master: settled registers
//! and demands, tables of both sets and their switch, freezes, load records.

mod bench;
mod world;

use bench::KeyService;
use dlt645::{
    Authority, DataId, Err645, Freeze, FreezePattern, LoadBlocks, Message, Password, Value,
};
use world::{MINUTE_MS, PASSWORD, World, stamp};

#[test]
fn settled_registers_and_demands_are_read_by_period_and_rate() {
    let keys = KeyService::new();
    let mut world = World::new(&keys, stamp(3, 31, 20, 0));
    world.run(stamp(4, 1, 9, 0));
    // Two hours at rate 1, two at rate 2 until midnight: 1.2 kW forward, 0.3 kW back.
    for (id, expected) in [
        (0x0001_0001, 480),
        (0x0001_0101, 240),
        (0x0001_0201, 240),
        (0x0002_0001, 120),
        (0x0000_0001, 600),
        (0x0003_0001, 240),
        (0x0004_0001, 24),
        (0x0005_0201, 120),
        (0x0008_0001, 24),
        (0x0001_0000, 1560),
        (0x0001_0100, 360),
        (0x0001_0200, 1200),
        (0x000B_0000, 1350),
        (0x000B_0001, 600),
        (0x0015_0000, 0),
    ] {
        assert_eq!(world.number(id), expected, "{id:08X}");
    }
    // Blocks: total and both rates of the period; total now and of the one period that there is.
    let block = world.read(0x0001_FF01).unwrap();
    assert_eq!(block, [0x80, 4, 0, 0, 0x40, 2, 0, 0, 0x40, 2, 0, 0]);
    assert_eq!(world.read(0x0001_00FF).unwrap().len(), 8);
    assert_eq!(world.read(0x0001_0002), Err(Err645::NO_DATA));
    assert_eq!(world.read(0x0001_0300), Err(Err645::NO_DATA));
    assert_eq!(world.read(0x00FE_0001).unwrap(), [0x00, 0x01, 0x04, 0x26]);
    // Demand: the first whole period ended 15 minutes after the start; the new month has its own.
    assert_eq!(
        world.demand(0x0101_0001),
        (12_000, Some(stamp(3, 31, 20, 15)))
    );
    assert_eq!(
        world.demand(0x0101_0201),
        (12_000, Some(stamp(3, 31, 22, 15)))
    );
    assert_eq!(world.demand(0x0102_0001).0, 3_000);
    assert_eq!(world.demand(0x0101_0000), (12_000, Some(stamp(4, 1, 0, 1))));
    assert_eq!(world.read(0x0101_FF00).unwrap().len(), 3 * 8);
    // Cleared by order, with a record of it.
    let wrong = Authority {
        password: Password {
            level: 2,
            digits: 1,
        },
        ..PASSWORD
    };
    assert_eq!(
        world.ask(&Message::ClearDemand(wrong)),
        Err(Err645::NOT_AUTHORISED)
    );
    assert_eq!(world.ask(&Message::ClearDemand(PASSWORD)), Ok(Vec::new()));
    assert_eq!(world.demand(0x0101_0000), (0, None));
    assert_eq!(world.number(0x0330_0200), 1);
    // All of it outlives the power.
    let mut world = world.restart(&keys);
    assert_eq!(
        (world.number(0x0001_0001), world.number(0x0001_0100)),
        (480, 360)
    );
    assert_eq!(world.demand(0x0101_0001).0, 12_000);
}

#[test]
fn months_and_years_are_counted_beside_the_settlement() {
    let keys = KeyService::new();
    let mut world = World::new(&keys, stamp(11, 30, 23, 0));
    // Settlement on the 15th only; 25 Wh of both directions together in a minute.
    assert_eq!(world.write(0x0400_0B01, &[0, 0x15]), Ok(Vec::new()));
    world.run(stamp(12, 1, 1, 0));
    assert_eq!(
        (world.number(0x000C_0000), world.number(0x000C_0001)),
        (150, 150)
    );
    assert_eq!(
        (world.number(0x000D_0000), world.number(0x000D_0001)),
        (300, 0)
    );
    assert_eq!(
        world.read(0x000B_0001),
        Err(Err645::NO_DATA),
        "nothing was settled"
    );
    // The power is off over the new year; other meters' energy flows on.
    world.now_ms = world::ms(stamp(12, 31, 23, 0));
    let mut world = world.restart(&keys);
    world.now_ms += 7_200_000;
    world.totals.active.import += 60_000;
    let mut world = world.restart(&keys);
    assert_eq!(
        (world.number(0x000C_0000), world.number(0x000C_0001)),
        (0, 750)
    );
    assert_eq!(
        (world.number(0x000D_0000), world.number(0x000D_0001)),
        (0, 900)
    );
    // The clock set back over midnight and forward again counts no month twice.
    assert_eq!(world.write(0x0400_0102, &[0, 0x30, 0x00]), Ok(Vec::new()));
    world.now_ms += MINUTE_MS;
    world.talk();
    assert_eq!(
        world.write(0x0400_0101, &[4, 0x31, 0x12, 0x26]),
        Ok(Vec::new())
    );
    world.now_ms += MINUTE_MS;
    world.talk();
    world.now_ms += 86_400_000;
    world.totals.active.import += 1_000;
    world.talk();
    assert_eq!(
        (world.number(0x000C_0000), world.number(0x000C_0001)),
        (10, 750)
    );
    assert_eq!(world.number(0x000D_0002), 0);
    assert_eq!(world.read(0x000C_0002), Err(Err645::NO_DATA));
    assert_eq!(world.read(0x000D_0007), Err(Err645::NO_DATA));
}

#[test]
fn tables_are_programmed_into_the_spare_set_and_switch_at_their_minute() {
    let keys = KeyService::new();
    let mut world = World::new(&keys, stamp(6, 1, 9, 0));
    assert_eq!(world.read(0x0401_0000).unwrap(), [0x01, 0x01, 0x01]);
    assert_eq!(
        world.read(0x0401_0001).unwrap(),
        [0x01, 0x00, 0x08, 0x02, 0x00, 0x22]
    );
    assert_eq!(
        world.read(0x0405_01FF).unwrap(),
        [0x00, 0x50, 0, 0, 0x00, 0x25, 0, 0]
    );
    assert_eq!(world.number(0x0280_0020), 5000);
    // Day tables: rate 2 from 10:30 on, the rest filled with the last row as tools do.
    let table = [1, 0x00, 0x08, 2, 0x30, 0x10, 2, 0x30, 0x10];
    assert_eq!(world.write(0x0402_0001, &table), Ok(Vec::new()));
    assert_eq!(world.read(0x0402_0001).unwrap(), table[..6]);
    assert_eq!(
        world.write(0x0405_0201, &[0x00, 0x80, 0, 0]),
        Ok(Vec::new())
    );
    assert_eq!(world.number(0x0405_0201), 8000);
    // Tiers: 1 kWh, then 0.1 more; monthly.
    let mut tiers = vec![0x00, 0x01, 0, 0];
    tiers.extend([0; 20]);
    tiers.extend([0, 0, 0, 0, 0x00, 0x10, 0, 0]);
    tiers.extend([0; 20]);
    tiers.extend([0x99; 18]);
    assert_eq!(world.write(0x0406_0BFF, &tiers), Ok(Vec::new()));
    let read = world.read(0x0406_0BFF).unwrap();
    assert_eq!((&read[..32], &read[52..]), (&tiers[..32], &tiers[52..]));
    // What is not good is refused, and says why where the standard has a bit for it; nothing changes.
    assert_eq!(
        world.write(0x0402_0001, &[3, 0x00, 0x08]),
        Err(Err645::TARIFFS)
    );
    assert_eq!(
        world.write(0x0402_0000, &[1, 0x31, 0x02]),
        Err(Err645::OTHER)
    );
    assert_eq!(
        world.write(0x0402_0000, &[1, 1, 1, 1, 1, 2, 1, 1, 3]),
        Err(Err645::ZONES)
    );
    assert_eq!(
        world.write(0x0405_0101, &[0, 0, 0, 0]),
        Err(Err645::NOT_AUTHORISED)
    );
    assert_eq!(world.read(0x0402_0001).unwrap(), table[..6]);
    // The switches: day tables and prices at 10:00, tiers taken back again.
    let at_ten = [0x00, 0x10, 0x01, 0x06, 0x26];
    for id in [0x0400_0107, 0x0400_0108, 0x0400_0109] {
        assert_eq!(world.write(id, &at_ten), Ok(Vec::new()));
        assert_eq!(world.read(id).unwrap(), at_ten);
    }
    assert_eq!(world.write(0x0400_0109, &[0; 5]), Ok(Vec::new()));
    let mut world = world.restart(&keys);
    assert_eq!(world.read(0x0400_0108).unwrap(), at_ten);
    world.run(stamp(6, 1, 9, 59));
    assert_eq!(world.number(0x0280_0020), 5000);
    world.run(stamp(6, 1, 11, 0));
    // Rate 1 until 10:30 by the new table.
    assert_eq!(
        (world.number(0x0001_0100), world.number(0x0001_0200)),
        (180, 60)
    );
    assert_eq!(world.number(0x0280_0020), 2500);
    assert_eq!(world.number(0x0405_0101), 8000);
    assert_eq!(world.number(0x0405_0201), 5000);
    let word = world.read(0x0400_0503).unwrap();
    assert_eq!(u16::from_le_bytes([word[0], word[1]]), 2 << 8 | 1 | 1 << 10);
    // 1.2 kWh at 0.5, 0.6 at 0.8, 0.6 at 0.25.
    assert_eq!(world.number(0x0090_0200), 50_000 - 60 - 48 - 15);
    for id in [0x0503_0001, 0x0505_0001] {
        assert_eq!(world.read(id).unwrap(), at_ten);
    }
    assert_eq!(world.read(0x0505_0101).unwrap()[..4], [0x20, 1, 0, 0]);
    assert_eq!(world.read(0x0507_0001), Err(Err645::NO_DATA));
}

#[test]
fn parameters_are_programmed_and_outlive_the_power() {
    let keys = KeyService::new();
    let mut world = World::new(&keys, stamp(6, 14, 11, 0));
    for (id, new) in [
        (0x0400_0103, &[0x30][..]),
        (0x0400_0104, &[0x02]),
        (0x0400_0901, &[0x19]),
        (0x0400_0902, &[0x01]),
        (0x0400_0A01, &[0x00, 0x12, 0x14, 0x06]),
        (0x0400_0A05, &[0x05, 0x00]),
        (0x0400_0B02, &[0x12, 0x14]),
        (0x0400_1001, &[0x00, 0x00, 0x01, 0x00]),
        (0x0400_1202, &[0x30]),
        (0x0400_1203, &[0x15, 0x12]),
        (0x0400_1204, &[0x45, 0x12, 0x14, 0x99]),
    ] {
        assert_eq!(world.write(id, new), Ok(Vec::new()), "{id:08X}");
        assert_eq!(world.read(id).unwrap(), new, "{id:08X}");
    }
    assert_eq!(world.write(0x0400_0B03, &[0x24, 0x14]), Err(Err645::OTHER));
    assert_eq!(world.read(0x0400_0B03).unwrap(), [0x99; 2]);
    let mut world = world.restart(&keys);
    assert_eq!(world.read(0x0400_0B02).unwrap(), [0x12, 0x14]);
    world.run(stamp(6, 14, 12, 50));
    // The settlement of the day, the daily freeze at 12:15, the timed one at 12:45.
    assert_eq!(world.read(0x00FE_0001).unwrap(), [0x12, 0x14, 0x06, 0x26]);
    assert_eq!(
        world.demand(0x0101_0001),
        (0, None),
        "only the first day ends demand"
    );
    assert_eq!(
        world.read(0x0506_0001).unwrap(),
        [0x15, 0x12, 0x14, 0x06, 0x26]
    );
    assert_eq!(
        world.read(0x0500_0001).unwrap(),
        [0x45, 0x12, 0x14, 0x06, 0x26]
    );
    assert_eq!(
        world.read(0x0504_0001).unwrap(),
        [0x30, 0x12, 0x14, 0x06, 0x26]
    );
    // The mode word leaves forward energy only.
    assert_eq!(world.read(0x0500_0201), Err(Err645::NO_DATA));
    let whole = world.read(0x0500_FF01).unwrap();
    let excluded = Freeze(&whole)
        .parts()
        .filter(|part| part.data.is_empty())
        .count();
    assert!(Freeze(&whole).is_whole() && excluded == 10);
}

#[test]
fn freezes_and_load_records_hold_registers_and_values() {
    let keys = KeyService::new();
    let mut world = World::new(&keys, stamp(6, 30, 22, 30));
    world.run(stamp(7, 1, 1, 10));
    assert_eq!(world.ask(&FreezePattern::Now.message()), Ok(Vec::new()));
    for (id, at, parts) in [
        (0x0501_FF01, stamp(7, 1, 1, 10), 12),
        (0x0504_FF01, stamp(7, 1, 1, 0), 3),
        (0x0504_FF03, stamp(6, 30, 23, 0), 3),
        (0x0506_FF01, stamp(7, 1, 0, 0), 12),
    ] {
        let bytes = world.read(id).unwrap();
        let freeze = Freeze(&bytes);
        assert!(freeze.is_whole(), "{id:08X}");
        let parts_found: Vec<_> = freeze.parts().collect();
        assert_eq!(parts_found.len(), parts, "{id:08X}");
        assert_eq!(parts_found[0].value(), Ok(Some(Value::Stamp(at))));
        assert!(
            parts_found
                .iter()
                .all(|part| part.value().is_ok_and(|value| value.is_some()))
        );
    }
    assert_eq!(world.read(0x0504_FF04), Err(Err645::NO_DATA));
    // 160 minutes: 3.2 kWh at 01:10, all of it at rate 2; powers total 0.9 kW.
    assert_eq!(
        world.read(0x0501_0101).unwrap(),
        [0x20, 3, 0, 0, 0, 0, 0, 0, 0x20, 3, 0, 0]
    );
    assert_eq!(world.read(0x0501_1001).unwrap()[..3], [0x00, 0x90, 0x00]);
    // The purse of midnight: no purchase, 500.00 less 1.8 kWh at 0.25.
    assert_eq!(
        world.read(0x0508_0201).unwrap(),
        [0, 0, 0x55, 0x99, 0x04, 0, 0, 0, 0, 0]
    );

    // Load records each quarter of an hour, from 22:45 on.
    let bytes = world.blocks(0x0600_0002, 1, None).unwrap();
    let newest: Vec<_> = blocks(&bytes, 0);
    let [block] = newest.as_slice() else {
        panic!("one block")
    };
    assert_eq!(block.at().unwrap(), stamp(7, 1, 1, 0));
    for class in 1..=6 {
        assert!(block.record(class).unwrap().is_some(), "class {class}");
    }
    let bytes = world.blocks(0x0604_0000, 3, None).unwrap();
    let oldest = blocks(&bytes, 4);
    let times: Vec<_> = oldest.iter().map(|block| block.at().unwrap()).collect();
    assert_eq!(
        times,
        [
            stamp(6, 30, 22, 45),
            stamp(6, 30, 23, 0),
            stamp(6, 30, 23, 15)
        ]
    );
    let energies = oldest[2].record(4).unwrap().unwrap();
    assert_eq!(energies.bytes()[..4], [0x90, 0, 0, 0]);
    assert_eq!(oldest[2].record(1), Ok(None), "not asked for");
    let bytes = world
        .blocks(0x0601_0001, 9, Some(stamp(7, 1, 0, 50)))
        .unwrap();
    assert_eq!(
        blocks(&bytes, 1).len(),
        1,
        "the next one after the time asked"
    );
    assert_eq!(
        world.blocks(0x0601_0001, 1, Some(stamp(7, 2, 0, 0))),
        Err(Err645::NO_DATA)
    );
}

fn blocks(bytes: &[u8], class: u8) -> Vec<dlt645::LoadBlock<'_>> {
    let Value::Load(all) = DataId(0x0600_0000).value(bytes).unwrap() else {
        panic!("no load blocks");
    };
    let all: LoadBlocks<'_> = all;
    all.blocks(class).map(Result::unwrap).collect()
}
