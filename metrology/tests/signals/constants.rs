//! What each constant of a phase does to the quantities.

use std::f64::consts::PI;

use testkit::signal::Wave;

use super::{AMPERE_NA, count, measure, near, parameters, samples};

#[test]
fn phase_calibration_turns_delay_and_lead_back() {
    let (rate, f) = (8000.0, 50.21);
    for (delay_us, lead) in [
        (0.0, 0.7),
        (37.0, 0.0),
        (-250.0, 0.0),
        (280.0, 1.5),
        (125.0, 0.0),
        (-3.0, -0.02),
    ] {
        for degrees in [60.0, -60.0] {
            let u = Wave::sine(230.0, 0.0);
            // The recorded current: late by the delay, early by the lead.
            let i = Wave::sine(20.0, -degrees - delay_us * 1e-6 * f * 360.0 + lead);
            let mut p = parameters(rate);
            p.phase[0].delay_ns = (delay_us * 1000.0) as i32;
            p.phase[0].angle = (lead / 360.0 * 4_294_967_296.0) as i32;
            let q = measure(p, &samples(&u, &i, f, rate, 0.7, 24));
            let line = q.phase[0];
            let (sin, cos) = (degrees * PI / 180.0).sin_cos();
            // 0.002 degree at PF 0.5 is 6e-5 of P.
            near("P", line.active_uw as f64 / 1e6, 4600.0 * cos, 2300.0, 6e-5);
            near(
                "Q1",
                line.reactive_uvar as f64 / 1e6,
                4600.0 * sin,
                4600.0,
                6e-5,
            );
        }
    }
}

#[test]
fn gains_offsets_and_noise_act_as_named() {
    let (u, mut i) = (Wave::sine(230.0, 0.0), Wave::sine(10.0, 0.0));
    i.dc = 0.05;
    let mut p = parameters(8000.0);
    p.phase[0].voltage_gain = metrology::Gain::from_bits((1.03 * f64::from(1_u32 << 30)) as u32);
    p.phase[0].current_gain = metrology::Gain::from_bits((0.97 * f64::from(1_u32 << 30)) as u32);
    p.phase[0].current_offset = count(0.05, AMPERE_NA, 24);
    p.phase[0].power_offset_uw = -1_500_000;
    let line = measure(p, &samples(&u, &i, 50.0, 8000.0, 0.7, 24)).phase[0];
    near("U", line.voltage_uv as f64 / 1e6, 230.0 * 1.03, 230.0, 1e-5);
    near("I", line.current_ua as f64 / 1e6, 9.7, 9.7, 1e-5);
    near("mean I", line.current_mean_ua as f64 / 1e6, 0.0, 1.0, 1e-4);
    near(
        "P",
        line.active_uw as f64 / 1e6,
        2300.0 * 1.03 * 0.97 - 1.5,
        2300.0,
        2e-5,
    );
}
