//! A minute of 230 V and 10 A through the signal chain.

use metrology::{Calibration, Meter, Parameters, Sample};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // 8,000 sets a second, 50 Hz; what one count is worth at the terminals.
    let mut parameters = Parameters::new(8_000_000, 50_000);
    parameters.voltage_nv = 50_000;
    parameters.current_na = 20_000;
    let calibration = Calibration::<1>::try_new(parameters)?;
    let mut meter = Meter::new(&calibration);
    // Your converter's counts; here a square wave.
    let sample = |number: u32| {
        let sign = 1 - 2 * (number / 80 % 2) as i32;
        Sample {
            u: [sign * 4_600_000],
            i: [sign * 500_000],
            n: 0,
        }
    };
    for first in (0..60 * 8_000).step_by(32) {
        let block: [_; 32] = core::array::from_fn(|place| sample(first + place as u32));
        let _ = meter.process(&calibration, &block);
    }
    let energy = meter.registers(&calibration).active.import;
    println!("{} Wh", energy as f64 / 10.0);
    Ok(())
}
