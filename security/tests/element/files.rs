//! Files, and what a reader is shown.

use security::engine::Soft;
use security::esam::{Element, FILE_LEN, KeyInfo, KeyName, Purse, RECORD_LEN, ReadTag, Refused};
use testkit::stride;

use crate::{CUSTOMER, METER, authenticate, authenticated, chip};

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
