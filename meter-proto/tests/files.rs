//! Files: asked for block by block over a line that loses, repeats and reorders, with the power cut at every write and
//! erase of the receiver; what has arrived is not sent again.

use std::collections::BTreeSet;
use std::convert::Infallible;

use meter_proto::file::{FileStore, FlashFile, Receiver, ReceiverEvent, Sender};
use meter_proto::message::{
    Activation, BlockRange, FILE_MAX, FileBlock, FileKind, FileNeed, FileOffer, FileStatus,
    FileTarget,
};
use proptest::prelude::*;
use testkit::Rng;
use testkit::flash::{Cut, Flash};

type Chip = Flash<1024, 4>;
const PAGES: u32 = 12;

fn offer(number: u32, size: u32, block_size: u16) -> FileOffer {
    FileOffer {
        number,
        file_kind: FileKind::FIRMWARE,
        target: FileTarget::MANAGEMENT_CORE,
        version: "1.2.3".try_into().unwrap(),
        size,
        block_size,
        sha256: [number as u8; 32].into_iter().collect(),
        manifest: [7; 100].into_iter().collect(),
        signature: [9; 64].into_iter().collect(),
        activation: Activation::BY_COMMAND,
    }
}

fn image(size: u32) -> Vec<u8> {
    let mut bytes = vec![0; size as usize];
    Rng::new(u64::from(size)).fill(&mut bytes);
    bytes
}

fn block(number: u32, offset: u32, data: &[u8]) -> FileBlock {
    FileBlock {
        number,
        offset,
        data: data.iter().copied().collect(),
    }
}

fn chip(seed: u64) -> Chip {
    Chip::new(PAGES as usize, seed)
}

fn receiver(chip: Chip) -> Option<Receiver<FlashFile<Chip>>> {
    let file = FlashFile::try_new(chip, 0, PAGES).unwrap();
    Receiver::new(file, 1_000).ok()
}

/// Exchanges over a bad line until the file is here, the power goes (`None`) or the patience ends. Counts blocks sent.
fn transfer<S: FileStore>(
    receiver: &mut Receiver<S>,
    sender: &mut Sender,
    image: &[u8],
    rng: &mut Rng,
    loss: u32,
    sent: &mut usize,
) -> Option<()> {
    let mut line: Vec<FileBlock> = Vec::new();
    for now in 0..40_000 {
        if now % 3_000 == 0 {
            // Also said again because the last word of the receiver may have been lost.
            receiver.handle_offer(now, sender.offer(), true).ok()?;
        }
        if let Some(need) = receiver.poll_need(now).ok()?
            && !rng.chance(loss)
        {
            assert!(need.check().is_ok());
            assert!(sender.handle_need(&need));
            if need.status != FileStatus::NEEDS {
                return Some(());
            }
        }
        for _ in 0..2 {
            if let Some(next) = sender.poll_block() {
                *sent += 1;
                let data = &image[next.offset as usize..][..next.len];
                let made = block(sender.offer().number, next.offset, data);
                for _ in 0..1 + u8::from(rng.chance(loss / 2)) {
                    // A good line keeps the order.
                    let earliest = if loss == 0 { line.len() as u64 } else { 0 };
                    let place = rng.between(earliest as i64, line.len() as i64) as usize;
                    line.insert(place, made.clone());
                }
            }
        }
        while !line.is_empty() && rng.chance(600_000) {
            let arrived = line.remove(0);
            if !rng.chance(loss) {
                receiver.handle_block(now, &arrived).ok()?;
            }
        }
        if receiver.poll_event() == Some(ReceiverEvent::Arrived) {
            let mut back = vec![0; image.len()];
            receiver.store().read(0, &mut back).ok()?;
            receiver.handle_verdict(now, back == image);
        }
    }
    panic!("no end: {:?}", receiver.progress());
}

