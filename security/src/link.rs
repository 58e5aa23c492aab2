//! The two ends of one direction of a link: a [`Sealer`] that numbers what it sends, and an
//! [`Opener`] that accepts each number once.

use core::fmt;
use core::ops::Range;

use crate::counter::{CounterError, Reservation, SendCounter};
use crate::engine::{Block128, EngineError, SoftAes, sure};
use crate::envelope::{
    self, Class, Direction, EnvelopeError, Fields, HEADER_LEN, Header, LinkCipher,
};
use crate::key::{DeviceKey, LinkKey};
use crate::replay::{Freshness, ReplayWindow};
use crate::suite::Suite;

/// Seals messages of one key and direction, each under its own number.
///
/// ```
/// use security::counter::SendCounter;
/// use security::envelope::{Class, Direction};
/// use security::key::{DeviceKeyId, KeyTree, Purpose, Secret};
/// use security::link::{Opener, Sealer};
/// use security::suite::Suite;
///
/// let tree = KeyTree::from_root(&Secret::new([7; 16]), *b"network1", 1);
/// let key = tree.device_key(DeviceKeyId::meter([0x20, 0x26, 0x11, 0, 0, 1]), Purpose::Data, 1);
///
/// let mut sealer = Sealer::new(&key, Direction::FromDevice, Suite::Ccm16, SendCounter::boot(0, 256));
/// if let Some(reservation) = sealer.reservation() {
///     // store reservation.limit(), and when it is durable:
///     reservation.confirm();
/// }
/// let mut buf = [0; 64];
/// let sealed = sealer.seal_from(Class::Data, b"", b"12.3 kWh", &mut buf).unwrap();
///
/// let mut received = [0; 64];
/// let received = &mut received[..sealed.len()];
/// received.copy_from_slice(sealed);
/// let mut opener = Opener::new(&key, Direction::FromDevice, Suite::Ccm16);
/// assert_eq!(opener.open(b"", received).unwrap().plain, b"12.3 kWh");
/// ```
pub struct Sealer<E: Block128 = SoftAes> {
    key: LinkCipher<E>,
    fields: Fields,
    counter: SendCounter,
}

impl<E: Block128> fmt::Debug for Sealer<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealer")
            .field("fields", &self.fields)
            .field("counter", &self.counter)
            .finish_non_exhaustive()
    }
}

impl Sealer<SoftAes> {
    /// A sender under the static key of `key` ("ENV1"), with the software cipher.
    pub fn new(key: &DeviceKey, direction: Direction, suite: Suite, counter: SendCounter) -> Self {
        let link = key.static_link(direction);
        sure(Self::with_engine(
            &mut SoftAes,
            &link,
            key,
            direction,
            suite,
            counter,
        ))
    }

    /// Seals in place: the message stands in `buf[16..16 + plain_len]`; the result is the envelope.
    ///
    /// # Errors
    /// [`SealError::Counter`] when a limit must be stored first or the key is dead;
    /// [`SealError::Envelope`] when it does not fit. A number taken for a message that did not fit
    /// is skipped.
    pub fn seal<'b>(
        &mut self,
        class: Class,
        ext: &[u8],
        buf: &'b mut [u8],
        plain_len: usize,
    ) -> Result<&'b [u8], SealError> {
        self.seal_on(&mut SoftAes, class, ext, buf, plain_len)
    }

    /// As [`Sealer::seal`], from a message that stands elsewhere.
    ///
    /// # Errors
    /// As [`Sealer::seal`].
    pub fn seal_from<'b>(
        &mut self,
        class: Class,
        ext: &[u8],
        plain: &[u8],
        buf: &'b mut [u8],
    ) -> Result<&'b [u8], SealError> {
        let needed = plain
            .len()
            .saturating_add(HEADER_LEN + self.fields.suite.tag_len());
        let available = buf.len();
        let room = buf
            .get_mut(HEADER_LEN..)
            .and_then(|rest| rest.get_mut(..plain.len()));
        room.ok_or(EnvelopeError::NoRoom { needed, available })?
            .copy_from_slice(plain);
        self.seal(class, ext, buf, plain.len())
    }

    /// Seals in place in the short form: the message stands in `buf[4..4 + plain_len]`.
    ///
    /// # Errors
    /// As [`Sealer::seal`].
    pub fn seal_short<'b>(
        &mut self,
        class: Class,
        ext: &[u8],
        buf: &'b mut [u8],
        plain_len: usize,
    ) -> Result<&'b [u8], SealError> {
        self.send(&mut SoftAes, class, true, ext, buf, plain_len)
    }
}

