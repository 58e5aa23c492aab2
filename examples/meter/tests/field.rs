//! A meter in the field: two boards by the clock, a host tool on the RS-485 port, updates that are cut off and updates
//! that are no good, a hostile management image. The metering core's registers stay those of a twin that none of it
//! happened to, to the last bit.

#[allow(dead_code)]
mod boards;
#[path = "boards/factory.rs"]
mod factory;
#[path = "boards/logged.rs"]
mod logged;
#[path = "boards/orders.rs"]
mod orders;
#[path = "boards/programs.rs"]
mod programs;
#[path = "boards/twin.rs"]
mod twin;
// The shells of the images, compiled for the host.
#[allow(dead_code)]
#[path = "../../firmware/src/metering.rs"]
mod metering;
#[allow(dead_code)]
#[path = "../../firmware/src/setup.rs"]
mod setup;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use dlt645::{Address, Authority, Control, DataId, Message, Operator, Order, Password, Stamp};
use meter::face::COMMAND;
use meter::host::line::{Line, LineError};
use meter::log::{Chain, Event, Matter};
use meter::update::Package;
use meter::wave::{Load, Shape, Synth};
use meter_proto::message::{Body, FileStatus};

use boards::{Board, M4, images};
use logged::Logged;
use twin::Said;

/// Longest wait for one step of the story.
const STEP: Duration = Duration::from_secs(240);
/// Time for one answer.
const ANSWER: Duration = Duration::from_secs(3);
const IMPORT: DataId = DataId(0x0001_0000);
const CREDIT: DataId = DataId(0x0090_0200);
const STATUS_3: DataId = DataId(0x0400_0503);
const SOFTWARE: DataId = DataId(0x0480_0001);

/// Two boards, their flash, and the line between host and meter.
struct Field {
    images: PathBuf,
    folder: tempfile::TempDir,
    wave: Vec<u8>,
    metering: Option<Board>,
    port: u16,
    begun: Instant,
}

impl Field {
    /// A metering board at work, and the flash of a management board with `first` in its slot. With the argument
    /// `,arg=chip` the samples come through the registers of a simulated chip.
    fn new(images: PathBuf, first: &[u8], arguments: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // A free port: the boards come and go, so it is the test's to choose.
        let port = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = port.local_addr().unwrap().port();
        let mut field = Self {
            images,
            folder,
            wave: mains(),
            metering: None,
            port,
            begun: Instant::now(),
        };
        let metering = field.part("metering");
        std::fs::write(metering.join("samples.bin"), &field.wave).unwrap();
        factory::metering_flash(&metering);
        factory::management_flash(&field.part("management"), first);
        field.metering = Some(Board::live(
            &field.images.join("metering-live"),
            &metering,
            arguments,
            &["unix:link,server=on,wait=off"],
        ));
        until("the metering board opens its port", || {
            metering.join("link").exists().then_some(())
        });
        field
    }

    fn tell(&self, what: &str) {
        println!("{:>5.1} s  {what}", self.begun.elapsed().as_secs_f32());
    }

    fn part(&self, name: &str) -> PathBuf {
        let part = self.folder.path().join(name);
        std::fs::create_dir_all(&part).unwrap();
        part
    }

    /// Power for the management board.
    fn management(&self, arguments: &str) -> Board {
        let rs485 = format!("tcp:127.0.0.1:{},server=on,wait=off", self.port);
        Board::live(
            &self.images.join("boot"),
            &self.part("management"),
            arguments,
            &["unix:../metering/link", &rs485],
        )
    }

    fn line(&self) -> Line {
        let address = Address::from_big_endian(setup::ADDRESS);
        let target = self.target();
        until("the RS-485 port takes a host", || {
            Line::connect(&target, address, ANSWER).ok()
        })
    }

