//! STPM3x: a chip with its registers, latches, CRC and error bits.

use metrology::event::{Condition, Limits, Monitor};
use metrology::front_end::Error;
use metrology::front_end::stpm3x::registers as reg;
use metrology::front_end::stpm3x::{
    Configuration, Design, EnergyTotal, Gain, Model, Stpm3x, delay, trimmed,
};
use metrology::source::Source;
use metrology::{FULL_SCALE, Sample};
use proptest::prelude::*;

use crate::bus::{Chip, Fault, Line, NoWait};

const WORDS: usize = 0x8C / 2;
/// Registers that exist twice: live, and as the latch holds them.
const LATCHED: core::ops::Range<usize> = 0x2E / 2..0x8C / 2;

struct Stpm {
    held: [u32; WORDS],
    live: [u32; WORDS],
    pointer: u8,
    answer: u32,
    resets: usize,
    latches: usize,
}

fn crc8(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0_u8, |crc, byte| {
        (0..8).fold(crc ^ byte, |crc, _| {
            if crc & 0x80 != 0 {
                crc << 1 ^ 0x07
            } else {
                crc << 1
            }
        })
    })
}

impl Stpm {
    fn new() -> Self {
        let mut chip = Self {
            held: [0; WORDS],
            live: [0; WORDS],
            pointer: 0,
            answer: 0,
            resets: 0,
            latches: 0,
        };
        chip.reset();
        chip
    }

    fn reset(&mut self) {
        self.held = [0; WORDS];
        for (register, value) in [
            (0x00, 0x0400_00A0),
            (0x02, 0x2400_00A0),
            (0x04, 0x0000_04E0),
            (0x08, 0x003F_F800),
            (0x0A, 0x003F_F800),
            (0x0C, 0x003F_F800),
            (0x0E, 0x003F_F800),
            (0x10, 0x0000_0FFF),
            (0x14, 0x0000_0FFF),
            (0x18, 0x0F27_0327),
            (0x1A, 0x0327_0327),
            (0x24, 0x0000_4007),
            (0x26, 0x0000_0683),
        ] {
            self.held[register / 2] = value;
        }
        // Energies begin at zero.
        for register in (0x54..0x5C).chain(0x6C..0x74) {
            self.live[register / 2] = 0;
        }
        self.pointer = 0;
        self.answer = self.held[0];
        self.resets += 1;
    }

    fn set(&mut self, register: u8, value: u32) {
        self.live[usize::from(register) / 2] = value;
    }

    fn get(&self, register: u8) -> u32 {
        self.held[usize::from(register) / 2]
    }

    fn error(&mut self, bit: u32) {
        self.held[usize::from(reg::US_REG3) / 2] |= 1 << bit;
    }

    fn write(&mut self, half: u8, data: u16) {
        let word = usize::from(half) / 2;
        let writable = half < 0x20 || (0x24..0x2A).contains(&half);
        if !writable {
            self.error(27);
            return;
        }
        let (mask, value) = if half.is_multiple_of(2) {
            (0xFFFF_0000, u32::from(data))
        } else {
            (0x0000_FFFF, u32::from(data) << 16)
        };
        self.held[word] = self.held[word] & mask | value;
        let control = self.held[usize::from(reg::DSP_CR3) / 2];
        if control & reg::SW_RESET != 0 {
            self.reset();
        } else if control & (reg::SW_LATCH1 | reg::SW_LATCH2) != 0 {
            self.held[LATCHED].copy_from_slice(&self.live[LATCHED]);
            self.held[usize::from(reg::DSP_CR3) / 2] &= !(reg::SW_LATCH1 | reg::SW_LATCH2);
            self.latches += 1;
        }
    }
}

impl Chip for Stpm {
    fn frame(&mut self, received: &[u8], sent: &mut [u8]) {
        let bytes = self.answer.to_le_bytes();
        sent[..4].copy_from_slice(&bytes);
        sent[4] = crc8(&bytes);
        let &[read, write, low, high, crc] = received else {
            self.error(30);
            return;
        };
        if crc8(&received[..4]) != crc {
            self.error(28);
        } else {
            if write != 0xFF {
                self.write(write, u16::from_le_bytes([low, high]));
            }
            match read {
                // No request: the pointer goes on by itself.
                0xFF => self.pointer = self.pointer.wrapping_add(2),
                register => self.pointer = register & !1,
            }
        }
        match self.held.get(usize::from(self.pointer) / 2) {
            Some(value) => self.answer = *value,
            None => {
                self.pointer = 0;
                self.answer = self.held[0];
            }
        }
    }
}

