//! The C programs: built and run as a user would.

use std::path::PathBuf;
use std::process::Command;

use crate::native;

fn source(name: &str) -> PathBuf {
    native::folder().join(name)
}

const SANITIZED: [&str; 2] = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];

#[test]
fn a_frame_and_a_window_from_c() {
    if !native::have_compiler("C programs") {
        return;
    }
    for standard in ["-std=c11", "-std=c17"] {
        let flags = [SANITIZED[0], SANITIZED[1], standard];
        let program = native::build(
            "cc",
            &flags,
            &[source("tests/c/first.c")],
            &format!("first{standard}"),
        );
        let text = native::run(&mut Command::new(program));
        assert!(
            text.contains("frame of 202106000123: 123456.78 kWh"),
            "{text}"
        );
    }
}

/// Sanitized, as C++, and under valgrind; what the program printed.
fn example(name: &str, arguments: &[&str]) -> String {
    let file = [source(&format!("examples/{name}.c"))];
    let flags = [SANITIZED[0], SANITIZED[1], "-std=c99"];
    let sanitized = native::build("cc", &flags, &file, &format!("{name}-sanitized"));
    let text = native::run(Command::new(sanitized).args(arguments));
    let cpp = native::scratch().join(format!("{name}.cpp"));
    std::fs::copy(&file[0], &cpp).expect("the source is copied");
    let as_cpp = native::build("c++", &["-std=c++11"], &[cpp], &format!("{name}-cpp"));
    assert_eq!(
        native::run(Command::new(as_cpp).args(arguments)),
        text,
        "{name} as C++"
    );
    let plain = native::build("cc", &["-std=c99"], &file, name);
    if native::have("valgrind") {
        let mut valgrind = Command::new("valgrind");
        valgrind
            .args(["--quiet", "--error-exitcode=9"])
            .arg(plain)
            .args(arguments);
        assert_eq!(native::run(&mut valgrind), text, "{name} under valgrind");
    } else {
        testkit::skip("C programs under valgrind: valgrind is missing");
    }
    text
}

#[test]
fn sealed_and_opened_from_c() {
    if native::have_compiler("seal.c") {
        let text = example("seal", &[]);
        assert_eq!(
            text,
            "opened message 1: 12.3 kWh\norder 1 done\nopened under a session\n"
        );
    }
}

#[test]
fn the_header_is_clean_in_c99_and_in_every_cpp() {
    if !native::have_compiler("the header alone") {
        return;
    }
    let file = native::scratch().join("alone.c");
    let text = "#include \"meter.h\"\nMTR_STORAGE(static, place, 16);\nint main(void) { return place[0] != 0; }\n";
    std::fs::write(&file, text).expect("the source is written");
    let cpp = file.with_extension("cpp");
    std::fs::copy(&file, &cpp).expect("the source is copied");
    for standard in ["-std=c99", "-std=c11", "-std=c17"] {
        native::build("cc", &[standard], std::slice::from_ref(&file), "alone");
    }
    for standard in ["-std=c++11", "-std=c++17", "-std=c++20"] {
        native::build("c++", &[standard], std::slice::from_ref(&cpp), "alone-cpp");
    }
}
