//! Messages: a head that names the record for ever, a body by kind, and a tail for what later releases add.
//!
//! In both forms a body is the list of fields of its type, in the order in which they stand here.
//!
//! A [`Message`] is as large as its largest body (about 3 KiB, a set definition of 128 points). A small core reads and
//! writes one body alone: [`compact::decode_as`](crate::compact::decode_as),
//! [`compact::encode_as`](crate::compact::encode_as), [`compact::SnapshotWriter`](crate::compact::SnapshotWriter).

use crate::error::Error;
use crate::fields::{Fields, Sink, Source, fields, newtypes};
use crate::time::Stamp;

mod acknowledgement;
pub(crate) mod additions;
mod clock;
mod command;
mod configuration;
mod demand_response;
mod event;
mod file;
mod ledger;
mod legal_block;
mod profile;
mod registration;
mod set;
mod snapshot;
mod state;
mod topology;
mod vendor;

pub use acknowledgement::{Acknowledgement, Gap};
pub use additions::{Addition, Additions};
pub use clock::{TimeAnswer, TimeRequest};
pub use command::{Command, CommandBody, CommandResult, Sealed, Status};
pub use configuration::{
    AlarmSetting, ConfigEntry, ConfigKey, ConfigRead, ConfigRefusal, ConfigReport, ConfigWrite,
    RefusedKey,
};
pub use demand_response::{DemandInterval, DemandKind, DemandResponse, DemandState, DemandStatus};
pub use event::{Event, EventPhase};
pub use file::{
    Activation, BlockRange, FILE_MAX, FileBlock, FileKind, FileNeed, FileOffer, FileStatus,
    FileTarget,
};
pub use ledger::{Ledger, MovementKind};
pub use legal_block::LegalBlock;
pub use profile::{Profile, QualityRun};
pub use registration::{
    DeviceKind, Network, Position, PositionSource, Registration, StreamState, Welcome,
};
pub use set::{SetDefinition, SetEntry, SetException, SetSnapshot};
pub use snapshot::{Sample, Snapshot};
pub use state::{Absence, Heartbeat};
pub use topology::{Node, Protocol, Topology};
pub use vendor::Vendor;

newtypes!(
    Stream,
    DeviceKind,
    Network,
    PositionSource,
    EventPhase,
    Status,
    Protocol,
    crate::time::ClockQuality,
);

/// One of the six numbered sequences of records of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Stream(pub u8);

impl Stream {
    /// Session messages, not stored.
    pub const SESSION: Self = Self(0);
    /// Legal registers and profiles.
    pub const LEGAL: Self = Self(1);
    /// Events and alarms.
    pub const EVENT: Self = Self(2);
    /// Telemetry.
    pub const TELEMETRY: Self = Self(3);
    /// Diagnostics.
    pub const DIAGNOSTIC: Self = Self(4);
    /// Prepaid movements and command results.
    pub const LEDGER: Self = Self(5);
    /// All six.
    pub const ALL: [Self; 6] = [
        Self::SESSION,
        Self::LEGAL,
        Self::EVENT,
        Self::TELEMETRY,
        Self::DIAGNOSTIC,
        Self::LEDGER,
    ];
}

/// What stands before every body. (device, stream, boot, seq) is the key of the record for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Head {
    /// Which device behind the sender this is about, 0 the sender itself; numbers come from [`Topology`].
    pub node: u16,
    /// Which sequence the record belongs to.
    pub stream: Stream,
    /// Boots of the numbering party, stored ahead of use.
    pub boot: u32,
    /// Number within stream and boot, from 1; 0 for messages that are not stored.
    pub seq: u32,
    /// When the record was made; for values of an interval its end.
    pub stamp: Stamp,
}

impl Head {
    /// The head of a message that is not stored and not numbered (stream 0).
    #[must_use]
    pub const fn session(boot: u32, stamp: Stamp) -> Self {
        Self {
            node: 0,
            stream: Stream::SESSION,
            boot,
            seq: 0,
            stamp,
        }
    }
}

fields!(Head {
    1 node,
    2 stream,
    3 boot,
    4 seq,
    5 stamp,
});

/// Bytes that later releases append to any kind: a chain of (type, length, bytes), at most 64 bytes. Unknown types are
/// passed over.
pub type Ext = heapless::Vec<u8, 64>;

