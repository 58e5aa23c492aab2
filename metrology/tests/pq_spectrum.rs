//! Harmonics, interharmonics and unbalance against the components that a wave was made of.

use std::f64::consts::{SQRT_2, TAU};

use metrology::pq::{
    Buffer, EMPTY_BUFFER, Grouping, Resampler, Sequences, Spectrum, Tracker, cycles_of,
    line_to_line_ppm,
};

/// Component: order (any number), rms in counts, angle in turns (sine).
type Part = (f64, f64, f64);

/// Runs channels of components through tracker and resampler; `check` sees the last window.
fn last_window<const C: usize>(
    rate: f64,
    nominal: f64,
    f: f64,
    channels: &[Vec<Part>; C],
    mut check: impl FnMut(&mut [Buffer; C], metrology::pq::Sampled),
) {
    let n = (rate * 1.3) as usize;
    let frames: Vec<[i32; C]> = (0..n)
        .map(|n| {
            let turns = f * n as f64 / rate;
            std::array::from_fn(|c| {
                let parts = channels[c].iter();
                let sum: f64 = parts
                    .map(|(h, rms, a)| rms * SQRT_2 * (TAU * (h * turns + a)).sin())
                    .sum();
                sum.round() as i32
            })
        })
        .collect();
    let mut tracker = Tracker::new((rate * 1000.0) as u32, (nominal * 1000.0) as u32, 10_000);
    let cycles = cycles_of((nominal * 1000.0) as u32);
    let mut resampler = Resampler::new((rate * 1000.0) as u32, cycles);
    let mut buffers = [EMPTY_BUFFER; C];
    let mut kept = None;
    let mut rest = &frames[..];
    let mut halves = 0;
    while !rest.is_empty() {
        let span = tracker.process(rest, 0);
        resampler.process(
            &rest[..span.used],
            &span,
            &mut buffers,
            |buffers, sampled| {
                kept = Some((*buffers, sampled));
            },
        );
        if let Some(edge) = span.edge {
            halves += 1;
            if halves == 50 {
                resampler.restart(edge.rising);
            }
        }
        rest = &rest[span.used..];
    }
    let (mut buffers, sampled) = kept.expect("a window");
    check(&mut buffers, sampled);
}

const FULL: f64 = 3_000_000.0;

#[test]
fn each_order_reads_its_value() {
    let mut worst = [0.0_f64; 3];
    for rate in [
        6400.0, 8000.0, 10_240.0, 12_345.0, 16_000.0, 25_600.0, 32_000.0, 48_000.0,
    ] {
        for (nominal, f) in [(50.0, 50.0), (50.0, 49.37), (60.0, 60.4), (50.0, 51.9)] {
            let top = ((0.4 * f64::min(rate, 8000.0) / f) as usize).min(50);
            let mut parts = vec![(1.0, FULL, 0.2)];
            for h in 2..=top {
                // From 5 % down to 0.1 %, angles all over.
                parts.push((h as f64, FULL * 0.05 / (h as f64), 0.37 * h as f64));
            }
            let thd: f64 = parts[1..]
                .iter()
                .filter(|p| p.0 <= 40.0)
                .map(|p| (p.1 / FULL).powi(2))
                .sum::<f64>()
                .sqrt();
            last_window(rate, nominal, f, &[parts.clone()], |buffers, sampled| {
                let [buffer] = buffers;
                let spectrum = Spectrum::transform(buffer, sampled);
                let highest = spectrum.highest_order();
                assert!(
                    usize::from(highest) >= top.min(50) - 1,
                    "{rate} {f}: {highest} {top}"
                );
                for (h, rms, _) in &parts {
                    if *h > f64::from(highest) {
                        continue;
                    }
                    let got = f64::from(spectrum.harmonic(*h as u8, Grouping::Subgroup)) / 256.0;
                    let error = (got - rms).abs();
                    // 1 % of reading or 0.01 % of the fundamental to order 40; class I (5 %) to 50.
                    let (part, slot) = if *h <= 40.0 { (0.01, 0) } else { (0.05, 1) };
                    let bound = f64::max(part * rms, 1e-4 * FULL);
                    worst[slot] = worst[slot].max(error / bound);
                    assert!(error <= bound, "{rate} {f}: order {h}: {got} for {rms}");
                }
                if top >= 40 {
                    let got = f64::from(spectrum.thd_ppm(Grouping::Subgroup, 40).unwrap()) / 1e6;
                    worst[2] = worst[2].max((got - thd).abs());
                    assert!((got - thd).abs() < 2e-4, "{rate} {f}: THD {got} for {thd}");
                }
            });
        }
    }
    println!(
        "orders to 40 within {:.2} of the bound, to 50 within {:.2}, THD within {:.4} % absolute",
        worst[0],
        worst[1],
        worst[2] * 100.0
    );
}

