//! The two doors, HTTP and MQTT: bytes that are no request and no packet are counted as well.
//!
//! The HTTP and MQTT libraries close such connections by themselves and tell nobody but their log. For HTTP the
//! socket is watched: one that brought bytes and never a request was garbage. For MQTT the broker's own warnings are
//! counted as they go to the log.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context as LayerContext, Layer};

use crate::diagnostics::Counters;

/// Connections that the broker gave up because of what came in, since the program started. The broker is one for
/// the process, and so is its log.
static BROKEN_PACKETS: AtomicU64 = AtomicU64::new(0);

/// Connections that the broker gave up.
pub(crate) fn broken_packets() -> u64 {
    BROKEN_PACKETS.load(Ordering::Relaxed)
}

/// Counts the broker's warnings. A program that wants them counted adds it to its subscriber, filtered by level only.
#[derive(Debug, Default, Clone, Copy)]
pub struct BrokerWarnings;

impl<S: Subscriber> Layer<S> for BrokerWarnings {
    fn on_event(&self, event: &Event<'_>, _: LayerContext<'_, S>) {
        let about = event.metadata();
        if *about.level() <= tracing::Level::WARN
            && about.target().starts_with("mqtt5::broker::client_handler")
        {
            BROKEN_PACKETS.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The HTTP port.
pub(crate) struct Door {
    listener: TcpListener,
    counters: Arc<Counters>,
}

impl Door {
    pub(crate) fn new(listener: TcpListener, counters: Arc<Counters>) -> Self {
        Self { listener, counters }
    }
}

impl Listener for Door {
    type Io = Watched;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Watched, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.listener).await;
        let watched = Watched {
            stream,
            took: false,
            understood: Arc::default(),
            counters: Arc::clone(&self.counters),
        };
        (watched, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection that knows whether a request was read from it.
pub(crate) struct Watched {
    stream: TcpStream,
    took: bool,
    understood: Arc<AtomicBool>,
    counters: Arc<Counters>,
}

impl Drop for Watched {
    fn drop(&mut self) {
        if self.took && !self.understood.load(Ordering::Relaxed) {
            Counters::count(&self.counters.broken_requests);
        }
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.took |= buffer.filled().len() > before;
        read
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// What a request knows of its connection.
#[derive(Clone)]
pub(crate) struct Visitor(Arc<AtomicBool>);

impl Visitor {
    /// A request was read.
    pub(crate) fn understood(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Connected<IncomingStream<'_, Door>> for Visitor {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        Self(Arc::clone(&stream.io().understood))
    }
}
