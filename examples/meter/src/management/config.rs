//! What a management core is made with and what it counts.

use dlt645::Address;
use security::key::DeviceKey;

use crate::account::AccountConfig;

/// What one management core is made with.
#[derive(Clone, Debug)]
pub struct Config {
    /// Address on the DL/T 645 line.
    pub address: Address,
    /// Minutes from UTC to the meter's calendar.
    pub utc_offset_min: i16,
    /// Tariff and prepaid account.
    pub account: AccountConfig,
    /// Password of levels 0 to 4, six digits.
    pub password: u32,
    /// Records of one stream that may wait.
    pub waiting: u32,
}

/// Keys of the management core.
#[derive(Debug)]
pub struct Keys<'a> {
    /// Purpose `purse`: recharge orders.
    pub purse: &'a DeviceKey,
}

/// A password was wrong, or plain passwords rest today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordError;

/// What the core counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Legal blocks taken over.
    pub blocks: u32,
    /// Records acknowledged by the gateway.
    pub acknowledged: u32,
    /// Events and results that found no room.
    pub lost: u32,
    /// Writes that failed and were tried again later.
    pub store_failures: u32,
    /// Questions without an answer, and answers that made no sense.
    pub link_failures: u32,
    /// Wrong passwords.
    pub wrong_passwords: u32,
    /// Recharges booked.
    pub recharges: u32,
    /// Orders and commands refused.
    pub refused: u32,
}
