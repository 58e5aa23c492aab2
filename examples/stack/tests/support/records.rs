//! What stands in the platform's history, read beside it.

use std::collections::BTreeMap;
use std::path::Path;

use meter_proto::message::{Body, Stream};
use meter_proto::point::{Direction as Flow, PointId};
use meter_proto::quantity::Quantity;
use rusqlite::{Connection, OpenFlags};
use security::envelope::{Direction, Header};
use security::key::{DeviceKey, DeviceKeyId, Purpose, Secret};
use security::link::Opener;
use security::suite::Suite;

/// The history database, read only.
pub struct Records(Connection);

/// The sealed records of one meter: (boot, number) to the envelope.
pub type Sealed = BTreeMap<(u32, u32), Vec<u8>>;

impl Records {
    pub fn open(path: &Path) -> Self {
        let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        database
            .busy_timeout(std::time::Duration::from_secs(20))
            .unwrap();
        Self(database)
    }

    /// All sealed records.
    pub fn count(&self) -> u64 {
        self.0
            .query_row("SELECT count(*) FROM sealed", [], |row| {
                row.get::<_, i64>(0)
            })
            .unwrap()
            .unsigned_abs()
    }

    /// The sealed records of one meter.
    pub fn sealed(&self, device: &str) -> Sealed {
        let mut query = self
            .0
            .prepare("SELECT boot, seq, bytes FROM sealed WHERE device = ?1 AND stream = 1")
            .unwrap();
        let rows = query
            .query_map([device], |row| {
                Ok(((row.get(0)?, row.get(1)?), row.get(2)?))
            })
            .unwrap();
        let mut sealed = Sealed::new();
        for row in rows {
            let (name, bytes) = row.unwrap();
            assert!(
                sealed.insert(name, bytes).is_none(),
                "{device}: {name:?} stands twice"
            );
        }
        sealed
    }

    /// How many snapshots of one meter came out of sealed records: what the records did, not only that they are there.
    pub fn sealed_snapshots(&self, device: &str) -> usize {
        let count: i64 = self
            .0
            .query_row(
                "SELECT count(*) FROM snapshot s JOIN device d ON d.id = s.device WHERE d.name = ?1 AND s.sealed = 1",
                [device],
                |row| row.get(0),
            )
            .unwrap();
        count.unsigned_abs() as usize
    }

    /// Records that were set aside because they made no sense.
    pub fn aside(&self) -> Vec<String> {
        let mut query = self
            .0
            .prepare("SELECT device || ' ' || stream || ' ' || seq || ': ' || reason FROM aside")
            .unwrap();
        query
            .query_map([], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect()
    }
}

/// Opens the records of one meter with its own key and checks that each holds what its name says. Returns the highest
/// number of each boot; registers never fall and numbers have no gaps.
pub fn check(device: &str, sealed: &Sealed, key_file: &Path) -> BTreeMap<u32, u32> {
    let file: serde_json::Value =
        serde_json::from_slice(&std::fs::read(key_file).unwrap()).unwrap();
    let key: [u8; 16] = hex::decode(file["keys"]["data"].as_str().unwrap())
        .unwrap()
        .try_into()
        .unwrap();
    let epoch = u16::try_from(file["epoch"].as_u64().unwrap()).unwrap();
    let digits = device.split_once('-').unwrap().1;
    let id = DeviceKeyId::meter(hex::decode(digits).unwrap().try_into().unwrap());
    let key = DeviceKey::new(Secret::new(key), id, Purpose::Data, epoch);
    // Its window refuses a counter that was used before.
    let mut opener = Opener::new(&key, Direction::FromDevice, Suite::Ccm16);
    let import = PointId::new(Quantity::ACTIVE_ENERGY).direction(Flow::IMPORT);
    let mut register = 0;
    let mut highest: BTreeMap<u32, u32> = BTreeMap::new();
    for (&(boot, seq), envelope) in sealed {
        let name = format!("{device} {boot}/{seq}");
        assert_eq!(
            Header::parse(envelope).unwrap().address,
            id.address(),
            "{name}"
        );
        let mut bytes = envelope.clone();
        let opened = opener
            .open(b"", &mut bytes)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let message = meter_proto::compact::decode(opened.plain).unwrap();
        assert_eq!(
            (message.head.stream, message.head.boot, message.head.seq),
            (Stream::LEGAL, boot, seq),
            "{name}"
        );
        let Body::Snapshot(snapshot) = message.body else {
            panic!("{name} is no snapshot")
        };
        let value = snapshot
            .samples
            .iter()
            .find(|sample| sample.point == import)
            .unwrap()
            .value;
        assert_eq!(value.exponent, -1, "{name}");
        assert!(
            value.mantissa >= register,
            "{name}: the register fell from {register} to {}",
            value.mantissa
        );
        register = value.mantissa;
        let before = highest.insert(boot, seq).unwrap_or(0);
        assert_eq!(before + 1, seq, "{name}: records before it are missing");
    }
    assert!(register > 0, "{device} metered nothing");
    highest
}
