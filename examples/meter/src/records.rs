//! Names of all stored records, in one place.
//!
//! Metering core (its own store):
//!
//! | key | record | written |
//! |---|---|---|
//! | 0001 | boots: version 1, u32 | once per boot, before the first number is used |
//! | 0002, 0003 | limit of the sealing counter `data`, `lctrl`: version 1, u64 | every 256 messages, ahead of use |
//! | 0004 | memory of orders, as `security::gate` writes it | before and after each order |
//! | 0005 | relay: version 1, bits | before the contact moves |
//! | 0010..0017 | state (version 2: with the conditions that hold) and the legal block sealed from it | every legal interval, in turn |
//! | 0018, 0019 | state alone | clock steps, clean end, ring full; in turn |
//! | 0020..0023 | legal log, segments in turn, as `log::ring` writes them | each line |
//! | 0028, 0029 | log of what the management core asked | each line |
//!
//! Management core (its own store):
//!
//! | key | record | written |
//! |---|---|---|
//! | 0101 | account (purse, registers by rate, the metering register up to which they count), local relay commands and the memory of purse orders: one record, so that a sale is whole or absent | each order, each change of the relay wish, each legal block, clean end |
//! | 0102 | newest legal block taken over | with each block |
//! | 0103 | limit of the sealing counter `purse` | ahead of use |
//! | 0104 | settings that were programmed over the line | with each |
//! | 0105 | restarts of this core after a panic, u32 | at each of them |
//! | 0106 | use of months and years: version 1, marks | at 00:00 of the first |
//! | 0107 | maximum demand of reactive energy, as `tariff` writes it | when one rose or a period ended, before the account |
//! | 0110..0132 | one condition of one phase: how often, how long, the last time: version 1, numbers | when it begins, when it ends |
//!
//! | 2000.., by kind and number | a settled period, freeze, trip, closing, clock setting, demand reset | when it is due, before the account that counts it |
//! | 4000.. | a load record | as those |
//! | 6000.., by group and number | who programmed what, and what stood there before | before the settings |
//! | 7800.., 7900.., by number | reactive demand of a settled period, of one that was cleared | with the row that ends it |
//!
//! Water meter: 0201, millilitres, every ten litres.
//!
//! Waiting records (a store of their own): keys from 1000, one record each, name in front.

use crate::store::Key;

/// All records of a metering core, for a store that gives each its place.
pub const METERING: [Key; 21] = [
    BOOT,
    DATA_LIMIT,
    LCTRL_LIMIT,
    METERING_GATE,
    RELAY,
    BLOCK_SLOT,
    BLOCK_SLOT + 1,
    BLOCK_SLOT + 2,
    BLOCK_SLOT + 3,
    BLOCK_SLOT + 4,
    BLOCK_SLOT + 5,
    BLOCK_SLOT + 6,
    BLOCK_SLOT + 7,
    BARE_SLOT,
    BARE_SLOT + 1,
    LOG_LEGAL,
    LOG_LEGAL + 1,
    LOG_LEGAL + 2,
    LOG_LEGAL + 3,
    LOG_ASKED,
    LOG_ASKED + 1,
];

/// First byte of the records written here.
pub(crate) const VERSION: u8 = 1;
/// First byte of the metering core's state; version 1 had no conditions.
pub(crate) const STATE_VERSION: u8 = 2;

pub(crate) const BOOT: Key = 0x0001;
pub(crate) const DATA_LIMIT: Key = 0x0002;
pub(crate) const LCTRL_LIMIT: Key = 0x0003;
pub(crate) const METERING_GATE: Key = 0x0004;
pub(crate) const RELAY: Key = 0x0005;
pub(crate) const BLOCK_SLOT: Key = 0x0010;
pub(crate) const BARE_SLOT: Key = 0x0018;
pub(crate) const LOG_LEGAL: Key = 0x0020;
pub(crate) const LOG_ASKED: Key = 0x0028;
pub(crate) const ACCOUNT: Key = 0x0101;
pub(crate) const TAKEN: Key = 0x0102;
pub(crate) const PURSE_LIMIT: Key = 0x0103;
pub(crate) const SETTINGS: Key = 0x0104;
/// Restarts of the management core after a panic.
pub const RESETS: Key = 0x0105;
pub(crate) const USES: Key = 0x0106;
pub(crate) const REACTIVE: Key = 0x0107;
pub(crate) const EVENTS: Key = 0x0110;
pub(crate) const WAITING: Key = 0x1000;
/// Kind in bits 8 to 12, slot below.
pub(crate) const ROWS: Key = 0x2000;
pub(crate) const LOAD_ROWS: Key = 0x4000;
/// Group (DI1 of 0330xxnn) in bits 8 to 12, slot below.
pub(crate) const PROGRAMMED: Key = 0x6000;
/// Settled periods; cleared ones 0100 above.
pub(crate) const REACTIVE_ROWS: Key = 0x7800;
pub(crate) const WATER: Key = 0x0201;
