//! What the two shells share: how an exchange over a port can fail.

use core::fmt;

use crate::event::AskError;

/// Why an exchange over a port did not come to an event. What the meter says, refusals and silence included, is an
/// [`crate::Event`] and no error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ShellError<E> {
    /// The question was not put.
    Ask(AskError),
    /// The port failed.
    Port(E),
    /// The port came to its end, as a connection does.
    Closed,
    /// The question went out to all meters, and none of them answers such a one.
    NoAnswer,
}

impl<E> From<AskError> for ShellError<E> {
    fn from(err: AskError) -> Self {
        ShellError::Ask(err)
    }
}

impl<E: fmt::Display> fmt::Display for ShellError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ShellError::Ask(err) => err.fmt(f),
            ShellError::Port(err) => write!(f, "the port failed: {err}"),
            ShellError::Closed => f.write_str("the port came to its end"),
            ShellError::NoAnswer => f.write_str("the question went to all meters; none answers"),
        }
    }
}

impl<E: core::error::Error> core::error::Error for ShellError<E> {}
