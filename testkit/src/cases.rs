//! Finds and reads case files: JSON in the project's `vectors/` folder, and the larger collection
//! that may lie beside the project in `../shared/vectors`.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// The project's own `vectors/` folder.
pub fn folder() -> PathBuf {
    root().join("vectors")
}

/// The folder `../shared/vectors` beside the project, when it is there.
pub fn shared_folder() -> Option<PathBuf> {
    let folder = root().parent()?.join("shared/vectors");
    folder.is_dir().then_some(folder)
}

/// The folder `../shared/waveforms` beside the project, when it is there.
pub fn shared_waveforms() -> Option<PathBuf> {
    let folder = root().parent()?.join("shared/waveforms");
    folder.is_dir().then_some(folder)
}

/// Reads `vectors/<name>`.
///
/// # Panics
/// When the file is missing or is not JSON: the project's own cases must be there.
pub fn load(name: &str) -> Value {
    read(&folder().join(name))
}

/// Reads `../shared/vectors/<name>`; `None`, with a line on standard error, when it is not there.
///
/// # Panics
/// When the file is there and is not JSON.
pub fn load_shared(name: &str) -> Option<Value> {
    let path = shared_folder()
        .map(|folder| folder.join(name))
        .filter(|path| path.is_file());
    if path.is_none() {
        eprintln!("skipped: no ../shared/vectors/{name} beside the project");
    }
    path.map(|path| read(&path))
}

/// The rows under `cases`, or the file itself when it is a list.
pub fn cases(file: &Value) -> &[Value] {
    file.get("cases")
        .unwrap_or(file)
        .as_array()
        .map_or(&[], Vec::as_slice)
}

/// The bytes of a hex string; spaces are ignored.
///
/// # Panics
/// When the text is not hex: a broken case file is a broken test.
pub fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| {
            c.to_digit(16)
                .unwrap_or_else(|| panic!("`{text}` is not hex"))
        })
        .collect();
    assert!(digits.len().is_multiple_of(2), "`{text}` has half a byte");
    digits
        .chunks(2)
        .map(|pair| (pair[0] * 16 + pair[1]) as u8)
        .collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map(Path::to_path_buf)
        .unwrap_or_default()
}

fn read(path: &Path) -> Value {
    let text =
        std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::{cases, hex};

    #[test]
    fn hex_and_rows() {
        assert_eq!(hex("68 aB"), [0x68, 0xAB]);
        assert_eq!(cases(&serde_json::json!({"cases": [1, 2]})).len(), 2);
        assert_eq!(cases(&serde_json::json!([1])).len(), 1);
        assert!(cases(&serde_json::json!({})).is_empty());
    }
}
