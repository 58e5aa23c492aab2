//! Series, outbox and window, links, fragments and files of the unified standard.

use std::collections::{BTreeMap, BTreeSet};

use meter_proto::compact;
use meter_proto::file::{self, FlashFile};
use meter_proto::fragment::Assembler;
use meter_proto::link::{serial, spi};
use meter_proto::message::{
    Absence, Acknowledgement, FileBlock, FileNeed, FileOffer, Head, Stream,
};
use meter_proto::outbox::{FlashStore, Key, Outbox, OutboxStore, Quota, Refused, Timing};
use meter_proto::series::{Decoder, Encoder, encode};
use meter_proto::time::{ClockQuality, Stamp};
use meter_proto::window::{Verdict, Window};
use testkit::flash::{Cut, Flash};

use crate::input::Input;

/// A block of a series has one spelling, and every list of values comes back from the shortest one.
pub fn series(bytes: &[u8]) {
    let [codec, count, data @ ..] = bytes else {
        return;
    };
    if let Ok(decoder) = Decoder::new(codec % 4, usize::from(*count), data) {
        let coding = decoder.coding();
        let values: Result<Vec<i64>, _> = decoder.collect();
        if let Ok(values) = values {
            let mut out = vec![0; data.len()];
            let mut encoder = Encoder::new(coding, &mut out).expect("the head fits");
            for value in &values {
                encoder.push(*value).expect("a decoded value encodes");
            }
            assert_eq!(encoder.finish(), Ok(data.len()), "another length");
            assert_eq!(out, data, "a second spelling");
        }
    }
    let mut value = 0i64;
    let values: Vec<i64> = data
        .chunks(2)
        .map(|step| {
            let step = i64::from(step[0] as i8) << (step.get(1).unwrap_or(&0) % 60);
            value = value.wrapping_add(step);
            value
        })
        .collect();
    if values.is_empty() {
        return;
    }
    let mut out = vec![0; 16 + 10 * values.len()];
    let (coding, len) = encode(values.iter().copied(), &mut out).expect("there is room");
    let back: Result<Vec<i64>, _> = Decoder::new(coding.codec(), values.len(), &out[..len])
        .expect("a written block")
        .collect();
    assert_eq!(back, Ok(values));
}

type Chip = Flash<256, 4>;
type Sender = Outbox<FlashStore<Chip, 16>, 4>;

const LAYOUT: [usize; 6] = [0, 3, 3, 2, 2, 3];

fn sender(chip: Chip, boot: u32) -> Sender {
    let store = FlashStore::open(chip, 0, LAYOUT).expect("the flash works again");
    let quota = Quota {
        records: 10,
        bytes: 400,
    };
    let timing = Timing {
        first_ms: 10,
        longest_ms: 100,
    };
    Outbox::new(store, boot, timing, [quota; 6])
}

