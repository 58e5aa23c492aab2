//! What a simulated meter has to tell: identifiers and their bytes.

use std::collections::BTreeMap;

use dlt645::{Address, DataId, DataId1997};

use crate::encode::data_of;

/// Values by identifier; blocks are put together from them.
#[derive(Debug, Clone, Default)]
pub(super) struct Registers(BTreeMap<DataId, Vec<u8>>);

/// Identifier and value as in `meterkit encode write`.
const START: &[(u32, &str)] = &[
    (0x0001_0000, "12345.67"),
    (0x0001_0100, "1234.56"),
    (0x0001_0200, "2345.67"),
    (0x0001_0300, "3456.78"),
    (0x0001_0400, "5308.66"),
    (0x0000_0000, "12345.67"),
    (0x0002_0000, "0.00"),
    (0x0001_0001, "12000.00"),
    (0x0201_0100, "230.1"),
    (0x0201_0200, "229.8"),
    (0x0201_0300, "231.0"),
    (0x0202_0100, "5.123"),
    (0x0202_0200, "-4.500"),
    (0x0202_0300, "0.000"),
    (0x0203_0000, "2.2000"),
    (0x0203_0100, "1.1788"),
    (0x0203_0200, "-1.0341"),
    (0x0203_0300, "0.0000"),
    (0x0206_0000, "0.998"),
    (0x0280_0002, "49.98"),
    (0x0400_0501, "hex:0000"),
    (0x0400_0502, "hex:0000"),
    (0x0400_0503, "hex:0800"),
    (0x0400_0504, "hex:0000"),
    (0x0400_0505, "hex:0000"),
    (0x0400_0506, "hex:0000"),
    (0x0400_0507, "hex:0000"),
    (0x0400_0101, "hex:06211126"),
    (0x0400_0102, "hex:000012"),
];

/// 1,026 bytes: a time, an operator and 254 holidays, sent in parts.
const LONG: DataId = DataId(0x0330_0801);
const COMMUNICATION_ADDRESS: DataId = DataId(0x0400_0401);

impl Registers {
    /// A three-phase meter with four tariffs.
    pub(super) fn start(address: Address) -> Self {
        let mut registers = Registers::default();
        for (id, value) in START {
            // The rows are checked by a test.
            if let Ok(data) = data_of(DataId(*id), value) {
                registers.set(DataId(*id), data);
            }
        }
        registers.set(COMMUNICATION_ADDRESS, address.line().to_vec());
        let mut record = vec![0, 0, 8, 0x21, 0x11, 0x26, 1, 0, 0, 0];
        record.extend((0..254).flat_map(|_| [0x01, 0x01, 0x10, 0x26]));
        registers.set(LONG, record);
        registers
    }

    pub(super) fn set(&mut self, id: DataId, data: Vec<u8>) {
        self.0.insert(id, data);
    }

    pub(super) fn has(&self, id: DataId) -> bool {
        self.0.contains_key(&id)
    }

    /// The bytes of an identifier, or of all that a block stands for, ascending.
    pub(super) fn read(&self, id: DataId) -> Option<Vec<u8>> {
        if let Some(data) = self.0.get(&id) {
            return Some(data.clone());
        }
        let asked = id.line();
        // FF in DI3 asks for nothing that exists.
        let suits = |line: [u8; 4]| {
            asked
                .iter()
                .zip(line)
                .enumerate()
                .all(|(nth, (asked, had))| *asked == had || (nth < 3 && *asked == 0xFF))
        };
        let block: Vec<u8> = self
            .0
            .iter()
            .filter(|(id, _)| suits(id.line()))
            .flat_map(|(_, data)| data.iter().copied())
            .collect();
        (!block.is_empty()).then_some(block)
    }
}

/// Older identifiers of whole volts and of power.
const OLDER: &[(u16, &[u8])] = &[
    (0xB611, &[0x30, 0x02]),
    (0xB612, &[0x29, 0x02]),
    (0xB613, &[0x31, 0x02]),
    (0xB621, &[0x12, 0x05]),
    (0xB630, &[0x00, 0x20, 0x02]),
    (0xC010, &[0x06, 0x21, 0x11, 0x26]),
    (0xC011, &[0x00, 0x00, 0x12]),
    (0xC020, &[0x00]),
];

impl Registers {
    /// The bytes of a 1997 identifier, or of all that a block stands for.
    pub(super) fn read_1997(&self, id: DataId1997) -> Option<Vec<u8>> {
        let asked = id.0.to_be_bytes();
        let nibble = |asked: u8, had: u8| asked == 0x0F || asked == had;
        let suits = |code: u16| {
            let [high, low] = code.to_be_bytes();
            high == asked[0]
                && nibble(asked[1] >> 4, low >> 4)
                && nibble(asked[1] & 0x0F, low & 0x0F)
        };
        let block: Vec<u8> = OLDER
            .iter()
            .filter(|(code, _)| suits(*code))
            .flat_map(|(_, data)| data.iter().copied())
            .collect();
        (!block.is_empty()).then_some(block)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_the_bytes_of_its_item() {
        for (id, value) in START {
            let id = DataId(*id);
            let data = data_of(id, value).unwrap();
            assert_eq!(data.len(), id.item().unwrap().format().len(), "{id}");
        }
    }

    #[test]
    fn blocks_are_put_together() {
        let registers = Registers::start(Address::from_line([1; 6]));
        assert_eq!(registers.read(DataId(0x0001_FF00)).unwrap().len(), 20);
        assert_eq!(registers.read(DataId(0x0201_FF00)).unwrap().len(), 6);
        assert_eq!(registers.read(LONG).unwrap().len(), 1026);
        assert_eq!(registers.read(DataId(0x0001_0500)), None);
    }
}
