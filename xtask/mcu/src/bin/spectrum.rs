//! Harmonics by transform: oscillator, resampling of one channel, groups to order 50, distortion.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use mcu::Port;
use metrology::pq::{EMPTY_BUFFER, Grouping, Resampler, Spectrum, Tracker};

#[entry]
fn main() -> ! {
    let mut port = Port::default();
    let mut tracker = Tracker::new(8_000_000, 50_000, 10_000);
    let mut resampler = Resampler::<1>::new(8_000_000, 10);
    let mut buffers = [EMPTY_BUFFER; 1];
    let mut frames = [[0_i32; 1]; 16];
    loop {
        for x in frames.as_flattened_mut() {
            *x = port.receive().map_or(0, |byte| i32::from(byte) << 16);
        }
        let mut rest = &frames[..];
        while !rest.is_empty() {
            let span = tracker.process(rest, 0);
            let (taken, later) = rest.split_at_checked(span.used).unwrap_or((rest, &[]));
            resampler.process(taken, &span, &mut buffers, |[buffer], sampled| {
                let spectrum = Spectrum::transform(buffer, sampled);
                for order in 1..=spectrum.highest_order() {
                    port.show(spectrum.harmonic(order, Grouping::Subgroup) as i32);
                    port.show(spectrum.interharmonic_subgroup(order) as i32);
                }
                port.show(spectrum.thd_ppm(Grouping::Subgroup, 50).unwrap_or(0) as i32);
            });
            if let Some(edge) = span.edge
                && edge.restart
            {
                resampler.restart(edge.rising);
            }
            rest = later;
        }
    }
}