    /// Where the RS-485 port is; it takes one host at a time.
    fn target(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Ends both boards in order: what the metering board said and logged, and what the management board said.
    fn end(mut self, management: Board) -> (Said, Logged, String) {
        for part in ["management", "metering"] {
            std::fs::write(self.part(part).join("stop"), b"").unwrap();
        }
        let management = management.finish("management");
        let metering = self.metering.take().unwrap().finish("metering");
        let said = Said::parse(&metering);
        println!(
            "metering: {} sets, {} movements of the contact, stack {} of {} bytes",
            said.sets,
            said.contact.len(),
            said.stack[0],
            said.stack[1]
        );
        let begun = Instant::now();
        let (registers, chain) = twin::undisturbed(&self.wave, &said);
        println!(
            "twin: the same samples in {:.1} s",
            begun.elapsed().as_secs_f32()
        );
        assert_eq!(
            said.registers, registers,
            "registers and pulses differ from the twin's"
        );
        assert_eq!(
            said.chain, chain,
            "the signal chain differs from the twin's"
        );
        let (import, pulses) = (registers[0], registers[12]);
        assert!(import > 100 && pulses > 0, "it metered: {registers:?}");
        println!("registers equal the twin's: {import} steps of 0.1 Wh, {pulses} pulses");
        let flash = std::fs::read(self.part("metering").join("metering.flash")).unwrap();
        let logged = Logged::read(&flash);
        let (legal, asked) = (logged.legal.len(), logged.asked.len());
        println!("log checked: {legal} legal lines, {asked} about the other core");
        (said, logged, management)
    }
}

/// A second of mains with 5 kW and a rectifier, to be played over and over.
fn mains() -> Vec<u8> {
    let loads = [
        Load::new(Shape::Resistive, 22_000),
        Load::new(Shape::Rectifier, 1_000),
    ];
    let mut synth = Synth::<1>::new(setup::SAMPLE_RATE_HZ, &loads, 8);
    (0..setup::SAMPLE_RATE_HZ)
        .flat_map(|_| {
            let set = synth.next_sample();
            set.u.into_iter().chain(set.i).flat_map(i32::to_le_bytes)
        })
        .collect()
}

fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < STEP, "not within {STEP:?}: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Packed decimal, low byte first.
fn digits(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |sum, byte| {
        sum * 100 + u64::from(byte >> 4) * 10 + u64::from(byte & 15)
    })
}

/// Reads until there is an answer: a board that starts has none yet.
fn read(line: &mut Line, id: DataId) -> Vec<u8> {
    until("the meter answers", || line.read(id).ok())
}

/// Register of imported energy and credit, both in hundredths.
fn stand(line: &mut Line) -> (u64, u64) {
    (digits(&read(line, IMPORT)), digits(&read(line, CREDIT)))
}

fn open(line: &mut Line) -> bool {
    read(line, STATUS_3)[0] & 0x10 != 0
}

fn control(line: &mut Line, order: Order) {
    let message = Message::Control {
        authority: Authority {
            password: Password {
                level: 2,
                digits: setup::PASSWORD,
            },
            operator: Operator::default(),
        },
        control: Control {
            order,
            delay: 0,
            expires: Some(Stamp {
                year: 26,
                month: 12,
                day: 31,
                hour: 0,
                minute: 0,
                second: 0,
            }),
        },
    };
    line.ask(&message).expect("the order is taken");
}

fn version(line: &mut Line) -> String {
    let mut text = read(line, SOFTWARE);
    text.reverse();
    String::from_utf8(text).unwrap().trim().to_owned()
}

/// Carries a package until it is over; a line that breaks because the board was switched off is made anew.
fn update(line: &mut Line, package: &[u8]) -> (FileStatus, u32) {
    let package = Package::parse(package).unwrap();
    let mut blocks = 0;
    let begun = Instant::now();
    let status = line.update(&package, |sender| {
        blocks = sender.blocks_sent();
        begun.elapsed() < STEP
    });
    (status.expect("the line holds"), blocks)
}

