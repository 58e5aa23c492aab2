//! The identifier tables of both editions: what they name, how often, and by which name.

use std::collections::BTreeSet;

use dlt645::{
    Access, DataId, DataId1997, Format, Freeze, FreezeWriter, Lang, Quirks, Record, RecordWriter,
    Stamp, Value, ValueError, catalogue, catalogue_1997, catalogue_count, class_count,
    encode_load_block, identifiers, search,
};

#[test]
fn the_peer_s_count_is_reached() {
    let counts: Vec<_> = (0..=0x22_u8)
        .map(|class| (class, class_count(class)))
        .filter(|(_, count)| *count > 0)
        .collect();
    // The rows of the standard alone: 9,906 energies, 8,710 demands, 167 variables.
    assert_eq!(counts[0], (0, 9_906 + 4 + 4 + 7 + 12));
    assert_eq!(counts[1], (1, 8_710));
    assert_eq!(counts[2], (2, 167 + 8));
    let first_five: usize = (0..=4).map(class_count).sum();
    assert!(first_five >= 20_286, "{first_five}");
    assert_eq!(
        (first_five, catalogue_count()),
        (FIRST_FIVE, ALL),
        "the documentation states these figures"
    );
    assert_eq!(catalogue_1997().count(), OF_1997);
}

const FIRST_FIVE: usize = 21_167;
const ALL: usize = 38_234;
const OF_1997: usize = 1_427;

#[test]
fn every_identifier_is_found_and_named_once() {
    let mut names = BTreeSet::new();
    let mut chinese = BTreeSet::new();
    for id in identifiers() {
        let item = id.item().unwrap_or_else(|| panic!("{id} is not found"));
        assert!(!item.is_block(), "{id}");
        let name = item.name(Lang::En).to_string();
        assert!(names.insert(name.clone()), "{id} {name}");
        let name = item.name(Lang::Zh).to_string();
        assert!(chinese.insert(name.clone()), "{id} {name}");
    }
    assert_eq!(names.len(), catalogue_count());
    let mut names = BTreeSet::new();
    for item in catalogue_1997() {
        assert!(
            names.insert(item.name(Lang::En).to_string()),
            "{}",
            item.id()
        );
        assert_eq!(item.id().item().map(|again| again.id()), Some(item.id()));
    }
}

/// Lengths of records as the fact sheet prints them.
#[test]
fn records_have_the_lengths_of_the_standard() {
    let lengths = [
        (0x0301_0000, 18),
        (0x0304_030A, 131),
        (0x0305_0001, 15),
        (0x0306_0001, 12),
        (0x0307_0001, 76),
        (0x030A_0001, 78),
        (0x030B_0101, 115),
        (0x030E_0201, 76),
        (0x0310_0000, 27),
        (0x0310_010C, 27),
        (0x0311_0001, 12),
        (0x0312_0000, 18),
        (0x0312_0601, 20),
        (0x0330_0001, 50),
        (0x0330_0101, 106),
        (0x0330_0201, 202),
        (0x0330_0301, 14),
        (0x0330_0401, 16),
        (0x0330_0501, 682),
        (0x0330_0601, 94),
        (0x0330_0701, 11),
        (0x0330_0801, 1026),
        (0x0330_0901, 11),
        (0x0330_0C01, 16),
        (0x0330_0E01, 60),
        (0x0330_1001, 570),
        (0x0335_0001, 28),
        (0x0332_FF01, 23),
        (0x0333_FF01, 23),
        (0x1001_FF01, 195),
        (0x1300_FF01, 0),
        (0x1400_FF01, 140),
        (0x1700_FF01, 143),
        (0x1A03_FF01, 179),
        (0x1C01_FF01, 140),
        (0x1D00_FF01, 34),
        (0x1F00_FF01, 44),
        (0x2200_FF01, 70),
        (0x0500_1001, 24),
        (0x0508_0201, 10),
        (0x0406_0AFF, 70),
        (0x0700_00FF, 12),
        (0x0780_03FF, 30),
        (0x0781_02FF, 26),
    ];
    for (id, len) in lengths {
        let id = DataId(id);
        let found = id.item().map(|item| item.format().len());
        assert_eq!(found, (len > 0).then_some(len), "{id}");
        if len > 0 {
            let data = vec![0x11; len];
            let Ok(Value::Record(record)) = id.value(&data) else {
                panic!("{id}")
            };
            assert_eq!(
                record
                    .fields()
                    .map(|field| field.bytes().len())
                    .sum::<usize>(),
                len,
                "{id}"
            );
        }
    }
    // The other length of a phase's quality.
    assert!(DataId(0x0310_0101).value(&[0x11; 25]).is_ok());
    assert!(DataId(0x0310_0101).value(&[0x11; 26]).is_err());
    let auth = DataId(0x0700_00FF).request_format().unwrap();
    assert_eq!(
        (
            auth.len(),
            DataId(0x0701_02FF).request_format().unwrap().len()
        ),
        (24, 22)
    );
}

