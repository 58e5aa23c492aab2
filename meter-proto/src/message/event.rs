//! Kind 7: something happened.

use crate::fields::fields;
use crate::language::Language;
use crate::point::PointId;
use crate::value::Value;

/// Where in its life an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct EventPhase(pub u8);

impl EventPhase {
    /// The condition began.
    pub const RAISED: Self = Self(0);
    /// The condition ended.
    pub const CLEARED: Self = Self(1);
    /// It has no duration.
    pub const PULSE: Self = Self(2);
    /// It goes on with another value.
    pub const UPDATED: Self = Self(3);
}

/// Kind 7, up: an event or alarm.
///
/// The high byte of `code` is the class: 1 supply, 2 electrical safety, 3 quality, 4 tamper, 5 clock and memory,
/// 6 prepaid, 7 relay and control, 8 communication, 9 charging, 10 configuration and firmware.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Event {
    /// What happened.
    pub code: u16,
    /// 0 debug to 7 immediate danger; from 5 on it leaves the device at once.
    pub severity: u8,
    /// Raised, cleared, pulse, updated.
    pub phase: EventPhase,
    /// Pairs cleared with raised.
    pub instance: u32,
    /// The point it is about; bits 0 when there is none.
    pub point: PointId,
    /// The value that caused it.
    pub value: Option<Value>,
    /// The limit it crossed.
    pub limit: Option<Value>,
}

macro_rules! events {
    ($($code:literal $name:ident $english:literal $chinese:literal;)*) => {
        /// Codes of this release. Low bytes count within the class.
        impl Event {
            $(#[doc = concat!($english, ".")] pub const $name: u16 = $code;)*

            /// The name of a code for people, `None` for one this release does not know.
            #[must_use]
            pub const fn code_name(code: u16, language: Language) -> Option<&'static str> {
                match code {
                    $($code => Some(language.pick($english, $chinese)),)*
                    _ => None,
                }
            }
        }
    };
}

events! {
    0x0101 OUTAGE "Supply failed" "停电";
    0x0102 SAG "Voltage sag" "电压暂降";
    0x0103 SWELL "Voltage swell" "电压暂升";
    0x0104 PHASE_LOSS "A phase is missing" "断相";
    0x0201 RESIDUAL_CURRENT "Residual current above its limit" "剩余电流越限";
    0x0202 CABLE_TEMPERATURE "Cable temperature above its limit" "线缆温度越限";
    0x0203 OVERLOAD "Power or current above its limit" "过载";
    0x0204 OVER_VOLTAGE "Voltage above its limit" "过电压";
    0x0205 UNDER_VOLTAGE "Voltage below its limit" "欠电压";
    0x0206 ARC "Arc" "电弧";
    0x0301 UNBALANCE "Unbalance" "不平衡";
    0x0302 DISTORTION "Distortion" "谐波畸变";
    0x0303 POWER_FACTOR "Power factor below its limit" "功率因数越下限";
    0x0401 COVER "Meter cover opened" "开表盖";
    0x0402 TERMINAL_COVER "Terminal cover opened" "开端钮盖";
    0x0403 MAGNET "Magnetic field" "恒定磁场干扰";
    0x0404 REVERSAL "Current reversed" "电流反向";
    0x0501 CLOCK_STEP "Clock stepped" "时钟跳变";
    0x0502 MEMORY "Stored state was damaged and restored" "存储异常";
    0x0503 STORE_FULL "A stream's store is full and stopped" "存储已满";
    0x0601 CREDIT_LOW "Credit low" "余额不足";
    0x0602 CREDIT_EMPTY "Credit used up" "余额用尽";
    0x0603 OVERDRAFT "Running on overdraft" "透支";
    0x0701 RELAY_OPENED "Relay opened" "拉闸";
    0x0702 RELAY_CLOSED "Relay closed" "合闸";
    0x0703 ORDER_REFUSED "An order was refused" "命令被拒";
    0x0801 LINK_DOWN "The link between the cores is down" "核间链路中断";
    0x0802 DEVICE_SILENT "A device behind a gateway does not answer" "设备无应答";
}

impl Event {
    /// The class, high byte of the code.
    #[must_use]
    pub const fn class(&self) -> u8 {
        (self.code >> 8) as u8
    }
}

fields!(Event {
    0 code,
    1 severity,
    2 phase,
    3 instance,
    4 point,
    5 value,
    6 limit,
});
