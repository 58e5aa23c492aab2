//! The firmware images in the emulator beside the same cores on the host: the same samples and the same DL/T 645 frames
//! must give the same registers, quantities, sealed blocks, stored records and answers, byte for byte.

#[allow(dead_code)]
mod boards;
#[path = "boards/desk.rs"]
mod desk;
#[path = "boards/orders.rs"]
mod orders;
// The shells of the images, compiled for the host.
#[allow(dead_code)]
#[path = "../../firmware/src/chip.rs"]
mod chip;
#[allow(dead_code)]
#[path = "../../firmware/src/management.rs"]
mod management;
#[allow(dead_code)]
#[path = "../../firmware/src/metering.rs"]
mod metering;
#[allow(dead_code)]
#[path = "../../firmware/src/setup.rs"]
mod setup;
#[allow(dead_code)]
#[path = "../../firmware/src/wire.rs"]
mod wire;

use std::time::{Duration, Instant};

use meter::face::{ACKNOWLEDGE, COMMAND, RECORD};
use meter::link::{CoreMaster, CoreSlave};
use meter::metering::MeteringCore;
use meter::store::{FlashStore, PageStore, RamFlash};
use meter::wave::{Load, Schedule, Shape, Synth};
use meter_proto::compact;
use meter_proto::message::{Acknowledgement, Stream};

use boards::{Board, M0, M4, PATIENCE, images};
use desk::Desk;
use metering::{Feed, Taker};
use orders::{recharge, session};

type HostStore = FlashStore<RamFlash<{ setup::FLASH }>>;
type MeteringStore = PageStore<RamFlash<{ setup::METERING_FLASH }>, { metering::RECORDS.len() }>;

fn new_store() -> HostStore {
    FlashStore::try_new(RamFlash::new(), 0..setup::FLASH as u32).unwrap()
}

fn metering_store() -> MeteringStore {
    PageStore::try_new(RamFlash::new(), metering::RECORDS).unwrap()
}

fn start<const P: usize>(store: &mut MeteringStore) -> MeteringCore<P, &mut MeteringStore> {
    let keys = setup::MeteringKeys::new();
    MeteringCore::start(
        setup::metering_config().unwrap(),
        &keys.all(),
        store,
        setup::START_MS,
    )
    .unwrap()
}

/// What the metering image prints, from the host's own core.
fn metered_on_host<const P: usize>(samples: &[u8]) -> String {
    let mut desk = Desk::new(samples);
    let mut store = metering_store();
    let mut core = start::<P>(&mut store);
    Feed::default()
        .rest(&mut core, &mut desk, Taker::Bench)
        .unwrap();
    metering::report(&mut core, &mut desk).unwrap();
    drop(core);
    metering::dump(&mut store, &metering::RECORDS, &mut desk).unwrap();
    desk.text
}

fn samples<const P: usize>(seconds: u32, loads: &[Load], seed: u32) -> Vec<u8> {
    let mut synth = Synth::<P>::new(setup::SAMPLE_RATE_HZ, loads, seed);
    let mut bytes = Vec::new();
    // Not a whole number of blocks: the last one is short.
    for _ in 0..seconds * setup::SAMPLE_RATE_HZ + 17 {
        let set = synth.next_sample();
        for count in set.u.iter().chain(&set.i) {
            bytes.extend(count.to_le_bytes());
        }
    }
    bytes
}

fn house() -> [Load; 4] {
    [
        Load::new(Shape::Resistive, 8_000).with_schedule(Schedule::Cycle { on_s: 3, off_s: 2 }),
        Load::new(Shape::Rectifier, 3_000),
        Load::new(Shape::Motor, 5_000),
        Load::new(Shape::Solar, 14_000).with_schedule(Schedule::Cycle { on_s: 2, off_s: 4 }),
    ]
}

fn same(what: &str, emulator: &str, host: &str) {
    for (number, (ours, theirs)) in (1..).zip(emulator.lines().zip(host.lines())) {
        assert_eq!(
            ours, theirs,
            "{what}, line {number}: emulator and host differ"
        );
    }
    assert_eq!(emulator, host, "{what}: one of them says more");
}

