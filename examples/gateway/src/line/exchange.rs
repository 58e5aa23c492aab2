//! Bytes between a port and a sans-IO master: the only place that waits on a line.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What the masters of both protocols have in common for whoever drives them.
pub(crate) trait Drive {
    /// Bytes to send now, once.
    fn transmit(&mut self) -> Option<&[u8]>;
    /// Takes bytes from the line.
    fn bytes(&mut self, now: u64, bytes: &[u8]);
    /// Takes the passing of time.
    fn timeout(&mut self, now: u64);
    /// When to call `timeout`.
    fn deadline(&self) -> Option<u64>;
    /// Whether the question is still open.
    fn is_open(&self) -> bool;
}

/// Most bytes taken for one question, and most late ones thrown away before it: the longest answer with all its
/// follow-up frames and repeats is far below. A line that never falls silent must not hold its task for ever.
const LONGEST: usize = 64 * 1024;

/// Runs one question to its end. The master's time is wall milliseconds since `start`.
///
/// # Errors
/// Those of the port; its end is `UnexpectedEof`, a line that never falls silent `InvalidData`.
pub(crate) async fn drive(
    port: &mut TcpStream,
    master: &mut impl Drive,
    start: Instant,
) -> std::io::Result<()> {
    let now = || u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    let mut buffer = [0; 512];
    // Late bytes of an earlier exchange answer nothing that is asked now.
    let mut late = 0;
    while let Ok(length @ 1..) = port.try_read(&mut buffer) {
        late += length;
        if late > LONGEST {
            return Err(flooded());
        }
    }
    let mut taken = 0;
    while master.is_open() {
        if let Some(bytes) = master.transmit() {
            port.write_all(bytes).await?;
        }
        let deadline = master
            .deadline()
            .unwrap_or_else(|| now().saturating_add(1000));
        let wait = Duration::from_millis(deadline.saturating_sub(now()));
        match tokio::time::timeout(wait, port.read(&mut buffer)).await {
            Ok(Ok(0)) => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            Ok(Ok(length)) => {
                taken += length;
                if taken > LONGEST {
                    return Err(flooded());
                }
                master.bytes(now(), buffer.get(..length).unwrap_or_default());
            }
            Ok(Err(error)) => return Err(error),
            Err(_) => master.timeout(now()),
        }
    }
    Ok(())
}

fn flooded() -> std::io::Error {
    std::io::Error::new(
        std::io::ErrorKind::InvalidData,
        "the line never falls silent",
    )
}