/// The body of one kind; implemented by the types of this module only.
#[allow(private_bounds)]
pub trait Content: Fields + Into<Body> {
    /// Its kind number.
    const KIND: u8;
}

macro_rules! bodies {
    ($($kind:literal $name:ident $text:literal;)*) => {
        /// A body of any kind.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        #[allow(clippy::large_enum_variant)] // No heap here; the module's documentation says what to do about the size.
        pub enum Body {
            $(#[doc = concat!("Kind ", $kind, ".")] $name($name),)*
            /// Kinds 64 to 127.
            Vendor(Vendor),
        }

        impl Body {
            /// The kind number.
            #[must_use]
            pub const fn kind(&self) -> u8 {
                match self {
                    $(Self::$name(_) => $kind,)*
                    Self::Vendor(vendor) => vendor.kind(),
                }
            }

            /// The kinds of the standard that this release knows, ascending; those of makers come beside them.
            pub const KINDS: &'static [u8] = &[$($kind),*];

            /// CBOR keys and names of the fields of a kind; none for one this release does not know.
            #[must_use]
            pub const fn fields(kind: u8) -> &'static [(u8, &'static str)] {
                match kind {
                    $($kind => <$name as Fields>::NAMES,)*
                    64..=127 => Vendor::NAMES,
                    _ => &[],
                }
            }

            /// The English name of a kind; empty for one this release does not know.
            #[must_use]
            pub const fn name(kind: u8) -> &'static str {
                match kind {
                    $($kind => $text,)*
                    64..=127 => "vendor",
                    _ => "",
                }
            }

            pub(crate) fn write<S: Sink>(&self, sink: &mut S) -> Result<(), Error> {
                match self {
                    $(Self::$name(body) => body.write(0, sink),)*
                    Self::Vendor(vendor) => vendor.write(sink),
                }
            }

            pub(crate) fn read<'b, S: Source<'b>>(kind: u8, source: &mut S) -> Result<Self, Error> {
                match kind {
                    $($kind => $name::read(0, source).map(Self::$name),)*
                    64..=127 => Vendor::read(kind, source).map(Self::Vendor),
                    found => Err(Error::UnknownKind { found }),
                }
            }
        }

        $(
            impl From<$name> for Body {
                fn from(body: $name) -> Self {
                    Self::$name(body)
                }
            }
            impl Content for $name {
                const KIND: u8 = $kind;
            }
        )*
    };
}

bodies! {
    1 Registration "registration";
    2 Welcome "welcome";
    3 SetDefinition "set definition";
    4 Snapshot "snapshot";
    5 SetSnapshot "set snapshot";
    6 Profile "profile";
    7 Event "event";
    8 Acknowledgement "acknowledgement";
    9 Heartbeat "heartbeat";
    10 Command "command";
    11 CommandResult "command result";
    12 ConfigRead "configuration read";
    13 ConfigWrite "configuration write";
    14 ConfigReport "configuration report";
    15 TimeRequest "time request";
    16 TimeAnswer "time answer";
    17 FileOffer "file offer";
    18 FileNeed "file need";
    19 FileBlock "file block";
    20 DemandResponse "demand-response event";
    21 DemandStatus "demand-response status";
    22 Topology "topology";
    23 Absence "absence";
    24 Ledger "ledger";
    25 LegalBlock "legal block";
}

impl From<Vendor> for Body {
    fn from(body: Vendor) -> Self {
        Self::Vendor(body)
    }
}

/// A whole message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Names the record.
    pub head: Head,
    /// What it says.
    pub body: Body,
    /// Additions of later releases, empty today.
    pub ext: Ext,
}

impl Message {
    /// A message without additions.
    #[must_use]
    pub fn new(head: Head, body: impl Into<Body>) -> Self {
        Self {
            head,
            body: body.into(),
            ext: Ext::new(),
        }
    }

    /// What later releases appended; a reader passes over types it does not know.
    #[must_use]
    pub fn additions(&self) -> Additions<'_> {
        Additions::new(&self.ext)
    }

    /// Appends to the message.
    ///
    /// # Errors
    /// [`Error::TooMany`] when the 64 bytes of a chain are used up.
    pub fn push_addition(&mut self, addition: Addition<'_>) -> Result<(), Error> {
        additions::push(&mut self.ext, addition)
    }
}
