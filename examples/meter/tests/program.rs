//! The program itself: killed without warning again and again, and on its pseudo-terminal.

use std::collections::HashMap;
use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use dlt645::{Address, DataId, Message, Operator};
use meter_proto::compact;
use meter_proto::message::{Acknowledgement, Body, Head};
use meter_proto::time::{ClockQuality, Stamp};
use serde_json::Value;

struct Program {
    child: Child,
    ready: Value,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn run(arguments: &[&str]) -> Program {
    let mut child = Command::new(env!("CARGO_BIN_EXE_meter"))
        .args(arguments)
        .args(["--status-every", "0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    Program {
        child,
        ready: serde_json::from_str(&line).unwrap(),
    }
}

fn ask(port: &mut (impl Read + Write), message: &Message<'_>) -> (u8, Vec<u8>) {
    let address = Address::from_digits("202611000001").unwrap();
    let mut frame = [0; 256];
    let length = message.encode_frame(address, &mut frame).unwrap();
    port.write_all(&frame[..length]).unwrap();
    let mut head = [0; 10];
    port.read_exact(&mut head).unwrap();
    let mut rest = vec![0; usize::from(head[9]) + 2];
    port.read_exact(&mut rest).unwrap();
    let data = rest[..rest.len() - 2]
        .iter()
        .map(|byte| byte.wrapping_sub(0x33))
        .collect();
    (head[8], data)
}

fn connect(program: &Program) -> TcpStream {
    let stream = TcpStream::connect(program.ready["listen"].as_str().unwrap()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    stream
}

#[test]
fn killed_at_any_time_it_loses_and_repeats_no_record() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let mut seen: HashMap<(u32, u32), Vec<u8>> = HashMap::new();
    let mut boots = Vec::new();
    for round in 0..4 {
        // A second of the meter passes in a twentieth of one.
        let program = run(&["--data-dir", data, "--legal-interval", "1", "--speed", "20"]);
        let mut port = connect(&program);
        let end = Instant::now() + Duration::from_millis(350 + round * 37);
        while Instant::now() < end {
            let (control, data) = ask(
                &mut port,
                &Message::Read {
                    id: DataId(0x0E4D_5001),
                    rest: &[],
                },
            );
            if control != 0x91 {
                std::thread::sleep(Duration::from_millis(5));
                continue;
            }
            let message = compact::decode(&data[4..]).unwrap();
            if let Body::LegalBlock(block) = &message.body {
                let name = (message.head.boot, message.head.seq);
                let envelope = block.envelope.to_vec();
                assert_eq!(seen.entry(name).or_insert(envelope.clone()), &envelope);
                boots.push(message.head.boot);
            }
            let told = Acknowledgement {
                stream: message.head.stream,
                boot: message.head.boot,
                contiguous: message.head.seq,
                gaps: heapless::Vec::new(),
            };
            let mut bytes = [0; 64];
            let head = Head::session(0, Stamp::from_seconds(0, ClockQuality::NEVER_SET));
            let length = compact::encode_as(&head, &told, &mut bytes).unwrap();
            let message = Message::Security {
                id: DataId(0x0E4D_5002),
                operator: Operator(0),
                data: &bytes[..length],
            };
            assert_eq!(ask(&mut port, &message).0, 0x83);
        }
        // Dropped: SIGKILL.
        drop(program);
    }
    assert!(boots.is_sorted(), "older boots come first: {boots:?}");
    // Within a boot nothing is missing up to the last one seen.
    for boot in 1..=4 {
        let mut numbers: Vec<_> = seen
            .keys()
            .filter(|name| name.0 == boot)
            .map(|name| name.1)
            .collect();
        numbers.sort_unstable();
        let expected: Vec<_> = (1..=numbers.len() as u32).collect();
        assert_eq!(numbers, expected, "boot {boot}");
        assert!(numbers.len() > 2, "boot {boot} has only {numbers:?}");
    }
}

#[test]
fn it_answers_on_its_pseudo_terminal() {
    let program = run(&["--pty"]);
    let path = program.ready["pty"].as_str().unwrap().to_owned();
    assert!(Path::new(&path).exists());
    // Two programs, one after the other, use the line.
    for _ in 0..2 {
        let mut port = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&path)
            .unwrap();
        let (control, data) = ask(
            &mut port,
            &Message::Read {
                id: DataId(0x0400_0401),
                rest: &[],
            },
        );
        assert_eq!((control, data.len()), (0x91, 10));
        assert_eq!(data[4..], [0x01, 0x00, 0x00, 0x11, 0x26, 0x20]);
    }
}