/// 230 V, 10 A, lagging by a twelfth of a turn, on both channels of an evaluation board.
fn loaded() -> Line<Stpm> {
    let mut chip = Stpm::new();
    let scale = Design::EVALUATION.scale();
    let volts = (230_000_000_000_000 / scale.voltage_pv) as u32;
    let amperes = (10_000_000_000_000 / scale.current_pa) as u32;
    chip.set(reg::DSP_REG1, 2_500 << 16 | 2_500);
    chip.set(reg::DSP_REG14, amperes << 15 | volts);
    chip.set(reg::DSP_REG15, amperes << 15 | volts);
    chip.set(reg::DSP_REG17, (2_500 / 12) << 16);
    chip.set(reg::DSP_REG19, (2_500 - 2_500 / 12) << 16);
    let watts = (1_991_858_000_000_000 / scale.power_pw as i64) as u32;
    chip.set(reg::PH1 + reg::PH_ACTIVE_POWER, watts);
    chip.set(reg::PH1 + reg::PH_APPARENT_POWER, watts);
    // Export: 29 bits with sign.
    chip.set(
        reg::PH2 + reg::PH_ACTIVE_POWER,
        watts.wrapping_neg() & 0x1FFF_FFFF,
    );
    chip.set(reg::V1_DATA, 0x7F_FFFF);
    chip.set(reg::C1_DATA, 0x80_0001);
    chip.set(reg::V2_DATA, 5);
    chip.set(reg::C2_DATA, 0xFF_FFFB);
    Line::new(chip)
}

fn started(line: &mut Line<Stpm>) -> Stpm3x<&mut Line<Stpm>, NoWait> {
    let mut driver = Stpm3x::new(line, NoWait, Configuration::new(Model::Stpm34));
    driver.start().expect("a healthy line");
    driver
}

#[test]
fn the_start_writes_every_register_of_the_configuration() {
    let mut line = loaded();
    let mut configuration = Configuration::new(Model::Stpm34);
    configuration.design[0].gain = Gain::X16;
    configuration.design[1].rogowski = true;
    configuration.voltage_trim = [0x123, 0x456];
    configuration.current_trim = [0x789, 0xABC];
    configuration.voltage_delay = [1, 2];
    configuration.current_delay = [0x155, 0x2AA];
    configuration.is_60_hz = true;
    Stpm3x::new(&mut line, NoWait, configuration)
        .start()
        .expect("starts");
    let chip = &line.chip;
    assert_eq!(chip.resets, 2, "power-on and the driver's");
    assert_eq!(chip.get(reg::DSP_CR1), 0x0400_00A0);
    assert_eq!(chip.get(reg::DSP_CR2), 0x2420_00A0);
    assert_eq!(chip.get(reg::DSP_CR3), 0x0800_04E0);
    assert_eq!(
        chip.get(reg::DSP_CR4),
        1 << 22 | 0x155 << 12 | 2 << 10 | 0x2AA
    );
    assert_eq!(chip.get(reg::DSP_CR5), 0x003F_F123);
    assert_eq!(chip.get(reg::DSP_CR6), 0x003F_F789);
    assert_eq!(chip.get(reg::DSP_CR7), 0x003F_F456);
    assert_eq!(chip.get(reg::DSP_CR8), 0x003F_FABC);
    assert_eq!(chip.get(reg::DFE_CR1), 0x0F27_0327);
    assert_eq!(chip.get(reg::DFE_CR2), 0x0327_0327);
}

#[test]
fn quantities_come_out_in_units() {
    let mut line = loaded();
    started(&mut line);
    line.chip.set(reg::PH1, 0xFFFF_FF00);
    // The processor restarted, the chip went on.
    let mut driver = Stpm3x::new(&mut line, NoWait, Configuration::new(Model::Stpm34));
    let snapshot = driver.read().expect("reads");
    let [one, two] = snapshot.reading.phase;
    // One count of the rms registers is 35 mV and 2.1 mA on this board.
    assert!(
        one.voltage_uv.abs_diff(230_000_000) < 40_000,
        "{}",
        one.voltage_uv
    );
    assert!(
        one.current_ua.abs_diff(10_000_000) < 2_200,
        "{}",
        one.current_ua
    );
    assert!(
        one.active_uw.abs_diff(1_991_858_000) < 1_300,
        "{}",
        one.active_uw
    );
    assert_eq!(two.active_uw, -one.active_uw);
    assert_eq!((one.angle_mdeg, two.angle_mdeg), (29_952, -29_952));
    assert_eq!(snapshot.reading.frequency_uhz, Some(50_000_000));
    assert_eq!(snapshot.reading.neutral_ua, None);
    assert_eq!(snapshot.energy[0].active, 0xFFFF_FF00);
    assert_eq!(line.chip.latches, 1);
    // And they are what the event engine takes.
    let limits = Limits::dlt614(220_000_000, 5_000_000, 60_000_000).with_delay_ms(0);
    let changes = Monitor::new().update(&limits, &snapshot.reading.observation(200));
    assert!(changes.begun.contains(Condition::Reverse, 1));
}

