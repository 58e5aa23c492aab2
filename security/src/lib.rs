//! Keys, sealed envelopes, replay-proof counters and exactly-once orders for meters.
#![no_std]
