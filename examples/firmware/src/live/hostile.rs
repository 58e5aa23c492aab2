//! A management image of somebody who stole the signing key: it floods the other core, sends it broken frames, asks it
//! for what is not on the list, and forges orders.

use core::fmt::Write;

use meter::crossing::{MAX_BODY, RecordName, Request};
use meter::link::CoreMaster;

use super::STOP;
use crate::board::{self, Clock, Emulator, Uart};
use crate::wire::{Line, Remote, Wire};

/// Time of one kind of attack, milliseconds.
const TURN_MS: u64 = 1_500;
/// Bytes of a flood before the answers are dropped.
const FLOOD: usize = 200;

/// Random numbers: any will do.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        // Marsaglia's xorshift.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

/// Attacks until the host wants an end; then says how often.
pub fn hostile() -> ! {
    let mut emulator = Emulator::start(c"boot.flash");
    board::reset_on_panic();
    let mut clock = Clock::start();
    let mut uart = Uart::core(200);
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    let mut done = [0u32; 4];
    let mut turn = 0usize;
    while !board::exists(STOP) {
        let until = clock.now_ms() + TURN_MS;
        let mut remote = Remote::new(Uart::core(500));
        let mut master = CoreMaster::new();
        while clock.now_ms() < until {
            match turn % 4 {
                0 => ask(&mut master, &mut remote, &mut clock, &mut dice, forged),
                1 => ask(&mut master, &mut remote, &mut clock, &mut dice, noise),
                2 => broken(&mut uart, &mut dice),
                _ => flood(&mut uart, &mut dice),
            }
            if let Some(count) = done.get_mut(turn % 4) {
                *count += 1;
            }
        }
        turn += 1;
    }
    let _ = writeln!(emulator, "hostile {done:?}");
    board::succeed()
}

/// Bytes without end.
fn flood(uart: &mut Uart, dice: &mut Dice) {
    for _ in 0..FLOOD {
        uart.send(&dice.roll().to_le_bytes());
    }
    uart.drain();
}

/// A transfer that is begun and not kept up, or whose header promises what does not come.
fn broken(uart: &mut Uart, dice: &mut Dice) {
    let [length, flags, a, b, ..] = dice.roll().to_le_bytes();
    uart.send(b"T");
    let header = [0xA5, flags, a, b, length, 0, a, b];
    uart.send(header.get(..usize::from(length % 9)).unwrap_or_default());
    uart.drain();
}

/// A well-formed transfer with a question made by `make`.
fn ask(
    master: &mut CoreMaster,
    remote: &mut Remote<Uart>,
    clock: &mut Clock,
    dice: &mut Dice,
    make: fn(&mut Dice, &mut [u8; MAX_BODY]) -> usize,
) {
    let mut question = [0; MAX_BODY];
    let length = make(dice, &mut question);
    let now_ms = clock.now_ms();
    let asked = master.ask(now_ms, question.get(..length).unwrap_or_default());
    let moved = remote.transfer(master, now_ms);
    let _ = master.take_answer(&mut [0; MAX_BODY]);
    if !asked && !moved {
        // The link repeats by itself after a while.
        board::idle();
    }
}

/// Questions that are on the list, with contents that somebody would like to come true.
fn forged(dice: &mut Dice, out: &mut [u8; MAX_BODY]) -> usize {
    let roll = dice.roll();
    let mut envelope = [0x11; 48];
    for (place, byte) in envelope.iter_mut().skip(1).zip(roll.to_le_bytes()) {
        *place = byte;
    }
    let request = match roll % 8 {
        0..=2 => Request::Order(&envelope),
        3 => Request::ClockSync { utc_ms: roll },
        4 => Request::RelayWish {
            closed: roll & 0x100 != 0,
        },
        5 => Request::NextBlock {
            acknowledged: Some(RecordName {
                boot: roll as u32,
                seq: u32::MAX,
            }),
        },
        6 => Request::Boot,
        _ => Request::Totals,
    };
    request.encode(out).unwrap_or(0)
}

/// Questions that nobody knows.
fn noise(dice: &mut Dice, out: &mut [u8; MAX_BODY]) -> usize {
    let length = (dice.roll() % 64) as usize + 1;
    for place in out.iter_mut().take(length) {
        *place = dice.roll() as u8;
    }
    length
}
