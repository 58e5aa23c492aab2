//! What is kept and what is shown: key slots, elements, the chained log, attestation.

use security::attest::Statement;
use security::engine::{Block128, BlockCipher, Soft, SoftKey};
use security::esam::{Element, Host, HostKeys, RECORD_LEN as ELEMENT_LEN};
use security::key::{DeviceKey, DeviceKeyId, KeyHandle, Purpose, Secret};
use security::key_message::{Body, DeviceRandom, KeyMessage};
use security::log::{Head, LogError};
use security::port::PortGuard;
use security::slot::{Change, KeySlot, RECORD_LEN, Side, SlotError};
use security::wrap;

use crate::input::Input;

const METER: DeviceKeyId = DeviceKeyId::meter([0x20, 0x26, 0x11, 0, 0, 1]);

fn chip() -> SoftKey {
    let Ok(key) = Soft.load(BlockCipher::Aes128, &Secret::new([0xC1; 16]));
    key
}

fn key(purpose: Purpose, epoch: u16) -> DeviceKey {
    DeviceKey::new(Secret::new([epoch as u8; 16]), METER, purpose, epoch)
}

/// A message of class key of any bytes: what is read is written as it came, and without the keys that it must be made
/// with it changes nothing.
fn message(bytes: &[u8]) {
    let Ok(message) = KeyMessage::parse(bytes) else {
        return;
    };
    assert_eq!(&message.encode()[..], bytes);
    let master = key(Purpose::Master, 1).soft();
    let mut slot = KeySlot::empty(METER, message.purpose);
    slot.provision(&key(message.purpose, 1))
        .expect("an empty slot")
        .stored();
    let mut random = DeviceRandom::new();
    random.give([5; 16]);
    match message.serve(&mut Soft, &mut slot, &master, &mut random) {
        Ok((change, answer)) => {
            assert!(change.is_none(), "a change that nobody proved");
            // Nothing was staged: that is told whoever asks; and the epoch in force needs no proof.
            assert!(matches!(answer.body, Body::Aborted | Body::Proved));
            assert!(answer.body == Body::Aborted || message.epoch == 1);
        }
        Err(reason) => {
            let refused = message.refused(reason).encode();
            assert_eq!(KeyMessage::parse(&refused), Ok(message.refused(reason)));
        }
    }
}

/// Any bytes as a stored slot or a wrapped key are refused; a slot that is led through its life as the input says is the
/// same after every restart, and its epoch never falls.
pub fn slot(bytes: &[u8]) {
    message(bytes);
    let refused = KeySlot::restore(&mut Soft, &chip(), [bytes, &[]]);
    assert_eq!(refused, Err(SlotError::Record));
    let mut wrapped = bytes.to_vec();
    assert!(wrap::unwrap(&mut Soft, &chip(), &mut wrapped).is_err());
    assert!(wrapped.iter().all(|byte| *byte == 0), "something is left");

    let mut input = Input { bytes };
    let master = key(Purpose::Master, 1).soft();
    let mut slot = KeySlot::empty(METER, Purpose::Auth);
    let mut copies = [[0xFF; RECORD_LEN]; 2];
    let mut highest = 0;
    while !input.bytes.is_empty() {
        let (what, epoch) = (input.byte(), u16::from(input.byte() % 8));
        let now = u64::from(input.word());
        let nth = slot.next_copy();
        let change: Result<Option<Change<'_>>, SlotError> = match what % 8 {
            0 => slot.provision(&key(Purpose::Auth, epoch)).map(Some),
            1 | 2 => {
                let new = key(Purpose::Auth, epoch);
                let mut wrapped =
                    KeySlot::wrap_key(&mut Soft, &master, &new).expect("a master key");
                if what & 0x80 != 0 {
                    wrapped[usize::from(what) % 24] ^= 1;
                }
                let staged = slot.stage(&mut Soft, &master, &wrapped, epoch);
                assert!(
                    what & 0x80 == 0 || staged.is_err(),
                    "a damaged key was staged"
                );
                staged.map(Some)
            }
            3 | 4 => {
                let random = [what; 16];
                let mut proof = slot
                    .proof(&mut Soft, Side::HeadEnd, &random)
                    .unwrap_or_default();
                proof[0] ^= what & 0x80;
                slot.proved(&mut Soft, Side::HeadEnd, &random, &proof)
                    .map(Some)
            }
            5 => slot.seen(epoch, now),
            6 => Ok(slot.expire(now)),
            _ if what & 0xF0 == 0 => slot.revoke().map(Some),
            _ => slot.abort().map(Some),
        };
        if let Ok(Some(change)) = change {
            let record = change.record(&mut Soft, &chip()).expect("software");
            // Power goes before the record, or after it.
            if what & 0x40 == 0 {
                copies[nth] = record;
                change.stored();
            }
        }
        if slot.next_copy() != nth {
            let [a, b] = &copies;
            let restored = KeySlot::restore(&mut Soft, &chip(), [a, b]).expect("a whole copy");
            assert_eq!(restored, slot);
        }
        if let Some(active) = slot.epoch() {
            assert!(active >= highest, "the epoch fell");
            highest = active;
        }
    }
}