#[test]
fn items_of_an_event_are_the_fields_of_its_record() {
    let mut data = [0_u8; 195];
    for (nth, byte) in data.iter_mut().enumerate() {
        *byte = (nth as u8 % 10) << 4 | 1;
    }
    let Ok(Value::Record(record)) = DataId(0x1002_FF03).value(&data) else {
        panic!()
    };
    let mut count = 0;
    for (nth, field) in record.fields().enumerate() {
        let id = DataId(0x1002_0003 | (nth as u32 + 1) << 8);
        let item = id.item().unwrap();
        assert_eq!(item.format(), field.format(), "{id}");
        assert_eq!(
            item.name(Lang::En).to_string(),
            format!("voltage lost: {}, phase B 3", field.name(Lang::En))
        );
        count += 1;
    }
    assert_eq!(count, 0x35);
    assert!(DataId(0x1002_3603).item().is_none());
    // Begin of the last ten.
    let ten = DataId(0x1002_01FF);
    assert_eq!(ten.values(&data[..60]).unwrap().count(), 10);
    assert_eq!(
        ten.values(&data[..60]).unwrap().nth(9).unwrap().0,
        DataId(0x1002_010A)
    );
}

#[test]
fn a_freeze_goes_both_ways() {
    let mut out = [0; 200];
    let mut writer = FreezeWriter::new(&mut out);
    writer
        .part(&[0, 0, 1, 6, 0x24])
        .part(&[0x56, 0x34, 0x12, 0, 1, 0, 0, 0]);
    for _ in 0..8 {
        writer.part(&[]);
    }
    writer
        .part(&[0x34, 0x12, 0, 8, 7, 6, 5, 0x24])
        .part(&[0x11; 24]);
    let len = writer.finish().unwrap();
    let id = DataId(0x0506_FF02);
    assert_eq!(
        id.item().unwrap().name(Lang::En).to_string(),
        "daily freeze: whole freeze 2"
    );
    let Ok(Value::Freeze(freeze)) = id.value(&out[..len]) else {
        panic!()
    };
    assert!(freeze.is_whole() && !Freeze(&out[..len - 1]).is_whole());
    let parts: Vec<_> = freeze.parts().collect();
    assert_eq!(
        parts.iter().map(|part| part.di1).collect::<Vec<_>>(),
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 16]
    );
    let Ok(Some(Value::Record(energies))) = parts[1].value() else {
        panic!()
    };
    let text: Vec<_> = energies
        .fields()
        .map(|field| field.value().unwrap().to_string())
        .collect();
    assert_eq!(text, ["1234.56 kWh", "0.01 kWh"]);
    assert_eq!(parts[2].value(), Ok(None));
    assert!(
        matches!(parts[11].value(), Ok(Some(Value::Record(record))) if record.fields().count() == 8)
    );
    // A part read alone is the same record; more kinds and numbers than the standard keeps are understood.
    assert!(matches!(
        DataId(0x0506_0102).value(parts[1].data),
        Ok(Value::Record(_))
    ));
    assert!(DataId(0x0500_00C8).item().is_some());
}

#[test]
fn load_blocks_go_both_ways_and_tell_what_is_wrong() {
    let at = Stamp {
        year: 24,
        month: 5,
        day: 6,
        hour: 7,
        minute: 15,
        second: 0,
    };
    let full: [&[u8]; 6] = [
        &[0x11; 17],
        &[0x12; 24],
        &[0x13; 8],
        &[0x14; 16],
        &[0x15; 16],
        &[0x16; 6],
    ];
    let mut out = [0; 300];
    let first = encode_load_block(at, full, &mut out).unwrap();
    assert_eq!((first, out[2]), (103, 98));
    let one =
        encode_load_block(at, [&[], &[], &[], &[1; 16], &[], &[]], &mut out[first..]).unwrap();
    let both = &out[..first + one];
    let Ok(Value::Load(blocks)) = DataId(0x0600_0000).value(both) else {
        panic!()
    };
    let found: Vec<_> = blocks.blocks(0).map(Result::unwrap).collect();
    assert_eq!(found.len(), 2);
    for (class, part) in (1..=6).zip(full) {
        assert_eq!(found[0].record(class).unwrap().unwrap().bytes(), part);
        assert_eq!(found[1].record(class).unwrap().is_some(), class == 4);
    }
    assert_eq!(found[1].at(), Ok(at));
    // The same without the separators of the classes that were not asked for.
    let mut short = vec![0xA0, 0xA0, 22, 0x15, 7, 6, 5, 0x24];
    short.extend([1; 16]);
    short.push(0xAA);
    short.push(short.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte)));
    short.push(0xE5);
    let Ok(Value::Load(blocks)) = DataId(0x0604_0002).value(&short) else {
        panic!()
    };
    let block = blocks.blocks(4).next().unwrap().unwrap();
    assert_eq!(block.record(4).unwrap().unwrap().fields().count(), 4);
    assert!(blocks.blocks(0).next().unwrap().is_err());
    // Any other byte in a block is noticed, except in the data where two changes may cancel out.
    for at in 0..both.len() {
        let mut bad = both.to_vec();
        bad[at] ^= 0x41;
        let Ok(Value::Load(blocks)) = DataId(0x0600_0000).value(&bad) else {
            panic!()
        };
        assert!(blocks.blocks(0).any(|block| block.is_err()), "byte {at}");
    }
}

