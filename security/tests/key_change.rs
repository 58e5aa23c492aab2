//! Key changes on both sides, with the power cut at every write of either: no key is ever lost.

use embedded_storage::nor_flash::{NorFlash, ReadNorFlash};
use security::ake::{self, Responder};
use security::engine::{Block128, BlockCipher, Soft, SoftKey};
use security::key::{DeviceKey, DeviceKeyId, KeyTree, Purpose, Secret};
use security::key_message::{Body, DeviceRandom, KeyMessage, Reason};
use security::slot::{Change, KeySlot, PREVIOUS_SECONDS, RECORD_LEN, Side, SlotError};
use security::suite::Suite;
use testkit::flash::{Cut, Flash, FlashError};
use testkit::{Rng, rounds, stride};

const METER: DeviceKeyId = DeviceKeyId::meter([0x20, 0x26, 0x11, 0, 0, 1]);
const PAGE: usize = 256;

fn key(purpose: Purpose, epoch: u16) -> DeviceKey {
    KeyTree::from_root(&Secret::new([0x42; 16]), *b"network1", 3).device_key(METER, purpose, epoch)
}

fn chip_key() -> SoftKey {
    let Ok(key) = Soft.load(BlockCipher::Aes128, &Secret::new([0xC1; 16]));
    key
}

/// One party: its slot and the two pages that its record lies in.
struct Party {
    slot: KeySlot,
    flash: Flash<PAGE, 4>,
    random: DeviceRandom,
}

impl Party {
    fn new(seed: u64) -> Self {
        let mut party = Self {
            slot: KeySlot::empty(METER, Purpose::Auth),
            flash: Flash::new(2, seed),
            random: DeviceRandom::new(),
        };
        party
            .step(|slot| slot.provision(&key(Purpose::Auth, 1)))
            .unwrap();
        party
    }

    /// Makes a change and stores it; power may go at each write.
    fn step(
        &mut self,
        step: impl FnOnce(&mut KeySlot) -> Result<Change<'_>, SlotError>,
    ) -> Result<(), FlashError> {
        let page = (self.slot.next_copy() * PAGE) as u32;
        let change = step(&mut self.slot).unwrap();
        let record = change.record(&mut Soft, &chip_key()).unwrap();
        self.flash.erase(page, page + PAGE as u32)?;
        self.flash.write(page, &record)?;
        change.stored();
        Ok(())
    }

    /// The device's answer to a message of class key, sent once its change is stored.
    fn serve(&mut self, request: &[u8]) -> Result<Vec<u8>, FlashError> {
        let master = key(Purpose::Master, 1).soft();
        let request = KeyMessage::parse(request).unwrap();
        self.random.give([0xD0; 16]);
        let page = (self.slot.next_copy() * PAGE) as u32;
        let served = request.serve(&mut Soft, &mut self.slot, &master, &mut self.random);
        let (change, answer) = match served {
            Ok((change, answer)) => (change, answer),
            Err(reason) => (None, request.refused(reason)),
        };
        if let Some(change) = change {
            let record = change.record(&mut Soft, &chip_key()).unwrap();
            self.flash.erase(page, page + PAGE as u32)?;
            self.flash.write(page, &record)?;
            change.stored();
        }
        Ok(answer.encode().to_vec())
    }

    fn reboot(&mut self) {
        self.flash.restore();
        self.random = DeviceRandom::new();
        let mut copies = [[0; RECORD_LEN]; 2];
        for (nth, copy) in copies.iter_mut().enumerate() {
            self.flash.read((nth * PAGE) as u32, copy).unwrap();
        }
        self.slot = KeySlot::restore(&mut Soft, &chip_key(), [&copies[0], &copies[1]])
            .expect("no copy is whole");
    }

    fn seen(&mut self, epoch: u16) -> Result<(), FlashError> {
        let needed = matches!(self.slot.seen(epoch, 0), Ok(Some(_)));
        if needed {
            self.step(|slot| Ok(slot.seen(epoch, 0)?.unwrap()))?;
        }
        Ok(())
    }
}