/// The flash of a new metering core, where the board keeps it in a file.
fn metering_flash(folder: &std::path::Path) {
    std::fs::write(folder.join("metering.flash"), [0xFF; setup::METERING_FLASH]).unwrap();
}

fn metering_is_the_same<const P: usize>(
    target: &str,
    machine: &str,
    bin: &str,
    arguments: &str,
    seconds: u32,
) {
    let Some(images) = images(target) else {
        return;
    };
    let samples = samples::<P>(seconds, &house(), 0xC0FFEE);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("samples.bin"), &samples).unwrap();
    metering_flash(folder.path());
    let what = format!("{bin}{arguments} on {machine}");
    let board = Board::start(machine, &images.join(bin), folder.path(), arguments, "none");
    let host = metered_on_host::<P>(&samples);
    let emulator = board.finish(&what);
    same(&what, &emulator, &host);
    let blocks = host
        .lines()
        .filter(|line| line.starts_with("block "))
        .count();
    assert!(
        blocks >= seconds as usize - 1,
        "{blocks} legal blocks in {seconds} s"
    );
}

#[test]
#[ignore = "minutes in an emulator: cargo xtask emulate"]
fn cortex_m4_meters_one_phase_like_the_host() {
    metering_is_the_same::<1>(M4, "mps2-an386", "metering", "", 12);
}

#[test]
#[ignore = "minutes in an emulator: cargo xtask emulate"]
fn cortex_m4_meters_three_phases_like_the_host() {
    metering_is_the_same::<3>(M4, "mps2-an386", "metering-three", "", 12);
}

#[test]
#[ignore = "minutes in an emulator: cargo xtask emulate"]
fn cortex_m0_meters_one_phase_like_the_host() {
    metering_is_the_same::<1>(M0, "microbit", "metering", "", 12);
}

/// The host takes the samples as they are in the file: what came through the chip must give the same, to the last bit.
#[test]
#[ignore = "minutes in an emulator: cargo xtask emulate"]
fn samples_through_a_simulated_chip_and_its_driver_meter_like_those_of_a_buffer() {
    metering_is_the_same::<1>(M4, "mps2-an386", "metering", ",arg=chip", 6);
    metering_is_the_same::<1>(M0, "microbit", "metering", ",arg=chip", 6);
}

#[test]
fn the_host_meters_through_the_chip_too() {
    let samples = samples::<1>(6, &house(), 0xC0FFEE);
    let mut desk = Desk::new(&samples);
    let converter = chip::Converter::new([0; 2]);
    let mut through = chip::Through {
        driver: chip::driver(&converter).expect("the chip starts"),
        bench: &mut desk,
        converter: &converter,
    };
    let mut store = metering_store();
    let mut core = start::<1>(&mut store);
    Feed::default()
        .rest(&mut core, &mut through, Taker::Bench)
        .unwrap();
    metering::report(&mut core, &mut desk).unwrap();
    drop(core);
    metering::dump(&mut store, &metering::RECORDS, &mut desk).unwrap();
    same(
        "through the chip",
        &desk.text,
        &metered_on_host::<1>(&samples),
    );
}

/// The other core in the same memory, by the library's own exchange.
struct Here<'a> {
    slave: CoreSlave,
    core: MeteringCore<1, &'a mut MeteringStore>,
    feed: Feed,
    desk: Desk,
}

impl wire::Line for Here<'_> {
    fn transfer(&mut self, master: &mut CoreMaster, now_ms: u64) -> bool {
        let moved = meter::link::exchange(master, &mut self.slave, now_ms);
        if moved {
            wire::between(
                &mut self.core,
                &mut self.slave,
                &mut self.feed,
                &mut self.desk,
            );
        }
        moved
    }
}

