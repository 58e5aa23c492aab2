//! An image over a line onto flash that loses its power, ahead of every write and erase and in the middle of each:
//! whatever comes back starts one of the two good images, and the rest of the new one is carried until it is in use,
//! thrown away, or gone back.

#[allow(dead_code)]
#[path = "boards/updatable.rs"]
mod updatable;

use meter::update::{Package, REQUEST_MAX, UpdateSender};
use meter_proto::message::FileStatus;
use testkit::flash::Cut;

use updatable::{Board, Life, PAGE, package};

const IMAGE_PAGES: usize = 10;
/// The last page is not full.
const IMAGE: usize = IMAGE_PAGES * PAGE - 100;
/// Pages that the receiver has open at once: the most that a cut makes it begin anew.
const OPEN_PAGES: u32 = 4;

/// Steps of flash, the last of the story, in which an image on trial confirms itself: a page and a word.
const CONFIRMED: u64 = 2;

/// From a start to the next: gives the client what the sender has. `false` when it is over.
fn live(board: &Board, sender: &mut UpdateSender<'_>, now_ms: &mut u64) -> bool {
    let Some(Life { mut client, .. }) = board.start() else {
        return true;
    };
    let mut request = [0; REQUEST_MAX];
    let mut answer = [0; REQUEST_MAX];
    loop {
        *now_ms += 10;
        assert!(*now_ms < 3_600_000, "no end: {:?}", sender.status());
        if client.wants_restart(*now_ms) {
            return true;
        }
        let Some(length) = sender.poll_request(*now_ms, &mut request) else {
            if sender.is_over() {
                return false;
            }
            continue;
        };
        let told = client.handle(*now_ms, &request[..length], &mut answer);
        if board.chip.borrow().is_lost() {
            // The answer is lost too.
            return true;
        }
        assert!(sender.handle_answer(&answer[..told]));
    }
}

/// Carries `second` over a cut; the end, blocks sent, starts, steps of flash.
fn tell(second: &[u8], works: bool, cut: Option<Cut>) -> (FileStatus, u32, u32, u64) {
    let board = Board::new([package(1, IMAGE), package(2, IMAGE)], works);
    let begun = board.chip.borrow().steps();
    if let Some(cut) = cut {
        board.chip.borrow_mut().cut(cut);
    }
    let package = Package::parse(second).unwrap();
    let mut sender = UpdateSender::new(&package);
    let mut now_ms = 0;
    let mut starts = 0;
    while live(&board, &mut sender, &mut now_ms) {
        starts += 1;
        if board.chip.borrow().is_lost() {
            board.chip.borrow_mut().restore();
        }
    }
    // At the end, and at every start after it, the same image runs.
    let (_, manifest, _) = board.boot().expect("the power stays");
    let expected = if sender.status() == FileStatus::ACTIVE {
        2
    } else {
        1
    };
    assert_eq!(manifest.security_counter, expected);
    let steps = board.chip.borrow().steps() - begun;
    (sender.status(), sender.blocks_sent(), starts, steps)
}

/// Every cut of a story whose end is known; the number of cuts.
fn every_cut(second: &[u8], works: bool, end: FileStatus) -> u64 {
    let blocks = IMAGE_PAGES as u32;
    let (status, sent, starts, steps) = tell(second, works, None);
    assert_eq!(status, end);
    assert_eq!(sent, blocks, "nothing is sent twice on a good line");
    let mut cuts = 0;
    for step in 0..steps {
        for cut in [Cut::Before(step), Cut::Inside(step)] {
            let (status, sent, again, _) = tell(second, works, Some(cut));
            if end == FileStatus::ACTIVE && step >= steps - CONFIRMED {
                // Not confirmed is not confirmed, whatever the reason: the board goes back.
                let ends = [FileStatus::ACTIVE, FileStatus::FELL_BACK];
                assert!(ends.contains(&status), "{cut:?}: {status:?}");
            } else {
                assert_eq!(status, end, "{cut:?}");
            }
            assert!(again > starts, "{cut:?} did not happen");
            let most = match end {
                // What was thrown away before the offerer heard of it comes once more.
                FileStatus::BAD_CONTENT => 2 * blocks,
                _ => blocks + OPEN_PAGES,
            };
            assert!(sent <= most, "{cut:?}: {sent} of {blocks} blocks were sent");
            cuts += 1;
        }
    }
    cuts
}

#[test]
fn an_image_arrives_over_a_cut_at_every_write() {
    let cuts = every_cut(&package(2, IMAGE), true, FileStatus::ACTIVE);
    println!("{cuts} cuts");
    assert!(cuts > 600, "{cuts}");
}

#[test]
fn an_image_that_does_not_work_goes_back_over_a_cut_at_every_write() {
    let cuts = every_cut(&package(2, IMAGE), false, FileStatus::FELL_BACK);
    println!("{cuts} cuts");
}

#[test]
fn a_forged_image_never_starts_whatever_write_is_cut() {
    let mut forged = package(2, IMAGE);
    let last = forged.len() - 1;
    forged[last] ^= 0x10;
    let cuts = every_cut(&forged, true, FileStatus::BAD_CONTENT);
    println!("{cuts} cuts");
}
