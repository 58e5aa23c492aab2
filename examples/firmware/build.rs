//! Chooses the board by the target: its memory for the linker, its name for the source.

use std::path::PathBuf;
use std::{env, fs};

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
    fs::copy(PathBuf::from("boards").join(file), out.join("memory.x"))
        .expect("the memory layout can be copied");
    println!("cargo::rustc-link-search={}", out.display());
    println!("cargo::rustc-link-arg-bins=-Tlink.x");
    println!("cargo::rerun-if-changed=boards/{file}");
    println!("cargo::rerun-if-changed=build.rs");
}
