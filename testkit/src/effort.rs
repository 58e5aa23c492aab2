//! How much a test repeats: all of it natively, a share of it in an interpreter a thousand times slower.

/// How often something is repeated: `few` times in Miri.
pub const fn rounds(all: u64, few: u64) -> u64 {
    if cfg!(miri) { few } else { all }
}

/// The step of a loop that tries every place: each one, in Miri every `nth`.
pub const fn stride(nth: usize) -> usize {
    if cfg!(miri) { nth } else { 1 }
}