#[test]
fn names_lead_back_and_parts_of_names_find_rules() {
    for id in [
        0x0001_0000,
        0x0203_0300,
        0x0333_0405,
        0x0403_0011,
        0x0506_0901,
        0x1001_2504,
    ] {
        let id = DataId(id);
        for lang in [Lang::En, Lang::Zh] {
            let name = id.item().unwrap().name(lang).to_string();
            assert_eq!(DataId::from_name(&name, lang), Some(id), "{name}");
        }
    }
    assert!(search("失压", Lang::Zh).count() > 5);
    assert_eq!(search("no such thing", Lang::En).count(), 0);
    let password = DataId(0x0400_0C03).item().unwrap();
    assert_eq!(password.access(), Access::Write);
    assert!(catalogue().all(|item| !item.name(Lang::Zh).to_string().is_empty()));
}

#[test]
fn blocks_of_1997_by_row_column_and_class() {
    let ids = |block: u16, data: &[u8]| -> Vec<u16> {
        DataId1997(block)
            .values(data)
            .unwrap()
            .map(|(id, value)| {
                assert!(value.is_ok());
                id.0
            })
            .collect()
    };
    assert_eq!(ids(0x901F, &[0x11; 12]), [0x9010, 0x9011, 0x9012]);
    assert_eq!(ids(0x94F2, &[0x11; 8]), [0x9412, 0x9422]);
    assert_eq!(ids(0x90FF, &[0x11; 16]), [0x9010, 0x9011, 0x9020, 0x9021]);
    let mut separated = [0x11; 17];
    separated[8] = 0xAA;
    assert_eq!(ids(0x90FF, &separated), [0x9010, 0x9011, 0x9020, 0x9021]);
    assert_eq!(ids(0xB63F, &[0x11; 12]), [0xB630, 0xB631, 0xB632, 0xB633]);
    assert_eq!(ids(0xC32F, &[0x11; 42]).len(), 14);
    assert_eq!(ids(0xC3A1, &[0x11; 3]), [0xC3A1]);
    assert!(DataId1997(0x90FF).values(&[0x11; 20]).is_err());
    assert!(DataId1997(0x901F).values(&[0x11; 7]).is_err());
    assert!(matches!(
        DataId1997(0x7777).values(&[0]),
        Err(ValueError::Unknown)
    ));
    let quirks = Quirks {
        tenth_volts_1997: true,
        three_byte_voltages: true,
        ..Quirks::default()
    };
    let text = |values: &mut dyn Iterator<Item = String>| values.collect::<Vec<_>>().join(" ");
    let volts = [0x23, 0x02];
    assert_eq!(
        text(
            &mut DataId1997(0xB611)
                .values(&volts)
                .unwrap()
                .map(|value| value.1.unwrap().to_string())
        ),
        "223 V"
    );
    assert_eq!(
        text(
            &mut DataId1997(0xB611)
                .values_with(&volts, &quirks)
                .unwrap()
                .map(|value| value.1.unwrap().to_string())
        ),
        "22.3 V"
    );
    let wide = DataId(0x0201_FF00)
        .values_with(&[0x05, 0x22, 0, 0x06, 0x22, 0], &quirks)
        .unwrap();
    assert_eq!(
        text(&mut wide.map(|value| value.1.unwrap().to_string())),
        "220.5 V 220.6 V"
    );
    for item in catalogue_1997() {
        assert!(
            item.id().value(&vec![0x11; item.format().len()]).is_ok(),
            "{}",
            item.id()
        );
    }
}

/// Every record, built field by field from what was decoded, is the record again.
#[test]
fn records_are_built_as_they_are_read() {
    let rebuild = |record: Record<'_>, open: u8| -> Vec<u8> {
        let mut out = vec![0; record.bytes().len()];
        let mut writer = RecordWriter::new(record.layout(), open, &mut out);
        for field in record.fields() {
            writer.put(&field.value().unwrap()).unwrap();
        }
        assert_eq!(writer.finish(), Ok(record.bytes().len()));
        out
    };
    for item in catalogue() {
        let Format::Record(_) = item.format() else {
            continue;
        };
        let open = if item.format().fits(item.format().len() + 1)
            || !item.format().fits(item.format().len())
        {
            1
        } else {
            3
        };
        let step = (1..100).find(|more| item.format().fits(item.format().len() + more));
        let len = item.format().len() + step.unwrap_or(0) * usize::from(open);
        let data: Vec<u8> = (0..len).map(|nth| 0x01 + (nth as u8 % 7)).collect();
        let Ok(Value::Record(record)) = item.id().value(&data) else {
            panic!("{}", item.id())
        };
        assert_eq!(
            rebuild(record, if step.is_some() { open } else { 0 }),
            data,
            "{}",
            item.id()
        );
    }
}
