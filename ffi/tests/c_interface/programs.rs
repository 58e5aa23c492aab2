//! The C programs: built and run as a user would.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::native;

pub fn source(name: &str) -> PathBuf {
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

#[test]
fn what_stands_beside_the_chain_from_c() {
    if !native::have_compiler("metrology.c") {
        return;
    }
    let flags = [SANITIZED[0], SANITIZED[1], "-std=c11"];
    let program = native::build("cc", &flags, &[source("tests/c/metrology.c")], "metrology");
    let text = native::run(&mut Command::new(program));
    assert_eq!(text, "all of metrology is right\n");
}

#[test]
fn orders_and_records_from_c() {
    if !native::have_compiler("orders.c") {
        return;
    }
    let flags = [SANITIZED[0], SANITIZED[1], "-std=c99"];
    let program = native::build("cc", &flags, &[source("tests/c/orders.c")], "orders");
    assert_eq!(
        native::run(&mut Command::new(program)),
        "protected requests are opened by the meter\n\
         freezes, clearings and outputs are asked for\n\
         begin 2024-05-06 07:08:09\n\
         end 2024-05-06 07:20:00\n\
         freeze of 2026-11-21: 12345678\n\
         load of 2026-11-21 15:00: 230.1 V 230.1 V 230.1 V 5.000 A 5.000 A 5.000 A 50.00 Hz\n\
         bit 4 of status word 3: relay open\n"
    );
}

/// Sanitized, as C++, and under valgrind; what the program printed.
pub fn example(name: &str, arguments: &[&str]) -> String {
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
fn a_waveform_metered_from_c() {
    if !native::have_compiler("waveform.c") {
        return;
    }
    let text = example("waveform", &[]);
    // Counts are whole: 229.99998 V and 4.999992 A make 1149.998 W.
    // 1150 W for ten seconds are 3.194 Wh, of which the last window (0.064 Wh) is open, and 20 pulses at 6400 a kWh.
    assert_eq!(
        text,
        "voltage 230.000 V\ncurrent 5.000 A\npower 1149.998 W\nfrequency 50.000 Hz\n\
         energy 31 steps of 0.1 Wh, 20 pulses\n"
    );
}

const READ: &str = "forward active energy = 123456.78 kWh\n";

/// What the reader must print of the meter.
fn judge(text: &str) {
    assert!(text.starts_with(READ), "{text}");
    for volts in ["230.1 V", "229.8 V", "230.5 V"] {
        assert!(text.contains(volts), "{text}");
    }
    assert!(text.ends_with("0280000B refused, ERR 02\n"), "{text}");
}

/// A meter that waits on a port, and the reader that asks it.
fn pair(mut meter: Command, mut reader: Command) {
    let mut meter = meter
        .args(["tcp", "0", "202106000123"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the meter runs");
    let mut said = BufReader::new(meter.stdout.take().expect("a pipe"));
    let mut first = String::new();
    said.read_line(&mut first).expect("the meter says its port");
    let port = first.trim().strip_prefix("port ").expect("a port");
    judge(&native::run(reader.args([
        "tcp",
        "127.0.0.1",
        port,
        "202106000123",
    ])));
    assert!(meter.wait().expect("the meter ends").success());
}

#[test]
fn a_meter_and_its_reader_through_tcp() {
    if !native::have_compiler("read_meter.c and be_meter.c") {
        return;
    }
    let sanitized = |name| Command::new(line_program(name, "tcp"));
    pair(sanitized("be_meter"), sanitized("read_meter"));
    let as_cpp = |name: &str| {
        let file = native::scratch().join(format!("{name}.cpp"));
        std::fs::copy(source(&format!("examples/{name}.c")), &file).expect("the source is copied");
        // Beside the source, for the header that both share.
        let include = format!("-I{}", native::folder().join("examples").display());
        let flags = ["-std=c++11", include.as_str()];
        Command::new(native::build(
            "c++",
            &flags,
            &[file],
            &format!("{name}-cpp"),
        ))
    };
    pair(as_cpp("be_meter"), as_cpp("read_meter"));
    if !native::have("valgrind") {
        testkit::skip("the meter and its reader under valgrind: valgrind is missing");
        return;
    }
    let checked = |name: &str| {
        let file = [source(&format!("examples/{name}.c"))];
        let plain = native::build("cc", &["-std=c99"], &file, &format!("{name}-plain"));
        let mut valgrind = Command::new("valgrind");
        valgrind.args(["--quiet", "--error-exitcode=9"]).arg(plain);
        valgrind
    };
    pair(checked("be_meter"), checked("read_meter"));
}

#[test]
fn a_meter_and_its_reader_on_serial_ports() {
    if !native::have_compiler("read_meter.c and be_meter.c") {
        return;
    }
    let (meter, reader) = (
        line_program("be_meter", "serial"),
        line_program("read_meter", "serial"),
    );
    // Two pseudo-terminals, whose far ends are joined here.
    let (one, one_name) = terminal();
    let (two, two_name) = terminal();
    let mut meter = Command::new(meter)
        .args(["serial", &one_name, "9600", "202106000123"])
        .spawn()
        .expect("the meter runs");
    for (mut from, mut to) in [
        (one.try_clone(), two.try_clone()),
        (two.try_clone(), one.try_clone()),
    ]
    .map(|(from, to)| (from.expect("a copy"), to.expect("a copy")))
    {
        std::thread::spawn(move || {
            // Until nobody holds the near end any more.
            let mut bytes = [0; 256];
            loop {
                match from.read(&mut bytes) {
                    Ok(len) if len > 0 => {
                        if to.write_all(&bytes[..len]).is_err() {
                            return;
                        }
                    }
                    _ => std::thread::sleep(std::time::Duration::from_millis(5)),
                }
            }
        });
    }
    judge(&native::run(Command::new(reader).args([
        "serial",
        &two_name,
        "9600",
        "202106000123",
    ])));
    meter.kill().expect("the meter still runs");
    meter.wait().expect("the meter ends");
}

/// Built under a name of its own: the tests run at once.
pub fn line_program(name: &str, line: &str) -> PathBuf {
    let flags = [SANITIZED[0], SANITIZED[1], "-std=c99"];
    native::build(
        "cc",
        &flags,
        &[source(&format!("examples/{name}.c"))],
        &format!("{name}-{line}"),
    )
}

/// The far end of a new pseudo-terminal and the name of the near one.
fn terminal() -> (File, String) {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let far = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudo-terminal");
    grantpt(&far).expect("it is ours");
    unlockpt(&far).expect("it opens");
    let name = ptsname(&far, Vec::new()).expect("its name");
    (File::from(far), name.into_string().expect("text"))
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