/// Outbox on flash and window beside plain sets: pushes, sends, losses, repeats, power cuts and restarts as the bytes
/// say; then everything that was taken is at the receiver, once.
pub fn outbox(bytes: &[u8]) {
    let mut input = Input { bytes };
    let (mut boot, mut now) = (1, 0);
    let mut sending = sender(Chip::new(13, 1), boot);
    let mut windows: BTreeMap<u8, Window> = BTreeMap::new();
    let mut rows: BTreeMap<Key, u32> = BTreeMap::new();
    let mut taken: BTreeSet<Key> = BTreeSet::new();
    let mut line: Vec<Vec<u8>> = Vec::new();
    let mut out = [0; 64];
    let mut operations = bytes.len().min(300);
    while operations > 0 || !line.is_empty() || !empty(&mut sending) {
        let calm = operations == 0;
        operations = operations.saturating_sub(1);
        let operation = if calm { 0x41 } else { input.byte() };
        now += 7;
        let mut alive = true;
        match operation & 0x0F {
            1..=6 => {
                if let Ok(sent) = sending.poll_transmit(now, &mut out) {
                    line.extend(sent.map(|sent| out[..sent.len].to_vec()));
                } else {
                    alive = false;
                }
            }
            7..=11 => {
                let stream = Stream(1 + operation / 16 % 5);
                let stamp = Stamp::from_seconds(1, ClockQuality::LEGAL);
                let body = Absence { boot, session: 7 };
                match sending.push(stream, 0, stamp, &body, &mut out) {
                    Ok(key) => assert!(taken.insert(key), "a name was used twice"),
                    Err(Refused::Full | Refused::Dropped) => {}
                    Err(_) => alive = false,
                }
            }
            12 => sending
                .store()
                .flash_mut()
                .cut(Cut::Inside(u64::from(operation / 16))),
            13 => sending.handle_reconnect(),
            14 => {
                windows.clear();
                for key in rows.keys() {
                    let window = windows.entry(key.stream.0);
                    let _ = window
                        .or_insert_with(|| Window::new(key.stream))
                        .commit(key.boot, key.seq);
                }
            }
            _ => alive = operation & 0x10 == 0,
        }
        if operation & 0x40 != 0 && !line.is_empty() {
            let arrived = line.remove(usize::from(operation) % line.len());
            let told = receive(&mut windows, &mut rows, &arrived);
            if let (Some(told), true) = (told, calm || operation & 0x80 == 0) {
                alive &= sending.handle_acknowledgement(now, &told).is_ok();
            }
        }
        if !alive || (calm && sending.store().flash().is_lost()) {
            let mut chip = sending.store().flash().clone();
            chip.restore();
            boot += 1;
            sending = sender(chip, boot);
        }
        assert!(now < 1_000_000, "it never ends");
    }
    for key in taken {
        let may_be_dropped = matches!(key.stream, Stream::TELEMETRY);
        assert!(
            may_be_dropped || rows.get(&key) == Some(&1),
            "{key:?} is lost"
        );
    }
    assert!(
        rows.values().all(|count| *count == 1),
        "a record counts twice"
    );
}

fn empty(sending: &mut Sender) -> bool {
    Stream::ALL
        .iter()
        .all(|stream| sending.store().next(*stream, None) == Ok(None))
}

fn receive(
    windows: &mut BTreeMap<u8, Window>,
    rows: &mut BTreeMap<Key, u32>,
    bytes: &[u8],
) -> Option<Acknowledgement> {
    let (head, _): (Head, Absence) = compact::decode_as(bytes).expect("sent as stored");
    let (stream, boot, seq) = (head.stream, head.boot, head.seq);
    let key = Key { stream, boot, seq };
    let window = windows
        .entry(stream.0)
        .or_insert_with(|| Window::new(stream));
    match window.classify(boot, seq) {
        Verdict::New => {
            *rows.entry(key).or_default() += 1;
            let _ = window.commit(boot, seq);
        }
        Verdict::TooOld => {
            rows.entry(key).or_insert(1);
            return Some(Window::<2>::acknowledge_one(stream, boot, seq));
        }
        Verdict::TooFar => return None,
        Verdict::Repeat => assert!(rows.contains_key(&key), "called a repeat and never came"),
        Verdict::Unnumbered => panic!("stored records have numbers"),
    }
    window.acknowledgement(boot)
}