#[test]
fn groups_take_what_lies_between_orders() {
    // 185 Hz: 3.7 orders, exactly bin 37; 253 Hz lies beside no order's subgroup edge at all.
    let parts = vec![
        (1.0, FULL, 0.0),
        (3.7, FULL * 0.02, 0.1),
        (5.1, FULL * 0.03, 0.6),
        (7.0, FULL * 0.04, 0.9),
    ];
    last_window(8000.0, 50.0, 50.0, &[parts], |buffers, sampled| {
        let [buffer] = buffers;
        let s = Spectrum::transform(buffer, sampled);
        let near = |got: u32, part: f64| {
            let got = f64::from(got) / 256.0 / FULL;
            assert!((got - part).abs() < 1e-4, "{got} for {part}");
        };
        near(s.interharmonic_group(3), 0.02);
        near(s.interharmonic_subgroup(3), 0.02);
        near(s.harmonic(4, Grouping::Group), 0.02);
        near(s.harmonic(4, Grouping::Subgroup), 0.0);
        near(s.harmonic(5, Grouping::Subgroup), 0.03);
        near(s.harmonic(5, Grouping::Line), 0.0);
        near(s.interharmonic_group(5), 0.03);
        near(s.interharmonic_subgroup(5), 0.0);
        near(s.harmonic(7, Grouping::Line), 0.04);
        let thd = |grouping| f64::from(s.thd_ppm(grouping, 50).unwrap()) / 1e6;
        assert!((thd(Grouping::Line) - 0.04).abs() < 1e-4);
        assert!((thd(Grouping::Subgroup) - 0.05).abs() < 1e-4);
        assert!((thd(Grouping::Group) - 0.0029_f64.sqrt()).abs() < 1e-4);
        let rated = (2.0 * FULL * 256.0) as u32;
        let tdd = f64::from(s.tdd_ppm(Grouping::Line, 50, rated).unwrap()) / 1e6;
        assert!((tdd - 0.02).abs() < 1e-4);
        // Against the whole signal, the tones between the orders included.
        let rms = FULL * (1.0_f64 + 0.02_f64.powi(2) + 0.03_f64.powi(2) + 0.04_f64.powi(2)).sqrt();
        let whole = (rms * 256.0) as u32;
        let thd_r = f64::from(s.thd_r_ppm(Grouping::Line, 50, whole).unwrap()) / 1e6;
        assert!((thd_r - 0.04 * FULL / rms).abs() < 1e-5, "{thd_r}");
        let k = f64::from(s.k_factor_milli(50).unwrap()) / 1e3;
        assert!((k - (1.0 + 49.0 * 0.0016) / 1.0016).abs() < 2e-3, "{k}");
    });
}

