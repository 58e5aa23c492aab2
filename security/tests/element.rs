//! The DL/T 645 security layer: what is refused, and power cuts at every write.

use std::collections::BTreeMap;

use security::engine::{Block128, BlockCipher, Soft, SoftKey};
use security::esam::{
    Element, FILE_LEN, Host, HostKeys, KeyInfo, KeyName, MacRules, Purse, RECORD_LEN, ReadTag,
    Refused,
};
use security::key::Secret;
use testkit::{Rng, rounds, stride};

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

#[test]
fn orders_and_writes_come_through_as_they_went_in() {
    let (mut host, mut element) = authenticated();
    let mut out = [0; 220];
    let sealed = order(&mut host, &CLOSE);
    assert_eq!(
        (sealed.len(), element.open_control(&sealed, &mut out)),
        (20, Ok(8))
    );
    assert_eq!(out[..8], CLOSE);
    // Clearing of events (1B) names an identifier.
    let clear = [&CLOSE[..], &[0xFF, 0, 0x10, 0x03]].concat();
    let sealed = order(&mut host, &clear);
    assert_eq!(
        (sealed.len(), element.open_control(&sealed, &mut out)),
        (20, Ok(12))
    );
    assert_eq!(out[..12], clear);

    let mut sealed = [0; 240];
    for len in [1, 2, 10, 11, 12, 48, 100, 180] {
        let data: Vec<u8> = (0..len).collect();
        let protected = host
            .parameters(METER, 0x0400_0103, &data, &mut sealed)
            .unwrap();
        assert_eq!(protected, data.len() + 4);
        let opened = element.open_parameters(0x0400_0103, &sealed[..protected], &mut out);
        assert_eq!((opened, &out[..data.len()]), (Ok(data.len()), &data[..]));

        let hidden = host
            .hidden_parameters(METER, 0x0400_0103, &data, &mut sealed)
            .unwrap();
        let opened = element.open_hidden_parameters(0x0400_0103, &sealed[..hidden], &mut out);
        assert_eq!((opened, &out[..data.len()]), (Ok(data.len()), &data[..]));
    }
    // For one identifier only.
    let hidden = host
        .hidden_parameters(METER, 0x0400_0103, &[1], &mut sealed)
        .unwrap();
    let refused = element.open_hidden_parameters(0x0400_0104, &sealed[..hidden], &mut out);
    assert_eq!(refused, Err(Refused::MAC));
    let hidden = host
        .parameters(METER, 0x0400_0103, &[1], &mut sealed)
        .unwrap();
    let refused = element.open_parameters(0x0400_0104, &sealed[..hidden], &mut out);
    assert_eq!(refused, Err(Refused::MAC));
}

#[test]
fn esam_replay_in_window() {
    let (mut host, mut element) = authenticated();
    let mut out = [0; 32];
    let mut taken = Vec::new();
    for minute in 0..8 {
        let mut plain = CLOSE;
        plain[3] = minute;
        let sealed = order(&mut host, &plain);
        assert_eq!(element.open_control(&sealed, &mut out), Ok(8));
        taken.push(sealed);
    }
    for sealed in &taken {
        assert_eq!(element.open_control(sealed, &mut out), Err(Refused::MAC));
    }
    // Nor under the next authentication.
    authenticate(&mut host, &mut element, 2).unwrap();
    for sealed in &taken {
        assert_eq!(element.open_control(sealed, &mut out), Err(Refused::MAC));
    }
}

#[test]
fn every_changed_bit_is_refused_and_nothing_is_left() {
    let (mut host, mut element) = authenticated();
    element = element.with_rules(MacRules {
        per_day: u16::MAX,
        per_authentication: 0,
    });
    let sealed = order(&mut host, &CLOSE);
    for bit in (0..160).step_by(stride(41)) {
        let mut changed = sealed.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let mut out = [0; 32];
        assert_eq!(element.open_control(&changed, &mut out), Err(Refused::MAC));
        assert_eq!(out, [0; 32]);
    }
    for len in (0..20).step_by(stride(7)) {
        assert!(element.open_control(&sealed[..len], &mut [0; 32]).is_err());
    }
}