fn element_keys() -> HostKeys {
    let secret = |byte| Secret::new([byte; 16]);
    HostKeys {
        parameter: secret(1),
        control: secret(2),
        identity: secret(3),
        main: secret(4),
    }
}

/// Any bytes as each request of an element, first to one that nobody has authenticated at, then between genuine requests
/// of a host: nothing changes but by those, and a damaged one leaves nothing behind.
pub fn element(bytes: &[u8]) {
    let mut input = Input { bytes };
    let mut element =
        Element::new(Soft, &element_keys(), METER.address(), [9; 8]).expect("software");
    element.set_now(1, 1);
    element.give_random([5; 8]);
    let before = element.record(&chip()).expect("software");
    let id = match input.byte() {
        last @ 0..=5 => 0x0700_00FF | u32::from(last) << 8,
        last @ 6..=8 => 0x0701_00FF | u32::from(last - 5) << 8,
        last @ 9..=12 => 0x0702_00FF | u32::from(last - 8) << 8,
        13 => 0x0703_01FF,
        last @ 14..=16 => 0x0780_00FF | u32::from(last - 13) << 8,
        17 => 0x0781_02FF,
        _ => input.word(),
    };
    let mut out = [0; 256];
    // Without a proof there is only the end of an authentication and the infrared question.
    let answered = element.request(id, input.bytes, &mut out);
    let open = [0x0700_02FF, 0x0780_03FF];
    assert!(
        answered.is_err() || open.contains(&id),
        "{id:08X} was answered"
    );
    assert_eq!(element.unsaved(&chip()), Ok(None));
    let mut plain = [0; 256];
    assert!(element.open_control(input.bytes, &mut plain).is_err());
    assert!(
        element
            .open_parameters(id, input.bytes, &mut plain)
            .is_err()
    );
    assert!(
        element
            .open_hidden_parameters(id, input.bytes, &mut plain)
            .is_err()
    );
    assert_eq!(plain, [0; 256]);
    assert_eq!(element.record(&chip()).expect("software"), before);
    let mut copy = [0; ELEMENT_LEN];
    let len = bytes.len().min(ELEMENT_LEN);
    copy[..len].copy_from_slice(&bytes[..len]);
    assert!(Element::restore(Soft, &chip(), [&copy, &copy]).is_err());

    damaged(&mut input, &mut element);
}

/// A genuine order and a genuine write, damaged or not.
fn damaged(input: &mut Input<'_>, element: &mut Element<Soft>) {
    let mut host = Host::new(Soft, element_keys());
    host.give_random([input.byte(); 8]);
    element.give_random([input.byte(); 8]);
    let begun = host.begin(METER.address()).expect("a random number");
    let mut answer = [0; 12];
    let asked = element.request(0x0700_00FF, &begun, &mut answer);
    assert_eq!(asked, Ok(12));
    host.finish(METER.address(), answer);
    let mut order = [0x1C, 0, 0, 0, 0, 1, 1, 0x26];
    order[2] = input.byte();
    let (mut sealed, mut plain) = ([0; 256], [0; 256]);
    let data = input.take(64);
    let lens = [
        host.control(METER.address(), &order, &mut sealed),
        host.parameters(METER.address(), 0x0400_0103, data, &mut sealed),
        host.hidden_parameters(METER.address(), 0x0400_0103, data, &mut sealed),
    ];
    let which = input.byte();
    // The last of the three stands in the buffer whole; the others are made again.
    let len = match which % 3 {
        0 => host.control(METER.address(), &order, &mut sealed),
        1 => host.parameters(METER.address(), 0x0400_0103, data, &mut sealed),
        _ => host.hidden_parameters(METER.address(), 0x0400_0103, data, &mut sealed),
    };
    assert_eq!(len, lens[usize::from(which % 3)]);
    let Ok(len) = len else {
        return;
    };
    let change = input.byte();
    sealed[usize::from(input.byte()) % len] ^= change;
    let sealed = &sealed[..len];
    let opened = match which % 3 {
        0 => element.open_control(sealed, &mut plain),
        1 => element.open_parameters(0x0400_0103, sealed, &mut plain),
        _ => element.open_hidden_parameters(0x0400_0103, sealed, &mut plain),
    };
    if change != 0 {
        assert!(opened.is_err(), "a damaged request was taken");
        assert_eq!(plain, [0; 256]);
        return;
    }
    let expected: &[u8] = if which.is_multiple_of(3) {
        &order
    } else {
        data
    };
    assert_eq!(opened, Ok(expected.len()));
    assert_eq!(&plain[..expected.len()], expected);
}

