//! Comparison of secret bytes.

use subtle::ConstantTimeEq;

/// Whether two strings of bytes are the same. How long it takes depends on their lengths alone.
///
/// Every comparison of a secret is this one routine. It is never inlined, so that `cargo xtask
/// compare-code` finds it in an image and reads its machine code.
#[inline(never)]
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}
