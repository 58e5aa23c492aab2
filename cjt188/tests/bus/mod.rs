//! A master and a slave joined by a half-duplex line.

use cjt188::{Application, Event, Master, Slave};
use testkit::line::{End, Line};

/// Runs until the question ends and shows the event to `check`.
pub fn run<T>(
    line: &mut Line,
    now: &mut u64,
    master: &mut Master,
    slave: &mut Slave,
    application: &mut impl Application,
    check: impl Fn(Event<'_>) -> T,
) -> T {
    for _ in 0..600_000 {
        if let Some(bytes) = master.poll_transmit() {
            line.send(*now, End::A, bytes);
        }
        let heard = line.receive(*now, End::B);
        let mut rest = &heard[..];
        while !rest.is_empty() {
            match slave.handle_bytes(*now, rest, application) {
                0 => break,
                used => rest = &rest[used..],
            }
        }
        if slave.poll_timeout().is_some_and(|at| at <= *now) {
            slave.handle_timeout(*now, application);
        }
        if let Some(bytes) = slave.poll_transmit() {
            line.send(*now, End::B, bytes);
        }
        let heard = line.receive(*now, End::A);
        if !heard.is_empty() {
            master.handle_bytes(*now, &heard);
        }
        if master.poll_timeout().is_some_and(|at| at <= *now) {
            master.handle_timeout(*now);
        }
        if let Some(event) = master.poll_event() {
            return check(event);
        }
        *now += 1;
    }
    panic!("no end");
}