#[test]
fn the_second_current_of_an_stpm33_is_the_neutral() {
    let mut line = loaded();
    let mut driver = Stpm3x::new(&mut line, NoWait, Configuration::new(Model::Stpm33));
    driver.start().expect("starts");
    let reading = driver.read().expect("reads").reading;
    assert_eq!(reading.neutral_ua, Some(reading.phase[0].current_ua));
    assert_eq!(reading.phase[1], Default::default());
    assert_eq!(driver.sample().expect("reads").n, -5);
}

#[test]
fn scales_are_those_of_the_data_sheet() {
    // Worked out by hand from Vref 1.18 V, 810 kΩ over 470 Ω, 2.4 mV/A, gain 2.
    let scale = Design::EVALUATION.scale();
    assert_eq!(scale.voltage_pv, 35_484_044_031);
    assert_eq!(scale.current_pa, 2_143_496_559);
    assert_eq!(scale.power_pw, 1_216_958_820);
    // A Rogowski coil's integrator takes a fifth of the signal away, so that a count is worth more.
    let coil = Design {
        rogowski: true,
        ..Design::EVALUATION
    }
    .scale();
    assert_eq!(coil.current_pa, 2_628_195_462);
    // 10^9 counts · 1.2169 mW · 2^11 / 28,125,000 = 88.62 Wh.
    assert_eq!(scale.energy_uwh(1_000_000_000), 88_616_237);
    assert_eq!(scale.energy_uwh(-1_000_000_000), -88_616_237);
}

#[test]
fn momentary_values_are_a_source_of_samples() {
    let mut line = loaded();
    let mut driver = started(&mut line);
    let mut block = [Sample::ZERO; 4];
    assert_eq!(driver.fill(&mut block), Ok(1));
    assert_eq!(
        block[0],
        Sample {
            u: [FULL_SCALE, 5],
            i: [-FULL_SCALE, -5],
            n: 0
        }
    );
    assert_eq!(driver.fill(&mut []), Ok(0));
}

#[test]
fn one_damaged_bit_anywhere_is_noticed_and_the_row_read_again() {
    let clean = {
        let mut line = loaded();
        started(&mut line).read().expect("reads")
    };
    let (first, last) = {
        let mut line = loaded();
        let mut driver = started(&mut line);
        let _ = driver.read();
        let last = line.frames;
        let mut line = loaded();
        started(&mut line);
        (line.frames, last)
    };
    assert!(last - first > 20, "the row has one frame for each register");
    for frame in first..last {
        for (byte, bit) in (0..5).flat_map(|byte| (0..8).map(move |bit| (byte, bit))) {
            for to_chip in [true, false] {
                let mut line = loaded();
                line.faults.push(Fault {
                    frame,
                    byte,
                    bits: 1 << bit,
                    to_chip,
                });
                let mut driver = started(&mut line);
                assert_eq!(driver.read(), Ok(clean), "{frame} {byte} {bit} {to_chip}");
            }
        }
    }
}

#[test]
fn a_damaged_start_writes_again() {
    let frames = {
        let mut line = loaded();
        started(&mut line);
        line.frames
    };
    let configured = {
        let mut line = loaded();
        started(&mut line);
        line.chip.held
    };
    for frame in 0..frames {
        for to_chip in [true, false] {
            let mut line = loaded();
            line.faults.push(Fault {
                frame,
                byte: 2,
                bits: 0x10,
                to_chip,
            });
            let outcome = Stpm3x::new(&mut line, NoWait, Configuration::new(Model::Stpm34)).start();
            assert_eq!(outcome, Ok(()), "{frame} {to_chip}");
            assert_eq!(
                line.chip.held[..0x28 / 2],
                configured[..0x28 / 2],
                "{frame} {to_chip}"
            );
        }
    }
}

#[test]
fn lasting_damage_is_told_with_what_was_found() {
    let mut line = loaded();
    started(&mut line);
    // The third answer of every try: two frames behind the latch and the first request.
    for frame in 0..1_000 {
        line.faults.push(Fault {
            frame,
            byte: 4,
            bits: 0x01,
            to_chip: false,
        });
    }
    let mut driver = Stpm3x::new(&mut line, NoWait, Configuration::new(Model::Stpm34));
    let Err(Error::Corrupt {
        expected, found, ..
    }) = driver.read()
    else {
        panic!("a wrong CRC in every frame must be told");
    };
    assert_eq!(expected ^ found, 1);
}