/// One attempt of a head end to bring a device to the given epoch, by messages. Power may go in between.
fn change_key(head: &mut Party, device: &mut Party, epoch: u16) -> Result<(), FlashError> {
    let master = key(Purpose::Master, 1).soft();
    let wrapped = KeySlot::wrap_key(&mut Soft, &master, &key(Purpose::Auth, epoch)).unwrap();
    let is_done = |party: &Party| {
        party.slot.proved_epoch() == Some(epoch) || party.slot.epoch() == Some(epoch)
    };
    if head.slot.staged_epoch() != Some(epoch) && !is_done(head) {
        head.step(|slot| slot.stage(&mut Soft, &master, &wrapped, epoch))?;
    }
    let host_random = [epoch as u8; 16];
    let stage = KeyMessage::stage(Purpose::Auth, epoch, host_random, wrapped);
    let answer = KeyMessage::parse(&device.serve(&stage.encode())?).unwrap();
    let Body::Staged {
        device_random,
        proof,
    } = answer.body
    else {
        // A device that activated already, and a head end that did not hear of it.
        assert_eq!(answer, stage.refused(Reason::Epoch));
        assert_eq!(device.slot.epoch(), Some(epoch));
        return Ok(());
    };
    if !is_done(head) {
        head.step(|slot| slot.proved(&mut Soft, Side::Device, &host_random, &proof))?;
    }
    let Ok(proof) = head.slot.proof(&mut Soft, Side::HeadEnd, &device_random) else {
        return Ok(());
    };
    let prove = KeyMessage {
        body: Body::Prove { proof },
        ..stage
    };
    let answer = KeyMessage::parse(&device.serve(&prove.encode())?).unwrap();
    assert_eq!(answer.body, Body::Proved);
    Ok(())
}

/// A handshake under an epoch; both sides note that the other holds its key.
fn handshake(head: &mut Party, device: &mut Party, epoch: u16) -> Result<bool, FlashError> {
    let Some(host_key) = head.slot.receiving_key(epoch, 0) else {
        return Ok(false);
    };
    let host_key = host_key.soft();
    let sent = ake::start(&host_key, &[Suite::Ccm16], [1; 16]).unwrap();
    let Some(device_key) = device.slot.receiving_key(epoch, 0) else {
        return Ok(false);
    };
    let device_key = device_key.soft();
    let mut responder = Responder::new(&[Suite::Ccm16]);
    let m2 = responder
        .answer(&mut Soft, &device_key, sent.m1(), [2; 16], 0)
        .unwrap();
    let (m3, _) = sent.receive(&mut Soft, &host_key, &m2, 0).unwrap();
    // Stored before the third message is sent: a device never activates ahead of its head end.
    head.seen(epoch)?;
    responder
        .finish(&mut Soft, &device_key, &m3, 0)
        .expect("both hold the key");
    device.seen(epoch)?;
    Ok(true)
}

/// The newest key that both can use; there must be one.
fn connect(head: &mut Party, device: &mut Party) -> Result<u16, FlashError> {
    for epoch in [head.slot.proved_epoch(), head.slot.epoch()]
        .into_iter()
        .flatten()
    {
        if handshake(head, device, epoch)? {
            return Ok(epoch);
        }
    }
    panic!("no key in common: {:?} {:?}", head.slot, device.slot);
}

/// Two changes in a row under a schedule of cuts; returns the steps of both flashes.
fn story(seed: u64, mut cuts: impl FnMut(&mut Party, &mut Party)) -> [u64; 2] {
    let (mut head, mut device) = (Party::new(seed), Party::new(!seed));
    let before = [head.flash.steps(), device.flash.steps()];
    for epoch in [2, 3] {
        cuts(&mut head, &mut device);
        let mut tries = 0;
        while head.slot.epoch() != Some(epoch) || device.slot.epoch() != Some(epoch) {
            tries += 1;
            assert!(tries < 10, "the change does not end");
            let lost = change_key(&mut head, &mut device, epoch)
                .and_then(|()| connect(&mut head, &mut device));
            // Whatever happened, they can talk once power is back for long enough.
            let mut lost = lost.map(drop);
            while lost.is_err() {
                for party in [&mut head, &mut device] {
                    if party.flash.is_lost() {
                        party.reboot();
                    }
                }
                lost = connect(&mut head, &mut device).map(drop);
            }
        }
    }
    [
        head.flash.steps() - before[0],
        device.flash.steps() - before[1],
    ]
}

