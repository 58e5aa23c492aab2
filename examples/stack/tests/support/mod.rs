//! Starts the real programs on free loopback ports and temporary folders, and looks at what they say.
#![allow(dead_code)] // Each test uses its own part.

pub mod api;
pub mod attack;
pub mod house;
pub mod liar;
pub mod mqtt;
pub mod program;
pub mod records;

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

pub use house::House;

/// A port that was free a moment ago, below the range from which systems take ports for outgoing connections: a
/// program that is away for a while finds its port still free when it comes back.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    const FIRST: u16 = 18_000;
    const COUNT: u16 = 12_000;
    // Tests that run at the same time begin at different places.
    let own = (std::process::id().wrapping_mul(97) % u32::from(COUNT)) as u16;
    for _ in 0..COUNT {
        let port = FIRST + (own + NEXT.fetch_add(1, Ordering::Relaxed)) % COUNT;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no port is free");
}

/// Asks again and again until the answer is `Some`.
///
/// # Panics
/// When it is not within `seconds`, with `what` was waited for.
pub fn wait<R>(what: &str, seconds: u64, mut ask: impl FnMut() -> Option<R>) -> R {
    let begin = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(
            begin.elapsed() < Duration::from_secs(seconds),
            "waited {seconds} s in vain for {what}"
        );
        std::thread::sleep(Duration::from_millis(25));
    }
}

/// Waits until `condition` holds.
pub fn until(what: &str, seconds: u64, mut condition: impl FnMut() -> bool) {
    wait(what, seconds, || condition().then_some(()));
}
