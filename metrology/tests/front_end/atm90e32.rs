//! ATM90E32AS: a chip with its registers, energies that reading clears, LastSPIData and write protection.

use metrology::front_end::Error;
use metrology::front_end::atm90e32::registers as reg;
use metrology::front_end::atm90e32::{Atm90e32, Configuration, Energies, angle, gain, power_gain};
use proptest::prelude::*;

use crate::bus::{Chip, Fault, Line, NoWait};

struct Atm {
    registers: Vec<u16>,
    last: u16,
    writes: Vec<(u16, u16)>,
}

/// Configuration and calibration registers stand behind the access key.
fn is_protected(address: u16) -> bool {
    matches!(address, 0x01..=0x6F)
}

impl Atm {
    fn new() -> Self {
        let mut chip = Self {
            registers: vec![0; 0x400],
            last: 0,
            writes: Vec::new(),
        };
        chip.reset();
        chip
    }

    fn reset(&mut self) {
        self.registers[..0x80].fill(0);
        for (address, value) in [(0x31, 0x0861), (0x32, 0xC468), (0x33, 0x0087)] {
            self.registers[address] = value;
        }
        for phase in 0..3 {
            self.registers[0x61 + 4 * phase] = 0x8000;
            self.registers[0x62 + 4 * phase] = 0x8000;
        }
        self.last = 0;
    }

    fn set(&mut self, address: u16, value: u16) {
        self.registers[usize::from(address)] = value;
    }
}

impl Chip for Atm {
    fn frame(&mut self, received: &[u8], sent: &mut [u8]) {
        let &[a, b, c, d] = received else {
            panic!("frames have four bytes");
        };
        sent.fill(0xFF);
        let address = u16::from_be_bytes([a & 0x03, b]);
        let place = usize::from(address);
        if a & 0x80 != 0 {
            let value = if address == reg::LAST_SPI_DATA {
                self.last
            } else {
                self.registers[place]
            };
            sent[2..].copy_from_slice(&value.to_be_bytes());
            self.last = value;
            if matches!(address, 0x80..=0xAF) {
                self.registers[place] = 0;
            }
            return;
        }
        let value = u16::from_be_bytes([c, d]);
        self.writes.push((address, value));
        if address == reg::SOFT_RESET && value == reg::RESET_KEY {
            self.reset();
            return;
        }
        self.last = value;
        let open = self.registers[usize::from(reg::CFG_REG_ACC_EN)] == reg::ACCESS_KEY;
        if !is_protected(address) || open {
            self.registers[place] = value;
        }
    }
}

fn loaded() -> Line<Atm> {
    let mut chip = Atm::new();
    for n in 0..3 {
        chip.set(reg::U_RMS_A + n, 23_000);
        chip.set(reg::U_RMS_A_LSB + n, 0x8000);
        chip.set(reg::I_RMS_A + n, 10_000);
        chip.set(reg::I_RMS_A_LSB + n, 0x4000);
        // 1,150 W out of the line: -3,593,750 counts of 0.00032 W.
        let power = (-3_593_750_i32) as u32;
        chip.set(reg::P_MEAN_A + n, (power >> 16) as u16);
        chip.set(reg::P_MEAN_A_LSB + n, power as u16);
        chip.set(reg::S_MEAN_A + n, 0x006D);
        chip.set(reg::S_MEAN_A_LSB + n, 0xAA04);
        chip.set(reg::P_ANGLE_A + n, (-1_200_i16) as u16);
        chip.set(reg::U_ANGLE_A + n, (-1_200 * n as i16) as u16);
        chip.set(reg::AP_ENERGY_T + n, 100 + n);
    }
    chip.set(reg::FREQ, 4_998);
    chip.set(reg::I_RMS_N, 12);
    chip.set(reg::TEMP, (-5_i16) as u16);
    Line::new(chip)
}

fn started(line: &mut Line<Atm>) -> Atm90e32<&mut Line<Atm>, NoWait> {
    let mut driver = Atm90e32::new(line, NoWait, Configuration::default());
    driver.start().expect("a healthy line");
    driver
}

