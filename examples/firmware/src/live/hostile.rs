//! A management image of somebody who stole the signing key: it floods the other core, sends it broken frames, asks it
//! for what is not on the list, and forges orders.

use core::fmt::Write;

use meter::crossing::{MAX_BODY, RecordName, Request};
use meter::link::CoreMaster;

use super::STOP;
use crate::board::{self, Clock, Emulator, Uart};
use crate::wire::{Line, Remote, Wire};

/// Least time of one kind of attack, milliseconds.
const TURN_MS: u64 = 1_500;
/// Least answers to one kind of questions, however slow the boards run, and the time after which none is waited for.
const TURN_ANSWERS: u32 = 16;
const SILENCE_MS: u64 = 20_000;
/// A question without an answer for so long is given up, with all that the link knew of it.
const GIVEN_UP_MS: u64 = 500;
/// Every kind of attack has had its turn twice.
const TURNS: usize = 8;
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
    while turn < TURNS || !board::exists(STOP) {
        let begin = clock.now_ms();
        let (mut answers, mut heard_ms) = (0, begin);
        let mut remote = Remote::new(Uart::core(500));
        let mut master = CoreMaster::new();
        loop {
            let gone_ms = clock.now_ms().saturating_sub(begin);
            let heard = turn % 4 >= 2 || answers >= TURN_ANSWERS || gone_ms >= SILENCE_MS;
            if gone_ms >= TURN_MS && heard {
                break;
            }
            let answered = match turn % 4 {
                0 => ask(&mut master, &mut remote, &mut clock, &mut dice, forged),
                1 => ask(&mut master, &mut remote, &mut clock, &mut dice, noise),
                2 => broken(&mut uart, &mut dice),
                _ => flood(&mut uart, &mut dice),
            };
            answers += answered;
            let now_ms = clock.now_ms();
            if answered > 0 {
                heard_ms = now_ms;
            } else if now_ms.saturating_sub(heard_ms) > GIVEN_UP_MS {
                (master, heard_ms) = (CoreMaster::new(), now_ms);
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

/// Bytes without end; nobody answers.
fn flood(uart: &mut Uart, dice: &mut Dice) -> u32 {
    for _ in 0..FLOOD {
        uart.send(&dice.roll().to_le_bytes());
    }
    uart.drain();
    0
}

/// A transfer that is begun and not kept up, or whose header promises what does not come; nobody answers.
fn broken(uart: &mut Uart, dice: &mut Dice) -> u32 {
    let [length, flags, a, b, ..] = dice.roll().to_le_bytes();
    uart.send(b"T");
    let header = [0xA5, flags, a, b, length, 0, a, b];
    uart.send(header.get(..usize::from(length % 9)).unwrap_or_default());
    uart.drain();
    0
}

/// A well-formed transfer with a question made by `make`; the number of answers that came, 0 or 1.
fn ask(
    master: &mut CoreMaster,
    remote: &mut Remote<Uart>,
    clock: &mut Clock,
    dice: &mut Dice,
    make: fn(&mut Dice, &mut [u8; MAX_BODY]) -> usize,
) -> u32 {
    let mut question = [0; MAX_BODY];
    let length = make(dice, &mut question);
    let now_ms = clock.now_ms();
    let asked = master.ask(now_ms, question.get(..length).unwrap_or_default());
    let moved = remote.transfer(master, now_ms);
    let answer = master.take_answer(&mut [0; MAX_BODY]);
    if !asked && !moved {
        // The link repeats by itself after a while.
        board::idle();
    }
    answer.is_some().into()
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
