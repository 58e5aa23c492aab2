//! A served meter and the program beside it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};

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
#[allow(dead_code, reason = "not every test file needs it")]
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