#[test]
fn quantities_come_out_in_units() {
    let mut line = loaded();
    let mut driver = started(&mut line);
    let reading = driver.read().expect("reads");
    for (n, phase) in reading.phase.iter().enumerate() {
        assert_eq!(
            phase.voltage_uv, 230_005_000,
            "10 mV and half a step of 10 mV"
        );
        assert_eq!(phase.current_ua, 10_000_250);
        assert_eq!(phase.active_uw, -1_150_000_000);
        assert_eq!(phase.apparent_uva, u64::from(0x006D_AA04_u32) * 320);
        assert_eq!(phase.angle_mdeg, -120_000);
        assert_eq!(phase.voltage_angle_mdeg, -120_000 * n as i32);
    }
    assert_eq!(reading.neutral_ua, Some(12_000));
    assert_eq!(reading.frequency_uhz, Some(49_980_000));
    assert_eq!(driver.temperature(), Ok(-5));
}

#[test]
fn the_start_writes_every_register_and_closes_the_configuration() {
    let mut configuration = Configuration::default();
    for (n, constants) in (0_i16..).zip(&mut configuration.phase) {
        constants.voltage_gain = 0x7000 + n as u16;
        constants.current_gain = 0x9000 + n as u16;
        constants.voltage_offset = -1 - n;
        constants.current_offset = -11 - n;
        constants.active_offset = -21 - n;
        constants.reactive_offset = -31 - n;
        constants.power_gain = -41 - n;
        constants.angle = -51 - n;
    }
    configuration.mode = 0x1087;
    configuration.pulse_constant = 0x1234_5678;
    let mut line = loaded();
    Atm90e32::new(&mut line, NoWait, configuration)
        .start()
        .expect("starts");
    let held = |address: u16| line.chip.registers[usize::from(address)];
    for n in 0..3 {
        assert_eq!(held(0x61 + 4 * n), 0x7000 + n);
        assert_eq!(held(0x62 + 4 * n), 0x9000 + n);
        assert_eq!(held(0x63 + 4 * n), 0xFFFF - n);
        assert_eq!(held(0x64 + 4 * n), 0xFFF5 - n);
        assert_eq!(held(0x41 + 2 * n), 0xFFEB - n);
        assert_eq!(held(0x42 + 2 * n), 0xFFE1 - n);
        assert_eq!(held(0x47 + 2 * n), 0xFFD7 - n);
        assert_eq!(held(0x48 + 2 * n), 0x8000 | (51 + n));
    }
    assert_eq!(
        (held(0x31), held(0x32), held(0x33)),
        (0x1234, 0x5678, 0x1087)
    );
    assert_eq!((held(reg::CFG_REG_ACC_EN), held(reg::METER_EN)), (0, 1));
    assert_eq!(
        line.chip.writes.first(),
        Some(&(reg::SOFT_RESET, reg::RESET_KEY))
    );
}

#[test]
fn energies_survive_damage_on_the_way_back() {
    let frames = {
        let mut line = loaded();
        started(&mut line);
        line.frames
    };
    let mut clean = Energies::default();
    let taken = {
        let mut line = loaded();
        started(&mut line).take_energies(&mut clean).expect("reads");
        line.frames
    };
    assert_eq!(clean.import, [100, 101, 102, 0]);
    for frame in frames..taken {
        for bit in 0..16 {
            let mut line = loaded();
            let (byte, bits) = (2 + bit / 8, 1 << (bit % 8));
            line.faults.push(Fault {
                frame,
                byte,
                bits,
                to_chip: false,
            });
            let mut sums = Energies::default();
            started(&mut line)
                .take_energies(&mut sums)
                .expect("one bit is put right");
            assert_eq!(sums, clean, "{frame} {bit}");
        }
    }
}

#[test]
fn sums_of_energies_go_on() {
    let mut line = loaded();
    let mut sums = Energies::default();
    let mut driver = started(&mut line);
    driver.take_energies(&mut sums).expect("reads");
    driver.take_energies(&mut sums).expect("reads");
    assert_eq!(
        sums.import,
        [100, 101, 102, 0],
        "the chip cleared what was read"
    );
    line.chip.set(reg::AP_ENERGY_T, 5);
    let mut driver = Atm90e32::new(&mut line, NoWait, Configuration::default());
    driver.take_energies(&mut sums).expect("reads");
    assert_eq!(sums.import[0], 105);
}

#[test]
fn nothing_is_cleared_in_a_chip_that_cannot_be_heard_or_was_restarted() {
    for level in [0x00, 0xFF] {
        let mut line = loaded();
        started(&mut line);
        line.stuck = Some(level);
        let mut driver = Atm90e32::new(&mut line, NoWait, Configuration::default());
        let told = driver.take_energies(&mut Energies::default());
        // All zeros looks like a chip that does not meter.
        let expected = if level == 0 {
            Error::Restarted
        } else {
            Error::Absent
        };
        assert_eq!(told, Err(expected));
        assert_eq!(driver.start(), Err(Error::Absent));
        assert_eq!(line.chip.registers[usize::from(reg::AP_ENERGY_T)], 100);
    }
    let mut line = loaded();
    started(&mut line);
    line.chip.reset();
    let mut driver = Atm90e32::new(&mut line, NoWait, Configuration::default());
    assert_eq!(driver.read(), Err(Error::Restarted));
    assert_eq!(
        driver.take_energies(&mut Energies::default()),
        Err(Error::Restarted)
    );
}

