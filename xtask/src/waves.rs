//! Recorded waves: every record of a folder through `metrology`, compared with its reference values.
//!
//! A record is `<id>.json` (sidecar), `<id>.i32` (raw frames) and `<id>.ref.json` (reference in double
//! precision). The meter runs over the steady part twice, in integers: first with its own zero crossings,
//! which gives the frequency; then with whole cycles of that frequency from the first frame on, which is the
//! longest window of the record and the one the reference takes. The sidecar's scale factors become the
//! calibration; floats appear only in that conversion and in the comparison.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};
use metrology::{
    Calibration, FULL_SCALE, Gain, Meter, NeutralParameters, Parameters, Quantities, Sample, Sync,
    Window,
};
use serde_json::{Value, json};

use crate::vectors::Outcome;

mod events;
mod harmonics;
mod oracle;
mod picture;

/// What deviation is let pass.
#[derive(Clone, Copy)]
struct Bounds {
    /// Of rms values, relative.
    rms: f64,
    /// Of P and Q1, part of S.
    power: f64,
    /// Of the frequency, hertz.
    frequency: f64,
    /// Why a bound is wider than usual; empty when none is.
    reason: &'static str,
}

impl Bounds {
    /// Section 11.8 of the proof plan: 0.02 %, and 5 mHz or, for about eight cycles, 20 mHz.
    fn of(cycles: f64) -> Self {
        Self {
            rms: 2e-4,
            power: 2e-4,
            frequency: if cycles > 25.0 { 5e-3 } else { 20e-3 },
            reason: "",
        }
    }
}

/// One compared value.
struct Check {
    what: String,
    got: f64,
    want: f64,
    /// Deviation in the unit of the bound.
    error: f64,
    bound: f64,
}

/// Runs every record of a folder, and draws its errors when a file for the picture is named.
///
/// # Errors
/// Only when the folder or a record of it cannot be read, or the picture not be written; deviations are in the outcome.
pub fn run(dir: &Path, json: bool, picture: Option<&Path>) -> anyhow::Result<Outcome> {
    let mut names: Vec<_> = fs::read_dir(dir)
        .with_context(|| format!("folder {}", dir.display()))?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(".ref.json").map(str::to_owned))
        .collect();
    names.sort();
    let mut outcome = Outcome::default();
    let mut drawn = Vec::new();
    for id in names {
        let (checks, bounds) = record(dir, &id).with_context(|| format!("record {id}"))?;
        let bad: Vec<_> = checks
            .iter()
            .filter(|check| check.error.is_nan() || check.error > check.bound)
            .map(|c| {
                format!(
                    "{} expected {} got {} (off by {:.2e}, bound {:.0e})",
                    c.what, c.want, c.got, c.error, c.bound
                )
            })
            .collect();
        let worst = |what: &str| {
            checks
                .iter()
                .filter(|c| c.what.starts_with(what))
                .map(|c| c.error)
                .fold(f64::NAN, f64::max)
        };
        let row = [
            ("rms", worst("rms")),
            ("p", worst("P ")),
            ("q1", worst("Q1")),
            ("frequency_hz", worst("f ")),
            ("thd", worst("THD")),
            ("orders", worst("order")),
            ("urms_half", worst("Urms(1/2)")),
            ("event", worst("event")),
        ];
        if json {
            let errors: BTreeMap<_, _> = row
                .iter()
                .filter(|(_, v)| !v.is_nan())
                .map(|(k, v)| (*k, json!(v)))
                .collect();
            // One line per record, the outcome follows as the last one.
            println!(
                "{}",
                json!({ "id": id, "passed": bad.is_empty(), "errors": errors, "allowance": bounds.reason })
            );
        } else {
            let text: Vec<_> = row
                .iter()
                .filter(|(_, v)| !v.is_nan())
                .map(|(k, v)| match *k {
                    "frequency_hz" => format!("f {:.1} mHz", v * 1e3),
                    // Half cycles by which an edge of an event lies elsewhere.
                    "event" => format!("event {v}"),
                    _ => format!("{k} {:.4} %", v * 100.0),
                })
                .collect();
            let verdict = if bad.is_empty() { "ok  " } else { "FAIL" };
            println!("{verdict} {id:24} {} {}", text.join("  "), bounds.reason);
        }
        if bad.is_empty() {
            outcome.passed += 1;
        } else {
            outcome.failed.push(format!("{id}: {}", bad.join("; ")));
        }
        drawn.push((id, picture::parts(&checks)));
    }
    if let Some(path) = picture {
        picture::draw(path, &drawn)?;
    }
    Ok(outcome)
}

