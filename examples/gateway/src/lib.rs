//! A gateway: reads heterogeneous meters, converts to the unified standard, stores and forwards over MQTT.
//!
//! ```text
//! line task ──> convert ──> outbox (disk) ──> uplink: sealed envelopes ──> broker
//!     ^  └─ a meter's own records: on the disk first, then acknowledged to the meter
//!     └──────── downlink: commands by node <── down topic
//! ```
//!
//! [`start`] runs it inside a program that has a tokio runtime; the program `gateway` does just that. The clock is
//! given, so that a demonstration can run faster than the wall. The gateway never opens what meters sealed and what
//! the cloud sealed for meters.
//!
//! Limits: TCP lines only (serial ports are a later variant of [`Transport`]), MQTT without TLS, one broker.

mod clock;
mod config;
pub mod convert;
mod downlink;
mod hub;
mod line;
pub mod outbox;
mod running;
mod seal;
mod status;
mod twin;
mod uplink;

pub use clock::{ClockFn, accelerated_clock, system_clock};
pub use config::{
    Config, ConfigError, Device, KeyTable, Keys, Line, Mqtt, Profile, Protocol, Transport,
};
pub use running::{Running, StartError, start};
pub use status::{DeviceStatus, Status};
