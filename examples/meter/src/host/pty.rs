//! A pseudo-terminal that stands for a serial port.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

/// The meter's side of a pseudo-terminal.
#[derive(Debug)]
pub struct PseudoTerminal {
    /// Reads what the other side wrote, writes what it shall read.
    pub side: File,
    /// Path that a serial program opens.
    pub path: String,
    /// Held open so that the line survives a program that opens and closes it.
    _other: OwnedFd,
}

/// Opens a pseudo-terminal in raw mode.
///
/// # Errors
/// Whatever the system answers.
pub fn open() -> io::Result<PseudoTerminal> {
    let side = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
    grantpt(&side)?;
    unlockpt(&side)?;
    let name = ptsname(&side, Vec::new())?;
    let path = name.to_string_lossy().into_owned();
    let other = rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty())?;
    let mut modes = tcgetattr(other.as_fd())?;
    modes.make_raw();
    tcsetattr(other.as_fd(), OptionalActions::Now, &modes)?;
    Ok(PseudoTerminal {
        side: File::from(side),
        path,
        _other: other,
    })
}
