//! Testing states in the manner of IEC 62586-2: every parameter inside its limit while the others disturb it.

use std::f64::consts::{SQRT_2, TAU};

use metrology::pq::{
    Analyzer, EMPTY_BUFFER, Grouping, Phasor, Resampler, Sequences, Setup, Spectrum, Thresholds,
};

const DECLARED: f64 = 3_000_000.0;

/// Off-nominal frequency, unbalance, harmonics, an interharmonic and flicker at once.
struct State {
    f: f64,
    sizes: [f64; 3],
    /// Order, part of the fundamental.
    orders: &'static [(f64, f64)],
    /// Depth of rectangular modulation at 110 changes a minute, percent.
    flicker: f64,
}

const STATES: [State; 3] = [
    State {
        f: 50.0,
        sizes: [1.0, 1.0, 1.0],
        orders: &[],
        flicker: 0.0,
    },
    State {
        f: 49.0,
        sizes: [0.73, 0.80, 0.87],
        orders: &[(3.0, 0.1), (5.0, 0.05), (29.0, 0.05)],
        flicker: 0.722,
    },
    State {
        f: 51.0,
        sizes: [1.52, 1.40, 1.28],
        orders: &[(3.0, 0.1), (7.5, 0.01), (11.0, 0.035), (40.0, 0.01)],
        flicker: 2.0,
    },
];

#[test]
fn disturbed_states_stay_inside_the_limits_of_class_a() {
    const RATE: f64 = 8000.0;
    let mut worst = [0.0_f64; 4];
    for state in &STATES {
        let frames: Vec<[i32; 3]> = (0..(RATE * 21.0) as usize)
            .map(|n| {
                let t = n as f64 / RATE;
                let swing = if (t * 110.0 / 120.0).fract() < 0.5 {
                    0.5
                } else {
                    -0.5
                };
                let height = 1.0 + swing * state.flicker / 100.0;
                std::array::from_fn(|k| {
                    let a = TAU * (state.f * t - k as f64 / 3.0);
                    let rest: f64 = state
                        .orders
                        .iter()
                        .map(|(h, part)| part * (h * a).sin())
                        .sum();
                    (DECLARED * SQRT_2 * state.sizes[k] * height * (a.sin() + rest)).round() as i32
                })
            })
            .collect();
        let mut analyzer = Analyzer::new(Setup {
            sample_rate_mhz: 8_000_000,
            nominal_mhz: 50_000,
            thresholds: Thresholds::new((DECLARED * 256.0) as u32),
            voltages: 0b111,
        });
        let mut resampler = Resampler::<3>::new(8_000_000, 10);
        let mut buffers = Box::new([EMPTY_BUFFER; 3]);
        let distortion: f64 = state.orders.iter().map(|(_, part)| part * part).sum();
        // One sequence of 1, a, a² with real sizes: u2 and u0 are the same.
        let [a, b, c] = state.sizes;
        let odd = (a * a + b * b + c * c - a * b - b * c - c * a).sqrt() / (a + b + c);
        let mut rest = &frames[..];
        while !rest.is_empty() {
            let step = analyzer.process(rest);
            let taken = &rest[..step.span.used];
            if let Some(window) = step.window.filter(|window| window.end > (1 << 16) * 16_000) {
                for (rms, size) in window.rms.iter().zip(state.sizes) {
                    let want = size * (1.0 + distortion).sqrt();
                    // Within a window the modulated voltage takes both heights: half the swing is no error.
                    let free = want * state.flicker / 200.0;
                    let error = (f64::from(*rms) / 256.0 / DECLARED - want).abs() - free;
                    worst[0] = worst[0].max(error);
                }
            }
            if let Some(f) = step.frequency_uhz {
                worst[1] = worst[1].max((f64::from(f) / 1e6 - state.f).abs());
            }
            let settled = taken.as_ptr() as usize - frames.as_ptr() as usize > 12 * 16_000;
            resampler.process(taken, &step.span, &mut buffers, |buffers, sampled| {
                if !settled {
                    return;
                }
                let phasors: [Phasor; 3] = std::array::from_fn(|k| {
                    let spectrum = Spectrum::transform(&mut buffers[k], sampled);
                    let fundamental = f64::from(spectrum.harmonic(1, Grouping::Line));
                    for (h, part) in state.orders.iter().filter(|(h, _)| h.fract() == 0.0) {
                        let got = f64::from(spectrum.harmonic(*h as u8, Grouping::Subgroup));
                        // Class I: 5 % of reading above 1 % of nominal, 0.05 % of nominal below.
                        worst[2] = worst[2].max((got / fundamental / part - 1.0).abs());
                    }
                    spectrum.phasor(1)
                });
                let sequences = Sequences::new(phasors);
                for ppm in [sequences.negative_ppm(), sequences.zero_ppm()] {
                    worst[3] = worst[3].max((f64::from(ppm.unwrap()) / 1e6 - odd).abs());
                }
            });
            if let Some(rising) = step.begins {
                resampler.restart(rising);
            }
            rest = &rest[step.span.used..];
        }
    }
    println!(
        "disturbed: U {:.4} % of Udin, f {:.2} mHz, orders {:.2} % of reading, unbalance {:.4} %",
        worst[0] * 100.0,
        worst[1] * 1e3,
        worst[2] * 100.0,
        worst[3] * 100.0
    );
    assert!(worst[0] < 1e-3, "voltage {}", worst[0]);
    assert!(worst[1] < 10e-3, "frequency {}", worst[1]);
    assert!(worst[2] < 0.05, "orders {}", worst[2]);
    assert!(worst[3] < 1.5e-3, "unbalance {}", worst[3]);
}