#[test]
fn no_chip_is_no_value() {
    for level in [0x00, 0xFF] {
        let mut line = loaded();
        started(&mut line);
        line.stuck = Some(level);
        let mut driver = Stpm3x::new(&mut line, NoWait, Configuration::new(Model::Stpm34));
        assert_eq!(driver.start(), Err(Error::Absent), "{level:02X}");
        assert_eq!(driver.read(), Err(Error::Absent), "{level:02X}");
        assert_eq!(driver.sample(), Err(Error::Absent), "{level:02X}");
    }
}

#[test]
fn a_chip_that_restarted_is_told_and_its_energy_begins_anew() {
    let mut line = loaded();
    let configuration = Configuration::new(Model::Stpm34);
    let mut import = EnergyTotal::default();
    let mut driver = started(&mut line);
    let before = driver.read().expect("reads").energy[0].active;
    assert_eq!(import.update(before), 0);
    assert_eq!(
        import.update(before.wrapping_add(0x200)),
        0x200,
        "over the wrap of 32 bits"
    );
    line.chip.set(reg::PH1, 77);
    line.chip.reset();
    let mut driver = Stpm3x::new(&mut line, NoWait, configuration);
    assert_eq!(driver.read(), Err(Error::Restarted));
    assert_eq!(driver.start(), Ok(()));
    let fresh = driver.read().expect("reads").energy[0].active;
    import.restarted();
    assert_eq!(
        import.update(fresh),
        0x200,
        "nothing is counted across the restart"
    );
}

#[test]
fn a_brown_out_between_two_reads_is_not_a_reading() {
    struct BrownOut(Stpm, usize);
    impl Chip for BrownOut {
        fn frame(&mut self, received: &[u8], sent: &mut [u8]) {
            self.1 = self.1.wrapping_sub(1);
            if self.1 == 0 {
                self.0.reset();
            }
            self.0.frame(received, sent);
        }
    }
    let frames = {
        let mut line = loaded();
        started(&mut line);
        line.frames
    };
    for later in 1..25 {
        let mut line = Line::new(BrownOut(loaded().chip, frames + later));
        let mut driver = Stpm3x::new(&mut line, NoWait, Configuration::new(Model::Stpm34));
        driver.start().expect("starts");
        assert_eq!(driver.read(), Err(Error::Restarted), "{later}");
    }
}

#[test]
fn calibration_from_one_point() {
    // The chip shows 2 % too little: the trim rises; out of range is refused.
    assert_eq!(trimmed(2_048, 230_000_000, 225_400_000), Some(2_341));
    assert_eq!(trimmed(2_048, 230_000_000, 230_000_000), Some(2_048));
    assert_eq!(trimmed(2_048, 230_000_000, 190_000_000), None);
    assert_eq!(trimmed(2_048, 190_000_000, 230_000_000), None);
    assert_eq!(trimmed(2_048, 230_000_000, 0), None);
    // 0.0045 degree a step at 50 Hz.
    assert_eq!(delay(4_500, 50_000), Some(1));
    assert_eq!(delay(100_000, 50_000), Some(22));
    assert_eq!(delay(4_700_000, 50_000), None);
    assert_eq!(delay(1, 0), None);
    let mut line = loaded();
    let mut driver = started(&mut line);
    driver
        .calibrate(|constants| constants.voltage_trim[0] = 2_341)
        .expect("writes");
    assert_eq!(line.chip.get(reg::DSP_CR5) & 0xFFF, 2_341);
    assert_eq!(line.chip.get(reg::DSP_CR7) & 0xFFF, 2_048);
}

proptest! {
    /// Whatever the wire does, the driver ends after a bounded number of frames, and is well again when the wire is.
    #[test]
    fn any_noise_on_the_wire(
        faults in proptest::collection::vec((0_usize..300, 0_usize..5, any::<u8>(), any::<bool>()), 0..200),
    ) {
        let mut healthy = loaded();
        let clean = started(&mut healthy).read().expect("reads");
        let mut line = loaded();
        line.faults.extend(faults.into_iter().map(|(frame, byte, bits, to_chip)| {
            Fault { frame, byte, bits, to_chip }
        }));
        let mut driver = Stpm3x::new(&mut line, NoWait, Configuration::new(Model::Stpm34));
        let _ = driver.start();
        let _ = driver.read();
        prop_assert!(line.frames < 3 * (2 + 6) + 11 * 3 * (2 + 3 * 6) + 3 * 27);
        line.faults.clear();
        let mut driver = Stpm3x::new(&mut line, NoWait, Configuration::new(Model::Stpm34));
        prop_assert_eq!(driver.start(), Ok(()));
        prop_assert_eq!(driver.read(), Ok(clean));
    }
}