fn program(images: &Path, name: &str) -> Vec<u8> {
    factory::program(&images.join(name))
}

#[test]
#[ignore = "two minutes by the clock: cargo xtask firmware-demo"]
fn a_meter_sells_trips_and_is_updated_while_its_registers_stay_exact() {
    let Some(images) = images(M4) else {
        return;
    };
    println!("\na meter that sells, trips and is updated");
    let live = program(&images, "management-live");
    let faulty = program(&images, "management-faulty");
    let shaky = program(&images, "management-shaky");
    let first = factory::package(&shaky, 1, (1, 0));
    let field = Field::new(images, &first, "");
    let management = field.management("");
    let mut line = field.line();

    let begun = digits(&read(&mut line, IMPORT));
    until("energy is counted", || {
        (digits(&read(&mut line, IMPORT)) > begun).then_some(())
    });
    assert_eq!(version(&mut line), "1.0.0 build 1");
    let (import, credit) = stand(&mut line);
    field.tell(&format!(
        "read: register {:.2} kWh, credit {:.2}, software 1.0.0 build 1",
        import as f64 / 100.0,
        credit as f64 / 100.0
    ));
    until("the first credit is used up", || {
        open(&mut line).then_some(())
    });
    field.tell("credit used up, contact open");

    // Sold once, sent twice.
    let deadline = setup::START_MS + 6 * 3_600_000;
    let sale = orders::recharge(50_000, 44, deadline);
    for _ in 0..2 {
        let answer = line.security(COMMAND, &sale).expect("the sale is taken");
        assert!(!answer.is_empty());
    }
    until("supply is back", || (!open(&mut line)).then_some(()));
    let credit = digits(&read(&mut line, CREDIT));
    assert!((40_000..50_000).contains(&credit), "sold once: {credit}");
    field.tell(&format!(
        "credit {}.{:02} sold, contact closed",
        credit / 100,
        credit % 100
    ));
    control(&mut line, Order::Trip);
    until("the trip opens the contact", || {
        open(&mut line).then_some(())
    });
    // Without current nothing is counted and nothing is paid: what is read now must still stand there later.
    let still = until("registers and purse stand still", || {
        let before = stand(&mut line);
        std::thread::sleep(Duration::from_millis(500));
        (stand(&mut line) == before).then_some(before)
    });
    field.tell(&format!(
        "tripped by order; register {:.2} kWh, credit {:.2}",
        still.0 as f64 / 100.0,
        still.1 as f64 / 100.0
    ));

    // The power goes in the middle of an update.
    let second = factory::package(&live, 2, (1, 1));
    let blocks = Package::parse(&second).unwrap().offer().blocks();
    let half = blocks / 2;
    let cut = line.update(&Package::parse(&second).unwrap(), |sender| {
        sender.blocks_sent() < half
    });
    assert_eq!(cut.unwrap(), FileStatus::NEEDS);
    let _ = management.kill();
    field.tell(&format!("power cut after {half} of {blocks} blocks"));
    // This time its flash breaks down once, in a write of the journal, while the rest is carried.
    let management = field.management(",arg=panic");
    let mut line = field.line();
    // What was used since the state was last stored is paid again from the other core's registers.
    until("register and credit are back after the power cut", || {
        (stand(&mut line) == still).then_some(())
    });
    // The rest goes by the command line, where it was built.
    let sent = if let Some(programs) = programs::folder() {
        drop(line);
        let package = field.folder.path().join("second.mfw");
        std::fs::write(&package, &second).unwrap();
        let (port, package) = (field.target(), package.to_str().unwrap());
        let told = programs::meterkit(&programs, &["update", &port, package, "--json"]);
        line = field.line();
        let told: serde_json::Value = serde_json::from_str(&told).unwrap();
        u32::try_from(told["blocks_sent"].as_u64().unwrap()).unwrap()
    } else {
        let (status, sent) = update(&mut line, &second);
        assert_eq!(status, FileStatus::ACTIVE);
        sent
    };
    // A page of four blocks may begin anew at each of the two cuts, for each of four open pages.
    assert!(
        sent < blocks - half + 64,
        "{sent} blocks after {half} of {blocks}"
    );
    assert_eq!(version(&mut line), "1.1.0 build 2");
    until(
        "register and credit are back after panic and new image",
        || (stand(&mut line) == still).then_some(()),
    );
    field.tell(&format!(
        "resumed with {sent} blocks; tested, confirmed, in use; register and credit unchanged"
    ));
    control(&mut line, Order::Close);
    until("the contact closes", || (!open(&mut line)).then_some(()));
    field.tell("closed by order");

    // An image that does not work comes back by itself, an older one and a forged one do not even start.
    let (status, _) = update(&mut line, &factory::package(&faulty, 3, (2, 0)));
    assert_eq!(status, FileStatus::FELL_BACK);
    assert_eq!(version(&mut line), "1.1.0 build 2");
    field.tell("an image that does not work: gone back");
    assert_eq!(update(&mut line, &first).0, FileStatus::REFUSED);
    let mut forged = factory::package(&faulty, 4, (2, 1));
    let last = forged.len() - 5;
    forged[last] ^= 1;
    assert_eq!(update(&mut line, &forged).0, FileStatus::BAD_CONTENT);
    field.tell("an older image refused, a forged one thrown away");

    until("more energy than 0.1 kWh", || {
        (digits(&read(&mut line, IMPORT)) > 11).then_some(())
    });

    // Nothing of it cost the purse more than the energy.
    let left = digits(&read(&mut line, CREDIT));
    assert!(left > 0 && left < credit, "{left} of {credit}");
    assert!(!open(&mut line));
    assert!(matches!(
        line.read(DataId(0x0777_0001)),
        Err(LineError::Refused(_))
    ));
    let shown = line
        .log(Chain::Legal, ANSWER)
        .expect("the log comes over the line");
    let (said, logged, management) = field.end(management);
    // The cut of the other board's power and its restarts are nothing here; its four starts are told.
    let events = logged.events();
    assert!(
        matches!(
            events[..],
            [
                Event::Calibration { before: 0, .. },
                Event::PowerUp { since_s: 0, .. },
                Event::PowerDown { .. }
            ]
        ),
        "{events:?}"
    );
    assert_eq!(
        shown[..],
        logged.legal[..2],
        "the other core shows what is stored"
    );
    assert_eq!(logged.count(Matter::Contact), 4);
    let starts = logged.count(Matter::Started);
    assert!((4..20).contains(&starts), "{starts} starts");
    assert!(logged.count(Matter::Image) >= 2, "the new image is noticed");
    assert!(said.registers[0] > 1_000, "energy went through the update");
    assert!(management.contains("reset 1 after a panic"), "{management}");
    assert!(management.contains("slot B, trial"), "{management}");
    assert!(management.contains("slot B, not confirmed"), "{management}");
    assert_eq!(said.contact.len(), 4, "{:?}", said.contact);
    assert_eq!(said.counts, [0; 4]);
}

