//! A board of [`crate::updatable`] behind a TCP port that carries DL/T 645.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use dlt645::{Address, Application, DataId, Err645, Slave, Timing};
use meter::update::WithUpdate;

use crate::updatable::{Board, Life};

/// Digits of the meter's address.
pub const ADDRESS: [u8; 6] = [0x20, 0x26, 0x11, 0x00, 0x00, 0x01];

/// What can be seen of the board from outside.
#[derive(Debug, Default)]
pub struct Seen {
    /// Security counter of the running image.
    pub running: AtomicU32,
    /// Starts so far.
    pub starts: AtomicU32,
    /// Bytes of the image under way that are whole.
    pub whole: AtomicU32,
}

impl Seen {
    pub fn running(&self) -> u32 {
        self.running.load(Ordering::Relaxed)
    }

    pub fn starts(&self) -> u32 {
        self.starts.load(Ordering::Relaxed)
    }

    pub fn whole(&self) -> u32 {
        self.whole.load(Ordering::Relaxed)
    }
}

/// A meter with an address and one register.
struct Plain;

impl Application for Plain {
    fn address(&self) -> Address {
        Address::from_big_endian(ADDRESS)
    }

    fn read(&mut self, id: DataId, _rest: &[u8], out: &mut [u8]) -> Result<usize, Err645> {
        if id != DataId(0x0001_0000) {
            return Err(Err645::NO_DATA);
        }
        out[..4].copy_from_slice(&[0x56, 0x34, 0x12, 0x00]);
        Ok(4)
    }
}

/// Serves a board until the test ends; each answer takes `pause`.
pub fn serve(good: [Vec<u8>; 2], works: bool, pause: Duration) -> (SocketAddr, Arc<Seen>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Arc::new(Seen::default());
    let told = Arc::clone(&seen);
    std::thread::spawn(move || {
        let board = Board::new(good, works);
        let begun = Instant::now();
        let mut life = start(&board, &told);
        for stream in listener.incoming() {
            // The end of a connection ends no more than that.
            let _ = stream.and_then(|stream| talk(stream, &board, &mut life, &told, begun, pause));
        }
    });
    (address, seen)
}

/// Starts until an image takes images again.
fn start(board: &Board, seen: &Seen) -> Life {
    loop {
        seen.starts.fetch_add(1, Ordering::Relaxed);
        if let Some(life) = board.start() {
            let running = life.manifest.security_counter;
            seen.running.store(running, Ordering::Relaxed);
            return life;
        }
    }
}

fn talk(
    mut stream: TcpStream,
    board: &Board,
    life: &mut Life,
    seen: &Seen,
    begun: Instant,
    pause: Duration,
) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_millis(50)))?;
    let mut room = [0; 512];
    let mut slave = Slave::new(&mut room, Timing::tcp());
    let mut bytes = [0; 512];
    loop {
        let length = match stream.read(&mut bytes) {
            Ok(0) => return Ok(()),
            Ok(length) => length,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => 0,
            Err(error) => return Err(error),
        };
        let now_ms = begun.elapsed().as_millis() as u64;
        let mut rest = &bytes[..length];
        while !rest.is_empty() {
            let mut application = WithUpdate {
                core: &mut Plain,
                update: Some(&mut life.client),
                running: Some(&life.manifest),
                now_ms,
            };
            let used = slave.handle_bytes(now_ms, rest, &mut application);
            rest = &rest[used..];
            if let Some(answer) = slave.poll_transmit() {
                std::thread::sleep(pause);
                stream.write_all(answer)?;
            }
        }
        seen.whole
            .store(life.client.progress().0, Ordering::Relaxed);
        if life.client.wants_restart(now_ms) {
            *life = start(board, seen);
        }
    }
}
