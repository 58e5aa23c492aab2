//! The chain against double precision on synthetic waves, inside the budget of one tenth of class 0.2S:
//! rms 0.01 %, P 0.01 % of S at PF 1 and 0.02 % of P at 0.5, Q1 0.02 %, frequency 1 mHz.

mod constants;
mod quantities;
mod registers;

use metrology::{Calibration, Meter, Parameters, Quantities, Sample};
use testkit::signal::Wave;

const VOLT_NV: u32 = 60_000;
const AMPERE_NA: u32 = 24_000;

fn parameters<const N: usize>(rate: f64) -> Parameters<N> {
    let mut p = Parameters::new((rate * 1000.0).round() as u32, 50_000);
    p.voltage_nv = VOLT_NV;
    p.current_na = AMPERE_NA;
    p
}

fn count(value: f64, nano: u32, bits: u32) -> i32 {
    let step = f64::from(1_u32 << (24 - bits));
    ((value * 1e9 / f64::from(nano) / step).round() * step) as i32
}

/// Samples of one second or more.
fn samples(u: &Wave, i: &Wave, f: f64, rate: f64, seconds: f64, bits: u32) -> Vec<Sample<1>> {
    (0..(seconds * rate) as usize)
        .map(|n| {
            let t = n as f64 / rate;
            Sample {
                u: [count(u.at(t * f), VOLT_NV, bits)],
                i: [count(i.at(t * f), AMPERE_NA, bits)],
                n: 0,
            }
        })
        .collect()
}

fn measure<const N: usize>(p: Parameters<N>, block: &[Sample<N>]) -> Quantities<N> {
    let calibration = Calibration::try_new(p).unwrap();
    let mut meter = Meter::new(&calibration);
    let windows: u32 = block
        .chunks(50)
        .map(|part| meter.process(&calibration, part).windows)
        .sum();
    assert!(windows > 0);
    *meter.quantities()
}

fn relative(got: f64, want: f64) -> f64 {
    (got - want).abs() / want.abs()
}

#[track_caller]
fn near(what: &str, got: f64, want: f64, scale: f64, bound: f64) {
    let error = (got - want).abs() / scale.abs();
    assert!(
        error <= bound,
        "{what}: got {got}, want {want}, error {error:.2e} above {bound:.0e}"
    );
}
