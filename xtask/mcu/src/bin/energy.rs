//! The smallest meter of three phases and the neutral: samples in, registers, pulses and rms values out.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use mcu::Port;
use metrology::{ChannelInterval, EnergyConstants, EnergyCore, EnergyPhase, Sample};

/// Worked out on the bench: 8 kHz, 50 µV and 20 µA a count, 12 µs, 0.67 degree.
static CONSTANTS: EnergyConstants<3> = EnergyConstants {
    phase: [EnergyPhase {
        voltage_hold: 0,
        current_hold: 1,
        straight: 214_748_364,
        delayed: 858_993_459,
        offset: [0; 2],
        power_offset: 0,
    }; 3],
    neutral: true,
    saturation: metrology::FULL_SCALE,
    step_raw: 3_092_376_453_120_000_000_000_000,
    pulse_raw: 4_831_838_208_000_000_000_000_000,
};

#[inline(never)]
fn fill(port: &mut Port, channels: &mut [i32]) {
    for x in channels {
        *x = port.receive().map_or(0, |byte| i32::from(byte) << 16);
    }
}

#[inline(never)]
fn show(port: &mut Port, channels: &[ChannelInterval], samples: u32) {
    for channel in channels {
        port.show(channel.rms_q8(samples) as i32);
    }
}

#[entry]
fn main() -> ! {
    let mut port = Port::default();
    let mut core = EnergyCore::<3>::new();
    let mut block = [Sample::<3>::ZERO; 16];
    let constants = black_box(&CONSTANTS);
    loop {
        for set in &mut block {
            fill(&mut port, &mut set.u);
            fill(&mut port, &mut set.i);
            fill(&mut port, core::slice::from_mut(&mut set.n));
        }
        port.show(core.process(constants, &block).into());
        for register in core.registers() {
            port.show((register.counts.import ^ register.counts.export) as i32);
        }
        port.show(core.pulses().counts.import as i32);
        if port.now() != 0 {
            let interval = core.interval();
            for channels in [&interval.u[..], &interval.i, &[interval.n]] {
                show(&mut port, channels, interval.samples);
            }
            core.clear_interval();
        }
    }
}
