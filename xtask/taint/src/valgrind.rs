//! The three requests to valgrind that this program needs, as `valgrind.h` and `memcheck.h` define
//! them. A binding would bring a C compiler and libclang for a dozen lines.

/// `VG_USERREQ__RUNNING_ON_VALGRIND` and `VG_USERREQ__COUNT_ERRORS`.
const RUNNING: usize = 0x1001;
const COUNT_ERRORS: usize = 0x1201;
/// `VG_USERREQ__MAKE_MEM_UNDEFINED` and `.._DEFINED`: the tool's letters "MC" and 1, 2.
const MAKE_UNDEFINED: usize = 0x4D43_0001;
const MAKE_DEFINED: usize = 0x4D43_0002;

/// Whether memcheck watches this process.
pub fn watches() -> bool {
    request(RUNNING, &[]) > 0
}

/// How often something depended on undefined bytes since the start.
pub fn reports() -> usize {
    request(COUNT_ERRORS, &[])
}

/// Makes bytes secret: from here on every branch and every address made of them is reported.
pub fn hide(bytes: &[u8]) {
    request(MAKE_UNDEFINED, bytes);
}

/// Makes bytes public: what may be seen, such as a ciphertext or a verdict.
pub fn show(bytes: &[u8]) {
    request(MAKE_DEFINED, bytes);
}

#[cfg(target_arch = "x86_64")]
#[expect(
    unsafe_code,
    reason = "a request to valgrind is a sequence of instructions"
)]
fn request(code: usize, bytes: &[u8]) -> usize {
    let arguments = [code, bytes.as_ptr().addr(), bytes.len(), 0, 0, 0];
    let mut result = 0_usize;
    // SAFETY: on a processor the rotations sum to 128 bits and the exchange is of a register with
    // itself, so nothing changes; valgrind reads `arguments` and writes the result into rdx only.
    // Marks of definedness are no change of memory that the program can see.
    unsafe {
        core::arch::asm!(
            "rol rdi, 3",
            "rol rdi, 13",
            "rol rdi, 61",
            "rol rdi, 51",
            "xchg rbx, rbx",
            inout("rdx") result,
            in("rax") arguments.as_ptr(),
            inout("rdi") 0_usize => _,
        );
    }
    result
}

#[cfg(not(target_arch = "x86_64"))]
fn request(_: usize, _: &[u8]) -> usize {
    0
}