/// A channel of the record and where it goes.
struct Channel {
    name: String,
    /// Position in a frame.
    at: usize,
    shift: u32,
    /// Unit of one shifted count.
    unit: f64,
}

fn record(dir: &Path, id: &str) -> anyhow::Result<(Vec<Check>, Bounds)> {
    let parse = |name: String| -> anyhow::Result<Value> {
        Ok(serde_json::from_str(&fs::read_to_string(dir.join(name))?)?)
    };
    let sidecar = parse(format!("{id}.json"))?;
    let reference = parse(format!("{id}.ref.json"))?;
    let raw = fs::read(dir.join(sidecar["file"].as_str().context("file")?))?;
    let raw: Vec<i32> = raw
        .as_chunks::<4>()
        .0
        .iter()
        .map(|bytes| i32::from_le_bytes(*bytes))
        .collect();
    let described = sidecar["channels"].as_array().context("channels")?;
    ensure!(
        !described.is_empty() && raw.len().is_multiple_of(described.len()),
        "frames are not whole"
    );
    let all: Vec<&[i32]> = raw.chunks_exact(described.len()).collect();
    let mut frames = all.clone();
    if let Some(window) = sidecar["steady_window"].as_array() {
        let at = |k: usize| {
            window
                .get(k)
                .and_then(Value::as_u64)
                .context("steady_window")
        };
        let (first, count) = (at(0)? as usize, at(1)? as usize);
        frames = frames
            .get(first..first + count)
            .context("steady_window outside the record")?
            .to_vec();
    }
    let fundamental = sidecar["has_fundamental"].as_bool().unwrap_or(true);
    let named = described
        .iter()
        .enumerate()
        .map(|(at, channel)| {
            let scale = channel["scale"].as_f64().context("scale")?;
            Ok((
                at,
                channel["name"].as_str().context("name")?.to_owned(),
                scale,
            ))
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    let peak = |letter: char| {
        let places = named
            .iter()
            .filter(|(_, name, _)| name.starts_with(letter))
            .map(|(at, ..)| *at);
        places
            .flat_map(|at| frames.iter().map(move |frame| frame[at].unsigned_abs()))
            .max()
            .unwrap_or(0)
    };
    // Counts of a 16-bit converter go to the top of the 24 bits; finer ones are taken as they are.
    let shift = |letter: char| {
        if fundamental && peak(letter) < 1 << 15 {
            8
        } else {
            0
        }
    };
    let (u_shift, i_shift) = (shift('u'), shift('i'));
    let channels: Vec<_> = named
        .into_iter()
        .map(|(at, name, scale)| {
            let shift = if name.starts_with('u') {
                u_shift
            } else {
                i_shift
            };
            Channel {
                name,
                at,
                shift,
                unit: scale / f64::from(1_u32 << shift),
            }
        })
        .collect();
    let phases = channels
        .iter()
        .filter(|c| c.name != "u1" && c.name != "i1")
        .count();
    let (mut checks, bounds, searched) = if phases == 0 {
        compare::<1>(&sidecar, &reference, &channels, &frames)?
    } else {
        compare::<3>(&sidecar, &reference, &channels, &frames)?
    };
    checks.extend(events::checks(&sidecar, &reference, &channels, &all)?);
    // Orders of a frequency that the record does not have say nothing about it.
    if searched {
        checks.extend(harmonics::checks(&sidecar, &reference, &channels, &frames)?);
    }
    Ok((checks, bounds))
}

/// Base unit (1e-9) of a group and the gains against it, so that base · gain is each channel's unit exactly enough.
fn scale(channels: &[Option<&Channel>]) -> (u32, Vec<Gain>) {
    let largest = channels
        .iter()
        .flatten()
        .map(|c| c.unit * 1e9)
        .fold(1.0, f64::max);
    let base = largest.ceil();
    (
        base as u32,
        channels
            .iter()
            .map(|c| c.map_or(Gain::ONE, |c| gain(c.unit, base as u32)))
            .collect(),
    )
}

/// Gain in Q2.30 that makes a unit out of a base in 1e-9.
fn gain(unit: f64, base: u32) -> Gain {
    Gain::from_bits((unit * 1e9 / f64::from(base) * f64::from(1_u32 << 30)).round() as u32)
}

/// Quantities and frequency; whether the record's frequency lies in the band that the reference searches.
fn compare<const PHASES: usize>(
    sidecar: &Value,
    reference: &Value,
    channels: &[Channel],
    frames: &[&[i32]],
) -> anyhow::Result<(Vec<Check>, Bounds, bool)> {
    let find = |name: &str| channels.iter().find(|c| c.name == name);
    let number = |k: usize, letter: &str| find(&format!("{letter}{}", k + 1));
    // A record without a third voltage may have a residual one, which then takes its place.
    let mut u: Vec<_> = (0..PHASES).map(|k| number(k, "u")).collect();
    let residual_is_third = PHASES == 3 && u[2].is_none();
    if residual_is_third {
        u[2] = find("u4");
    }
    let i: Vec<_> = (0..PHASES).map(|k| number(k, "i")).collect();
    let neutral = find("i4");

    let rate = sidecar["sample_rate_hz"]
        .as_f64()
        .context("sample_rate_hz")?;
    let nominal = sidecar["nominal_hz"].as_f64().context("nominal_hz")?;
    let mut p =
        Parameters::<PHASES>::new((rate * 1000.0).round() as u32, (nominal * 1000.0) as u32);
    p.window = Window::Longest;
    if u.iter().all(Option::is_none) {
        p.sync = Sync::Current(0);
    }
    let (voltage_nv, voltage_gains) = scale(&u);
    let (current_na, current_gains) = scale(&i);
    (p.voltage_nv, p.current_na) = (voltage_nv, current_na);
    for (k, phase) in p.phase.iter_mut().enumerate() {
        (phase.voltage_gain, phase.current_gain) = (voltage_gains[k], current_gains[k]);
    }
    p.neutral = neutral.map(|channel| NeutralParameters {
        gain: gain(channel.unit, current_na),
        offset: 0,
    });
    let value =
        |channel: Option<&Channel>, frame: &[i32]| channel.map_or(0, |c| frame[c.at] << c.shift);
    let block: Vec<_> = frames
        .iter()
        .map(|frame| Sample {
            u: std::array::from_fn(|k| value(u[k], frame)),
            i: std::array::from_fn(|k| value(i[k], frame)),
            n: value(neutral, frame),
        })
        .collect();
    ensure!(
        block
            .iter()
            .flat_map(|s| s.u.iter().chain(&s.i))
            .all(|x| x.abs() <= FULL_SCALE),
        "beyond 24 bits"
    );
    // Like the reference, the window leaves the last frame out unless a cycle needs a part of it.
    let block = block.split_last().map_or(&block[..], |(_, rest)| rest);
    let own = measure(p, block)?;
    let measured = own.frequency_uhz.map(|f| f64::from(f) / 1e6);
    let expected = reference["frequency_hz"].as_f64();
    let odd = measured.is_some_and(|f| !(0.8 * nominal..=1.2 * nominal).contains(&f));
    let frequency = if odd { expected } else { measured }.unwrap_or(nominal);
    p.sync = Sync::Fixed((frequency * 1e6).round() as u32);
    let whole = measure(p, block)?;
    let mut bounds = Bounds::of(reference["window"]["cycles"].as_f64().unwrap_or(0.0));
    let spread = ["max", "min"].map(|side| {
        reference[format!("frequency_10_cycle_{side}_hz")]
            .as_f64()
            .unwrap_or(0.0)
    });
    let mut expected = expected;
    if odd {
        let reference_channel = sidecar["reference_channel"].as_str().and_then(find);
        let channel = reference_channel.context("reference_channel")?;
        let wave: Vec<f64> = frames
            .iter()
            .map(|frame| f64::from(frame[channel.at]))
            .collect();
        let (inside, real) = oracle::frequency(&wave, rate, nominal);
        // The oracle is the reference's method: in the reference's band it must find the same.
        bounds.reason = "frequency by the method of the reference over 0.5 to 2 of nominal (it searches 0.8 to 1.2), and half of its change allowed";
        let expected_inside = expected.replace(real).context("frequency_hz")?;
        ensure!(
            (inside - expected_inside).abs() < 1e-3,
            "the oracle finds {inside} Hz where the reference has {expected_inside} Hz"
        );
        // A machine that slows down has no one frequency: what it changes within the record's window is allowed.
        let half = wave.len() / 2;
        let parts =
            [&wave[..half], &wave[half..]].map(|part| oracle::frequency(part, rate, nominal).1);
        bounds.frequency = bounds.frequency.max((parts[0] - parts[1]).abs() / 2.0);
    } else if spread[0] - spread[1] > 2.0 * bounds.frequency && bounds.frequency < 10e-3 {
        bounds.frequency = (spread[0] - spread[1]) / 2.0;
        bounds.reason = "frequency drifts: half the spread of its 10-cycle values allowed";
    }
    let frequency = measured.zip(expected);
    let checks = checks(reference, &whole, &u, &i, frequency, bounds);
    Ok((checks, bounds, !odd))
}

/// Quantities of the longest window that the meter finds in a record.
fn measure<const PHASES: usize>(
    p: Parameters<PHASES>,
    block: &[Sample<PHASES>],
) -> anyhow::Result<Quantities<PHASES>> {
    let calibration = Calibration::try_new(p)?;
    let mut meter = Meter::new(&calibration);
    let mut windows = 0;
    for part in block.chunks(64) {
        windows += meter.process(&calibration, part).windows;
    }
    ensure!(windows > 0, "no whole cycle in the record");
    Ok(*meter.quantities())
}

fn checks<const PHASES: usize>(
    reference: &Value,
    got: &Quantities<PHASES>,
    u: &[Option<&Channel>],
    i: &[Option<&Channel>],
    frequency: Option<(f64, f64)>,
    bounds: Bounds,
) -> Vec<Check> {
    let mut checks = Vec::new();
    // Results are rounded to millionths: half of one is no deviation.
    let mut push = |what: String, got: f64, want: Option<f64>, part_of: f64, bound: f64| {
        let Some(want) = want else { return };
        checks.push(Check {
            what,
            got,
            want,
            error: ((got - want).abs() - 0.5e-6).max(0.0) / part_of,
            bound,
        });
    };
    let rms = |name: &str| reference["channels"][name]["rms_ac"].as_f64();
    for (k, line) in got.phase.iter().enumerate() {
        for (channel, micro) in [(u[k], line.voltage_uv), (i[k], line.current_ua)] {
            let Some(channel) = channel else { continue };
            let want = rms(&channel.name);
            push(
                format!("rms {}", channel.name),
                micro as f64 / 1e6,
                want,
                want.unwrap_or(1.0),
                bounds.rms,
            );
        }
        let pair = &reference["pairs"][format!("u{}*i{}", k + 1, k + 1)];
        if let Some(apparent) = pair["s_va"].as_f64() {
            let micro = |v: i64| v as f64 / 1e6;
            push(
                format!("P {}", k + 1),
                micro(line.active_uw),
                pair["p_w"].as_f64(),
                apparent,
                bounds.power,
            );
            push(
                format!("Q1 {}", k + 1),
                micro(line.reactive_uvar),
                pair["q1_var"].as_f64(),
                apparent,
                bounds.power,
            );
        }
    }
    if let Some(micro) = got.neutral_ua {
        let want = rms("i4");
        push(
            "rms i4".into(),
            micro as f64 / 1e6,
            want,
            want.unwrap_or(1.0),
            bounds.rms,
        );
    }
    if let Some((measured, expected)) = frequency {
        push("f ".into(), measured, Some(expected), 1.0, bounds.frequency);
    }
    checks
}
