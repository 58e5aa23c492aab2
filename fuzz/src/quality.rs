//! Power quality from any samples: nothing panics, no sample is lost, and what is told is possible.

use metrology::FULL_SCALE;
use metrology::pq::{
    Analyzer, EMPTY_BUFFER, Flicker, Grouping, Lamp, Orders, RapidChanges, Resampler, Selection,
    Setup, Spectrum, Thresholds, Tracker,
};

/// The first byte chooses the machine; rate and samples follow. A pattern is repeated, so that short inputs reach
/// whole windows.
pub fn machines(bytes: &[u8]) {
    let Some((&[kind, rate, repeats], rest)) = bytes.split_first_chunk::<3>() else {
        return;
    };
    let frames: Vec<[i32; 2]> = rest
        .as_chunks::<4>()
        .0
        .iter()
        // Two channels of 16 bits, brought over the end of the 24 that are taken.
        .map(|[a, b, c, d]| [[*a, *b], [*c, *d]].map(|x| i32::from(i16::from_le_bytes(x)) << 9))
        .collect();
    if frames.is_empty() {
        return;
    }
    let rate_mhz = (u32::from(rate) + 1) * 125_000;
    let repeats = usize::from(repeats % 8) + 1;
    match kind {
        0xF3 => spectrum(rate_mhz, &frames),
        _ if kind % 3 == 0 => flicker(rate_mhz, &frames, repeats),
        _ if kind % 3 == 1 => orders(rate_mhz, &frames, repeats),
        _ => analyzer(rate_mhz, &frames, repeats, kind),
    }
}

fn analyzer(rate_mhz: u32, frames: &[[i32; 2]], repeats: usize, kind: u8) {
    let mut analyzer = Analyzer::new(Setup {
        sample_rate_mhz: rate_mhz,
        nominal_mhz: if kind & 1 == 0 { 50_000 } else { 60_000 },
        thresholds: Thresholds::new(u32::from(kind) << 20),
        voltages: kind >> 6,
    });
    let mut rapid = RapidChanges::new(
        50_000,
        u32::from(kind) << 12,
        u32::from(kind) << 11,
        kind >> 6,
    );
    // Squares of everything taken, and of the half cycles that were told.
    let (mut all, mut told, mut last) = ([0_u128; 2], [0_u128; 2], 0);
    for round in 0..repeats {
        analyzer.set_clock(u64::from(kind) << (round * 8 % 64));
        let mut rest = frames;
        while !rest.is_empty() {
            let step = analyzer.process(rest);
            assert!(step.span.used > 0, "a call without progress");
            for frame in &rest[..step.span.used] {
                for (sum, x) in all.iter_mut().zip(frame) {
                    let x = i64::from(*x).clamp(-i64::from(FULL_SCALE) - 1, i64::from(FULL_SCALE));
                    *sum += (x * x) as u128;
                }
            }
            if let Some(half) = &step.half {
                for (sum, squares) in told.iter_mut().zip(half.squares) {
                    *sum += u128::from(squares);
                }
                for (all, told) in all.iter().zip(&told) {
                    // What is left over is a part of one sample.
                    assert!(told <= all && all - told <= 1 << 46, "squares lost or made");
                }
                assert!(half.end > last, "time runs backwards");
                last = half.end;
                assert!(
                    half.urms.iter().all(|urms| *urms <= 1 << 31),
                    "beyond full scale"
                );
                rapid.update(half, step.events.any_begun());
            }
            for event in step.events.ended.iter().flatten() {
                assert!(event.over && event.end > event.first && event.channels != 0);
            }
            rest = &rest[step.span.used..];
        }
    }
}

fn orders(rate_mhz: u32, frames: &[[i32; 2]], repeats: usize) {
    let mut tracker = Tracker::new(rate_mhz, 50_000, 100);
    let mut orders = Orders::<5>::new(Selection::Odd, 1, 8);
    for _ in 0..repeats {
        let mut rest = frames;
        while !rest.is_empty() {
            let span = tracker.process(rest, 1);
            if let Some(window) = orders.process(&rest[..span.used], &span, 1) {
                assert!(window.phasor(2).is_none() && window.rms(9).is_some());
            }
            rest = &rest[span.used..];
        }
    }
}

fn flicker(rate_mhz: u32, frames: &[[i32; 2]], repeats: usize) {
    let mut flicker = Flicker::new(rate_mhz, Lamp::V120Hz60);
    for _ in 0..repeats {
        flicker.process(frames, 0);
    }
    let counted = flicker.counted();
    assert_eq!(flicker.finish().is_some(), counted > 0);
    assert_eq!(flicker.counted(), 0);
}

fn spectrum(rate_mhz: u32, frames: &[[i32; 2]]) {
    let mut tracker = Tracker::fixed(rate_mhz, 50_000_000);
    let mut resampler = Resampler::new(rate_mhz, 10);
    resampler.restart(true);
    let mut buffers = [EMPTY_BUFFER; 2];
    let mut windows = 0;
    let enough = rate_mhz as usize / 1000 * 2 / frames.len() / 5 + 1;
    for _ in 0..enough {
        let mut rest = frames;
        while !rest.is_empty() {
            let span = tracker.process(rest, 0);
            resampler.process(
                &rest[..span.used],
                &span,
                &mut buffers,
                |buffers, sampled| {
                    windows += 1;
                    let [u, i] = buffers;
                    let (u, i) = (
                        Spectrum::transform(u, sampled),
                        Spectrum::transform(i, sampled),
                    );
                    for order in 0..=51 {
                        let line = u.harmonic(order, Grouping::Line);
                        assert!(line <= u.harmonic(order, Grouping::Subgroup));
                        let _ = u.power(&i, order);
                    }
                    let _ = u.thd_ppm(Grouping::Group, 50);
                    let _ = i.k_factor_milli(50);
                    let _ = i.pwhd_ppm(Grouping::Subgroup);
                },
            );
            rest = &rest[span.used..];
        }
    }
    assert!(windows <= 2, "{windows} windows");
}
