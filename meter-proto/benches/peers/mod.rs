//! The snapshot of 20 values that everything is measured with, and the same as serde, minicbor and Sparkplug see it.
//! No standard library, so that the images for microcontrollers measure the same.

use meter_proto::message::{Head, Sample, SetSnapshot, Snapshot, Stream};
use meter_proto::point::PointId;
use meter_proto::time::{ClockQuality, Stamp};
use meter_proto::value::{Quality, Value};

/// Point, mantissa, exponent: the values of `vectors/meter-proto/sizes.json`.
pub const VALUES: [(u64, i64, i8); 20] = [
    (0x0081, 2301, -1),
    (0x0101, 2308, -1),
    (0x0181, 2296, -1),
    (0x0082, 5123, -3),
    (0x0102, 4987, -3),
    (0x0182, 5210, -3),
    (0x0083, 11_764, -1),
    (0x0103, 11_487, -1),
    (0x0183, 11_938, -1),
    (0x0086, 998, -3),
    (0x0106, 998, -3),
    (0x0186, 998, -3),
    (0x0003, 35_189, -1),
    (0x0004, 2_228, -1),
    (0x0005, 35_259, -1),
    (0x0006, 998, -3),
    (0x0007, 5_001, -2),
    (0x0808, 12_345_678, 1),
    (0x1008, 1_234, 1),
    (0x0809, 345_678, 1),
];

/// When it was measured, seconds since 1970.
pub const TIME: u64 = 1_795_219_200;

/// The head of a record.
pub const fn head(boot: u32, seq: u32) -> Head {
    Head {
        node: 0,
        stream: Stream::TELEMETRY,
        boot,
        seq,
        stamp: Stamp::from_seconds(TIME, ClockQuality::LEGAL),
    }
}

/// The values with their points.
pub fn snapshot() -> Snapshot {
    let samples = VALUES.iter().map(|(point, mantissa, exponent)| {
        Sample::new(PointId::from_bits(*point), Value::new(*mantissa, *exponent))
    });
    samples.collect()
}

/// The values in the same order, as a set whose layout is known.
pub fn set_snapshot() -> SetSnapshot {
    SetSnapshot {
        number: 1,
        quality: Quality::GOOD,
        mantissas: VALUES.iter().map(|(_, mantissa, _)| *mantissa).collect(),
        exceptions: heapless::Vec::new(),
    }
}

/// The same as minicbor derives it: everything in arrays, nothing on the heap.
pub mod cbor {
    use super::VALUES;
    use minicbor::{Decode, Encode};

    #[derive(Clone, Copy, Debug, Default, PartialEq, Encode, Decode)]
    #[cbor(array)]
    pub struct Point {
        #[n(0)]
        pub point: u64,
        #[n(1)]
        pub exponent: i8,
        #[n(2)]
        pub quality: u8,
        #[n(3)]
        pub mantissa: i64,
    }

    #[derive(Clone, Copy, Debug, PartialEq, Encode, Decode)]
    #[cbor(array)]
    pub struct Message {
        #[n(0)]
        pub kind: u8,
        #[n(1)]
        pub node: u16,
        #[n(2)]
        pub stream: u8,
        #[n(3)]
        pub boot: u32,
        #[n(4)]
        pub seq: u32,
        #[n(5)]
        pub time: u64,
        #[n(6)]
        pub clk: u8,
        #[n(7)]
        pub points: [Point; 20],
    }

    pub fn message(boot: u32, seq: u32) -> Message {
        Message {
            kind: 4,
            node: 0,
            stream: 3,
            boot,
            seq,
            time: super::TIME,
            clk: 4,
            points: VALUES.map(|(point, mantissa, exponent)| Point {
                point,
                exponent,
                quality: 0,
                mantissa,
            }),
        }
    }
}
