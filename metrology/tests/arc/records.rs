//! Recorded waves with a voltage and a current.

use std::path::Path;

use serde_json::Value;

pub struct Record {
    pub name: String,
    /// Samples of the first voltage and the first current, widened to 24 bits.
    pub samples: Vec<(i32, i32)>,
    /// Volts and amperes of a count.
    pub scale: (f64, f64),
}

/// All records of a folder that have both.
pub fn read(folder: &Path) -> Vec<Record> {
    let mut records = Vec::new();
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("a folder that lists")
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "i32"))
        .collect();
    files.sort();
    for file in files {
        let text = std::fs::read(file.with_extension("json")).expect("a sidecar");
        let sidecar: Value = serde_json::from_slice(&text).expect("JSON");
        let names: Vec<&str> = sidecar["channels"]
            .as_array()
            .expect("channels")
            .iter()
            .map(|channel| channel["name"].as_str().expect("a name"))
            .collect();
        let place = |name| names.iter().position(|found| *found == name);
        let (Some(u), Some(i)) = (place("u1"), place("i1")) else {
            continue;
        };
        let bytes = std::fs::read(&file).expect("samples");
        let numbers: Vec<i32> = bytes
            .chunks_exact(4)
            .map(|word| i32::from_le_bytes(word.try_into().expect("four bytes")))
            .collect();
        let frames = || numbers.chunks_exact(names.len());
        let scale = |channel: usize| {
            sidecar["channels"][channel]["scale"]
                .as_f64()
                .expect("a scale")
        };
        let shift = |channel: usize| {
            let peak = frames()
                .map(|frame| frame[channel].unsigned_abs())
                .max()
                .unwrap_or(1);
            (8_388_607 / peak.max(1)).checked_ilog2().unwrap_or(0)
        };
        let (wide_u, wide_i) = (shift(u), shift(i));
        records.push(Record {
            name: file
                .file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned(),
            samples: frames()
                .map(|frame| (frame[u] << wide_u, frame[i] << wide_i))
                .collect(),
            scale: (
                scale(u) / f64::from(1 << wide_u),
                scale(i) / f64::from(1 << wide_i),
            ),
        });
    }
    records
}
