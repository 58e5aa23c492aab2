//! Sparkplug B as prost sees it: the fields of `sparkplug_b.proto` that a DATA message of numbers uses.

use super::peers::{TIME, VALUES};

/// `Payload`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Payload {
    #[prost(uint64, optional, tag = "1")]
    pub timestamp: Option<u64>,
    #[prost(message, repeated, tag = "2")]
    pub metrics: Vec<Metric>,
    #[prost(uint64, optional, tag = "3")]
    pub seq: Option<u64>,
}

/// `Payload.Metric`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Metric {
    #[prost(string, optional, tag = "1")]
    pub name: Option<String>,
    #[prost(uint64, optional, tag = "2")]
    pub alias: Option<u64>,
    #[prost(uint64, optional, tag = "3")]
    pub timestamp: Option<u64>,
    #[prost(uint32, optional, tag = "4")]
    pub datatype: Option<u32>,
    #[prost(oneof = "Number", tags = "10, 11, 12, 13")]
    pub value: Option<Number>,
}

/// `Metric.value`, numbers only.
#[derive(Clone, PartialEq, prost::Oneof)]
pub enum Number {
    /// Up to 32 bits.
    #[prost(uint32, tag = "10")]
    Int(u32),
    /// 64 bits.
    #[prost(uint64, tag = "11")]
    Long(u64),
    /// Single precision.
    #[prost(float, tag = "12")]
    Float(f32),
    /// Double precision.
    #[prost(double, tag = "13")]
    Double(f64),
}

/// A DATA message: aliases only, single precision and 64-bit registers.
pub fn by_alias(seq: u32) -> Payload {
    metrics(seq, |at, mantissa, exponent| Metric {
        alias: Some(at),
        value: Some(if exponent > 0 {
            Number::Long(mantissa as u64)
        } else {
            Number::Float((scaled(mantissa, exponent)) as f32)
        }),
        ..Metric::default()
    })
}

/// A DATA message of the metrics that `make` gives for each value: its place, mantissa and exponent.
pub fn metrics(seq: u32, make: impl Fn(u64, i64, i8) -> Metric) -> Payload {
    let metrics = (0..)
        .zip(VALUES)
        .map(|(at, (_, mantissa, exponent))| make(at, mantissa, exponent));
    Payload {
        timestamp: Some(TIME * 1000),
        metrics: metrics.collect(),
        seq: Some(u64::from(seq % 256)),
    }
}

/// The value as a float: Sparkplug has no decimal exponent.
pub fn scaled(mantissa: i64, exponent: i8) -> f64 {
    mantissa as f64 * 10f64.powi(i32::from(exponent))
}
