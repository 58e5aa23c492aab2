//! Recorded waves: raw 32-bit files with a description beside them, and text tables.
//!
//! * `NAME.json` describes `NAME.i32`: little-endian 32-bit counts, channels interleaved; value = count · scale + offset.
//! * `NAME.csv` has a header line that names the channels (`u1`, `i1`, …, volts and amperes). The rate comes from a
//!   column `t`, `t_s` or `time` (seconds) or from the caller.
//!
//! Counts are kept as they are; a scale becomes an integer number of nanovolts and nanoamperes per count, by way
//! of a common shift that uses the 24 bits of the meter well. Constant offsets are dropped: the meter removes them anyway.

use std::path::{Path, PathBuf};

use metrology::{FULL_SCALE, Parameters, Sample, Window};
use serde::Deserialize;

/// Why a recording cannot be played.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordingError {
    /// A file cannot be read.
    #[error("{path} cannot be read: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// The description is not what it should be.
    #[error("the description {path} cannot be understood: {source}")]
    Description {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: serde_json::Error,
    },
    /// The table is not what it should be.
    #[error("the table {path} cannot be understood: {reason}")]
    Table {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// A channel is missing.
    #[error("the recording has no channel {name}")]
    Channel {
        /// The channel.
        name: String,
    },
    /// The rate is unknown or out of range.
    #[error("the sample rate is unknown or outside 600 to 64,000 samples per second")]
    Rate,
}

#[derive(Debug, Deserialize)]
struct Description {
    file: PathBuf,
    sample_rate_hz: f64,
    #[serde(default)]
    nominal_hz: Option<f64>,
    channels: Vec<Channel>,
}

#[derive(Debug, Deserialize)]
struct Channel {
    name: String,
    scale: f64,
}

/// A recording, ready to be metered.
#[derive(Clone, Debug)]
pub struct Recording<const P: usize> {
    /// Constants that fit the counts.
    pub parameters: Parameters<P>,
    /// The counts.
    pub samples: Vec<Sample<P>>,
}

/// Columns of values before they become counts.
struct Columns {
    rate_hz: f64,
    nominal_hz: f64,
    channels: Vec<(String, Vec<f64>, f64)>,
}

impl<const P: usize> Recording<P> {
    /// Reads `path`: a `.json` description, its `.i32` file, or a `.csv` table.
    ///
    /// `rate_hz` is for tables without a time column.
    ///
    /// # Errors
    /// [`RecordingError`]: files, descriptions, missing channels `u1..` and `i1..`, rate.
    pub fn read(path: &Path, rate_hz: Option<f64>) -> Result<Self, RecordingError> {
        let columns = match path.extension().and_then(|e| e.to_str()) {
            Some("csv") => read_table(path, rate_hz)?,
            Some("i32") => read_counts(&path.with_extension("json"))?,
            _ => read_counts(path)?,
        };
        Self::from_columns(&columns)
    }

    fn from_columns(columns: &Columns) -> Result<Self, RecordingError> {
        let rate_mhz = (columns.rate_hz * 1000.0).round();
        if !(600_000.0..=64_000_000.0).contains(&rate_mhz) {
            return Err(RecordingError::Rate);
        }
        let channel = |kind: char, phase: usize| {
            let name = format!("{kind}{}", phase + 1);
            columns
                .channels
                .iter()
                .find(|(n, ..)| *n == name)
                .ok_or(RecordingError::Channel { name })
        };
        let mut u = Vec::new();
        let mut i = Vec::new();
        for phase in 0..P {
            u.push(channel('u', phase)?);
            i.push(channel('i', phase)?);
        }
        let u_scale = Scale::fitting(&u);
        let i_scale = Scale::fitting(&i);
        let nominal = if (55.0..65.0).contains(&columns.nominal_hz) {
            60_000
        } else {
            50_000
        };
        let mut parameters = Parameters::<P>::new(rate_mhz as u32, nominal);
        parameters.voltage_nv = u_scale.nano;
        parameters.current_na = i_scale.nano;
        parameters.window = Window::Longest;
        for phase in &mut parameters.phase {
            phase.voltage_gain = metrology::Gain::from_bits(u_scale.gain);
            phase.current_gain = metrology::Gain::from_bits(i_scale.gain);
        }
        // Ten volts at the peak are the least signal that gives zero crossings.
        parameters.sync_level = ((10.0e9 / f64::from(u_scale.nano)) as u32).max(16);
        let frames = u
            .iter()
            .chain(&i)
            .map(|(_, v, _)| v.len())
            .min()
            .unwrap_or(0);
        let mut samples = Vec::with_capacity(frames);
        for frame in 0..frames {
            let mut sample = Sample::<P>::ZERO;
            for phase in 0..P {
                sample.u[phase] = u_scale.count(u[phase].1[frame]);
                sample.i[phase] = i_scale.count(i[phase].1[frame]);
            }
            samples.push(sample);
        }
        Ok(Self {
            parameters,
            samples,
        })
    }
}

/// From recorded counts to counts of 24 bits whose size is a whole number of nanounits times a gain.
struct Scale {
    /// Counts of ours for one recorded count: a power of two.
    widen: f64,
    nano: u32,
    /// Q2.30.
    gain: u32,
}