#[test]
fn distortion_weights_and_powers() {
    let u = vec![
        (1.0, FULL, 0.1),
        (15.0, FULL * 0.03, 0.3),
        (40.0, FULL * 0.01, 0.0),
    ];
    let i = vec![
        (1.0, FULL * 0.5, 0.1 - 1.0 / 6.0),
        (15.0, FULL * 0.1, 0.3 + 0.5),
    ];
    last_window(8000.0, 50.0, 50.2, &[u, i], |buffers, sampled| {
        let [u, i] = buffers;
        let (u, i) = (
            Spectrum::transform(u, sampled),
            Spectrum::transform(i, sampled),
        );
        let want = (15.0 * 0.03_f64.powi(2) + 40.0 * 0.01_f64.powi(2)).sqrt();
        let pwhd = f64::from(u.pwhd_ppm(Grouping::Line).unwrap()) / 1e6;
        assert!((pwhd / want - 1.0).abs() < 2e-3, "{pwhd} {want}");
        let scale = 65_536.0 * FULL * FULL;
        let power = |order| {
            let (p, q) = u.power(&i, order);
            (p as f64 / scale, q as f64 / scale)
        };
        let (p, q) = power(1);
        assert!(
            (p - 0.25).abs() < 1e-4 && (q - 0.5 * (TAU / 6.0).sin()).abs() < 1e-4,
            "{p} {q}"
        );
        let (p, q) = power(15);
        assert!((p + 0.003).abs() < 3e-6 && q.abs() < 3e-6, "{p} {q}");
    });
}

/// Σ U_h I_h sin φ_h over the whole orders of two lists of components.
fn budeanu(u: &[Part], i: &[Part]) -> f64 {
    let pairs = u.iter().flat_map(|u| i.iter().map(move |i| (u, i)));
    pairs
        .filter(|(u, i)| u.0 == i.0 && u.0.fract() == 0.0)
        .map(|(u, i)| u.1 * i.1 * (TAU * (u.2 - i.2)).sin())
        .sum()
}

#[test]
fn reactive_power_of_budeanu_is_the_sum_over_all_orders() {
    // Orders that add up, orders that cancel the fundamental, even orders, a current that leads; a tone between two
    // orders and a dc part belong to none and change nothing.
    let cases: [(&str, &[Part], &[Part]); 4] = [
        (
            "fundamental",
            &[(1.0, 1.0, 0.1)],
            &[(1.0, 0.5, 0.1 - 0.125)],
        ),
        (
            "lagging orders",
            &[(1.0, 0.8, 0.0), (3.0, 0.2, 0.3), (40.0, 0.1, 0.7)],
            &[(1.0, 0.8, -0.02), (3.0, 0.3, 0.05), (40.0, 0.2, 0.6)],
        ),
        (
            "cancelled",
            &[(1.0, 0.6, 0.0), (2.0, 0.3, 0.0), (5.0, 0.4, 0.5)],
            &[(1.0, 0.4, -0.25), (2.0, 0.3, 0.25), (5.0, 0.375, 0.75)],
        ),
        (
            "beside the orders",
            &[(1.0, 0.7, 0.2), (6.5, 0.1, 0.0), (7.0, 0.1, 0.0)],
            &[(1.0, 0.7, 0.4), (6.5, 0.1, 0.75), (9.0, 0.2, 0.0)],
        ),
    ];
    let mut worst = 0.0_f64;
    for (name, u, i) in cases {
        let scaled = |parts: &[Part]| {
            parts
                .iter()
                .map(|&(h, rms, a)| (h, rms * FULL, a))
                .collect()
        };
        let channels: [Vec<Part>; 2] = [scaled(u), scaled(i)];
        let want = budeanu(&channels[0], &channels[1]);
        let size = |parts: &[Part]| parts.iter().map(|part| part.1.powi(2)).sum::<f64>().sqrt();
        let apparent = size(&channels[0]) * size(&channels[1]);
        for (nominal, f) in [(50.0, 50.0), (50.0, 48.71), (60.0, 60.37)] {
            last_window(8000.0, nominal, f, &channels, |[u, i], sampled| {
                let u = Spectrum::transform(u, sampled);
                let i = Spectrum::transform(i, sampled);
                let got = u.reactive(&i) as f64 / 65_536.0;
                worst = worst.max((got - want).abs() / apparent);
                // A fiftieth per cent of S, as for Q of the fundamental.
                assert!(
                    (got - want).abs() <= 2e-4 * apparent,
                    "{name} at {f} Hz: {got} for {want}, S {apparent}"
                );
                // The voltage behind the current has the other sign, and no channel has any of its own.
                assert_eq!(i.reactive(&u), -u.reactive(&i), "{name}");
                assert_eq!(u.reactive(&u), 0, "{name}");
            });
        }
    }
    println!(
        "Budeanu's reactive power within {:.5} % of S",
        worst * 100.0
    );
}