impl<E: Block128> Sealer<E> {
    /// A sender under `link` on another engine. Address and epoch are those of `key`.
    ///
    /// # Errors
    /// Those of the engine when it loads the key.
    pub fn with_engine(
        engine: &mut E,
        link: &LinkKey,
        key: &DeviceKey,
        direction: Direction,
        suite: Suite,
        counter: SendCounter,
    ) -> Result<Self, E::Error> {
        let (epoch, address) = (key.epoch(), key.id().address());
        let fields = Fields {
            suite,
            direction,
            class: Class::Data,
            short: false,
            epoch,
            address,
        };
        Ok(Self {
            key: LinkCipher::load(engine, link)?,
            fields,
            counter,
        })
    }

    /// What must be stored before the next message; `None` when nothing must.
    pub fn reservation(&mut self) -> Option<Reservation<'_>> {
        self.counter.reservation()
    }

    /// Length of the envelope around a message of `plain_len` bytes, in the long form.
    pub const fn sealed_len(&self, plain_len: usize) -> usize {
        plain_len.saturating_add(HEADER_LEN + self.fields.suite.tag_len())
    }

    /// As [`Sealer::seal`], on a given engine.
    ///
    /// # Errors
    /// As [`Sealer::seal`], and those of the engine.
    pub fn seal_on<'b>(
        &mut self,
        engine: &mut E,
        class: Class,
        ext: &[u8],
        buf: &'b mut [u8],
        plain_len: usize,
    ) -> Result<&'b [u8], SealError> {
        self.send(engine, class, false, ext, buf, plain_len)
    }

    fn send<'b>(
        &mut self,
        engine: &mut E,
        class: Class,
        short: bool,
        ext: &[u8],
        buf: &'b mut [u8],
        plain_len: usize,
    ) -> Result<&'b [u8], SealError> {
        let number = self.counter.take()?;
        let fields = Fields {
            class,
            short,
            ..self.fields
        };
        Ok(envelope::seal(
            engine, &self.key, &fields, number, ext, buf, plain_len,
        )?)
    }
}

/// Opens messages of one key and direction and accepts each number once. Which classes a key may
/// carry is for the caller to check in [`Opened::header`]; orders go to [`crate::gate::OrderGate`].
pub struct Opener<E: Block128 = SoftAes> {
    key: LinkCipher<E>,
    suite: Suite,
    direction: Direction,
    epoch: u16,
    address: [u8; 6],
    window: ReplayWindow,
}

impl<E: Block128> fmt::Debug for Opener<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opener")
            .field("suite", &self.suite)
            .field("direction", &self.direction)
            .field("epoch", &self.epoch)
            .field("window", &self.window)
            .finish_non_exhaustive()
    }
}

/// A message that was proved and is fresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opened<'b> {
    /// The header under the tag.
    pub header: Header,
    /// The message.
    pub plain: &'b [u8],
}

impl Opener<SoftAes> {
    /// A receiver under the static key of `key` ("ENV1"), with the software cipher. It accepts one
    /// suite only, so that nobody can ask for a weaker one.
    pub fn new(key: &DeviceKey, direction: Direction, suite: Suite) -> Self {
        let link = key.static_link(direction);
        sure(Self::with_engine(
            &mut SoftAes,
            &link,
            key,
            direction,
            suite,
        ))
    }

    /// Opens in place a long-form envelope with the `ext` of its transport. The window moves only
    /// after the tag was good. On every error the message is wiped.
    ///
    /// # Errors
    /// [`OpenError::Refused`] whatever is wrong with the envelope; [`OpenError::Replayed`] when its
    /// tag is good and its number was seen before.
    pub fn open<'b>(&mut self, ext: &[u8], bytes: &'b mut [u8]) -> Result<Opened<'b>, OpenError> {
        self.open_on(&mut SoftAes, ext, bytes)
    }

    /// As [`Opener::open`], for the short form in a frame of `address`.
    ///
    /// # Errors
    /// As [`Opener::open`].
    pub fn open_short<'b>(
        &mut self,
        address: [u8; 6],
        ext: &[u8],
        bytes: &'b mut [u8],
    ) -> Result<Opened<'b>, OpenError> {
        let header = Header::parse_short(bytes, address, self.epoch, self.window.highest());
        self.accept(&mut SoftAes, header, ext, bytes)
    }
}

