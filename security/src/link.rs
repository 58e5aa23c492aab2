//! The two ends of one direction of a link: a [`Sealer`] that numbers what it sends, and an
//! [`Opener`] that accepts each number once.

use core::fmt;

use crate::cipher::LinkCipher;
use crate::counter::{CounterError, Reservation, SendCounter};
use crate::engine::{AsyncBlock128, Block128, EngineError, Soft, SoftKey, copy, sure};
use crate::envelope::{self, Class, Direction, EnvelopeError, Fields, HEADER_LEN, Header};
use crate::key::{DeviceKey, KeyHandle, wipe};
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
pub struct Sealer<K = SoftKey> {
    key: LinkCipher<K>,
    fields: Fields,
    counter: SendCounter,
}

impl<K> fmt::Debug for Sealer<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealer")
            .field("fields", &self.fields)
            .field("counter", &self.counter)
            .finish_non_exhaustive()
    }
}

impl Sealer {
    /// A sender under the static key of `key` ("ENV1"), with the ciphers in software.
    pub fn new(key: &DeviceKey, direction: Direction, suite: Suite, counter: SendCounter) -> Self {
        let handle = key.soft();
        sure(Self::with_engine(
            &mut Soft, &handle, direction, suite, counter,
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
        self.seal_on(&mut Soft, Form::Long, class, ext, buf, plain_len)
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
        let needed = self.sealed_len(plain.len());
        let available = buf.len();
        let room = buf
            .get_mut(HEADER_LEN..)
            .and_then(|rest| rest.get_mut(..plain.len()));
        copy(
            room.ok_or(EnvelopeError::NoRoom { needed, available })?,
            plain,
        );
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
        self.seal_on(&mut Soft, Form::Short, class, ext, buf, plain_len)
    }
}

/// Which form of the envelope travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// The whole header.
    Long,
    /// Four bytes of header, for slow lines.
    Short,
}

impl<K> Sealer<K> {
    /// A sender under the static key of `key` ("ENV1") on another engine.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn with_engine<E: Block128<Key = K>>(
        engine: &mut E,
        key: &KeyHandle<K>,
        direction: Direction,
        suite: Suite,
        counter: SendCounter,
    ) -> Result<Self, E::Error> {
        let link = key.static_link(engine, suite, direction)?;
        let cipher = LinkCipher::load(engine, &link)?;
        Ok(Self::under(cipher, key, direction, counter))
    }

    /// A sender under a link key that was loaded before, such as one of a session. Address and epoch
    /// are those of `key`.
    pub const fn under<P>(
        cipher: LinkCipher<K>,
        key: &KeyHandle<P>,
        direction: Direction,
        counter: SendCounter,
    ) -> Self {
        let fields = Fields {
            direction,
            class: Class::Data,
            short: false,
            epoch: key.epoch(),
            address: key.id().address(),
        };
        Self {
            key: cipher,
            fields,
            counter,
        }
    }

    /// What must be stored before the next message; `None` when nothing must.
    pub fn reservation(&mut self) -> Option<Reservation<'_>> {
        self.counter.reservation()
    }

    /// Length of the envelope around a message of `plain_len` bytes, in the long form.
    pub const fn sealed_len(&self, plain_len: usize) -> usize {
        plain_len.saturating_add(HEADER_LEN + self.key.suite().tag_len())
    }

    /// As [`Sealer::seal`] or [`Sealer::seal_short`], on a given engine.
    ///
    /// # Errors
    /// As [`Sealer::seal`], and those of the engine.
    // A stack frame of its own: where everything is one function, a small core spends more instructions on reaching
    // its variables than the calls cost.
    #[inline(never)]
    pub fn seal_on<'b, E: Block128<Key = K>>(
        &mut self,
        engine: &mut E,
        form: Form,
        class: Class,
        ext: &[u8],
        buf: &'b mut [u8],
        plain_len: usize,
    ) -> Result<&'b [u8], SealError> {
        let number = self.counter.take()?;
        let fields = self.fields(form, class);
        Ok(envelope::seal(
            engine, &self.key, &fields, number, ext, buf, plain_len,
        )?)
    }

    /// As [`Sealer::seal_on`], on an engine that finishes later.
    ///
    /// # Errors
    /// As [`Sealer::seal_on`].
    pub async fn seal_async<'b, E: AsyncBlock128<Key = K>>(
        &mut self,
        engine: &mut E,
        form: Form,
        class: Class,
        ext: &[u8],
        buf: &'b mut [u8],
        plain_len: usize,
    ) -> Result<&'b [u8], SealError> {
        let number = self.counter.take()?;
        let fields = self.fields(form, class);
        let sealed =
            envelope::seal_async(engine, &self.key, &fields, number, ext, buf, plain_len).await?;
        Ok(sealed)
    }

    fn fields(&self, form: Form, class: Class) -> Fields {
        Fields {
            class,
            short: form == Form::Short,
            ..self.fields
        }
    }
}

/// Opens messages of one key and direction and accepts each number once. Which classes a key may
/// carry is for the caller to check in [`Opened::header`]; orders go to [`crate::gate::OrderGate`].
pub struct Opener<K = SoftKey> {
    key: LinkCipher<K>,
    direction: Direction,
    epoch: u16,
    address: [u8; 6],
    window: ReplayWindow,
}

impl<K> fmt::Debug for Opener<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opener")
            .field("suite", &self.key.suite())
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