/// What both images print, from the host's own cores: metering, management.
fn both_on_host(samples: &[u8], script: &[u8]) -> (String, String) {
    let (mut store, mut state, mut waiting) = (metering_store(), new_store(), new_store());
    let mut managed = Desk::new(script);
    let mut here = Here {
        slave: CoreSlave::new(),
        core: start::<1>(&mut store),
        feed: Feed::default(),
        desk: Desk::new(samples),
    };
    management::run(&mut here, &mut managed, &mut state, &mut waiting).unwrap();
    metering::dump(&mut state, &management::RECORDS, &mut managed).unwrap();
    let Here {
        mut core,
        mut feed,
        desk: mut metered,
        ..
    } = here;
    feed.rest(&mut core, &mut metered, Taker::OtherBoard)
        .unwrap();
    metering::report(&mut core, &mut metered).unwrap();
    drop(core);
    metering::dump(&mut store, &metering::RECORDS, &mut metered).unwrap();
    (metered.text, managed.text)
}

/// What comes over the DL/T 645 line, and when.
struct Script {
    bytes: Vec<u8>,
    at_ms: u32,
    /// Frames that have an answer.
    answers: usize,
}

impl Script {
    fn put(&mut self, bytes: &[u8]) {
        self.at_ms += 200;
        self.bytes.extend(self.at_ms.to_le_bytes());
        self.bytes
            .extend(u16::try_from(bytes.len()).unwrap().to_le_bytes());
        self.bytes.extend(bytes);
    }

    fn ask(&mut self, control: u8, data: &[u8]) {
        let mut address = setup::ADDRESS;
        address.reverse();
        self.put(&frame(address, control, data));
        self.answers += 1;
    }

    fn read(&mut self, id: u32) {
        self.ask(0x11, &id.to_le_bytes());
    }

    /// Function 03 with operator 0.
    fn secure(&mut self, id: dlt645::DataId, data: &[u8]) {
        self.ask(0x03, &[&id.0.to_le_bytes(), &[0; 4], data].concat());
    }
}

/// A frame by the book: start, address, start, control, length, data with 33H added, sum, end.
fn frame(address: [u8; 6], control: u8, data: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x68];
    frame.extend(address);
    frame.extend([0x68, control, u8::try_from(data.len()).unwrap()]);
    frame.extend(data.iter().map(|byte| byte.wrapping_add(0x33)));
    frame.push(
        frame
            .iter()
            .fold(0, |sum: u8, byte| sum.wrapping_add(*byte)),
    );
    frame.push(0x16);
    frame
}

fn acknowledgement(stream: Stream, boot: u32, seq: u32) -> Vec<u8> {
    let told = Acknowledgement {
        stream,
        boot,
        contiguous: seq,
        gaps: heapless::Vec::new(),
    };
    let mut bytes = [0; 64];
    let length = compact::encode_as(&session(), &told, &mut bytes).unwrap();
    bytes[..length].to_vec()
}

