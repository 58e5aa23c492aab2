//! Distortion and subgroups of every channel that has a fundamental.

use anyhow::Context;
use metrology::pq::{
    EMPTY_BUFFER, Grouping, Orders, Phasor, Resampler, Selection, Spectrum, Tracker, cycles_of,
};
use serde_json::Value;

use super::{Channel, Check, oracle};

/// THD within this, absolute (README of the records).
const THD: f64 = 5e-4;
/// Orders within this part of the reading or that part of the fundamental (budget of the software alone).
const READING: f64 = 0.01;
const FUNDAMENTAL: f64 = 1e-4;
/// Orders of the detectors.
const ORDERS: usize = 40;

/// THD over the window of the reference by detectors of orders; the reference's subgroups of the first
/// 10/12-cycle window by the plain sum over the samples; subgroups of a later window by transform, against a
/// long interpolation of the same samples. (Cut inside a sample, the plain sum itself leaves up to 0.03 % of the
/// fundamental in high orders.)
pub fn checks(
    sidecar: &Value,
    reference: &Value,
    channels: &[Channel],
    frames: &[&[i32]],
) -> anyhow::Result<Vec<Check>> {
    let rate = sidecar["sample_rate_hz"]
        .as_f64()
        .context("sample_rate_hz")?;
    let nominal = sidecar["nominal_hz"].as_f64().context("nominal_hz")?;
    let Some(frequency) = reference["frequency_hz"].as_f64() else {
        return Ok(Vec::new());
    };
    let grid = Grid {
        rate,
        rate_mhz: (rate * 1000.0).round() as u32,
        frequency,
        per_window: cycles_of((nominal * 1000.0) as u32),
        cycles: reference["window"]["cycles"].as_u64().context("cycles")? as u16,
        highest: reference["thd_highest_order"].as_u64().context("highest")? as usize,
    };
    let mut checks = Vec::new();
    for channel in channels {
        let entry = &reference["channels"][&channel.name];
        // Up to the top of 24 bits: detectors take the upper 16.
        let peak = frames
            .iter()
            .map(|f| f[channel.at].unsigned_abs())
            .max()
            .unwrap_or(0);
        let shift = peak.max(1).leading_zeros().saturating_sub(9);
        // The mean goes first, like an offset by calibration: the reference takes it off too.
        let sum: i64 = frames
            .iter()
            .map(|f| i64::from(f[channel.at] << shift))
            .sum();
        let mean = (sum / frames.len().max(1) as i64) as i32;
        let wave: Vec<[i32; 1]> = frames
            .iter()
            .map(|f| [(f[channel.at] << shift) - mean])
            .collect();
        let unit = channel.unit * f64::from(1 << channel.shift) / f64::from(1 << shift);
        checks.extend(grid.distortion(entry, &channel.name, &wave));
        checks.extend(grid.subgroups(entry, &channel.name, &wave, unit)?);
    }
    Ok(checks)
}

/// Rate and window of a record.
struct Grid {
    rate: f64,
    rate_mhz: u32,
    frequency: f64,
    per_window: u8,
    cycles: u16,
    highest: usize,
}

impl Grid {
    fn tracker(&self) -> Tracker {
        Tracker::fixed(self.rate_mhz, (self.frequency * 1e6).round() as u32)
    }

    fn distortion(&self, entry: &Value, name: &str, wave: &[[i32; 1]]) -> Option<Check> {
        let want = entry["thd_f_pct"].as_f64()? / 100.0;
        let mut tracker = self.tracker();
        let mut orders = Orders::<ORDERS>::new(Selection::All, self.cycles, 8);
        let (mut rest, mut window) = (wave, None);
        while !rest.is_empty() && window.is_none() {
            let span = tracker.process(rest, 0);
            window = orders.process(&rest[..span.used], &span, 0);
            rest = &rest[span.used..];
        }
        let mut window = window?;
        for phasor in window.phasors.iter_mut().skip(self.highest) {
            *phasor = Phasor::default();
        }
        let got = f64::from(window.thd_ppm()?) / 1e6;
        Some(Check {
            what: format!("THD {name}"),
            got,
            want,
            error: (got - want).abs(),
            bound: THD,
        })
    }

    fn subgroups(
        &self,
        entry: &Value,
        name: &str,
        wave: &[[i32; 1]],
        unit: f64,
    ) -> anyhow::Result<Vec<Check>> {
        let Some(list) = entry["iec61000_4_7_subgroups"]["rms_by_order_from_1"].as_array() else {
            return Ok(Vec::new());
        };
        let values: Vec<f64> = wave.iter().map(|[x]| f64::from(*x) * unit).collect();
        let bins = usize::from(self.per_window);
        let length = f64::from(self.per_window) * self.rate / self.frequency;
        let subgroup = |order: usize, bin: &dyn Fn(usize) -> f64| {
            let bins = order * bins - 1..=order * bins + 1;
            bins.map(|k| bin(k).powi(2)).sum::<f64>().sqrt()
        };
        let mut checks = Vec::new();
        let fundamental = list.first().and_then(Value::as_f64).context("order 1")?;
        let mut push = |order: usize, got: f64, want: f64| {
            checks.push(Check {
                what: format!("order {order} of {name}"),
                got,
                want,
                error: (got - want).abs() / fundamental,
                bound: f64::max(READING * want / fundamental, FUNDAMENTAL),
            });
        };
        for (order, want) in (1..).zip(list) {
            let plain = subgroup(order, &|bin| oracle::bin(&values, 0.0, length, bin));
            push(order, plain, want.as_f64().context("subgroup")?);
        }
        // So far on that the filters have samples in front of the window.
        let cycle = self.rate / self.frequency;
        let before = (oracle::REACH as f64 / cycle).ceil();
        let Some(wanted) = oracle::Interpolated::new(&values, before * cycle, length) else {
            return Ok(checks);
        };
        let mut tracker = self.tracker();
        let mut resampler = Resampler::new(self.rate_mhz, self.per_window);
        let mut buffers = [EMPTY_BUFFER];
        let mut result = None;
        let mut edges = 0;
        let mut rest = wave;
        while !rest.is_empty() && result.is_none() {
            let span = tracker.process(rest, 0);
            resampler.process(
                &rest[..span.used],
                &span,
                &mut buffers,
                |[buffer], sampled| {
                    let spectrum = Spectrum::transform(buffer, sampled);
                    let orders = 1..=spectrum.highest_order().min(list.len() as u8);
                    let rms = |order| {
                        f64::from(spectrum.harmonic(order, Grouping::Subgroup)) / 256.0 * unit
                    };
                    result = Some(orders.map(rms).collect::<Vec<_>>());
                },
            );
            if let Some(edge) = span.edge {
                edges += 1;
                if f64::from(edges) == 2.0 * before {
                    resampler.restart(edge.rising);
                }
            }
            rest = &rest[span.used..];
        }
        for (order, got) in (1..).zip(result.unwrap_or_default()) {
            push(order, got, subgroup(order, &|bin| wanted.bin(bin)));
        }
        Ok(checks)
    }
}
