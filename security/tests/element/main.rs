//! The DL/T 645 security layer: what is refused, and power cuts at every write.

use std::collections::BTreeMap;

use security::engine::{Block128, BlockCipher, Soft, SoftKey};
use security::esam::{Element, Host, HostKeys, KeyInfo, KeyName, RECORD_LEN, Refused};
use security::key::Secret;

mod authentication;
mod files;
mod keys;
mod purse;

const METER: [u8; 6] = [0x20, 0x26, 0x11, 0, 0, 1];
const OTHER: [u8; 6] = [0x20, 0x26, 0x11, 0, 0, 2];
const CUSTOMER: [u8; 6] = [0, 0, 0, 0, 0x12, 0x34];
const CLOSE: [u8; 8] = [0x1C, 0, 0x59, 0x59, 0x23, 0x21, 0x11, 0x26];

fn keys() -> HostKeys {
    let secret = |byte| Secret::new([byte; 16]);
    HostKeys {
        parameter: secret(1),
        control: secret(2),
        identity: secret(3),
        main: secret(4),
    }
}

fn chip() -> SoftKey {
    let Ok(key) = Soft.load(BlockCipher::Aes128, &Secret::new([0xC1; 16]));
    key
}

fn element() -> Element<Soft> {
    Element::new(Soft, &keys(), METER, [9; 8]).unwrap()
}

fn host() -> Host<Soft> {
    Host::new(Soft, keys())
}

/// A fresh authentication; each takes random numbers of its own.
fn authenticate(
    host: &mut Host<Soft>,
    element: &mut Element<Soft>,
    random: u8,
) -> Result<(), Refused> {
    host.give_random([random; 8]);
    element.give_random([!random; 8]);
    let begun = host.begin(METER)?;
    let mut out = [0; 12];
    element.request(0x0700_00FF, &begun, &mut out)?;
    host.finish(METER, out);
    Ok(())
}

fn authenticated() -> (Host<Soft>, Element<Soft>) {
    let (mut host, mut element) = (host(), element());
    element.set_now(100, 7);
    authenticate(&mut host, &mut element, 1).unwrap();
    (host, element)
}

fn order(host: &mut Host<Soft>, plain: &[u8]) -> Vec<u8> {
    let mut out = [0; 32];
    let len = host.control(METER, plain, &mut out).unwrap();
    out[..len].to_vec()
}

/// Two copies of a record, with power that goes at some writes.
struct Flash {
    copies: [[u8; RECORD_LEN]; 2],
    writes: usize,
    cuts: BTreeMap<usize, Cut>,
}

#[derive(Clone, Copy)]
enum Cut {
    Before,
    Torn,
    After,
}

impl Flash {
    /// Writes and says whether power is still there afterwards.
    fn write(&mut self, nth: usize, record: &[u8; RECORD_LEN]) -> bool {
        self.writes += 1;
        let cut = self.cuts.get(&self.writes);
        match cut {
            Some(Cut::Before) => {}
            Some(Cut::Torn) => self.copies[nth][..70].copy_from_slice(&record[..70]),
            Some(Cut::After) | None => self.copies[nth] = *record,
        }
        cut.is_none()
    }

    fn boot(&self) -> Element<Soft> {
        let [a, b] = &self.copies;
        let mut element = Element::restore(Soft, &chip(), [a, b]).expect("no copy is whole");
        element.set_now(100, 7);
        element
    }
}

fn stored() -> Flash {
    let record = element().record(&chip()).unwrap();
    Flash {
        copies: [record, [0xFF; RECORD_LEN]],
        writes: 0,
        cuts: BTreeMap::new(),
    }
}

/// A request until it is answered, through power cuts; each try authenticates anew.
fn insist(
    flash: &mut Flash,
    host: &mut Host<Soft>,
    id: u32,
    mut data: impl FnMut(&mut Host<Soft>) -> Vec<u8>,
) -> Result<(), Refused> {
    for random in 1.. {
        let mut element = flash.boot();
        authenticate(host, &mut element, random).unwrap();
        let request = data(host);
        element.request(id, &request, &mut [0; 64])?;
        let (nth, record) = element.unsaved(&chip()).unwrap().expect("nothing to store");
        if flash.write(nth, &record) {
            element.saved();
            return Ok(());
        }
    }
    unreachable!()
}

fn info(name: KeyName, version: u8) -> KeyInfo {
    KeyInfo {
        state: 1,
        way: 1,
        id: name as u8,
        version,
    }
}

#[test]
fn the_wire_of_the_traits() {
    use dlt645::{Address, DataId, Function, HostElement, MeterElement, Protection, Subject};
    let (mut host, mut element) = authenticated();
    let subject = |function, id| Subject {
        meter: Address::from_big_endian(METER),
        function,
        id,
    };
    let id = Some(DataId(0x0400_0103));
    let mut sealed = [0; 64];
    let mut out = [0; 64];
    for (protection, subject, plain) in [
        (
            Protection::Cipher,
            subject(Function::CONTROL, None),
            &CLOSE[..],
        ),
        (Protection::Cipher, subject(Function::WRITE, id), &[1, 2, 3]),
        (Protection::Mac, subject(Function::WRITE, id), &[1, 2, 3]),
    ] {
        let len = host
            .protect(protection, subject, plain, &mut sealed)
            .unwrap();
        let opened = element.open(protection, subject, &sealed[..len], &mut out);
        assert_eq!((opened, &out[..plain.len()]), (Ok(plain.len()), plain));
    }
    // An order in clear with a MAC is none.
    let control = subject(Function::CONTROL, None);
    assert!(
        host.protect(Protection::Mac, control, &CLOSE, &mut sealed)
            .is_err()
    );
    assert!(
        element
            .open(Protection::Mac, control, &sealed[..20], &mut out)
            .is_err()
    );
}
