//! Order gate.