#[test]
fn nothing_works_without_an_authentication_or_after_its_time() {
    let (mut host, mut element) = authenticated();
    let sealed = order(&mut host, &CLOSE);
    let mut out = [0; 64];
    element.set_now(100 + 299, 7);
    assert!(element.is_authenticated());
    element.set_now(100 + 300, 7);
    assert!(!element.is_authenticated());
    assert_eq!(
        element.open_control(&sealed, &mut out),
        Err(Refused::IDENTITY)
    );
    authenticate(&mut host, &mut element, 2).unwrap();
    assert_eq!(element.request(0x0700_02FF, &[], &mut out), Ok(18));
    let sealed = order(&mut host, &CLOSE);
    assert_eq!(
        element.open_control(&sealed, &mut out),
        Err(Refused::IDENTITY)
    );

    // A longer validity holds from the next authentication on.
    authenticate(&mut host, &mut element, 3).unwrap();
    let set = host.validity(METER, 1234).unwrap();
    element.request(0x0700_01FF, &set, &mut out).unwrap();
    assert!(element.unsaved(&chip()).unwrap().is_some());
    element.saved();
    authenticate(&mut host, &mut element, 4).unwrap();
    element.set_now(400 + 1234 * 60 - 1, 7);
    assert!(element.is_authenticated());
    assert_eq!(host.validity(METER, 0), Err(Refused::OTHER));
}

#[test]
fn another_meter_is_refused_before_any_cryptography() {
    let mut element = element();
    let mut host = host();
    host.give_random([1; 8]);
    let begun = host.begin(OTHER).unwrap();
    let refused = element.request(0x0700_00FF, &begun, &mut [0; 12]);
    assert_eq!(refused, Err(Refused::ADDRESS));
    let mut wrong = begun;
    wrong[23] = 1; // a zero byte of the factor
    let refused = element.request(0x0700_00FF, &wrong, &mut [0; 12]);
    assert_eq!(refused, Err(Refused::ADDRESS));
    // Keys of one meter open no other: the host of another network fails too.
    host.give_random([1; 8]);
    let mut stranger = Host::new(
        Soft,
        HostKeys {
            identity: Secret::new([8; 16]),
            ..keys()
        },
    );
    stranger.give_random([1; 8]);
    element.give_random([1; 8]);
    let begun = stranger.begin(METER).unwrap();
    let refused = element.request(0x0700_00FF, &begun, &mut [0; 12]);
    assert_eq!(refused, Err(Refused::IDENTITY));
}

#[test]
fn bad_macs_end_the_authentication_and_then_the_day() {
    let (mut host, mut element) = authenticated();
    element = element.with_rules(MacRules::OF_2009);
    let mut out = [0; 32];
    for bad in 1..=15_u8 {
        let mut sealed = order(&mut host, &CLOSE);
        sealed[0] ^= 1;
        assert_eq!(element.open_control(&sealed, &mut out), Err(Refused::MAC));
        assert_eq!(element.is_authenticated(), bad % 3 != 0, "{bad}");
        if bad == 15 {
            assert_eq!(
                element.open_control(&sealed, &mut out),
                Err(Refused::SUSPENDED)
            );
            let refused = authenticate(&mut host, &mut element, 99);
            assert_eq!(refused, Err(Refused::SUSPENDED));
        } else if bad % 3 == 0 {
            authenticate(&mut host, &mut element, bad + 1).unwrap();
        }
    }
    element.set_now(200, 8);
    authenticate(&mut host, &mut element, 200).unwrap();
    let sealed = order(&mut host, &CLOSE);
    assert_eq!(element.open_control(&sealed, &mut out), Ok(8));
}