impl Scale {
    fn fitting(channels: &[&(String, Vec<f64>, f64)]) -> Self {
        let scale = channels.first().map_or(1.0, |c| c.2);
        let peak = channels
            .iter()
            .flat_map(|c| c.1.iter())
            .fold(1.0f64, |m, v| m.max(v.abs()));
        let mut widen = 1.0;
        // Half the range is left free; a count stays at or above one nanounit.
        while peak * widen * 4.0 < f64::from(FULL_SCALE) && scale * 1e9 / (widen * 2.0) >= 1000.0 {
            widen *= 2.0;
        }
        while peak * widen > f64::from(FULL_SCALE) {
            widen /= 2.0;
        }
        let exact = scale * 1e9 / widen;
        let nano = exact.round().clamp(1.0, 4e9);
        let gain = (exact / nano * f64::from(1u32 << 30)).round() as u32;
        Self {
            widen,
            nano: nano as u32,
            gain,
        }
    }

    fn count(&self, recorded: f64) -> i32 {
        (recorded * self.widen).round() as i32
    }
}

fn read_counts(path: &Path) -> Result<Columns, RecordingError> {
    let file = |path: &Path| {
        let path = path.to_owned();
        move |source| RecordingError::File { path, source }
    };
    let text = std::fs::read(path).map_err(file(path))?;
    let description: Description =
        serde_json::from_slice(&text).map_err(|source| RecordingError::Description {
            path: path.to_owned(),
            source,
        })?;
    // Only the file name counts: a description never names a file of another folder.
    let name = description
        .file
        .file_name()
        .map(PathBuf::from)
        .unwrap_or_default();
    let raw_path = path.with_file_name(name);
    let raw = std::fs::read(&raw_path).map_err(file(&raw_path))?;
    let width = description.channels.len().max(1);
    let mut channels: Vec<_> = description
        .channels
        .iter()
        .map(|c| (c.name.clone(), Vec::new(), c.scale))
        .collect();
    for (n, word) in raw.as_chunks::<4>().0.iter().enumerate() {
        channels[n % width]
            .1
            .push(f64::from(i32::from_le_bytes(*word)));
    }
    Ok(Columns {
        rate_hz: description.sample_rate_hz,
        nominal_hz: description.nominal_hz.unwrap_or(50.0),
        channels,
    })
}

fn read_table(path: &Path, rate_hz: Option<f64>) -> Result<Columns, RecordingError> {
    let bad = |reason: String| RecordingError::Table {
        path: path.to_owned(),
        reason,
    };
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .comment(Some(b'#'))
        .from_path(path)
        .map_err(|e| bad(e.to_string()))?;
    let names: Vec<String> = reader
        .headers()
        .map_err(|e| bad(e.to_string()))?
        .iter()
        .map(str::to_lowercase)
        .collect();
    let mut values: Vec<Vec<f64>> = vec![Vec::new(); names.len()];
    for (line, row) in reader.records().enumerate() {
        let row = row.map_err(|e| bad(e.to_string()))?;
        for (column, text) in values.iter_mut().zip(row.iter()) {
            let value: f64 = text
                .parse()
                .map_err(|_| bad(format!("line {}: {text:?} is no number", line + 2)))?;
            if !value.is_finite() || value.abs() > 1e6 {
                return Err(bad(format!("line {}: {text:?} is out of range", line + 2)));
            }
            column.push(value);
        }
    }
    let time = names
        .iter()
        .position(|n| matches!(n.as_str(), "t" | "t_s" | "time" | "time_s"));
    let from_time = time.and_then(|c| {
        let t = &values[c];
        let span = t.last()? - t.first()?;
        (span > 0.0).then(|| (t.len() - 1) as f64 / span)
    });
    let rate_hz = from_time.or(rate_hz).ok_or(RecordingError::Rate)?;
    // A table has volts and amperes: counts of 10 microvolts and 1 microampere keep every digit that matters.
    let channels = names
        .into_iter()
        .zip(values)
        .enumerate()
        .filter(|(c, _)| Some(*c) != time)
        .map(|(_, (name, values))| {
            let short = name
                .split(['_', ' ', '[', '('])
                .next()
                .unwrap_or("")
                .to_owned();
            let peak = values.iter().fold(0.0f64, |m, v| m.max(v.abs())).max(1e-3);
            let scale = scale_of_table(if short.starts_with('i') {
                peak.max(10.0)
            } else {
                peak.max(400.0)
            });
            (
                short,
                values.iter().map(|v| (v / scale).round()).collect(),
                scale,
            )
        })
        .collect::<Vec<_>>();
    Ok(Columns {
        rate_hz,
        nominal_hz: 50.0,
        channels: level(channels),
    })
}

/// A decimal step that keeps `peak` below half of 24 bits.
fn scale_of_table(peak: f64) -> f64 {
    let mut scale = 1e-6;
    while peak / scale > f64::from(FULL_SCALE) / 2.0 {
        scale *= 10.0;
    }
    scale
}

/// Gives all voltages one scale and all currents one scale: the coarsest of each.
fn level(mut channels: Vec<(String, Vec<f64>, f64)>) -> Vec<(String, Vec<f64>, f64)> {
    for kind in ['u', 'i'] {
        let coarse = channels
            .iter()
            .filter(|c| c.0.starts_with(kind))
            .fold(0.0f64, |m, c| m.max(c.2));
        for (_, values, scale) in channels.iter_mut().filter(|c| c.0.starts_with(kind)) {
            for value in values {
                *value = (*value * *scale / coarse).round();
            }
            *scale = coarse;
        }
    }
    channels
}