#[test]
fn unbalance_to_a_hundredth_of_a_percent() {
    let mut worst = 0.0_f64;
    for (k, f) in [(0, 50.0), (1, 49.3), (2, 51.8), (3, 47.1)] {
        let sizes: [f64; 3] = [1.0, 0.97 - 0.02 * f64::from(k), 1.02];
        let angles: [f64; 3] = [0.0, -1.0 / 3.0 + 0.004, 1.0 / 3.0 - 0.003 * f64::from(k)];
        let channels: [_; 3] = std::array::from_fn(|p| {
            vec![(1.0, FULL * sizes[p], angles[p]), (5.0, FULL * 0.04, 0.2)]
        });
        let sequence = |sign: f64| {
            let (mut re, mut im) = (0.0, 0.0);
            for p in 0..3 {
                let a = TAU * (angles[p] + sign * p as f64 / 3.0);
                re += sizes[p] * a.cos();
                im += sizes[p] * a.sin();
            }
            f64::hypot(re, im)
        };
        last_window(8000.0, 50.0, f, &channels, |buffers, sampled| {
            let phasors: [_; 3] =
                std::array::from_fn(|p| Spectrum::transform(&mut buffers[p], sampled).phasor(1));
            let sequences = Sequences::new(phasors);
            let u2 = f64::from(sequences.negative_ppm().unwrap()) / 1e6;
            let u0 = f64::from(sequences.zero_ppm().unwrap()) / 1e6;
            let want = [
                sequence(-1.0) / sequence(1.0),
                sequence(0.0) / sequence(1.0),
            ];
            worst = worst.max((u2 - want[0]).abs()).max((u0 - want[1]).abs());
            assert!(!sequences.is_reversed());
            let [a, b, c] = phasors;
            assert!(Sequences::new([a, c, b]).is_reversed());
        });
    }
    println!("u2, u0 within {:.5} % absolute", worst * 100.0);
    assert!(worst < 1e-4, "{worst}");
}

#[test]
fn line_to_line_formula() {
    // Lines of a triangle from phasors that have no zero sequence.
    for (size, degrees) in [(1.0, 0.0), (0.95, 1.0), (0.9, -3.0), (1.1, 4.0)] {
        let point = |r: f64, d: f64| (r * d.to_radians().cos(), r * d.to_radians().sin());
        let [a, b, c] = [
            point(1.0, 0.0),
            point(size, -120.0 + degrees),
            point(1.0, 120.0),
        ];
        let line = |p: (f64, f64), q: (f64, f64)| f64::hypot(p.0 - q.0, p.1 - q.1);
        let sides = [line(a, b), line(b, c), line(c, a)];
        let sequence = |sign: f64| {
            let turn = |(x, y): (f64, f64), d: f64| {
                let (s, c) = d.to_radians().sin_cos();
                (x * c - y * s, x * s + y * c)
            };
            let (b, c) = (turn(b, sign * 120.0), turn(c, -sign * 120.0));
            f64::hypot(a.0 + b.0 + c.0, a.1 + b.1 + c.1)
        };
        let want = sequence(-1.0) / sequence(1.0);
        let got = line_to_line_ppm(sides.map(|side| (side * 1e9) as u32)).unwrap();
        assert!((f64::from(got) / 1e6 - want).abs() < 1e-4, "{got} {want}");
    }
    assert_eq!(line_to_line_ppm([0; 3]), None);
    assert_eq!(line_to_line_ppm([100, 1, 1]), None);
}
