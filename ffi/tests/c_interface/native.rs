//! The library built as a user builds it, and programs built against it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

pub fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Scratch place of these tests.
pub fn scratch() -> PathBuf {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("c");
    std::fs::create_dir_all(&place).expect("a scratch folder");
    place
}

/// Archive and shared library by the profile for C, in a folder of their own, because the folder of the running tests
/// is locked.
pub fn library() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let target = scratch().join("library");
        let status = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--locked", "--package", "meterkit-ffi"])
            .args(["--profile", "c", "--target-dir"])
            .arg(&target)
            .current_dir(folder())
            .status()
            .expect("cargo runs");
        assert!(status.success(), "the library does not build");
        target.join("c")
    })
}

pub fn have(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}

/// Whether the tools of these tests are there; says what is skipped when they are not.
pub fn have_compiler(what: &str) -> bool {
    let there = have("cc") && have("c++") && have("nm");
    if !there {
        testkit::skip(&format!("{what}: no C and C++ compiler on this machine"));
    }
    there
}

const STRICT: [&str; 6] = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-O1", "-g"];

/// Builds a program from sources against the archive.
pub fn build(compiler: &str, flags: &[&str], sources: &[PathBuf], name: &str) -> PathBuf {
    let program = scratch().join(name);
    let output = Command::new(compiler)
        .args(STRICT)
        .args(flags)
        .arg("-I")
        .arg(folder().join("include"))
        .arg("-I")
        .arg(folder().join("tests/c"))
        .arg("-I")
        .arg(folder().join("examples"))
        .args(sources)
        .arg(library().join("libmeterkit_ffi.a"))
        .args(["-lm", "-lpthread", "-ldl", "-o"])
        .arg(&program)
        .output()
        .expect("the compiler runs");
    assert!(
        output.status.success(),
        "{name} does not build: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    program
}

/// Runs a program that must end well; what it printed.
pub fn run(command: &mut Command) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().expect("the program runs");
    let text = String::from_utf8_lossy(&stdout).into_owned();
    assert!(
        status.success(),
        "{command:?} ended with {status}\n{text}\n{}",
        String::from_utf8_lossy(&stderr)
    );
    text
}