#[test]
fn power_cut_at_every_write_and_erase() {
    let image = image(4_300);
    // A file of another time lies there, half done.
    let mut old = receiver(chip(1)).unwrap();
    old.handle_offer(0, &offer(1, 3_000, 256), true).unwrap();
    for at in 0..6 {
        old.handle_block(0, &block(1, at * 256, &[at as u8; 256]))
            .unwrap();
    }
    assert_eq!(old.progress(), (1_024, 3_000));
    let before = old.store().flash().clone();

    let run = |chip: Chip, sent: &mut usize| {
        let mut rng = Rng::new(3);
        let mut sender = Sender::new(offer(2, 4_300, 256));
        let mut receiver = receiver(chip)?;
        let done = transfer(&mut receiver, &mut sender, &image, &mut rng, 0, sent);
        Some((
            done,
            receiver.progress(),
            sender.status(),
            receiver.store().flash().clone(),
        ))
    };
    let mut all = 0;
    let (done, .., status, whole) = run(before.clone(), &mut all).unwrap();
    assert_eq!((done, status, all), (Some(()), FileStatus::COMPLETE, 17));
    let steps = whole.steps() - before.steps();
    assert!(steps > 1_000, "{steps}");
    for step in 0..steps {
        for cut in [Cut::Before(step), Cut::Inside(step)] {
            let mut chip = before.clone();
            chip.cut(cut);
            let (done, (whole_bytes, _), _, mut chip) = run(chip, &mut 0).unwrap();
            assert!(done.is_none() && chip.is_lost(), "{cut:?} was not met");
            chip.restore();
            // What was whole is not sent again.
            let mut again = 0;
            let (done, .., status, _) = run(chip, &mut again).unwrap();
            assert_eq!((done, status), (Some(()), FileStatus::COMPLETE), "{cut:?}");
            let known = whole_bytes as usize / 256;
            assert!(
                again + known <= 17 + 1,
                "{cut:?}: {again} blocks again, {known} were whole"
            );
        }
    }
    println!(
        "power cut at {steps} writes and erases, before and inside: the file arrived, whole pages were kept"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn files_arrive_over_a_bad_line_with_power_cuts(seed: u64, size in 1u32..9_000, loss in 0u32..400_000) {
        let image = image(size);
        let mut rng = Rng::new(seed);
        let mut chip = chip(seed);
        let mut sender = Sender::new(offer(5, size, 512));
        for _ in 0..40 {
            if rng.chance(800_000) {
                chip.cut(Cut::Inside(rng.below(600)));
            }
            let Some(mut receiver) = receiver(chip.clone()) else {
                chip.restore();
                continue;
            };
            let done = transfer(&mut receiver, &mut sender, &image, &mut rng, loss, &mut 0);
            chip = receiver.store().flash().clone();
            chip.restore();
            if done.is_some() {
                break;
            }
        }
        prop_assert_eq!(sender.status(), FileStatus::COMPLETE);
    }

    /// Any offers, blocks and needs: no panic, and never more than was offered is written.
    #[test]
    fn hostile_messages_do_no_harm(seed: u64) {
        let mut rng = Rng::new(seed);
        let mut receiver = receiver(chip(seed)).unwrap();
        let mut sender = Sender::new(offer(1, 5_000, 256));
        for now in 0..200 {
            let mut bad = offer(rng.below(3) as u32, rng.next_u32() % 40_000, *rng.pick(&[256, 512, 1024, 0, 77]).unwrap());
            if rng.chance(100_000) {
                bad.size = rng.next_u32();
            }
            if rng.chance(100_000) {
                receiver.handle_offer(now, &bad, rng.chance(500_000)).unwrap();
            }
            let len = *rng.pick(&[256usize, 512, 1, 0, 1024]).unwrap();
            let offset = rng.next_u32() % 12_000 / 256 * 256 + u32::from(rng.chance(100_000));
            receiver.handle_block(now, &block(rng.below(3) as u32, offset, &vec![1; len])).unwrap();
            let _ = receiver.poll_need(now).unwrap();
            let _ = receiver.poll_event();
            let (got, size) = receiver.progress();
            prop_assert!(got <= size);
            let ranges = (0..rng.below(9)).map(|_| BlockRange { first: rng.next_u32() >> rng.below(32), count: rng.next_u32() >> rng.below(32) });
            let need = FileNeed { number: 1, status: FileStatus::NEEDS, ranges: ranges.take(8).collect() };
            sender.handle_need(&need);
            for _ in 0..50 {
                if let Some(next) = sender.poll_block() {
                    prop_assert!(next.offset as usize + next.len <= 5_000 && next.len > 0);
                }
            }
        }
    }
}

/// A store in memory with pages of 4 KiB.
struct Large {
    offer: Option<FileOffer>,
    whole: BTreeSet<u32>,
    bytes: Vec<u8>,
}

impl FileStore for Large {
    type Error = Infallible;

    fn capacity(&self) -> u32 {
        self.bytes.len() as u32
    }

    fn page_size(&self) -> u32 {
        4_096
    }

    fn offer(&mut self) -> Result<Option<FileOffer>, Infallible> {
        Ok(self.offer.clone())
    }

    fn begin(&mut self, offer: Option<&FileOffer>) -> Result<(), Infallible> {
        self.whole.clear();
        self.offer = offer.cloned();
        Ok(())
    }

    fn is_whole(&mut self, page: u32) -> Result<bool, Infallible> {
        Ok(self.whole.contains(&page))
    }

    fn clear_page(&mut self, page: u32) -> Result<(), Infallible> {
        self.bytes[page as usize * 4_096..][..4_096].fill(0xFF);
        Ok(())
    }

    fn write(&mut self, offset: u32, data: &[u8]) -> Result<(), Infallible> {
        let place = &mut self.bytes[offset as usize..][..data.len()];
        assert!(
            place.iter().all(|byte| *byte == 0xFF),
            "written twice without an erase"
        );
        place.copy_from_slice(data);
        Ok(())
    }

    fn mark_whole(&mut self, page: u32) -> Result<(), Infallible> {
        assert!(self.whole.insert(page), "marked twice");
        Ok(())
    }

    fn read(&mut self, offset: u32, out: &mut [u8]) -> Result<(), Infallible> {
        out.copy_from_slice(&self.bytes[offset as usize..][..out.len()]);
        Ok(())
    }
}

#[test]
fn the_largest_image_arrives() {
    let image = image(FILE_MAX);
    let store = Large {
        offer: None,
        whole: BTreeSet::new(),
        bytes: vec![0xFF; FILE_MAX as usize],
    };
    let mut receiver = Receiver::new(store, 1_000).unwrap();
    let mut sender = Sender::new(offer(9, FILE_MAX, 1_024));
    let mut sent = 0;
    receiver.handle_offer(0, sender.offer(), true).unwrap();
    while receiver.poll_event().is_none() {
        let need = receiver
            .poll_need(sent)
            .unwrap()
            .expect("it asks as soon as all came");
        assert!(sender.handle_need(&need));
        while let Some(next) = sender.poll_block() {
            let data = &image[next.offset as usize..][..next.len];
            receiver
                .handle_block(sent, &block(9, next.offset, data))
                .unwrap();
            sent += 1;
        }
    }
    assert_eq!(sent, u64::from(FILE_MAX / 1_024), "no block came twice");
    assert!(receiver.store().bytes == image);
}

#[test]
fn unwanted_and_unfit_files_are_refused_and_bad_ones_come_again() {
    let mut receiver = receiver(chip(1)).unwrap();
    let status = |receiver: &mut Receiver<FlashFile<Chip>>, now| {
        receiver
            .poll_need(now)
            .unwrap()
            .map(|need| (need.number, need.status))
    };
    receiver
        .handle_offer(0, &offer(1, 5_000, 256), false)
        .unwrap();
    assert_eq!(status(&mut receiver, 0), Some((1, FileStatus::REFUSED)));
    receiver
        .handle_offer(0, &offer(2, 1 << 20, 256), true)
        .unwrap();
    assert_eq!(status(&mut receiver, 0), Some((2, FileStatus::REFUSED)));
    assert_eq!(status(&mut receiver, 0), None);
    receiver.handle_offer(0, &offer(3, 300, 256), true).unwrap();
    assert_eq!(status(&mut receiver, 0), Some((3, FileStatus::NEEDS)));
    assert_eq!(status(&mut receiver, 999), None);
    assert_eq!(receiver.poll_timeout(), Some(1_000));
    receiver.handle_block(5, &block(3, 0, &[1; 256])).unwrap();
    receiver.handle_block(5, &block(3, 256, &[2; 44])).unwrap();
    assert_eq!(receiver.poll_event(), Some(ReceiverEvent::Arrived));
    receiver.handle_verdict(6, false);
    assert_eq!(status(&mut receiver, 6), Some((3, FileStatus::BAD_CONTENT)));
    assert_eq!(receiver.offer(), None);
    receiver.handle_offer(7, &offer(3, 300, 256), true).unwrap();
    assert_eq!(status(&mut receiver, 7), Some((3, FileStatus::NEEDS)));
    receiver.handle_block(8, &block(3, 0, &[1; 256])).unwrap();
    receiver.handle_block(8, &block(3, 256, &[3; 44])).unwrap();
    receiver.handle_verdict(9, true);
    assert_eq!(status(&mut receiver, 9), Some((3, FileStatus::COMPLETE)));
    assert_eq!(status(&mut receiver, 10_000), None);
    receiver
        .handle_offer(11_000, &offer(3, 300, 256), true)
        .unwrap();
    assert_eq!(
        status(&mut receiver, 11_000),
        Some((3, FileStatus::COMPLETE)),
        "said again"
    );
}
