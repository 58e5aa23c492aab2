//! What can be wrong with bytes or text, with the place.

use core::fmt;

/// Why bytes are no message, or why a message does not fit.
///
/// `position` counts bytes from the first byte of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub enum Error {
    /// The input ends in the middle of a field.
    Truncated {
        /// Where the next byte was expected.
        position: usize,
    },
    /// The message is complete and bytes follow.
    TrailingBytes {
        /// The first superfluous byte.
        position: usize,
    },
    /// The caller's output buffer is too small.
    BufferFull {
        /// Its size in bytes.
        capacity: usize,
    },
    /// The first byte belongs to no form of this standard.
    UnknownForm {
        /// The first byte.
        found: u8,
    },
    /// A compact message of a version that this release does not speak.
    UnknownVersion {
        /// The version, low nibble of the first byte.
        found: u8,
    },
    /// A well-formed head with a kind that this release does not know: skip the message and count it.
    UnknownKind {
        /// The kind.
        found: u8,
    },
    /// A known kind, but another one than the caller asked for.
    OtherKind {
        /// What the caller asked for.
        expected: u8,
        /// What came.
        found: u8,
    },
    /// A list or byte string is longer than its stated capacity.
    TooMany {
        /// Where its length stands.
        position: usize,
        /// The most that is allowed.
        capacity: usize,
    },
    /// A number does not fit its field, or is written longer than necessary.
    BadNumber {
        /// Where it stands.
        position: usize,
    },
    /// Text is no UTF-8.
    BadText {
        /// Where it stands.
        position: usize,
    },
    /// A field has a value that the model does not allow.
    BadValue {
        /// Just behind the field.
        position: usize,
    },
    /// CBOR and JSON: another type than the field has, a tag, a float or an indefinite length; what is no JSON.
    BadType {
        /// Where it stands.
        position: usize,
    },
    /// CBOR: a key stands twice in one map.
    DuplicateKey {
        /// Where the second one stands.
        position: usize,
        /// The key.
        key: u8,
    },
    /// JSON: a name stands twice in one object.
    DuplicateName {
        /// Where the second one stands.
        position: usize,
    },
    /// CBOR and JSON: a required key is absent.
    MissingKey {
        /// The key.
        key: u8,
    },
    /// Every field is well-formed, but they do not go together.
    Broken {
        /// What must hold.
        rule: Rule,
    },
    /// CBOR and JSON: nested deeper than any message of this standard.
    TooDeep {
        /// Where the level begins.
        position: usize,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Truncated { position } => {
                write!(f, "the input ends at byte {position} inside a field")
            }
            Self::TrailingBytes { position } => {
                write!(f, "bytes follow the message from byte {position} on")
            }
            Self::BufferFull { capacity } => {
                write!(f, "the output does not fit in {capacity} bytes")
            }
            Self::UnknownForm { found } => {
                write!(f, "first byte {found:02X} belongs to no message form")
            }
            Self::UnknownVersion { found } => {
                write!(f, "compact version {found} is not spoken here")
            }
            Self::UnknownKind { found } => write!(f, "message kind {found} is not known here"),
            Self::OtherKind { expected, found } => {
                write!(f, "message kind {expected} was expected, {found} found")
            }
            Self::TooMany { position, capacity } => {
                write!(
                    f,
                    "the list at byte {position} holds more than {capacity} elements"
                )
            }
            Self::BadNumber { position } => {
                write!(f, "the number at byte {position} does not fit its field")
            }
            Self::BadText { position } => write!(f, "the text at byte {position} is not UTF-8"),
            Self::BadValue { position } => write!(
                f,
                "the field before byte {position} has a value that is not allowed"
            ),
            Self::BadType { position } => {
                write!(f, "the item at byte {position} has the wrong type")
            }
            Self::DuplicateKey { position, key } => {
                write!(f, "key {key} stands a second time at byte {position}")
            }
            Self::DuplicateName { position } => {
                write!(f, "the name at byte {position} stands a second time")
            }
            Self::MissingKey { key } => write!(f, "required key {key} is absent"),
            Self::Broken { rule } => rule.fmt(f),
            Self::TooDeep { position } => {
                write!(f, "the item at byte {position} is nested too deeply")
            }
        }
    }
}

impl core::error::Error for Error {}

/// What must hold between the fields of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub enum Rule {
    /// A count or duration is at least 1 and fits what is counted.
    Count,
    /// Keys and times ascend.
    Order,
    /// Ranges ascend, do not overlap, are not empty and lie inside the whole.
    Ranges,
    /// Sizes of files and blocks are those of the standard.
    Size,
    /// A new version is above the one it replaces.
    Version,
    /// The message belongs to what it is read with, a kind to its range.
    Reference,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Count => "a count is 0 or does not fit what is counted",
            Self::Order => "keys or times do not ascend",
            Self::Ranges => "ranges overlap, are empty or reach beyond the whole",
            Self::Size => "a file, block or hash has a size that is not allowed",
            Self::Version => "the new version is not above the one it replaces",
            Self::Reference => "the message belongs to something else",
        })
    }
}

impl From<Rule> for Error {
    fn from(rule: Rule) -> Self {
        Self::Broken { rule }
    }
}
