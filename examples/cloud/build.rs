//! Embeds the page: our modules, and the libraries that `npm ci` fetched into `web/node_modules`.
//!
//! Without the libraries the program still builds and serves a plain page that says what is missing.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Files of the libraries that the page loads, and the name under which it asks for them.
const LIBRARIES: [(&str, &str); 5] = [
    ("vendor/preact.js", "node_modules/preact/dist/preact.mjs"),
    (
        "vendor/preact-hooks.js",
        "node_modules/preact/hooks/dist/hooks.mjs",
    ),
    ("vendor/htm.js", "node_modules/htm/dist/htm.mjs"),
    ("vendor/uplot.js", "node_modules/uplot/dist/uPlot.esm.js"),
    ("vendor/uplot.css", "node_modules/uplot/dist/uPlot.min.css"),
];

fn main() {
    let web = PathBuf::from(
        std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo names the package folder"),
    )
    .join("web");
    let mut files: Vec<(String, PathBuf)> = Vec::new();
    let mut names: Vec<_> = std::fs::read_dir(&web)
        .expect("the web folder")
        .map(|entry| entry.expect("an entry of the web folder").path())
        .filter(|path| {
            path.extension().is_some_and(|kind| {
                ["js", "css", "html", "svg", "webmanifest"]
                    .iter()
                    .any(|known| kind == *known)
            })
        })
        .collect();
    names.sort();
    for path in names {
        files.push((
            path.file_name()
                .expect("a file name")
                .to_string_lossy()
                .into_owned(),
            path,
        ));
    }
    let complete = LIBRARIES.iter().all(|(_, from)| web.join(from).is_file());
    for (name, from) in LIBRARIES {
        let path = web.join(from);
        if complete {
            files.push((name.to_owned(), path));
        }
    }
    // Cargo looks into the whole folder: files that appear or go are seen too.
    println!("cargo::rerun-if-changed={}", web.display());

    let mut source = format!("pub(super) const COMPLETE: bool = {complete};\n");
    source.push_str("pub(super) const FILES: &[(&str, &[u8])] = &[\n");
    for (name, path) in &files {
        writeln!(
            source,
            "    ({name:?}, include_bytes!({:?})),",
            absolute(path)
        )
        .expect("a string");
    }
    source.push_str("];\n");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo names the output folder"));
    std::fs::write(out.join("web_files.rs"), source).expect("the output folder is writable");
}

fn absolute(path: &Path) -> String {
    path.to_str().expect("a path in Unicode").to_owned()
}