impl<E: Block128> Opener<E> {
    /// A receiver under `link` on another engine. Address and epoch are those of `key`.
    ///
    /// # Errors
    /// Those of the engine when it loads the key.
    pub fn with_engine(
        engine: &mut E,
        link: &LinkKey,
        key: &DeviceKey,
        direction: Direction,
        suite: Suite,
    ) -> Result<Self, E::Error> {
        Ok(Self {
            key: LinkCipher::load(engine, link)?,
            suite,
            direction,
            epoch: key.epoch(),
            address: key.id().address(),
            window: ReplayWindow::new(),
        })
    }

    /// Goes on from what was seen before a restart.
    #[must_use]
    pub fn with_window(mut self, window: ReplayWindow) -> Self {
        self.window = window;
        self
    }

    /// What was seen, to be stored.
    pub const fn window(&self) -> &ReplayWindow {
        &self.window
    }

    /// As [`Opener::open`], on a given engine.
    ///
    /// # Errors
    /// As [`Opener::open`], and [`OpenError::Engine`].
    pub fn open_on<'b>(
        &mut self,
        engine: &mut E,
        ext: &[u8],
        bytes: &'b mut [u8],
    ) -> Result<Opened<'b>, OpenError> {
        let header = Header::parse(bytes);
        self.accept(engine, header, ext, bytes)
    }

    fn accept<'b>(
        &mut self,
        engine: &mut E,
        header: Result<Header, EnvelopeError>,
        ext: &[u8],
        bytes: &'b mut [u8],
    ) -> Result<Opened<'b>, OpenError> {
        let header = header.ok().filter(|header| header.address == self.address);
        let (header, range) = self.prove_as(engine, header, ext, bytes)?;
        if !self.take_counter(header.counter, header.class.freshness()) {
            bytes.fill(0);
            return Err(OpenError::Replayed {
                counter: header.counter,
            });
        }
        Ok(Opened {
            header,
            plain: bytes.get(range).unwrap_or_default(),
        })
    }

    /// Opens an envelope without a look at its address or the freshness of its number: for a caller
    /// that checks both itself, in its own order.
    pub(crate) fn prove<'b>(
        &self,
        engine: &mut E,
        ext: &[u8],
        bytes: &'b mut [u8],
    ) -> Result<Opened<'b>, OpenError> {
        let header = Header::parse(bytes).ok();
        let (header, range) = self.prove_as(engine, header, ext, bytes)?;
        Ok(Opened {
            header,
            plain: bytes.get(range).unwrap_or_default(),
        })
    }

    /// Remembers the number of a proved message if it is fresh, and says whether it was.
    pub(crate) fn take_counter(&mut self, counter: u64, freshness: Freshness) -> bool {
        self.window.accept(counter, freshness)
    }

    fn prove_as(
        &self,
        engine: &mut E,
        header: Option<Header>,
        ext: &[u8],
        bytes: &mut [u8],
    ) -> Result<(Header, Range<usize>), OpenError> {
        let expected = |header: &Header| {
            header.suite == self.suite
                && header.direction == self.direction
                && header.epoch == self.epoch
        };
        let Some(header) = header.filter(expected) else {
            bytes.fill(0);
            return Err(OpenError::Refused);
        };
        let start = header.wire_len();
        let plain_len = envelope::open(engine, &self.key, &header, ext, bytes)?.len();
        Ok((header, start..start.saturating_add(plain_len)))
    }
}

/// Why a message was not sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SealError {
    /// There is no number for it.
    Counter(CounterError),
    /// The envelope could not be made.
    Envelope(EnvelopeError),
}

impl From<CounterError> for SealError {
    fn from(error: CounterError) -> Self {
        Self::Counter(error)
    }
}

impl From<EnvelopeError> for SealError {
    fn from(error: EnvelopeError) -> Self {
        Self::Envelope(error)
    }
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Counter(error) => error.fmt(f),
            Self::Envelope(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for SealError {}

/// Why a message was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenError {
    /// Not an envelope that this key opens; one answer for every reason.
    Refused,
    /// A genuine envelope whose number was seen before, or that is too old to know.
    Replayed {
        /// Its number.
        counter: u64,
    },
    /// The cipher engine failed.
    Engine(EngineError),
}

impl From<EnvelopeError> for OpenError {
    fn from(error: EnvelopeError) -> Self {
        match error {
            EnvelopeError::Engine(error) => Self::Engine(error),
            _ => Self::Refused,
        }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused => f.write_str("this is not an envelope that the key opens"),
            Self::Replayed { counter } => write!(f, "message {counter} was seen before"),
            Self::Engine(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for OpenError {}
