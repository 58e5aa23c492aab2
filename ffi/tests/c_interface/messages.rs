//! The C programs of messages, outbox and link.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use meter_proto::compact;
use meter_proto::link::serial::{Endpoint, Timing};
use meter_proto::message::{Head, Snapshot, Stream};
use meter_proto::window::{Verdict, Window};

use crate::native;
use crate::programs::{example, line_program, source};

#[test]
fn messages_outlive_a_power_cut_and_a_bad_line() {
    if native::have_compiler("keep.c") {
        assert_eq!(
            example("keep", &[]),
            "1.1: Active energy import 12345678 Wh Voltage L1 230.1 V\n\
             power fails\n\
             1.1: Meter cover opened\n\
             1.2: Active energy import 12345690 Wh Voltage L1 230.1 V\n\
             2.1: Active energy import 12345703 Wh Voltage L1 230.1 V\n\
             nothing waits\n"
        );
    }
}

#[test]
fn every_kind_of_message_comes_back() {
    if !native::have_compiler("messages.c") {
        return;
    }
    let flags = [
        "-fsanitize=address,undefined",
        "-fno-sanitize-recover=all",
        "-std=c99",
    ];
    let program = native::build("cc", &flags, &[source("tests/c/messages.c")], "messages");
    assert_eq!(
        native::run(&mut Command::new(program)),
        "every message came back\n"
    );
}

/// The receiver at the far end of the stream: commits each record once and acknowledges.
#[derive(Default)]
struct Received {
    /// Boot, number and register of every record, each once.
    records: std::collections::BTreeMap<(u32, u32), i64>,
    /// How often a record came that was here already.
    repeats: usize,
}

const KIND_ACKNOWLEDGEMENT: u8 = 1;

/// One connection, until the sender is gone.
fn receive(line: &mut TcpStream, window: &mut Window<64>, received: &mut Received) {
    let timing = Timing { repeat_ms: 200 };
    let mut link: Endpoint<512, 520> = Endpoint::new(timing);
    let (start, mut bytes, mut frame) = (std::time::Instant::now(), [0; 1024], [0; 640]);
    line.set_read_timeout(Some(Duration::from_millis(20)))
        .expect("a timeout");
    loop {
        let now = start.elapsed().as_millis() as u64;
        match line.read(&mut bytes) {
            Ok(0) => return,
            Ok(len) => link.handle_bytes(now, &bytes[..len]),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return,
            Err(_) => {}
        }
        if link.is_idle()
            && let Some((_, body)) = link.received()
        {
            let (head, snapshot) = compact::decode_as::<Snapshot>(body).expect("a snapshot");
            match window.commit(head.boot, head.seq) {
                Verdict::New => {
                    let register = snapshot.samples[0].value.mantissa;
                    let before = received.records.insert((head.boot, head.seq), register);
                    assert_eq!(before, None, "{head:?} was committed twice");
                }
                Verdict::Repeat => received.repeats += 1,
                other => panic!("{other:?} for {head:?}"),
            }
            let told = window.acknowledgement(head.boot).expect("a known boot");
            let own = Head::session(1, head.stamp);
            let mut answer = [0; 128];
            let len = compact::encode_as(&own, &told, &mut answer).expect("it fits");
            link.release();
            link.send(KIND_ACKNOWLEDGEMENT, &answer[..len])
                .expect("it is idle");
        }
        while let Some(len) = link.poll_transmit(now, &mut frame).expect("it fits") {
            if line.write_all(&frame[..len]).is_err() {
                return;
            }
        }
    }
}

/// Runs the sender until it ends, or kills it after so long; what it said.
fn send(program: &Path, file: &Path, port: &str, readings: &str, kill: Option<Duration>) -> String {
    let mut sender = Command::new(program)
        .arg(file)
        .args(["127.0.0.1", port, readings])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the sender runs");
    let mut said = sender.stdout.take().expect("a pipe");
    if let Some(after) = kill {
        std::thread::sleep(after);
        sender.kill().expect("it still runs");
    }
    let mut text = String::new();
    said.read_to_string(&mut text).expect("text");
    let status = sender.wait().expect("it ends");
    assert_eq!(status.success(), kill.is_none(), "{text}");
    text
}

#[test]
fn a_sender_that_is_killed_loses_nothing_it_kept() {
    if !native::have_compiler("send.c") {
        return;
    }
    let program = line_program("send", "tcp");
    let file = native::scratch().join("outbox.bin");
    let _ = std::fs::remove_file(&file);
    let server = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = server.local_addr().expect("its number").port().to_string();
    let kills: [u64; 8] = [230, 90, 410, 3, 170, 55, 20, 330];
    let over = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&over);
    let receiver = std::thread::spawn(move || {
        let (mut window, mut received) = (Window::new(Stream::LEGAL), Received::default());
        loop {
            let (mut line, _) = server.accept().expect("the sender comes");
            if told.load(Ordering::SeqCst) {
                return received;
            }
            receive(&mut line, &mut window, &mut received);
        }
    });
    let mut kept = String::new();
    for kill in kills {
        kept += &send(
            &program,
            &file,
            &port,
            "100000",
            Some(Duration::from_millis(kill)),
        );
    }
    let last = send(&program, &file, &port, "5", None);
    assert!(last.ends_with("all delivered\n"), "{last}");
    kept += &last;
    over.store(true, Ordering::SeqCst);
    drop(TcpStream::connect(format!("127.0.0.1:{port}")).expect("the receiver listens"));
    let received = receiver.join().expect("the receiver ends well");
    let mut promised = 0;
    for line in kept.lines().filter_map(|line| line.strip_prefix("kept ")) {
        let (boot, seq) = line.split_once(' ').expect("boot and number");
        let key = (boot.parse().expect("boot"), seq.parse().expect("number"));
        assert!(received.records.contains_key(&key), "{key:?} was lost");
        promised += 1;
    }
    // Each start numbers its readings from 1, and counts its register with them.
    for ((boot, seq), register) in &received.records {
        assert_eq!(*register, 999_999 + i64::from(*seq), "{boot} {seq}");
        assert!(*seq == 1 || received.records.contains_key(&(*boot, seq - 1)));
    }
    println!(
        "{promised} readings kept, {} delivered, {} came twice",
        received.records.len(),
        received.repeats
    );
    assert!(promised >= 20 && received.records.len() >= promised);
}