/// Bytes of a hostile peer on a serial line and in transfers: no panic, nothing longer than agreed, and a frame that is
/// found encodes to one that is found again.
pub fn links(bytes: &[u8]) {
    const N: usize = 48;
    let mut receiver: serial::Receiver<{ N + 8 }> = serial::Receiver::new();
    for byte in bytes {
        if let Some((header, body)) = receiver.handle_byte(*byte) {
            let mut frame = [0; serial::frame_len(N)];
            let len = serial::encode(header, body, &mut frame).expect("it came");
            let mut again: serial::Receiver<{ N + 8 }> = serial::Receiver::new();
            let found = frame[..len]
                .iter()
                .any(|byte| again.handle_byte(*byte).is_some());
            assert!(found, "a frame is not found again");
        }
    }
    let timing = serial::Timing { repeat_ms: 10 };
    let mut end: serial::Endpoint<N, { N + 8 }> = serial::Endpoint::new(timing);
    let mut out = [0; serial::frame_len(N)];
    for (now, part) in (0..).zip(bytes.chunks(9)) {
        let _ = end.send(1, &part[..1]);
        end.handle_bytes(now, part);
        let _ = end
            .poll_transmit(now, &mut out)
            .expect("the buffer is large enough");
        if let Some((_, body)) = end.received() {
            assert!(!body.is_empty() && body.len() <= N);
            end.release();
        }
        while end.poll_event().is_some() {}
    }
    let mut slave: spi::LinkSlave<N> = spi::LinkSlave::new();
    let mut phase = [0; spi::Endpoint::<N>::PHASE];
    for part in bytes.chunks(16) {
        let (Some(head), rest) = (part.first_chunk::<6>(), part.get(6..).unwrap_or_default())
        else {
            break;
        };
        // The check is made right, so that more than it is met.
        let [low, high] = meter_proto::link::crc16(head).to_le_bytes();
        let [a, b, c, d, e, f] = *head;
        let _ = slave.endpoint().send(b"reading", false);
        let _ = slave.begin();
        if let Ok(len) = slave.handle_header(&[a, b, c, d, e, f, low, high], &mut phase) {
            assert!(len <= phase.len());
            let _ = slave.handle_body(rest);
        }
        if let Some(body) = slave.endpoint().received() {
            assert!(body.len() <= N);
        }
        slave.endpoint().release();
        while slave.endpoint().poll_event().is_some() {}
    }
}

/// Fragments and messages about files in any order: no panic, no block outside its file, no more than was offered.
pub fn files(bytes: &[u8]) {
    let mut assembler: Assembler<600> = Assembler::new();
    let store = FlashFile::try_new(Flash::<1024, 4>::new(6, 1), 0, 6).expect("it fits");
    let mut receiver = file::Receiver::new(store, 100).expect("an empty flash");
    let mut sender: Option<file::Sender> = None;
    let mut input = Input { bytes };
    for now in 0..60 {
        let part = input.take(200);
        if let Ok(Some(message)) = assembler.handle_fragment(now, part) {
            assert!(message.len() <= 596);
        }
        if let Ok((_, offer)) = compact::decode_as::<FileOffer>(part) {
            receiver
                .handle_offer(now, &offer, true)
                .expect("the flash works");
            sender = Some(file::Sender::new(offer));
        }
        if let Ok((_, block)) = compact::decode_as::<FileBlock>(part) {
            receiver.handle_block(now, &block).expect("the flash works");
        }
        if let (Ok((_, need)), Some(sender)) = (compact::decode_as::<FileNeed>(part), &mut sender) {
            let _ = sender.handle_need(&need);
        }
        if let (Some(need), Some(sender)) = (
            receiver.poll_need(now * 50).expect("the flash works"),
            &mut sender,
        ) {
            let known = sender.handle_need(&need) || need.number != sender.offer().number;
            assert!(known, "asked for what the offer does not have");
        }
        if let Some(sender) = &mut sender
            && let Some(block) = sender.poll_block()
        {
            let end = block.offset as usize + block.len;
            assert!(
                block.len > 0 && end <= sender.offer().size as usize,
                "a block outside"
            );
            let body = FileBlock {
                number: sender.offer().number,
                offset: block.offset,
                data: core::iter::repeat_n(input.byte(), block.len).collect(),
            };
            receiver.handle_block(now, &body).expect("the flash works");
        }
        if receiver.poll_event().is_some() {
            receiver.handle_verdict(now, input.byte() & 1 == 0);
        }
        let (got, size) = receiver.progress();
        assert!(got <= size);
    }
}