#[test]
#[ignore = "two minutes by the clock: cargo xtask firmware-demo"]
fn a_hostile_management_image_changes_nothing_but_what_it_may_wish_for() {
    let Some(images) = images(M4) else {
        return;
    };
    println!("\na hostile management image");
    let hostile = program(&images, "management-hostile");
    let first = factory::package(&hostile, 1, (6, 66));
    let field = Field::new(images, &first, ",arg=chip");
    let management = field.management("");
    std::thread::sleep(Duration::from_secs(12));
    // The next image on the same board works as if nothing had been.
    std::fs::write(field.part("management").join("stop"), b"").unwrap();
    let text = management.finish("hostile management");
    field.tell(text.trim());
    std::fs::remove_file(field.part("management").join("stop")).unwrap();
    let live = factory::package(&program(&field.images, "management-live"), 1, (1, 0));
    factory::management_flash(&field.part("management"), &live);
    let management = field.management("");
    let mut line = field.line();
    until("the other core's registers are read", || {
        (digits(&read(&mut line, IMPORT)) > 0).then_some(())
    });
    let (said, logged, _) = field.end(management);
    println!("counted: {:?}", said.counts);
    let [unknown, dropped, refused, done] = said.counts[..] else {
        panic!("four counts");
    };
    assert!(unknown > 0, "questions that nobody knows were counted");
    assert!(dropped > 0, "forged orders were counted");
    assert_eq!((refused, done), (0, 0), "no order was genuine");
    // The log has all of it in a few lines, and none of them in the legal chain but what may be wished of the clock.
    assert_eq!(logged.count(Matter::Unknown), unknown);
    assert_eq!(logged.count(Matter::OrderDropped), dropped);
    let lines = logged.asked.len();
    assert!(lines <= 5 * Matter::ALL.len(), "{lines} lines");
    let mut others = logged.events();
    others.retain(|event| match event {
        Event::ClockSet { before_ms, now_ms } => before_ms.abs_diff(*now_ms) > 1_000,
        _ => true,
    });
    assert!(
        matches!(
            others[..],
            [
                Event::Calibration { .. },
                Event::PowerUp { .. },
                Event::PowerDown { .. }
            ]
        ),
        "{others:?}"
    );
}