impl Opener {
    /// A receiver under the static key of `key` ("ENV1"), with the ciphers in software. It accepts
    /// one suite only, so that nobody can ask for a weaker one.
    pub fn new(key: &DeviceKey, direction: Direction, suite: Suite) -> Self {
        let handle = key.soft();
        sure(Self::with_engine(&mut Soft, &handle, direction, suite))
    }

    /// Opens in place a long-form envelope with the `ext` of its transport. The window moves only
    /// after the tag was good. On every error the message is wiped.
    ///
    /// # Errors
    /// [`OpenError::Refused`] whatever is wrong with the envelope; [`OpenError::Replayed`] when its
    /// tag is good and its number was seen before.
    pub fn open<'b>(&mut self, ext: &[u8], bytes: &'b mut [u8]) -> Result<Opened<'b>, OpenError> {
        self.open_on(&mut Soft, ext, bytes)
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
        self.open_short_on(&mut Soft, address, ext, bytes)
    }
}

impl<K> Opener<K> {
    /// A receiver under the static key of `key` ("ENV1") on another engine.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn with_engine<E: Block128<Key = K>>(
        engine: &mut E,
        key: &KeyHandle<K>,
        direction: Direction,
        suite: Suite,
    ) -> Result<Self, E::Error> {
        let link = key.static_link(engine, suite, direction)?;
        let cipher = LinkCipher::load(engine, &link)?;
        Ok(Self::under(cipher, key, direction))
    }

    /// A receiver under a link key that was loaded before, such as one of a session. Address and
    /// epoch are those of `key`.
    pub const fn under<P>(cipher: LinkCipher<K>, key: &KeyHandle<P>, direction: Direction) -> Self {
        Self {
            key: cipher,
            direction,
            epoch: key.epoch(),
            address: key.id().address(),
            window: ReplayWindow::new(),
        }
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
    pub fn open_on<'b, E: Block128<Key = K>>(
        &mut self,
        engine: &mut E,
        ext: &[u8],
        bytes: &'b mut [u8],
    ) -> Result<Opened<'b>, OpenError> {
        self.open_form(engine, None, ext, bytes)
    }

    /// As [`Opener::open_short`], on a given engine.
    ///
    /// # Errors
    /// As [`Opener::open_on`].
    pub fn open_short_on<'b, E: Block128<Key = K>>(
        &mut self,
        engine: &mut E,
        address: [u8; 6],
        ext: &[u8],
        bytes: &'b mut [u8],
    ) -> Result<Opened<'b>, OpenError> {
        self.open_form(engine, Some(address), ext, bytes)
    }

    /// Opens the short form in a frame of an address, or without one the long form.
    fn open_form<'b, E: Block128<Key = K>>(
        &mut self,
        engine: &mut E,
        frame: Option<[u8; 6]>,
        ext: &[u8],
        bytes: &'b mut [u8],
    ) -> Result<Opened<'b>, OpenError> {
        let header = match frame {
            None => Header::parse(bytes),
            Some(address) => Header::parse_short(bytes, address, self.epoch, self.window.highest()),
        };
        let header = self.mine(header, bytes)?;
        envelope::open(engine, &self.key, &header, ext, bytes)?;
        self.fresh(header, bytes)
    }

    /// As [`Opener::open_on`], on an engine that finishes later.
    ///
    /// # Errors
    /// As [`Opener::open_on`].
    pub async fn open_async<'b, E: AsyncBlock128<Key = K>>(
        &mut self,
        engine: &mut E,
        ext: &[u8],
        bytes: &'b mut [u8],
    ) -> Result<Opened<'b>, OpenError> {
        let header = self.mine(Header::parse(bytes), bytes)?;
        envelope::open_async(engine, &self.key, &header, ext, bytes).await?;
        self.fresh(header, bytes)
    }

    /// Opens an envelope without a look at its address or the freshness of its number: for a caller
    /// that checks both itself, in its own order.
    pub(crate) fn prove<'b, E: Block128<Key = K>>(
        &self,
        engine: &mut E,
        ext: &[u8],
        bytes: &'b mut [u8],
    ) -> Result<Opened<'b>, OpenError> {
        let header = match Header::parse(bytes) {
            Ok(header) if self.expects(&header) => header,
            _ => {
                wipe(bytes);
                return Err(OpenError::Refused);
            }
        };
        let plain = envelope::open(engine, &self.key, &header, ext, bytes)?;
        Ok(Opened { header, plain })
    }

    /// Remembers the number of a proved message if it is fresh, and says whether it was.
    pub(crate) fn take_counter(&mut self, counter: u64, freshness: Freshness) -> bool {
        self.window.accept(counter, freshness)
    }

    /// The header, if it is what this receiver expects and names its address.
    fn mine(
        &self,
        header: Result<Header, EnvelopeError>,
        bytes: &mut [u8],
    ) -> Result<Header, OpenError> {
        match header {
            Ok(header) if header.address == self.address && self.expects(&header) => Ok(header),
            _ => {
                wipe(bytes);
                Err(OpenError::Refused)
            }
        }
    }

    /// Whether suite, direction and epoch are the one of each that this receiver takes.
    fn expects(&self, header: &Header) -> bool {
        header.suite == self.key.suite()
            && header.direction == self.direction
            && header.epoch == self.epoch
    }

    /// The message of an envelope that was opened, if its number is fresh.
    fn fresh<'b>(&mut self, header: Header, bytes: &'b mut [u8]) -> Result<Opened<'b>, OpenError> {
        let counter = header.counter;
        if !self.take_counter(counter, header.class.freshness()) {
            wipe(bytes);
            return Err(OpenError::Replayed { counter });
        }
        Ok(Opened {
            header,
            plain: header.body(bytes),
        })
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
