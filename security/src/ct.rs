//! Comparison of secret bytes.

use subtle::ConstantTimeEq;

/// Whether two strings of bytes are the same. How long it takes depends on their lengths alone.
///
/// Every comparison of a secret is this one routine. It is never inlined, so that its machine code can be found in an
/// image and read.
#[inline(never)]
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}
