//! Meters that break one rule each must fail that item, and no item that has nothing to do with it.

mod bench;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use bench::{Meter, meterkit};
use dlt645::{Address, ControlCode, Frame};

/// What a broken meter does with frames that come in and go out, as bytes without a preamble.
struct Break {
    hears: fn(Vec<u8>) -> Vec<u8>,
    says: fn(Vec<u8>) -> Vec<u8>,
}

const GOOD: Break = Break {
    hears: |bytes| bytes,
    says: |bytes| bytes,
};

/// The frame in `bytes` changed; `bytes` if there is none.
fn changed(
    bytes: Vec<u8>,
    with: impl FnOnce(&mut Address, &mut ControlCode, &mut Vec<u8>),
) -> Vec<u8> {
    let mut plain = [0; 255];
    let Ok(frame) = Frame::parse(&bytes, &mut plain) else {
        return bytes;
    };
    let (mut address, mut control, mut data) = (frame.address, frame.control, frame.data.to_vec());
    with(&mut address, &mut control, &mut data);
    let mut line = [0; 267];
    let frame = Frame {
        address,
        control,
        data: &data,
    };
    let len = frame.encode(&mut line).unwrap();
    line[..len].to_vec()
}

/// Stands between the program and a good meter; chunks of TCP are whole frames here.
fn stand_between(meter: &str, broken: Break) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = listener.local_addr().unwrap().to_string();
    let meter = meter.to_owned();
    std::thread::spawn(move || {
        for near in listener.incoming() {
            let (near, far) = (near.unwrap(), TcpStream::connect(&meter).unwrap());
            let (near_too, far_too) = (near.try_clone().unwrap(), far.try_clone().unwrap());
            std::thread::spawn(move || pass(near, far, broken.hears));
            std::thread::spawn(move || pass(far_too, near_too, broken.says));
        }
    });
    target
}

fn pass(mut from: TcpStream, mut to: TcpStream, change: fn(Vec<u8>) -> Vec<u8>) {
    let mut chunk = [0; 1024];
    while let Ok(len @ 1..) = from.read(&mut chunk) {
        if to.write_all(&change(chunk[..len].to_vec())).is_err() {
            break;
        }
    }
    to.shutdown(std::net::Shutdown::Both).ok();
}

/// The items that fail.
fn failures(broken: Break, only: &str) -> Vec<String> {
    let meter = Meter::tcp(&[]);
    let target = stand_between(&meter.target, broken);
    let output = meterkit(&[
        "conform",
        &target,
        "--address",
        "202611000001",
        "--wait",
        "400",
        "--only",
        only,
    ]);
    let text = String::from_utf8(output.stdout).unwrap();
    let failed: Vec<String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("FAIL "))
        .map(|line| line.split_whitespace().next().unwrap().to_owned())
        .collect();
    assert_eq!(
        output.status.code(),
        Some(i32::from(!failed.is_empty())),
        "{text}"
    );
    failed
}

const OWN: [u8; 6] = [0x01, 0x00, 0x00, 0x11, 0x26, 0x20];

#[test]
fn one_that_answers_everybody() {
    let broken = Break {
        hears: |bytes| {
            changed(bytes, |address, _, _| {
                if *address != Address::WILDCARD {
                    *address = Address::from_line(OWN);
                }
            })
        },
        ..GOOD
    };
    assert_eq!(
        failures(broken, "silent."),
        [
            "silent.foreign-address",
            "silent.foreign-abbreviated",
            "silent.broadcast-read"
        ]
    );
}

#[test]
fn one_that_does_not_check_sums() {
    let broken = Break {
        hears: |mut bytes| {
            if let Some((sum, summed)) = bytes
                .split_last_mut()
                .and_then(|(_, rest)| rest.split_last_mut())
                && summed.first() == Some(&0x68)
            {
                *sum = summed.iter().fold(0, |sum, byte| sum.wrapping_add(*byte));
            }
            bytes
        },
        ..GOOD
    };
    assert_eq!(failures(broken, "silent."), ["silent.checksum"]);
}

#[test]
fn one_that_answers_as_wildcard() {
    let broken = Break {
        says: |bytes| changed(bytes, |address, _, _| *address = Address::WILDCARD),
        ..GOOD
    };
    assert_eq!(
        failures(broken, "read"),
        [
            "address.read",
            "read.known",
            "read.wildcard",
            "read.abbreviated",
            "read.block",
            "read.value"
        ]
    );
}

#[test]
fn one_with_wrong_error_words() {
    let broken = Break {
        says: |bytes| {
            changed(bytes, |_, control, data| {
                if control.is_error() {
                    data[0] = 0x01;
                }
            })
        },
        ..GOOD
    };
    assert_eq!(
        failures(broken, "refuse."),
        [
            "refuse.unknown-identifier",
            "refuse.wrong-password",
            "refuse.rate"
        ]
    );
}

#[test]
fn one_that_takes_any_password() {
    let broken = Break {
        hears: |bytes| {
            changed(bytes, |_, control, data| {
                if control.0 == 0x14 {
                    data[4..8].copy_from_slice(&[0x04, 0, 0, 0]);
                }
            })
        },
        ..GOOD
    };
    assert_eq!(failures(broken, "password"), ["refuse.wrong-password"]);
}

#[test]
fn one_that_numbers_its_parts_from_zero() {
    let broken = Break {
        says: |bytes| {
            changed(bytes, |_, control, data| {
                if control.0 & 0x5F == 0x12
                    && let Some(number) = data.last_mut()
                {
                    *number -= 1;
                }
            })
        },
        ..GOOD
    };
    assert_eq!(
        failures(broken, "follow-up."),
        ["follow-up.parts", "follow-up.repeat"]
    );
}

#[test]
fn one_that_is_too_quick_or_too_slow() {
    let meter = Meter::tcp(&["--turnaround", "0"]);
    let slow = stand_between(
        &meter.target,
        Break {
            says: |bytes| {
                std::thread::sleep(Duration::from_millis(550));
                bytes
            },
            ..GOOD
        },
    );
    for target in [&meter.target, &slow] {
        let output = meterkit(&[
            "conform",
            target,
            "--wait",
            "1000",
            "--only",
            "read.,timing.answer",
        ]);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("FAIL timing.answer"), "{text}");
    }
}