#[test]
fn one_cut_at_every_write_of_either_side() {
    let steps = story(1, |_, _| ());
    assert!(steps.iter().all(|steps| *steps > 100), "{steps:?}");
    for (side, steps) in steps.into_iter().enumerate() {
        for at in (0..steps).step_by(stride(steps as usize / 2 + 1)) {
            for cut in [Cut::Before(at), Cut::Inside(at)] {
                let mut planned = false;
                story(at + 7, |head, device| {
                    if !planned {
                        [head, device][side].flash.cut(cut);
                        planned = true;
                    }
                });
            }
        }
    }
}

#[test]
fn random_cuts_on_both_sides() {
    for seed in 0..rounds(150, 1) {
        let mut rng = Rng::new(seed);
        story(seed, |head, device| {
            for party in [head, device] {
                party.flash.cut(Cut::Inside(rng.below(140)));
            }
        });
    }
}

fn staged(epoch: u16) -> Result<(), SlotError> {
    let mut device = Party::new(1);
    let master = key(Purpose::Master, 1).soft();
    let wrapped = KeySlot::wrap_key(&mut Soft, &master, &key(Purpose::Auth, epoch))?;
    device
        .slot
        .stage(&mut Soft, &master, &wrapped, epoch)
        .map(drop)
}

#[test]
fn there_is_no_way_back() {
    assert_eq!(staged(2), Ok(()));
    assert_eq!(staged(1), Err(SlotError::Epoch { found: 1, above: 1 }));
    assert_eq!(staged(0), Err(SlotError::Epoch { found: 0, above: 1 }));
    let mut device = Party::new(1);
    assert_eq!(device.slot.abort().map(drop), Err(SlotError::State));
    let ctrl = key(Purpose::Ctrl, 1).soft();
    let refused = device.slot.stage(&mut Soft, &ctrl, &[0; 24], 2);
    assert_eq!(refused.map(drop), Err(SlotError::Key));
    let master = key(Purpose::Master, 1).soft();
    let refused = device.slot.stage(&mut Soft, &master, &[0; 24], 2);
    assert_eq!(refused.map(drop), Err(SlotError::Key));

    device.step(KeySlot::revoke).unwrap();
    device.reboot();
    assert!(device.slot.sending_key().is_none());
    let refused = device.slot.provision(&key(Purpose::Auth, 9));
    assert_eq!(refused.map(drop), Err(SlotError::State));
}

#[test]
fn nothing_is_active_before_both_proved() {
    let (mut head, mut device) = (Party::new(1), Party::new(2));
    let master = key(Purpose::Master, 1).soft();
    let wrapped = KeySlot::wrap_key(&mut Soft, &master, &key(Purpose::Auth, 2)).unwrap();
    for party in [&mut head, &mut device] {
        party
            .step(|slot| slot.stage(&mut Soft, &master, &wrapped, 2))
            .unwrap();
        assert!(party.slot.receiving_key(2, 0).is_none());
        assert!(party.slot.seen(2, 0).is_err());
    }
    // A proof of the other side, reflected or over another number, proves nothing.
    let own = device
        .slot
        .proof(&mut Soft, Side::Device, &[7; 16])
        .unwrap();
    for (by, random) in [(Side::HeadEnd, [7; 16]), (Side::Device, [8; 16])] {
        let refused = device.slot.proved(&mut Soft, by, &random, &own);
        assert_eq!(refused.map(drop), Err(SlotError::Key));
    }
    device.step(KeySlot::abort).unwrap();
    assert_eq!(device.slot.epoch(), Some(1));
}

#[test]
fn the_previous_key_lasts_a_week_or_until_the_new_one_is_used() {
    let activated = || {
        let (mut head, mut device) = (Party::new(1), Party::new(2));
        change_key(&mut head, &mut device, 2).unwrap();
        assert_eq!(connect(&mut head, &mut device), Ok(2));
        device
    };
    let mut device = activated();
    let end = PREVIOUS_SECONDS;
    assert!(device.slot.receiving_key(1, end - 1).is_some());
    assert!(device.slot.receiving_key(1, end).is_none());
    assert_eq!(device.slot.sending_key().unwrap().epoch(), 2);
    assert!(device.slot.expire(end - 1).is_none());
    device.step(|slot| Ok(slot.expire(end).unwrap())).unwrap();
    assert!(device.slot.receiving_key(1, 0).is_none());

    let mut device = activated();
    device.seen(2).unwrap();
    assert!(device.slot.receiving_key(1, 0).is_none());
}

