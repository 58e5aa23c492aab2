//! Ten thousand random and changed frames into every port: it answers afterwards, registers are untouched, refusals are
//! counted.

mod bench;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use bench::{Bench, CutStore, KeyService, START_MS, Story};
use dlt645::{Address, DataId, Message};
use meter::crossing::MAX_BODY;
use meter::host::{MeterConfig, WaterConfig, start, start_water, system_clock};
use meter::link::MAX_PHASE;
use testkit::Rng;

const FRAMES: usize = 10_000;

fn seeds() -> Vec<Vec<u8>> {
    let address = Address::from_big_endian(bench::ADDRESS);
    [
        0x0001_0000,
        0x0201_FF00,
        0x0400_05FF,
        0x0E4D_5001,
        0x0E4D_5003,
    ]
    .iter()
    .map(|id| {
        let mut bytes = [0; 256];
        let message = Message::Read {
            id: DataId(*id),
            rest: &[],
        };
        let length = message.encode_frame(address, &mut bytes).unwrap();
        bytes[..length].to_vec()
    })
    .chain([vec![
        0x68, 1, 0, 0, 0x11, 0x26, 0x20, 0x68, 0x03, 8, 0x36, 0x83, 0x80, 0x41, 0, 0, 0, 0, 0, 0x16,
    ]])
    .collect()
}

fn hostile(rng: &mut Rng, seeds: &[Vec<u8>]) -> Vec<u8> {
    if rng.chance(300_000) {
        return rng.bytes(80);
    }
    let mut frame = rng.pick(seeds).cloned().unwrap_or_default();
    rng.mutate(&mut frame);
    if rng.chance(700_000) && frame.len() > 12 {
        // A good sum lets the change reach the application.
        let end = frame.len() - 2;
        frame[end] = frame[..end]
            .iter()
            .fold(0, |sum: u8, byte| sum.wrapping_add(*byte));
        frame[end + 1] = 0x16;
    }
    frame
}

fn flood(stream: &mut TcpStream, seeds: &[Vec<u8>], seed: u64) {
    let mut rng = Rng::new(seed);
    let mut back = stream.try_clone().unwrap();
    // Answers are read and thrown away, so that neither side waits for the other.
    let reader = std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        while matches!(back.read(&mut bytes), Ok(count) if count > 0) {}
    });
    for _ in 0..FRAMES {
        stream.write_all(&hostile(&mut rng, seeds)).unwrap();
    }
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    reader.join().unwrap();
}

#[test]
fn an_electricity_meter_on_tcp_survives() {
    let config = MeterConfig {
        id: "d645-202611000001".into(),
        ..MeterConfig::default()
    };
    let meter = start(&config, system_clock()).unwrap();
    let mut stream = TcpStream::connect(meter.addr().unwrap()).unwrap();
    flood(&mut stream, &seeds(), 1);
    let status = meter.status();
    assert!(
        status.refused.bad_frames > 100 && status.refused.requests > 100,
        "{status:?}"
    );

    // A new connection answers at once.
    let mut stream = TcpStream::connect(meter.addr().unwrap()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    stream.write_all(&seeds()[0]).unwrap();
    let mut answer = [0; 20];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!((answer[0], answer[8]), (0x68, 0x91));
    meter.shutdown();
}

#[test]
fn a_water_meter_on_tcp_survives() {
    let config = WaterConfig::default();
    let meter = start_water(&config, system_clock()).unwrap();
    let address = [0x04, 0x00, 0x00, 0x00, 0x11, 0x26, 0x20];
    let mut read = vec![0x68, 0x10];
    read.extend(address);
    read.extend([0x01, 0x03, 0x1F, 0x90, 0x01]);
    read.push(read.iter().fold(0, |sum: u8, byte| sum.wrapping_add(*byte)));
    read.push(0x16);
    let mut stream = TcpStream::connect(meter.addr().unwrap()).unwrap();
    flood(&mut stream, &[read.clone()], 2);
    assert!(meter.status().refused.total() > 100);
    let mut stream = TcpStream::connect(meter.addr().unwrap()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    stream.write_all(&read).unwrap();
    let mut answer = [0; 35];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(
        (answer[0], answer[9], answer[11], answer[12]),
        (0x68, 0x81, 0x1F, 0x90)
    );
    meter.shutdown();
}

#[test]
fn a_hostile_management_core_changes_no_register() {
    let keys = KeyService::new();
    let stores = [
        CutStore::default(),
        CutStore::default(),
        CutStore::default(),
    ];
    let story = Story {
        credit: None,
        ..Story::default()
    };
    let mut bench = Bench::start(&story, stores, &keys, START_MS).unwrap();
    let twin_stores = [
        CutStore::default(),
        CutStore::default(),
        CutStore::default(),
    ];
    let mut twin = Bench::start(&story, twin_stores, &keys, START_MS).unwrap();
    let mut rng = Rng::new(3);
    for round in 0..FRAMES {
        // Questions straight into the list.
        let mut question = rng.bytes(40);
        // Neither of these alters a register; a wish for an open relay would alter the load.
        if question.first().is_some_and(|code| *code == 4) {
            question[0] = 0x44;
        }
        let mut out = [0; MAX_BODY];
        let length = bench.metering.handle(&question, &mut out);
        assert!(length > 0);
        // Headers and bodies of the framing.
        let mut header = [0; 8];
        rng.fill(&mut header);
        if rng.chance(500_000) {
            header[0] = 0xA5;
        }
        let _ = bench.slave.begin();
        let mut phase = [0; MAX_PHASE];
        let length = bench.slave.header(&header, &mut phase);
        rng.fill(&mut phase);
        bench.slave.body(&phase[..length]);
        if round % 100 == 0 {
            for bench in [&mut bench, &mut twin] {
                let samples: Vec<_> = (0..80).map(|_| bench.synth.next_sample()).collect();
                bench.metering.process(&samples);
            }
        }
    }
    assert_eq!(bench.metering.registers(), twin.metering.registers());
    assert!(bench.metering.counts().unknown > 1_000);
    // The honest one finds it answering.
    let before = bench.management.counts().blocks;
    bench.run(20_000, || false);
    assert!(bench.management.counts().blocks > before);
}
