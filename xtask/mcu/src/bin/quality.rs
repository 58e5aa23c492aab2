//! Power quality of three voltages without transform: half cycles, events, windows, aggregation, frequency, flicker.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use mcu::Port;
use metrology::pq::{Analyzer, Flicker, Lamp, Setup, Thresholds};

#[entry]
fn main() -> ! {
    let mut port = Port::default();
    let mut analyzer = Analyzer::<3>::new(Setup {
        sample_rate_mhz: 4_000_000,
        nominal_mhz: 50_000,
        thresholds: Thresholds::new(3_000_000 << 8),
        voltages: 0b111,
    });
    let mut flicker = Flicker::new(4_000_000, Lamp::V230Hz50);
    let mut frames = [[0_i32; 3]; 16];
    loop {
        for x in frames.as_flattened_mut() {
            *x = port.receive().map_or(0, |byte| i32::from(byte) << 16);
        }
        let mut rest = &frames[..];
        while !rest.is_empty() {
            let step = analyzer.process(rest);
            let (taken, later) = rest.split_at_checked(step.span.used).unwrap_or((rest, &[]));
            flicker.process(taken, 0);
            if let Some(dip) = step.events.ended.iter().flatten().next() {
                port.show(dip.extreme as i32);
            }
            for aggregate in [
                step.aggregates.short,
                step.aggregates.ten_minutes,
                step.aggregates.two_hours,
            ] {
                port.show(aggregate.map_or(0, |aggregate| aggregate.values[0] as i32));
            }
            if step.tick {
                port.show(flicker.finish().unwrap_or(0) as i32);
            }
            port.show(step.frequency_uhz.unwrap_or(0) as i32);
            rest = later;
        }
        analyzer.set_clock(port.now());
    }
}
