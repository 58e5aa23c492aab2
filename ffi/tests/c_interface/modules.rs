//! Modules left out: the library builds with each module alone and with none, the header compiles with the rest left
//! out, and it declares what the library then exports.

use std::collections::BTreeSet;
use std::process::Command;

use crate::native;

/// The modules, as the features of the crate.
fn modules() -> Vec<String> {
    let file = native::folder().join("Cargo.toml");
    let text = std::fs::read_to_string(file).expect("the manifest");
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("default = ["))
        .expect("the default features");
    let names = line.trim_end_matches(']').split(", ");
    names
        .map(|name| name.trim_matches('"').to_owned())
        .collect()
}

/// Functions that the header declares under these definitions.
fn declared(without: &[String]) -> BTreeSet<String> {
    let header = native::folder().join("include/meter.h");
    let mut compiler = Command::new("cc");
    compiler
        .args(["-E", "-P", "-std=c99", "-x", "c"])
        .args(without)
        .arg(header);
    let text = native::run(&mut compiler);
    // A declaration is `name(`, a callback `(*name)(`.
    let heads = text.split('(').map(|head| {
        let start = head.rfind(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        head.get(start.map_or(0, |at| at + 1)..).unwrap_or_default()
    });
    heads
        .filter(|name| name.starts_with("mtr_"))
        .map(str::to_owned)
        .collect()
}

/// Functions that the library exports with these modules.
fn exported(modules: &[&String]) -> BTreeSet<String> {
    let target = native::scratch().join("modules");
    let list: Vec<&str> = modules.iter().map(|module| module.as_str()).collect();
    let status = Command::new(env!("CARGO"))
        .args(["rustc", "--quiet", "--locked", "--package", "meterkit-ffi"])
        .args(["--lib", "--crate-type", "cdylib", "--no-default-features"])
        .args(["--features", &list.join(","), "--target-dir"])
        .arg(&target)
        .current_dir(native::folder())
        .status()
        .expect("cargo runs");
    assert!(status.success(), "the library does not build with {list:?}");
    let mut nm = Command::new("nm");
    nm.args(["--dynamic", "--defined-only", "--extern-only"])
        .arg(target.join("debug/libmeterkit_ffi.so"));
    let listed = native::run(&mut nm);
    let symbols = listed
        .lines()
        .filter_map(|line| line.split_whitespace().last());
    symbols
        .filter(|symbol| symbol.starts_with("mtr_"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_module_stands_alone() {
    if !native::have_compiler("modules alone") {
        return;
    }
    let all = modules();
    assert!(all.len() >= 4, "{all:?}");
    let file = native::scratch().join("modules.c");
    std::fs::write(&file, "#include \"meter.h\"\n").expect("the source is written");
    let alone = all.iter().map(|module| vec![module]);
    let mut seen = BTreeSet::new();
    for chosen in alone.chain([Vec::new()]) {
        let without: Vec<String> = all
            .iter()
            .filter(|module| !chosen.contains(module))
            .map(|module| {
                let name = module.to_uppercase().replace('-', "_");
                format!("-DMTR_WITHOUT_{name}")
            })
            .collect();
        for (compiler, standard) in [("cc", "-std=c99"), ("c++", "-std=c++11")] {
            let mut alone = Command::new(compiler);
            alone
                .args([standard, "-Wall", "-Wextra", "-Wpedantic", "-Werror"])
                .args(["-fsyntax-only", "-x"])
                .arg(if compiler == "cc" { "c" } else { "c++" })
                .args(&without)
                .arg("-I")
                .arg(native::folder().join("include"))
                .arg(&file);
            native::run(&mut alone);
        }
        let declared = declared(&without);
        assert!(declared.contains("mtr_abi_version"), "{chosen:?}");
        assert_eq!(
            exported(&chosen),
            declared,
            "symbols of the library and functions of the header with {chosen:?} alone"
        );
        seen.extend(declared);
    }
    // Nothing wants two modules at once.
    assert_eq!(
        seen,
        self::declared(&[]),
        "functions of one module or of none"
    );
}