#[test]
fn a_configuration_that_changed_by_itself_is_told() {
    let mut line = loaded();
    started(&mut line);
    line.chip.set(reg::CRC_ERR_STATUS, 1);
    let mut driver = Atm90e32::new(&mut line, NoWait, Configuration::default());
    assert_eq!(driver.read(), Err(Error::Restarted));
}

#[test]
fn lasting_damage_is_told_with_what_was_found() {
    let mut line = loaded();
    started(&mut line);
    // Every answer differs from the one before.
    for frame in 0..2_000 {
        line.faults.push(Fault {
            frame,
            byte: 3,
            bits: frame as u8,
            to_chip: false,
        });
    }
    let mut driver = Atm90e32::new(&mut line, NoWait, Configuration::default());
    assert!(matches!(
        driver.read(),
        Err(Error::Corrupt {
            register: reg::U_RMS_A,
            ..
        })
    ));
}

#[test]
fn a_damaged_write_is_written_again() {
    let frames = {
        let mut line = loaded();
        started(&mut line);
        line.frames
    };
    // Frame 0 is the reset, which has no proof of its own.
    for frame in 1..frames {
        for byte in [2, 3] {
            let mut line = loaded();
            line.faults.push(Fault {
                frame,
                byte,
                bits: 0x10,
                to_chip: true,
            });
            assert_eq!(
                Atm90e32::new(&mut line, NoWait, Configuration::default()).start(),
                Ok(()),
                "{frame} {byte}"
            );
            let mut healthy = loaded();
            started(&mut healthy);
            assert_eq!(
                line.chip.registers, healthy.chip.registers,
                "{frame} {byte}"
            );
        }
    }
}

#[test]
fn calibration_from_one_point() {
    assert_eq!(gain(0x8000, 230_000_000, 225_000_000), Some(33_496));
    assert_eq!(gain(0x8000, 230_000_000, 100_000_000), None);
    assert_eq!(gain(0x8000, 230_000_000, 0), None);
    // 1 % too much: 1 / 1.01 - 1 = -0.0099 = -324.4 / 32768.
    assert_eq!(power_gain(10_000), Some(-324));
    assert_eq!(power_gain(-10_000), Some(331));
    assert_eq!(power_gain(-600_000), None);
    assert_eq!(power_gain(-1_000_000), None);
    // One period of 2.048 MHz is 0.00879 degree at 50 Hz.
    assert_eq!(angle(8_789, 50_000), Some(1));
    assert_eq!(angle(-100_000, 50_000), Some(-11));
    assert_eq!(angle(20_000_000, 50_000), None);
    let mut line = loaded();
    let mut driver = started(&mut line);
    driver
        .calibrate(|constants| constants.phase[1].current_gain = 0x8123)
        .expect("writes");
    assert_eq!(line.chip.registers[0x66], 0x8123);
    assert_eq!(line.chip.registers[0x62], 0x8000);
    assert_eq!(line.chip.registers[usize::from(reg::CFG_REG_ACC_EN)], 0);
}

proptest! {
    /// Whatever the wire does, the driver ends after a bounded number of frames, and is well again when the wire is.
    #[test]
    fn any_noise_on_the_wire(
        faults in proptest::collection::vec((0_usize..300, 0_usize..4, any::<u8>(), any::<bool>()), 0..200),
    ) {
        let mut line = loaded();
        line.faults.extend(faults.into_iter().map(|(frame, byte, bits, to_chip)| {
            Fault { frame, byte, bits, to_chip }
        }));
        let mut driver = Atm90e32::new(&mut line, NoWait, Configuration::default());
        let _ = driver.start();
        let _ = driver.read();
        let _ = driver.take_energies(&mut Energies::default());
        // 39 rows of three writes with three proofs each, 67 values with four frames each.
        prop_assert!(line.frames < 39 * 3 * 10 + 67 * 4);
        line.faults.clear();
        let mut driver = Atm90e32::new(&mut line, NoWait, Configuration::default());
        prop_assert_eq!(driver.start(), Ok(()));
        prop_assert!(driver.read().is_ok());
    }
}
