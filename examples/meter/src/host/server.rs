//! The shell around a simulated meter: one clock thread, one thread per connection, no logic.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::electricity::ANSWER;
use super::pty::{self, PseudoTerminal};
use super::status::Status;
use super::{Clock, StartError};

/// Real time between two looks at the clock.
const TICK: Duration = Duration::from_millis(20);
/// Most connections at the same time; further ones are closed and counted.
const MAX_CONNECTIONS: usize = 64;

/// A meter as the shell sees it.
pub trait Station: Send + 'static {
    /// State of one connection: a frame decoder and what is pending on it.
    type Port<'b>;

    /// State for a new connection; `buffer` has room for the longest answer.
    fn port<'b>(&self, buffer: &'b mut [u8]) -> Self::Port<'b>;

    /// Takes what came in on a connection and appends what goes out.
    fn exchange(&mut self, port: &mut Self::Port<'_>, now_ms: u64, bytes: &[u8], out: &mut Vec<u8>);

    /// Lives up to `utc_ms`.
    fn tick(&mut self, utc_ms: u64);

    /// What it counts and measures.
    fn status(&mut self) -> Status;

    /// Stores everything before a clean end.
    fn save(&mut self);
}

/// What the threads share.
struct Shared<S> {
    station: Mutex<S>,
    stop: AtomicBool,
    connections: AtomicUsize,
    turned_away: AtomicUsize,
    started: Instant,
}

impl<S> Shared<S> {
    fn station(&self) -> MutexGuard<'_, S> {
        // A panic in another thread does not make a meter's registers wrong: each record is whole.
        self.station.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A simulated meter at work. Dropping it stops it as [`Running::shutdown`] does.
#[derive(Debug)]
pub struct Running {
    addr: Option<SocketAddr>,
    pty: Option<String>,
    inner: Arc<dyn Control>,
    threads: Vec<JoinHandle<()>>,
}

trait Control: Send + Sync {
    fn status(&self) -> Status;
    fn stop(&self);
    fn save(&self);
}

impl core::fmt::Debug for dyn Control {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Control")
    }
}

impl<S: Station> Control for Shared<S> {
    fn status(&self) -> Status {
        let mut status = self.station().status();
        status.connections = self.connections.load(Ordering::Relaxed);
        status.connections_refused = self.turned_away.load(Ordering::Relaxed);
        status
    }

    fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    fn save(&self) {
        self.station().save();
    }
}

impl Running {
    /// Where it listens, if on TCP.
    #[must_use]
    pub const fn addr(&self) -> Option<SocketAddr> {
        self.addr
    }

    /// Path of its serial port, if it has one.
    #[must_use]
    pub fn pty(&self) -> Option<&str> {
        self.pty.as_deref()
    }

    /// What the meter counts and measures now.
    #[must_use]
    pub fn status(&self) -> Status {
        self.inner.status()
    }

    /// Ends all threads and stores everything.
    pub fn shutdown(mut self) {
        self.end();
    }

    fn end(&mut self) {
        if self.threads.is_empty() {
            return;
        }
        self.inner.stop();
        if let Some(addr) = self.addr {
            // Wakes the listener.
            drop(TcpStream::connect_timeout(
                &addr,
                Duration::from_millis(200),
            ));
        }
        for thread in self.threads.drain(..) {
            drop(thread.join());
        }
        self.inner.save();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}

/// Starts a station on `listen` (port 0 takes a free one) and, when asked, on a pseudo-terminal.
pub(super) fn start<S: Station>(
    station: S,
    listen: Option<&str>,
    with_pty: bool,
    clock: Clock,
) -> Result<Running, StartError> {
    let shared = Arc::new(Shared {
        station: Mutex::new(station),
        stop: AtomicBool::new(false),
        connections: AtomicUsize::new(0),
        turned_away: AtomicUsize::new(0),
        started: Instant::now(),
    });
    let listener = listen
        .map(|at| {
            TcpListener::bind(at).map_err(|source| StartError::Listen {
                at: at.to_owned(),
                source,
            })
        })
        .transpose()?;
    let addr = listener
        .as_ref()
        .map(TcpListener::local_addr)
        .transpose()
        .map_err(StartError::Socket)?;
    let terminal = if with_pty {
        Some(pty::open().map_err(StartError::Pty)?)
    } else {
        None
    };
    let path = terminal.as_ref().map(|t| t.path.clone());
    let mut threads = Vec::new();
    {
        let shared = Arc::clone(&shared);
        threads.push(spawn("meter-clock", move || run_clock(&shared, &clock))?);
    }
    if let Some(listener) = listener {
        let shared = Arc::clone(&shared);
        threads.push(spawn("meter-listen", move || accept(&listener, &shared))?);
    }
    if let Some(terminal) = terminal {
        let shared = Arc::clone(&shared);
        // Not joined: a read on a terminal has no end of its own.
        drop(spawn("meter-pty", move || {
            serve_terminal(terminal, &shared)
        })?);
    }
    Ok(Running {
        addr,
        pty: path,
        inner: shared,
        threads,
    })
}

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, StartError> {
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(body)
        .map_err(StartError::Socket)
}

fn run_clock<S: Station>(shared: &Shared<S>, clock: &Clock) {
    while !shared.stop.load(Ordering::Relaxed) {
        let now = clock();
        shared.station().tick(now);
        thread::sleep(TICK);
    }
}

fn accept<S: Station>(listener: &TcpListener, shared: &Arc<Shared<S>>) {
    for stream in listener.incoming() {
        if shared.stop.load(Ordering::Relaxed) {
            return;
        }
        let Ok(stream) = stream else {
            thread::sleep(TICK);
            continue;
        };
        if shared.connections.load(Ordering::Relaxed) >= MAX_CONNECTIONS {
            shared.turned_away.fetch_add(1, Ordering::Relaxed);
            continue;
        }
        shared.connections.fetch_add(1, Ordering::Relaxed);
        let for_thread = Arc::clone(shared);
        let body = move || {
            // The end of a connection, whatever its reason, ends only the connection.
            drop(serve_socket(&stream, &for_thread));
            for_thread.connections.fetch_sub(1, Ordering::Relaxed);
        };
        if spawn("meter-port", body).is_err() {
            shared.connections.fetch_sub(1, Ordering::Relaxed);
            shared.turned_away.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn serve_socket<S: Station>(stream: &TcpStream, shared: &Shared<S>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_millis(200)))?;
    stream.set_write_timeout(Some(Duration::from_secs(5)))?;
    serve(stream, stream, shared)
}

fn serve_terminal<S: Station>(terminal: PseudoTerminal, shared: &Shared<S>) {
    while !shared.stop.load(Ordering::Relaxed) {
        drop(serve(&terminal.side, &terminal.side, shared));
        thread::sleep(TICK);
    }
}

fn serve<S: Station>(
    mut from: impl Read,
    mut to: impl Write,
    shared: &Shared<S>,
) -> io::Result<()> {
    let mut room = [0; ANSWER];
    let mut port = shared.station().port(&mut room);
    let mut bytes = [0; 1024];
    let mut out = Vec::new();
    while !shared.stop.load(Ordering::Relaxed) {
        let count = match from.read(&mut bytes) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
                ) =>
            {
                0
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let now_ms = u64::try_from(shared.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        out.clear();
        shared.station().exchange(
            &mut port,
            now_ms,
            bytes.get(..count).unwrap_or_default(),
            &mut out,
        );
        to.write_all(&out)?;
    }
    Ok(())
}
