//! Chooses the board by the target: its memory for the linker, its name for the source.

use std::path::{Path, PathBuf};
use std::{env, fs};

/// Images that start by themselves.
const IMAGES: [&str; 5] = [
    "boot",
    "management",
    "metering",
    "metering-live",
    "metering-three",
];
/// Images that the boot stage starts.
const PROGRAMS: [&str; 4] = [
    "management-faulty",
    "management-hostile",
    "management-live",
    "management-shaky",
];

/// Gives an image the memory in a file of `boards`.
fn memory(folder: &Path, file: &str, image: &str) {
    fs::create_dir_all(folder)
        .and_then(|()| fs::copy(Path::new("boards").join(file), folder.join("memory.x")))
        .expect("the memory layout can be copied");
    println!("cargo::rustc-link-arg-bin={image}=-L{}", folder.display());
}

fn main() {
    let target = env::var("TARGET").unwrap_or_default();
    println!("cargo::rustc-check-cfg=cfg(board, values(\"mps2_an386\", \"microbit\"))");
    let (file, board) = match target.as_str() {
        "thumbv7em-none-eabihf" => ("mps2-an386.x", "mps2_an386"),
        "thumbv6m-none-eabi" => ("microbit.x", "microbit"),
        _ => panic!(
            "no board is known for the target {target}: use thumbv7em-none-eabihf or thumbv6m-none-eabi"
        ),
    };
    println!("cargo::rustc-cfg=board=\"{board}\"");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    for image in IMAGES {
        memory(&out.join("alone"), file, image);
    }
    for program in PROGRAMS {
        memory(&out.join("program"), "mps2-an386-program.x", program);
    }
    println!("cargo::rustc-link-arg-bins=-Tlink.x");
    println!("cargo::rerun-if-changed=boards");
    println!("cargo::rerun-if-changed=build.rs");
}