#[test]
#[ignore = "half a minute by the clock: cargo xtask firmware-demo"]
fn the_programs_of_a_desk_and_a_gateway_read_the_board() {
    let (Some(images), Some(programs)) = (images(M4), programs::folder()) else {
        return;
    };
    println!("\nthe command line and a gateway at the RS-485 port");
    let live = program(&images, "management-live");
    let field = Field::new(images, &factory::package(&live, 1, (1, 0)), "");
    let management = field.management("");
    let mut line = field.line();
    until("energy is counted", || {
        (digits(&read(&mut line, IMPORT)) > 0).then_some(())
    });
    drop(line);
    let target = field.target();
    let run = |arguments: &[&str]| programs::meterkit(&programs, arguments);
    assert_eq!(run(&["scan", &target]), "202611000001\n");
    field.tell("meterkit scan: 202611000001");
    // The power of the samples is 5 kW and something; what is metered is what they say.
    let told = run(&["read", &target, "--json", "00010000", "voltage, phase A"]);
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    let value = |nth: usize| {
        told[nth]["values"][0]["value"]
            .as_str()
            .unwrap_or("nothing")
    };
    let number = |nth| {
        value(nth)
            .split(' ')
            .next()
            .and_then(|text| text.parse::<f64>().ok())
    };
    let voltage = number(1).unwrap_or_default();
    assert!((219.0..221.0).contains(&voltage), "{told}");
    let before = (number(0).unwrap_or_default() * 100.0).round() as i64;
    assert!(before > 0, "{told}");
    field.tell(&format!("meterkit read: {}, {}", value(0), value(1)));
    assert_eq!(run(&["update", &target]), "202611000001 1.0.0 build 1\n");

    let site = field.part("site");
    let Some(mut site) = programs::Site::start(&programs, &site, "d645-202611000001", &target)
    else {
        return;
    };
    let published = site.until("the register of the board", programs::import);
    assert!(published >= before, "{published} after {before}");
    field.tell(&format!(
        "gateway to broker: {:.2} kWh imported",
        published as f64 / 100.0
    ));
    let block = site.until("a legal block of the board", |message| {
        match &message.body {
            Body::LegalBlock(block) => Some(block.envelope.len()),
            _ => None,
        }
    });
    field.tell(&format!(
        "gateway to broker: a legal block, {block} bytes, still sealed"
    ));
    drop(site);
    let after = digits(&read(&mut field.line(), IMPORT));
    assert!(published <= after as i64, "{published}, then {after}");
    let _ = field.end(management);
}