/// Reads, refusals, noise, records; then the purse is empty, a recharge, a trip by password.
fn script() -> Script {
    let mut script = Script {
        bytes: Vec::new(),
        at_ms: 1_000,
        answers: 0,
    };
    script.put(&[0xFE, 0xFE, 0xFE, 0xFE]);
    script.put(&frame([0xAA; 6], 0x13, &[]));
    script.answers += 1;
    for id in [
        0x0000_0000,
        0x0001_0000,
        0x0001_FF00,
        0x0002_0000,
        0x0090_0200,
        0x0090_0201,
        0x0201_FF00,
        0x0202_0100,
        0x0203_FF00,
        0x0204_0000,
        0x0206_0000,
        0x0280_0002,
        0x0400_0101,
        0x0400_0102,
        0x0400_05FF,
        // Known to the standard, not to this meter; known to nobody.
        0x0001_0001,
        0x0777_0001,
    ] {
        script.read(id);
    }
    // Noise, a wrong sum, another meter, a frame cut short.
    script.put(&[0x68, 0x00, 0x16, 0x68, 0x68, 0xFF, 0x13]);
    let mut own = setup::ADDRESS;
    own.reverse();
    let mut wrong = frame(own, 0x11, &[0, 0, 1, 0]);
    wrong[14] ^= 0x40;
    script.put(&wrong);
    script.put(&frame([0x99; 6], 0x11, &[0, 0, 1, 0]));
    script.put(&frame(own, 0x11, &[0, 0, 1, 0])[..9]);
    script.at_ms += 1_000;
    // A wrong password; a trip whose time is over.
    script.ask(
        0x14,
        &[
            0x01, 0x01, 0x00, 0x04, 0x04, 0, 0, 0, 0, 0, 0, 0, 0, 21, 11, 26,
        ],
    );
    script.ask(
        0x1C,
        &[
            0x02, 0x56, 0x34, 0x12, 0, 0, 0, 0, 0x1A, 0, 0, 0, 0, 1, 1, 0x20,
        ],
    );
    for seq in 1..=3 {
        script.read(RECORD.0);
        script.secure(ACKNOWLEDGE, &acknowledgement(Stream::EVENT, 1, seq));
    }
    for seq in 1..=4 {
        script.read(RECORD.0);
        script.secure(ACKNOWLEDGE, &acknowledgement(Stream::LEGAL, 1, seq));
    }
    // By now the first credit is used up.
    script.at_ms += 10_000;
    script.read(0x0400_0503);
    script.read(0x0090_0200);
    script.read(RECORD.0);
    script.secure(COMMAND, &recharge(5_000, 44, setup::START_MS + 600_000));
    script.secure(COMMAND, &recharge(5_000, 44, setup::START_MS + 600_000));
    script.secure(COMMAND, &[0x21, 0xFF, 0xFF]);
    script.at_ms += 4_000;
    script.read(0x0400_0503);
    script.read(0x0090_0200);
    // A trip that is still valid.
    script.ask(
        0x1C,
        &[
            0x02, 0x56, 0x34, 0x12, 0, 0, 0, 0, 0x1A, 0, 0, 0, 0, 0x31, 0x12, 0x26,
        ],
    );
    script.at_ms += 4_000;
    script.read(0x0400_0503);
    script.at_ms += 1_000;
    script.put(&[0xFE]);
    script
}

#[test]
#[ignore = "minutes in an emulator: cargo xtask emulate"]
fn two_boards_answer_like_two_cores_on_the_host() {
    let Some(images) = images(M4) else {
        return;
    };
    // 13.2 kW at 50 a kilowatt hour use up the first credit of 1 in 6 s.
    let samples = samples::<1>(40, &[Load::new(Shape::Resistive, 60_000)], 7);
    let script = script();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("samples.bin"), &samples).unwrap();
    std::fs::write(folder.path().join("script.bin"), &script.bytes).unwrap();
    metering_flash(folder.path());
    let (metering_host, management_host) = both_on_host(&samples, &script.bytes);

    let socket = folder.path().join("link");
    let metering = Board::start(
        "mps2-an386",
        &images.join("metering"),
        folder.path(),
        ",arg=link",
        "unix:link,server=on,wait=off",
    );
    let begun = Instant::now();
    while !socket.exists() {
        assert!(
            begun.elapsed() < PATIENCE,
            "the first board opens no serial port"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    let management = Board::start(
        "mps2-an386",
        &images.join("management"),
        folder.path(),
        "",
        "unix:link",
    );
    let management = management.finish("management on mps2-an386");
    let metering = metering.finish("metering with link on mps2-an386");
    same("management", &management, &management_host);
    same("metering with link", &metering, &metering_host);

    // What both say is also what it should be.
    let said = |text: &str| management_host.contains(text);
    let answers = management_host
        .lines()
        .filter(|line| line.contains(" answer "))
        .count();
    assert_eq!(answers, script.answers, "{management_host}");
    assert!(said("recharges: 1"), "{management_host}");
    assert!(said("wrong_passwords: 1"), "{management_host}");
    // Status word 3 before and after the recharge, and after the trip: bit 4 is the open contact.
    let words: Vec<u8> = management_host
        .lines()
        .filter_map(|line| line.split_once("910636383337"))
        .map(|(_, rest)| {
            u8::from_str_radix(&rest[..2], 16)
                .unwrap()
                .wrapping_sub(0x33)
        })
        .collect();
    let open: Vec<bool> = words.iter().map(|word| word & 0x10 != 0).collect();
    assert_eq!(open, [true, false, true], "{management_host}");
    assert!(metering_host.contains(" open\n"), "{metering_host}");
}