#[test]
fn a_changed_record_is_not_taken() {
    let mut device = Party::new(1);
    device.reboot();
    let page = &device.flash.bytes()[PAGE..PAGE + RECORD_LEN];
    let record = page.to_vec();
    assert!(
        !record
            .windows(16)
            .any(|window| window == key(Purpose::Auth, 1).secret().expose())
    );
    for bit in (0..RECORD_LEN * 8).step_by(stride(431)) {
        let mut changed = record.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let refused = KeySlot::restore(&mut Soft, &chip_key(), [&changed, &[]]);
        assert_eq!(refused, Err(SlotError::Record));
    }
    assert!(KeySlot::restore(&mut Soft, &chip_key(), [&[], &record]).is_ok());
}

/// The page of formats shows these bytes.
#[test]
fn worked_messages() {
    let mut head = KeySlot::empty(METER, Purpose::Data);
    let mut device = KeySlot::empty(METER, Purpose::Data);
    let master = key(Purpose::Master, 1).soft();
    for slot in [&mut head, &mut device] {
        slot.provision(&key(Purpose::Data, 1)).unwrap().stored();
    }
    let wrapped = KeySlot::wrap_key(&mut Soft, &master, &key(Purpose::Data, 2)).unwrap();
    let stage = KeyMessage::stage(Purpose::Data, 2, [0xA0; 16], wrapped);
    let mut random = DeviceRandom::new();
    let mut serve = |request: &KeyMessage, fresh: bool| {
        if fresh {
            random.give([0xD0; 16]);
        }
        let served = request.serve(&mut Soft, &mut device, &master, &mut random);
        let (change, answer) =
            served.map_err(|reason| request.refused(reason).encode().to_vec())?;
        if let Some(change) = change {
            change.stored();
        }
        Ok::<KeyMessage, Vec<u8>>(answer)
    };
    head.stage(&mut Soft, &master, &wrapped, 2)
        .unwrap()
        .stored();
    let staged: KeyMessage = serve(&stage, true).unwrap();
    let Body::Staged {
        device_random,
        proof,
    } = staged.body
    else {
        panic!("{staged:?}");
    };
    head.proved(&mut Soft, Side::Device, &[0xA0; 16], &proof)
        .unwrap()
        .stored();
    let proof = head.proof(&mut Soft, Side::HeadEnd, &device_random);
    let with = |body| KeyMessage { body, ..stage };
    let prove = with(Body::Prove {
        proof: proof.unwrap(),
    });
    // A wrong proof is told, and costs the number that it was asked over.
    let wrong = with(Body::Prove { proof: [0; 16] });
    assert_eq!(serve(&wrong, false).unwrap_err()[..], [0x8F, 6, 0, 2, 3]);
    assert_eq!(serve(&prove, false).unwrap_err()[..], [0x8F, 6, 0, 2, 1]);
    assert_eq!(serve(&stage, false).unwrap_err()[..], [0x8F, 6, 0, 2, 4]);
    assert_eq!(serve(&stage, true), Ok(staged));
    let proved = serve(&prove, false).unwrap();
    // Each again, because its answer was lost.
    assert_eq!(serve(&prove, false), Ok(proved));
    let aborted = serve(&with(Body::Abort), false).unwrap();
    assert_eq!(serve(&with(Body::Abort), false), Ok(aborted));

    let page = include_str!("../../docs/security.md");
    let mut missing = Vec::new();
    for message in [stage, staged, prove, proved, with(Body::Abort), aborted] {
        let bytes = message.encode();
        assert_eq!(KeyMessage::parse(&bytes), Ok(message));
        assert!(KeyMessage::parse(&bytes[..bytes.len() - 1]).is_err());
        let hex = hex::encode_upper(&bytes);
        if !page.contains(&hex) {
            missing.push(hex);
        }
    }
    assert!(missing.is_empty(), "the page does not show {missing:#?}");
}
