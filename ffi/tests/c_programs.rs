//! The C side: programs built by `cc` against the archive and run, symbols compared with the header.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Builds archive and shared library as a user would; a folder of its own, because the folder of
/// the running tests is locked.
fn build_library() -> PathBuf {
    let target = folder().join("../target/c-test");
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--locked", "--package", "meterkit-ffi"])
        .arg("--target-dir")
        .arg(&target)
        .current_dir(folder())
        .status()
        .expect("cargo runs");
    assert!(status.success(), "the library does not build");
    target.join("debug")
}

fn have(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}

#[test]
fn c_programs_run_and_symbols_equal_the_header() {
    if !have("cc") || !have("nm") {
        testkit::skip("C programs: no C compiler on this machine");
        return;
    }
    let built = build_library();
    for standard in ["c11", "c17"] {
        let program = built.join(format!("reader-{standard}"));
        let status = Command::new("cc")
            .args([
                "-Wall",
                "-Wextra",
                "-Wpedantic",
                "-Werror",
                "-fsanitize=undefined",
                "-O1",
            ])
            .arg(format!("-std={standard}"))
            .arg("-I")
            .arg(folder().join("include"))
            .arg(folder().join("tests/c/reader.c"))
            .arg(built.join("libmeterkit_ffi.a"))
            .args(["-lm", "-lpthread", "-ldl", "-o"])
            .arg(&program)
            .status()
            .expect("cc runs");
        assert!(status.success(), "reader.c does not build as {standard}");
        let output = Command::new(&program).output().expect("the C program runs");
        assert!(
            output.status.success(),
            "reader as {standard}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            text.contains("frame of 202106000123: 123456.78 kWh"),
            "{text}"
        );
    }

    let listed = Command::new("nm")
        .args(["--dynamic", "--defined-only", "--extern-only"])
        .arg(built.join("libmeterkit_ffi.so"))
        .output()
        .expect("nm runs");
    let exported: BTreeSet<String> = String::from_utf8_lossy(&listed.stdout)
        .lines()
        .filter_map(|line| line.split_whitespace().last())
        .filter(|symbol| symbol.starts_with("mtr_"))
        .map(str::to_owned)
        .collect();
    let header = std::fs::read_to_string(folder().join("include/meter.h")).expect("the header");
    let declared: BTreeSet<String> = header
        .lines()
        .filter(|line| !line.starts_with([' ', '/', '*', '#', '}']))
        .filter_map(|line| line.split_once('('))
        .filter_map(|(head, _)| head.rsplit([' ', '*']).next())
        .filter(|name| name.starts_with("mtr_"))
        .map(str::to_owned)
        .collect();
    assert!(!declared.is_empty());
    assert_eq!(
        exported, declared,
        "symbols of the library and functions of the header"
    );
}
