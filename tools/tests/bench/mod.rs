//! A served meter and the program beside it.
#![allow(dead_code, reason = "not every test file needs all of it")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

/// `meterkit serve` on a free port, ended with the value.
pub struct Meter {
    child: Child,
    /// `host:port`, or the path of a pseudo-terminal.
    pub target: String,
}

impl Meter {
    pub fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_meterkit"))
            .arg("serve")
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut first)
            .unwrap();
        let target = first.trim_end().rsplit(' ').next().unwrap().to_owned();
        Meter { child, target }
    }

    pub fn tcp(arguments: &[&str]) -> Self {
        Self::start(&[&["--listen", "127.0.0.1:0"], arguments].concat())
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Runs the program.
pub fn meterkit(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_meterkit"))
        .args(arguments)
        .output()
        .unwrap()
}

/// What it printed, when it ended with this code.
pub fn said(arguments: &[&str], code: i32) -> String {
    let output = meterkit(arguments);
    let text = String::from_utf8(output.stdout).unwrap();
    let trouble = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        output.status.code(),
        Some(code),
        "{arguments:?}\n{text}\n{trouble}"
    );
    text
}

/// A line that several meters share: each hears what is asked, and answers that come together damage each other.
pub fn shared_line(meters: Vec<String>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for near in listener.incoming() {
            let mut near = near.unwrap();
            let mut far: Vec<TcpStream> = meters
                .iter()
                .map(|meter| TcpStream::connect(meter).unwrap())
                .collect();
            std::thread::spawn(move || exchange(&mut near, &mut far));
        }
    });
    target
}

fn exchange(near: &mut TcpStream, far: &mut [TcpStream]) {
    let mut chunk = [0; 512];
    while let Ok(len @ 1..) = near.read(&mut chunk) {
        for meter in far.iter_mut() {
            meter.write_all(&chunk[..len]).unwrap();
        }
        // All that answer do so at once, a few milliseconds later.
        std::thread::sleep(Duration::from_millis(20));
        let mut answers = Vec::new();
        for meter in far.iter_mut() {
            meter.set_nonblocking(true).unwrap();
            let mut answer = [0; 512];
            if let Ok(len @ 1..) = meter.read(&mut answer) {
                answers.push(answer[..len].to_vec());
            }
            meter.set_nonblocking(false).unwrap();
        }
        let longest = answers.iter().map(Vec::len).max().unwrap_or_default();
        // Open collectors: a 0 of one wins over the 1 of another.
        let line: Vec<u8> = (0..longest)
            .map(|nth| {
                let said = answers.iter().filter_map(|answer| answer.get(nth));
                said.fold(0xFF, |line, byte| line & byte)
            })
            .collect();
        if near.write_all(&line).is_err() {
            break;
        }
    }
}

/// Sends bytes in hexadecimal and gives the answer so.
pub fn raw(target: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(target).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    let bytes = meterkit_tools::hex_text::parse(request).unwrap();
    stream.write_all(&bytes).unwrap();
    let mut answer = [0; 512];
    let len = stream.read(&mut answer).unwrap();
    meterkit_tools::hex_text::show(&answer[..len])
}
