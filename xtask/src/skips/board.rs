//! An emulated board under a debugger: the part of the remote protocol that a fault needs.

use std::io::{BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// The program counter.
pub const PC: u8 = 15;
/// The return address.
pub const LR: u8 = 14;
/// The status register, which holds the rest of an IT block.
pub const XPSR: u8 = 0x19;

/// Bytes of memory that one packet of the protocol carries, twice as many digits.
const PIECE: u32 = 1024;

/// Work on one answer unless told otherwise.
const LIMIT: Duration = Duration::from_secs(60);

/// An emulator that works on nothing for so long is asleep: its processor waits for an interrupt.
const ASLEEP: Duration = Duration::from_secs(5);

/// How often a running emulator is looked at.
const GLANCE: Duration = Duration::from_millis(50);

/// Clock ticks a second in which the system counts the work of a process.
const TICKS: u64 = 100;

/// Registers and the memory of the stack at one moment, to try again from there.
pub struct Snapshot {
    registers: Vec<(u8, u32)>,
    memory: Vec<(u32, String)>,
}

/// A board that waits for commands. It ends with this value.
pub struct Board {
    emulator: Child,
    to: ChildStdin,
    from: Receiver<String>,
    limit: Duration,
}

impl Board {
    /// Starts an image and halts before its first instruction. With a trace, the program counter of
    /// every instruction within the ranges goes into a file.
    pub fn start(
        machine: &str,
        image: &Path,
        trace: Option<(&Path, &str)>,
    ) -> anyhow::Result<Self> {
        let mut command = Command::new("qemu-system-arm");
        command
            .args(["-M", machine, "-display", "none", "-monitor", "none"])
            .args(["-serial", "none", "-S", "-gdb", "stdio", "-kernel"])
            .arg(image);
        if let Some((file, ranges)) = trace {
            command.args([
                "-singlestep",
                "-d",
                "exec,nochain",
                "-dfilter",
                ranges,
                "-D",
            ]);
            command.arg(file);
        }
        let mut emulator = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("qemu-system-arm")?;
        let to = emulator.stdin.take().context("its input")?;
        let output = emulator.stdout.take().context("its output")?;
        let (sender, from) = channel();
        std::thread::spawn(move || {
            let mut packet = None;
            for byte in BufReader::new(output).bytes().map_while(Result::ok) {
                match (byte, &mut packet) {
                    (b'$', _) => packet = Some(String::new()),
                    (b'#', Some(_)) => {
                        if sender.send(packet.take().unwrap_or_default()).is_err() {
                            return;
                        }
                    }
                    (other, Some(text)) => text.push(char::from(other)),
                    (_, None) => {}
                }
            }
        });
        let mut board = Self {
            emulator,
            to,
            from,
            limit: LIMIT,
        };
        // The emulator shows single registers only to those who asked what there is.
        board.ask("qXfer:features:read:target.xml:0,400")?;
        Ok(board)
    }

    /// One command and its answer; `None` when the board crashed or hangs.
    fn try_ask(&mut self, command: &str) -> Option<String> {
        let sum = command.bytes().fold(0_u8, u8::wrapping_add);
        write!(self.to, "+${command}#{sum:02x}").ok()?;
        self.to.flush().ok()?;
        self.wait()
    }

    /// The next answer, unless the emulator works longer than the limit or sleeps. Its own work counts and not
    /// the time on the wall: on a busy machine a run that would end must not be taken for one that hangs.
    fn wait(&mut self) -> Option<String> {
        let (begun, start) = (self.worked(), Instant::now());
        let (mut last, mut since) = (begun, start);
        loop {
            match self.from.recv_timeout(GLANCE) {
                Ok(answer) => return Some(answer),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => {}
            }
            let now = self.worked();
            if now != last {
                (last, since) = (now, Instant::now());
            }
            let over = match (begun, now) {
                (Some(begun), Some(now)) => {
                    now.saturating_sub(begun) > self.limit || since.elapsed() > ASLEEP
                }
                // A system that does not show the work of processes.
                _ => start.elapsed() > self.limit,
            };
            if over {
                return None;
            }
        }
    }

    /// Processor time that the emulator has taken, where the system shows it.
    pub fn worked(&self) -> Option<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.emulator.id())).ok()?;
        // Behind the name, which may hold spaces: state is the first field, user and system time are
        // the 12th and 13th.
        let (_, fields) = stat.rsplit_once(')')?;
        let times = fields.split_whitespace().skip(11).take(2);
        let ticks: u64 = times.map_while(|field| field.parse::<u64>().ok()).sum();
        Some(Duration::from_millis(ticks * 1000 / TICKS))
    }

    fn ask(&mut self, command: &str) -> anyhow::Result<String> {
        self.try_ask(command)
            .with_context(|| format!("the emulator did not answer {command}"))
    }

    fn must(&mut self, command: &str) -> anyhow::Result<()> {
        match self.ask(command)?.as_str() {
            "OK" => Ok(()),
            other => bail!("the emulator answered {command} with {other:?}"),
        }
    }

    /// A run that takes more work than this hangs.
    pub fn hangs_after(&mut self, limit: Duration) {
        self.limit = limit;
    }

    /// Halts before an address from now on.
    pub fn halt_at(&mut self, address: u32) -> anyhow::Result<()> {
        self.must(&format!("Z1,{address:x},2"))
    }

    /// No longer halts there.
    pub fn pass(&mut self, address: u32) -> anyhow::Result<()> {
        self.must(&format!("z1,{address:x},2"))
    }

    /// Runs to the next halt; where that is, or `None` when the board crashed or hangs.
    pub fn run(&mut self) -> Option<u32> {
        self.try_ask("c").filter(|answer| answer.starts_with('T'))?;
        self.register(PC).ok()
    }

    /// Executes one instruction.
    pub fn step(&mut self) -> Option<u32> {
        self.try_ask("s").filter(|answer| answer.starts_with('T'))?;
        self.register(PC).ok()
    }

    /// Notes registers and this memory.
    pub fn snapshot(&mut self, memory: std::ops::Range<u32>) -> anyhow::Result<Snapshot> {
        let registers = (0..=PC)
            .chain([XPSR])
            .map(|number| Ok((number, self.register(number)?)))
            .collect::<anyhow::Result<_>>()?;
        let memory = memory
            .step_by(PIECE as usize)
            .map(|at| Ok((at, self.ask(&format!("m{at:x},{PIECE:x}"))?)))
            .collect::<anyhow::Result<_>>()?;
        Ok(Snapshot { registers, memory })
    }

    /// Puts them back. What a board in an exception is doing cannot be put back.
    pub fn restore(&mut self, snapshot: &Snapshot) -> anyhow::Result<()> {
        for (at, bytes) in &snapshot.memory {
            self.must(&format!("M{at:x},{PIECE:x}:{bytes}"))?;
        }
        for (number, value) in &snapshot.registers {
            self.set(*number, *value)?;
        }
        Ok(())
    }

    /// A register.
    pub fn register(&mut self, number: u8) -> anyhow::Result<u32> {
        let text = self.ask(&format!("p{number:x}"))?;
        let value = u32::from_str_radix(&text, 16).with_context(|| format!("register: {text}"))?;
        Ok(value.swap_bytes())
    }

    /// Writes a register.
    pub fn set(&mut self, number: u8, value: u32) -> anyhow::Result<()> {
        self.must(&format!("P{number:x}={:08x}", value.swap_bytes()))
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.emulator.kill();
        let _ = self.emulator.wait();
    }
}