#[test]
fn the_infrared_port_opens_for_who_proves_himself() {
    let mut element = element();
    element.set_now(100, 7);
    element.give_random([0x55; 8]);
    let mut out = [0; 64];
    assert_eq!(element.request(0x0780_03FF, &[7; 8], &mut out), Ok(30));
    assert_eq!(out[..6], [1, 0, 0, 0x11, 0x26, 0x20]);
    // The reader computes as the meter does: an identity proof over the meter's random number.
    let mut reader = host();
    reader.give_random([0x55; 8]);
    let proof = reader.begin(METER).unwrap()[..8].to_vec();
    assert!(!element.infrared_is_open());
    element.request(0x0700_03FF, &proof, &mut out).unwrap();
    assert!(element.infrared_is_open());
    element.set_now(100 + 1800, 7);
    assert!(!element.infrared_is_open());
    // One try for each question.
    let refused = element.request(0x0700_03FF, &proof, &mut out);
    assert_eq!(refused, Err(Refused::IDENTITY));
    element.give_random([0x56; 8]);
    element.request(0x0780_03FF, &[7; 8], &mut out).unwrap();
    let refused = element.request(0x0700_03FF, &proof, &mut out);
    assert_eq!(refused, Err(Refused::IDENTITY));
    assert!(!element.infrared_is_open());
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

#[test]
fn recharge_exactly_once() {
    for at in (0..6).step_by(stride(5)) {
        for cut in [Cut::Before, Cut::Torn, Cut::After] {
            let (mut flash, mut host) = (stored(), host());
            flash.cuts.insert(at, cut);
            for count in 1..=4_u32 {
                let sale = Purse {
                    balance: 100,
                    count,
                    customer: CUSTOMER,
                };
                let id = if count == 1 { 0x0701_01FF } else { 0x0701_02FF };
                let done = insist(&mut flash, &mut host, id, |host| {
                    host.recharge(METER, &sale).unwrap().to_vec()
                });
                // The answer was lost after the write: the second try says so.
                let again = Err(Refused::REPEATED);
                assert!(done == Ok(()) || (done == again && matches!(cut, Cut::After)));
                let purse = *flash.boot().purse();
                assert_eq!((purse.balance, purse.count), (100 * count, count));
            }
        }
    }
}

/// Recharges and key updates in any order, with power that goes at many writes: each recharge counts once, each key is
/// the old one or the new one, and the reader can always go on.
#[test]
fn random_schedules_of_cuts() {
    for seed in 0..rounds(100, 1) {
        let mut rng = Rng::new(seed);
        let (mut flash, mut host) = (stored(), host());
        for _ in 0..rng.below(12) {
            let at = 1 + rng.below(25) as usize;
            let cut = [Cut::Before, Cut::Torn, Cut::After][rng.below(3) as usize];
            flash.cuts.insert(at, cut);
        }
        let (mut count, mut version) = (0_u32, 0_u8);
        for _ in 0..8 {
            if rng.chance(600_000) {
                count += 1;
                let id = if count == 1 { 0x0701_01FF } else { 0x0701_02FF };
                let sale = Purse {
                    balance: 100,
                    count,
                    customer: CUSTOMER,
                };
                let done = insist(&mut flash, &mut host, id, |host| {
                    host.recharge(METER, &sale).unwrap().to_vec()
                });
                assert!(matches!(done, Ok(()) | Err(Refused::REPEATED)), "{done:?}");
            } else {
                version += 1;
                let (info, new) = (info(KeyName::Control, version), Secret::new([version; 16]));
                let done = insist(&mut flash, &mut host, 0x0702_01FF, |host| {
                    host.key_update(METER, info, &new).unwrap().to_vec()
                });
                // The answer was lost after the write: the second try finds the version there.
                assert!(matches!(done, Ok(()) | Err(Refused::OTHER)), "{done:?}");
                host = Host::new(
                    Soft,
                    HostKeys {
                        control: new,
                        ..keys()
                    },
                );
            }
            let mut element = flash.boot();
            let purse = *element.purse();
            assert_eq!((purse.balance, purse.count), (100 * count, count));
            assert_eq!(element.key_info(KeyName::Control).version, version);
            authenticate(&mut host, &mut element, 200).unwrap();
            let sealed = order(&mut host, &CLOSE);
            assert_eq!(element.open_control(&sealed, &mut [0; 32]), Ok(8));
        }
    }
}

#[test]
fn recharges_that_do_not_fit_are_refused() {
    let (mut flash, mut host) = (stored(), host());
    let mut sell = |count, customer, amount, id| {
        let sale = Purse {
            balance: amount,
            count,
            customer,
        };
        insist(&mut flash, &mut host, id, |host| {
            host.recharge(METER, &sale).unwrap().to_vec()
        })
    };
    let (open, again) = (0x0701_01FF, 0x0701_02FF);
    assert_eq!(sell(1, CUSTOMER, 100, again), Err(Refused::COUNT));
    assert_eq!(sell(2, CUSTOMER, 100, open), Err(Refused::COUNT));
    assert_eq!(sell(1, CUSTOMER, 100, open), Ok(()));
    assert_eq!(sell(1, CUSTOMER, 100, open), Err(Refused::REPEATED));
    assert_eq!(sell(3, CUSTOMER, 100, again), Err(Refused::COUNT));
    assert_eq!(sell(2, [7; 6], 100, again), Err(Refused::CUSTOMER));
    assert_eq!(sell(2, CUSTOMER, u32::MAX, again), Err(Refused::HOARDING));
    assert_eq!(
        sell(2, CUSTOMER, 100_000_000, again),
        Err(Refused::HOARDING)
    );
    assert_eq!(sell(2, CUSTOMER, 1, again), Ok(()));
}

/// The customer's number and its MAC are the same in both; only the first MAC of a recharge tells a repeat.
#[test]
fn one_authentication_carries_several_recharges() {
    let (mut host, mut element) = authenticated();
    let mut sell = |count, id| {
        let sale = Purse {
            balance: 100,
            count,
            customer: CUSTOMER,
        };
        let request = host.recharge(METER, &sale).unwrap();
        let done = element.request(id, &request, &mut []);
        element.saved();
        // The same frame again.
        assert_eq!(element.request(id, &request, &mut []), Err(Refused::MAC));
        (done, element.purse().balance)
    };
    assert_eq!(sell(1, 0x0701_01FF), (Ok(0), 100));
    assert_eq!(sell(2, 0x0701_02FF), (Ok(0), 200));
    assert_eq!(sell(3, 0x0701_02FF), (Ok(0), 300));
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
fn a_key_update_leaves_one_key_that_works_whatever_is_cut() {
    let new = Secret::new([0x77; 16]);
    for at in (0..3).step_by(stride(2)) {
        for cut in [Cut::Before, Cut::Torn, Cut::After] {
            let (mut flash, mut host) = (stored(), host());
            flash.cuts.insert(at, cut);
            let done = insist(&mut flash, &mut host, 0x0702_01FF, |host| {
                let info = info(KeyName::Control, 1);
                host.key_update(METER, info, &new).unwrap().to_vec()
            });
            assert!(done == Ok(()) || matches!(cut, Cut::After));
            let mut element = flash.boot();
            assert_eq!(
                element.key_info(KeyName::Control),
                info(KeyName::Control, 1)
            );
            // The old key opens nothing any more, the new one does.
            for (control, works) in [(keys().control, false), (new.duplicate(), true)] {
                let mut host = Host::new(Soft, HostKeys { control, ..keys() });
                authenticate(&mut host, &mut element, 9).unwrap();
                let sealed = order(&mut host, &CLOSE);
                let opened = element.open_control(&sealed, &mut [0; 32]);
                assert_eq!(opened.is_ok(), works);
            }
        }
    }
}

#[test]
fn four_keys_at_once_or_none() {
    let (mut flash, mut host) = (stored(), host());
    let new = [0x71, 0x72, 0x73, 0x74].map(|byte| Secret::new([byte; 16]));
    let update = |host: &mut Host<Soft>, versions: [u8; 4]| {
        let keys: Vec<_> = KeyName::ALL
            .into_iter()
            .zip(versions)
            .zip(&new)
            .map(|((name, version), key)| (info(name, version), key))
            .collect();
        let mut out = [0; 148];
        let len = host.key_updates(METER, &keys, &mut out).unwrap();
        out[..len].to_vec()
    };
    let refused = insist(&mut flash, &mut host, 0x0703_01FF, |host| {
        update(host, [1, 1, 1, 0])
    });
    assert_eq!(refused, Err(Refused::OTHER));
    let untouched = flash.boot();
    assert!(
        KeyName::ALL
            .iter()
            .all(|name| untouched.key_info(*name) == KeyInfo::production(*name))
    );
    let done = insist(&mut flash, &mut host, 0x0703_01FF, |host| {
        update(host, [1, 2, 3, 4])
    });
    assert_eq!(done, Ok(()));
    let element = flash.boot();
    for (name, version) in KeyName::ALL.into_iter().zip(1..) {
        assert_eq!(element.key_info(name), info(name, version));
    }
    // Under the new keys only.
    let mut element = element;
    assert!(authenticate(&mut host, &mut element, 1).is_err());
    let [parameter, control, identity, main] = new;
    let mut host = Host::new(
        Soft,
        HostKeys {
            parameter,
            control,
            identity,
            main,
        },
    );
    assert_eq!(authenticate(&mut host, &mut element, 2), Ok(()));
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

#[test]
fn the_information_file_is_written_and_read_back() {
    let (mut host, mut element) = authenticated();
    let data: Vec<u8> = (1..=30).collect();
    for (hidden, offset, id) in [(false, 4, 0x0700_04FF), (true, 34, 0x0700_05FF)] {
        let (mut request, mut out) = ([0; 128], [0; 128]);
        let len = host
            .write_file(METER, offset, &data, hidden, &mut request)
            .unwrap();
        // In clear or not, the other identifier does not take it, and no part of it may be changed.
        let other = id ^ 0x100;
        assert!(element.request(other, &request[..len], &mut out).is_err());
        for at in (0..len).step_by(stride(17)) {
            let mut changed = request;
            changed[at] ^= 1;
            assert!(element.request(id, &changed[..len], &mut out).is_err());
        }
        assert_eq!(element.unsaved(&chip()), Ok(None));
        assert_eq!(element.request(id, &request[..len], &mut out), Ok(0));
        assert!(element.unsaved(&chip()).unwrap().is_some());
        element.saved();

        let tag = ReadTag {
            file: 6,
            offset,
            len: 30,
        };
        let len = element
            .request(0x0780_01FF, &tag.to_line(), &mut out)
            .unwrap();
        let mut back = [0; 64];
        let read = host.read_back(METER, tag, &out[..len], &mut back);
        assert_eq!((read, &back[..30]), (Ok(30), &data[..]));
        for at in (0..len).step_by(stride(17)) {
            let mut changed = out;
            changed[at] ^= 1;
            let read = host.read_back(METER, tag, &changed[..len], &mut back);
            assert_eq!(read, Err(Refused::MAC));
        }
    }
    // Most significant byte first inside.
    assert_eq!(
        element.information()[4..34],
        data.iter().rev().copied().collect::<Vec<_>>()
    );
    let kept = element.record(&chip()).unwrap();
    let again = Element::restore(Soft, &chip(), [&kept, &[0; RECORD_LEN]]).unwrap();
    assert_eq!(again.information(), element.information());
    // Not behind its end, and no other file.
    let mut request = [0; 128];
    let len = host
        .write_file(METER, FILE_LEN as u8 - 29, &data, false, &mut request)
        .unwrap();
    let refused = element.request(0x0700_04FF, &request[..len], &mut []);
    assert_eq!(refused, Err(Refused::OTHER));
}

#[test]
fn what_a_meter_shows_is_for_the_reader_that_asked() {
    let (mut host, mut element) = authenticated();
    let mut out = [0; 128];
    let sale = Purse {
        balance: 12_345,
        count: 1,
        customer: CUSTOMER,
    };
    let request = host.recharge(METER, &sale).unwrap();
    element.request(0x0701_01FF, &request, &mut out).unwrap();
    element.saved();
    assert_eq!(element.request(0x0781_02FF, &[], &mut out), Ok(26));
    let answer: [u8; 26] = out[..26].try_into().unwrap();
    let shown = host.status(METER, &answer).unwrap();
    assert_eq!(shown.purse, sale);
    assert_eq!(shown.main_key, KeyInfo::production(KeyName::Main));
    for at in (0..16).step_by(stride(5)) {
        let mut changed = answer;
        changed[at] ^= 1;
        assert_eq!(host.status(METER, &changed), Err(Refused::MAC));
    }
    for (file, offset, len, expected) in [
        (1, 0, 8, &[1, 0, 0, 0, 0x39, 0x30, 0, 0][..]),
        (2, 36, 6, &[0x34, 0x12, 0, 0, 0, 0]),
        (2, 43, 2, &[0x05, 0]),
        (5, 12, 4, &[0, 4, 0, 0]),
    ] {
        let tag = ReadTag { file, offset, len };
        let len = element
            .request(0x0780_01FF, &tag.to_line(), &mut out)
            .unwrap();
        let mut back = [0; 64];
        let read = host.read_back(METER, tag, &out[..len], &mut back);
        assert_eq!(
            (read, &back[..expected.len()]),
            (Ok(expected.len()), expected)
        );
    }
    for (file, offset, len) in [
        (1, 1, 8),
        (2, 44, 2),
        (5, 16, 1),
        (6, 0, 65),
        (6, 0, 0),
        (3, 0, 1),
        (8, 0, 1),
    ] {
        let tag = ReadTag { file, offset, len };
        let refused = element.request(0x0780_01FF, &tag.to_line(), &mut out);
        assert_eq!(refused, Err(Refused::OTHER), "{tag:?}");
    }
    // An answer of before is none to the next reader, and without an authentication there is none.
    authenticate(&mut host, &mut element, 2).unwrap();
    assert_eq!(host.status(METER, &answer), Err(Refused::MAC));
    element.request(0x0700_02FF, &[], &mut out).unwrap();
    let tag = ReadTag {
        file: 1,
        offset: 0,
        len: 4,
    };
    for (id, data) in [
        (0x0781_02FF, &[][..]),
        (0x0780_01FF, &tag.to_line()),
        (0x0780_02FF, &[0; 10]),
    ] {
        assert_eq!(element.request(id, data, &mut out), Err(Refused::IDENTITY));
    }
}

#[test]
fn a_purse_is_initialised_before_the_meter_is_sold_and_never_after() {
    let (mut flash, mut host) = (stored(), host());
    let initialise = |flash: &mut Flash, host: &mut Host<Soft>, balance| {
        insist(flash, host, 0x0701_03FF, |host| {
            host.initialise(METER, balance).unwrap().to_vec()
        })
    };
    assert_eq!(initialise(&mut flash, &mut host, 500), Ok(()));
    let preset = Purse {
        balance: 500,
        ..Purse::default()
    };
    assert_eq!(*flash.boot().purse(), preset);
    assert_eq!(
        initialise(&mut flash, &mut host, 100_000_000),
        Err(Refused::HOARDING)
    );
    // Its amount, and the zero that is its count, stand under MACs.
    let mut element = flash.boot();
    authenticate(&mut host, &mut element, 9).unwrap();
    let request = host.initialise(METER, 500).unwrap();
    for at in (0..16).step_by(stride(5)) {
        let mut changed = request;
        changed[at] ^= 1;
        let refused = element.request(0x0701_03FF, &changed, &mut []);
        assert_eq!(refused, Err(Refused::MAC), "{at}");
    }
    let new = Secret::new([0x71; 16]);
    let done = insist(&mut flash, &mut host, 0x0702_02FF, |host| {
        let info = info(KeyName::Parameter, 1);
        host.key_update(METER, info, &new).unwrap().to_vec()
    });
    assert_eq!(done, Ok(()));
    let mut host = Host::new(
        Soft,
        HostKeys {
            parameter: new,
            ..keys()
        },
    );
    assert_eq!(initialise(&mut flash, &mut host, 700), Err(Refused::OTHER));
    assert_eq!(*flash.boot().purse(), preset);
}

#[test]
fn a_program_comparison_shows_the_program() {
    fn read(cpu: u8, address: u32, out: &mut [u8]) -> bool {
        out.iter_mut()
            .zip(address..)
            .for_each(|(byte, at)| *byte = (at * 7) as u8);
        cpu == 1 && address < 0x1_0000
    }
    let (mut host, element) = authenticated();
    let request = [1, 2, 0x10, 0, 0, 0, 0, 2, 0, 0];
    let mut out = [0; 64];
    let mut bare = element;
    assert_eq!(
        bare.request(0x0780_02FF, &request, &mut out),
        Err(Refused::OTHER)
    );
    let mut element = bare.with_program(read);
    assert_eq!(element.request(0x0780_02FF, &request, &mut out), Ok(64));
    let (mut factor, mut program) = ([0; 8], [0; 64]);
    assert!(read(1, 0x10, &mut factor) && read(1, 0x200, &mut program));
    let right = host.compared(METER, KeyName::Control, factor, program);
    assert_eq!(right, Ok(out));
    program[63] ^= 1;
    let other = host.compared(METER, KeyName::Control, factor, program);
    assert_ne!(other, Ok(out));
    for (at, to) in [(0, 2), (1, 5), (8, 1)] {
        let mut changed = request;
        changed[at] = to;
        assert_eq!(
            element.request(0x0780_02FF, &changed, &mut out),
            Err(Refused::OTHER)
        );
    }
}

#[test]
fn the_count_of_bad_macs_outlives_a_restart() {
    let (mut host, mut element) = authenticated();
    element = element.with_rules(MacRules::OF_2009);
    let mut sealed = order(&mut host, &CLOSE);
    sealed[0] ^= 1;
    for _ in 0..2 {
        assert_eq!(
            element.open_control(&sealed, &mut [0; 32]),
            Err(Refused::MAC)
        );
    }
    let restarted = |stored: &[u8; 6]| {
        let mut element = stored_element().with_rules(MacRules::OF_2009);
        element = element.with_bad_macs(stored);
        element.set_now(100, 7);
        element
    };
    assert_eq!(
        element.bad_macs(),
        restarted(&element.bad_macs()).bad_macs()
    );
    let mut spent = restarted(&[0, 0, 0, 7, 0, 15]);
    let refused = authenticate(&mut host, &mut spent, 3);
    assert_eq!(refused, Err(Refused::SUSPENDED));
}

fn stored_element() -> Element<Soft> {
    stored().boot()
}