/// Lines of any bytes in a log that somebody changes as the input says: the change is seen at its line or the first
/// behind it; and a statement of attestation, one byte of which is another.
pub fn log(bytes: &[u8]) {
    let mut input = Input { bytes };
    let audit: KeyHandle = key(Purpose::Audit, 1).soft();
    let begin = Head::begin(&mut Soft, &audit, *b"test").expect("an audit key");
    let mut lines = Vec::new();
    let mut head = begin;
    for _ in 0..input.byte() % 8 {
        let line = input.take(40).to_vec();
        head = head.append(&mut Soft, &audit, &line).expect("short");
        assert_eq!(Head::from_bytes(&head.to_bytes()), head);
        lines.push((line, head));
    }
    let check = |lines: &[(Vec<u8>, Head)]| {
        let lines = lines.iter().map(|(line, head)| (&line[..], *head));
        begin.check(&mut Soft, &audit, lines)
    };
    assert_eq!(check(&lines), Ok(head));
    if let Some(at) = usize::from(input.byte()).checked_rem(lines.len()) {
        let mut changed = lines.clone();
        let is_changed = match input.byte() % 4 {
            0 => {
                changed[at].0.push(input.byte());
                true
            }
            1 => {
                changed.remove(at);
                at + 1 < lines.len()
            }
            2 => {
                let mut other = changed[at].1.to_bytes();
                other[usize::from(input.byte()) % Head::LEN] ^= input.byte() | 1;
                changed[at].1 = Head::from_bytes(&other);
                true
            }
            _ => {
                changed.swap(0, at);
                at > 0
            }
        };
        let number = match check(&changed) {
            Err(LogError::Broken { number }) => Some(number),
            Err(other) => panic!("{other}"),
            Ok(_) => None,
        };
        assert_eq!(number.is_some(), is_changed);
        assert!(number.is_none_or(|number| number <= at as u64 + 1));
    }
    statement(&mut input, &audit);
    let mut port = [0; 6];
    port.fill_with(|| input.byte());
    assert_eq!(PortGuard::new(3).with_stored(&port).to_bytes(), port);
}

fn statement(input: &mut Input<'_>, audit: &KeyHandle) {
    let mut nonce = [0; 16];
    nonce.fill_with(|| input.byte());
    let stated = Statement {
        core: input.byte(),
        version: (input.byte(), input.byte()),
        revision: input.word() as u16,
        build: input.word(),
        image_hash: [input.byte(); 32],
        security_counter: input.word(),
    };
    let proof = stated.prove(&mut Soft, audit, &nonce);
    let Ok(Some(proof)) = proof else {
        panic!("an audit key proves");
    };
    assert_eq!(stated.is_proved(&mut Soft, audit, &nonce, &proof), Ok(true));
    let mut other = stated;
    match input.byte() % 6 {
        0 => other.core ^= 1,
        1 => other.version.1 ^= 0x80,
        2 => other.revision ^= 0x100,
        3 => other.build ^= 1,
        4 => other.image_hash[usize::from(input.byte()) % 32] ^= 4,
        _ => other.security_counter ^= 1 << 31,
    }
    assert_eq!(other.is_proved(&mut Soft, audit, &nonce, &proof), Ok(false));
    nonce[usize::from(input.byte()) % 16] ^= 1;
    assert_eq!(
        stated.is_proved(&mut Soft, audit, &nonce, &proof),
        Ok(false)
    );
}
