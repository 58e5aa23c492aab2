//! A hostile meter: takes the gateway's polls and answers with anything but the truth.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::attack::Frames;

/// Most bytes of one endless answer.
const ENDLESS: usize = 1 << 20;

/// Serves for the rest of the test on `port`; counts the bad frames sent.
pub fn start(port: u16, mut frames: Frames) -> Arc<AtomicU64> {
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let sent = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&sent);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            stream
                .set_write_timeout(Some(Duration::from_secs(2)))
                .unwrap();
            let mut question = [0; 512];
            for turn in 1.. {
                if !matches!(stream.read(&mut question), Ok(1..)) {
                    break;
                }
                let answer: Vec<u8> = match frames.rng().below(8) {
                    0 if turn % 4 == 0 => (0..ENDLESS).map(|_| frames.rng().byte()).collect(),
                    1 => Vec::new(),
                    _ => (0..150).flat_map(|_| frames.bad()).collect(),
                };
                count.fetch_add(if answer.is_empty() { 0 } else { 150 }, Ordering::Relaxed);
                if stream.write_all(&answer).is_err() || frames.rng().below(20) == 0 {
                    break;
                }
            }
        }
    });
    sent
}
