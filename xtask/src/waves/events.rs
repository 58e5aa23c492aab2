//! Event records: Urms(1/2) and the dips, swells and interruptions of `metrology::pq`.

use anyhow::Context;
use metrology::pq::{EventKind, Events, HalfCycles, Thresholds, Tracker};
use serde_json::Value;

use super::{Channel, Check};

/// Urms(1/2) of every half cycle within this part of the declared voltage (budget of the software alone).
const URMS: f64 = 5e-4;
/// Residual voltages of events within this part of it.
const EXTREME: f64 = 1e-3;

/// Compares half cycles and events on the reference's grid: cycles of its frequency from the first frame on.
pub fn checks(
    sidecar: &Value,
    reference: &Value,
    channels: &[Channel],
    frames: &[&[i32]],
) -> anyhow::Result<Vec<Check>> {
    let Some(names) = sidecar["event"]["channels"].as_array() else {
        return Ok(Vec::new());
    };
    match names.len() {
        1 => run::<1>(sidecar, reference, channels, frames, names),
        2 => run::<2>(sidecar, reference, channels, frames, names),
        3 => run::<3>(sidecar, reference, channels, frames, names),
        n => anyhow::bail!("events of {n} channels"),
    }
}

fn run<const C: usize>(
    sidecar: &Value,
    reference: &Value,
    channels: &[Channel],
    frames: &[&[i32]],
    names: &[Value],
) -> anyhow::Result<Vec<Check>> {
    let rate = sidecar["sample_rate_hz"]
        .as_f64()
        .context("sample_rate_hz")?;
    let series = &reference["half_cycle_rms"];
    let frequency = series["grid_frequency_hz"]
        .as_f64()
        .context("grid_frequency_hz")?;
    let expected = &reference["events"];
    let declared = expected["udin"].as_f64().context("udin")?;
    let ppm = |name: &str| -> anyhow::Result<u32> {
        let part = expected[name].as_f64().with_context(|| name.to_owned())?;
        Ok((part * 1e6).round() as u32)
    };
    let watched: Vec<_> = names
        .iter()
        .map(|name| {
            channels
                .iter()
                .find(|c| Some(c.name.as_str()) == name.as_str())
        })
        .collect::<Option<_>>()
        .context("a channel of the event is missing")?;
    // One scale for all, that of the coarsest channel, brought to many bits.
    let largest = watched
        .iter()
        .map(|c| c.unit * f64::from(1 << c.shift))
        .fold(0.0, f64::max);
    let peak = frames
        .iter()
        .flat_map(|f| watched.iter().map(|c| f[c.at].unsigned_abs()));
    let shift = peak.max().unwrap_or(1).leading_zeros().saturating_sub(9);
    let block: Vec<[i32; C]> = frames
        .iter()
        .map(|frame| {
            std::array::from_fn(|k| {
                let unit = watched[k].unit * f64::from(1 << watched[k].shift);
                (f64::from(frame[watched[k].at] << shift) * unit / largest).round() as i32
            })
        })
        .collect();
    let volts = |level: u32| f64::from(level) / 256.0 * largest / f64::from(1 << shift);

    let level = declared / volts(1);
    let mut events = Events::new(Thresholds {
        dip_ppm: ppm("dip_pu")?,
        swell_ppm: ppm("swell_pu")?,
        interruption_ppm: ppm("interruption_pu")?,
        hysteresis_ppm: ppm("hysteresis_pu")?,
        ..Thresholds::new(level.round() as u32)
    });
    let rate_mhz = (rate * 1000.0).round() as u32;
    let mut tracker = Tracker::fixed(rate_mhz, (frequency * 1e6).round() as u32);
    let (mut halves, mut found, mut seen) = (HalfCycles::new(), Vec::new(), 0);
    let mut checks = Vec::new();
    let mut rest = &block[..];
    let mut worst = Check {
        what: "Urms(1/2)".into(),
        got: declared,
        want: declared,
        error: 0.0,
        bound: URMS,
    };
    while !rest.is_empty() {
        let span = tracker.process(rest, 0);
        if let Some(half) = halves
            .process(&rest[..span.used], &span)
            .filter(|half| half.valid)
        {
            for (name, urms) in names.iter().zip(half.urms) {
                let want = series["series"][name.as_str().unwrap_or_default()][seen].as_f64();
                // The reference stops one half cycle earlier where the last window ends with the record.
                let Some(want) = want else { continue };
                let error = (volts(urms) - want).abs() / declared;
                if error > worst.error {
                    worst.what = format!("Urms(1/2) {name} half cycle {seen}");
                    (worst.got, worst.want, worst.error) = (volts(urms), want, error);
                }
            }
            seen += 1;
            found.extend(events.update(&half, 0xFF).ended.into_iter().flatten());
        }
        rest = &rest[span.used..];
    }
    checks.push(worst);
    found.extend(events.open().iter().flatten());
    checks.extend(compare(expected, &found, seen, |level| {
        volts(level) / declared
    })?);
    Ok(checks)
}

/// Each event of the reference against ours of the same kind, in order.
fn compare(
    expected: &Value,
    found: &[metrology::pq::Event],
    halves: usize,
    part: impl Fn(u32) -> f64,
) -> anyhow::Result<Vec<Check>> {
    let mut checks = Vec::new();
    let list = expected["polyphase"].as_array().context("polyphase")?;
    for (kind, name) in [
        (EventKind::Dip, "dip"),
        (EventKind::Swell, "swell"),
        (EventKind::Interruption, "interruption"),
    ] {
        let want: Vec<_> = list.iter().filter(|e| e["type"] == name).collect();
        let mut got: Vec<_> = found.iter().filter(|e| e.kind == kind).collect();
        got.sort_by_key(|event| event.first);
        let mut push = |what: &str, got: f64, want: f64, bound: f64| {
            checks.push(Check {
                what: what.to_owned(),
                got,
                want,
                error: (got - want).abs(),
                bound,
            });
        };
        push(
            &format!("event count {name}"),
            got.len() as f64,
            want.len() as f64,
            0.0,
        );
        for (nth, (want, got)) in want.iter().zip(&got).enumerate() {
            let number = |field: &str| want[field].as_f64().with_context(|| field.to_owned());
            let open = want["open_at_end"].as_bool().unwrap_or(false);
            let what = format!("event {name} {nth}");
            // The first Urms(1/2) stands at our second half cycle.
            let first = got.first as f64 - 1.0;
            let end = if got.over {
                got.end as f64 - 1.0
            } else {
                halves as f64
            };
            push(
                &format!("{what} begin"),
                first,
                number("first_half_cycle")?,
                0.0,
            );
            push(
                &format!("{what} end"),
                end,
                number("end_half_cycle")?,
                if open { 1.0 } else { 0.0 },
            );
            push(
                &format!("{what} open"),
                f64::from(u8::from(!got.over)),
                f64::from(u8::from(open)),
                0.0,
            );
            let extreme = part(got.extreme);
            push(
                &format!("Urms(1/2) of {what}"),
                extreme,
                number("extreme_pu")?,
                EXTREME,
            );
        }
    }
    Ok(checks)
}
