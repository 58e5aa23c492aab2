//! The memory of the board that belongs to the target.

use std::path::PathBuf;
use std::{env, fs};

fn main() {
    let target = env::var("TARGET").unwrap_or_default();
    println!("cargo::rustc-check-cfg=cfg(board, values(\"mps2_an386\", \"microbit\"))");
    // Ticks of SysTick: 25 MHz on the one, 16 MHz on the other.
    let (board, memory) = match target.as_str() {
        "thumbv7em-none-eabihf" => (
            "mps2_an386",
            "FLASH : ORIGIN = 0, LENGTH = 4M RAM : ORIGIN = 0x20000000, LENGTH = 4M",
        ),
        "thumbv6m-none-eabi" => (
            "microbit",
            "FLASH : ORIGIN = 0, LENGTH = 256K RAM : ORIGIN = 0x20000000, LENGTH = 16K",
        ),
        _ => panic!(
            "no board is known for the target {target}: use thumbv7em-none-eabihf or thumbv6m-none-eabi"
        ),
    };
    println!("cargo::rustc-cfg=board=\"{board}\"");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    fs::write(out.join("memory.x"), format!("MEMORY {{ {memory} }}\n"))
        .expect("the memory layout can be written");
    println!("cargo::rustc-link-search={}", out.display());
    println!("cargo::rustc-link-arg-bins=-Tlink.x");
    println!("cargo::rerun-if-changed=build.rs");
}
