//! The identifier table (annex A of DL/T 645-2007 with the additions for prepayment meters).
//!
//! One rule stands for all identifiers that differ in tariff, phase, settlement or number. The source below is a
//! constant; compact rows and names are split from it while compiling, so a program that never asks for a name does
//! not carry any.

use crate::format::{Format, number, signed};
use crate::unit::Unit;

/// Who may do what with an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Read only.
    Read,
    /// Read and written (14).
    ReadWrite,
    /// Written only.
    Write,
}

/// Language of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lang {
    /// English.
    En,
    /// Chinese.
    Zh,
}

/// DI1 may be FF.
pub(crate) const BLOCK1: u8 = 0x01;
/// DI0 may be FF.
pub(crate) const BLOCK0: u8 = 0x02;
/// DI2 + 14, + 28, + 3C are the same item of phase A, B, C, total tariff only.
pub(crate) const PHASES: u8 = 0x04;
const WRITABLE: u8 = 0x08;
const UNREADABLE: u8 = 0x10;

/// What a program carries of a rule: 12 bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    /// Lowest identifier of the rule.
    pub code: u32,
    /// Highest DI1 and DI0; the lowest are those of the code.
    pub last1: u8,
    pub last0: u8,
    pub flags: u8,
    pub format: Format,
}

impl Row {
    pub(crate) const fn access(&self) -> Access {
        if self.flags & UNREADABLE != 0 {
            Access::Write
        } else if self.flags & WRITABLE != 0 {
            Access::ReadWrite
        } else {
            Access::Read
        }
    }
}

/// Where a rule's values go in the unified standard; quantity 0 means nowhere. Phase, tariff, settlement and harmonic
/// order come from the identifier.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(
    not(feature = "meter-proto"),
    allow(dead_code, reason = "only the mapping reads it")
)]
pub(crate) struct Place {
    pub quantity: u8,
    pub direction: u8,
    pub statistic: u8,
    /// Harmonic field, or ORDER when DI0 is the order.
    pub harmonic: u8,
    pub channel: u8,
    /// Decimal exponent of the last digit in the unit of the quantity.
    pub exponent: i8,
}

/// The harmonic is DI0.
#[cfg_attr(
    not(feature = "meter-proto"),
    allow(dead_code, reason = "only the mapping reads it")
)]
pub(crate) const ORDER: u8 = 0xFF;

const NOWHERE: Place = Place {
    quantity: 0,
    direction: 0,
    statistic: 0,
    harmonic: 0,
    channel: 0,
    exponent: 0,
};

#[derive(Clone, Copy)]
struct Rule {
    row: Row,
    en: &'static str,
    zh: &'static str,
    place: Place,
}

const fn item(code: u32, format: Format, en: &'static str, zh: &'static str) -> Rule {
    let row = Row {
        code,
        last1: (code >> 8) as u8,
        last0: code as u8,
        flags: 0,
        format,
    };
    Rule {
        row,
        en,
        zh,
        place: NOWHERE,
    }
}

impl Rule {
    const fn flag(mut self, flags: u8) -> Self {
        self.row.flags |= flags;
        self
    }

    const fn rw(self) -> Self {
        self.flag(WRITABLE)
    }

    const fn write_only(self) -> Self {
        self.flag(WRITABLE | UNREADABLE)
    }

    const fn di1_to(mut self, last: u8) -> Self {
        self.row.last1 = last;
        self.flag(BLOCK1)
    }

    const fn di0_to(mut self, last: u8) -> Self {
        self.row.last0 = last;
        self.flag(BLOCK0)
    }

    /// DI0 counts up to `last`; no block.
    const fn numbered(mut self, last: u8) -> Self {
        self.row.last0 = last;
        self
    }

    const fn at(mut self, quantity: u8, exponent: i8) -> Self {
        self.place.quantity = quantity;
        self.place.exponent = exponent;
        self
    }

    const fn direction(mut self, direction: u8) -> Self {
        self.place.direction = direction;
        self
    }

    const fn statistic(mut self, statistic: u8) -> Self {
        self.place.statistic = statistic;
        self
    }

    const fn harmonic(mut self, harmonic: u8) -> Self {
        self.place.harmonic = harmonic;
        self
    }

    const fn channel(mut self, channel: u8) -> Self {
        self.place.channel = channel;
        self
    }
}

/// Class 00 with tariffs, settlements and phases.
const fn energy(di2: u8, format: Format, en: &'static str, zh: &'static str) -> Rule {
    let rule = item((di2 as u32) << 16, format, en, zh)
        .di1_to(0x3F)
        .di0_to(0x0C);
    if di2 == 0 { rule } else { rule.flag(PHASES) }
}

/// Class 00 from 80 on: no tariffs.
const fn loss(di2: u8, en: &'static str, zh: &'static str) -> Rule {
    item((di2 as u32) << 16, number(4, 2, Unit::KilowattHour), en, zh)
        .di0_to(0x0C)
        .flag(PHASES)
}

/// Class 01.
const fn demand(di2: u8, signed: bool, unit: Unit, en: &'static str, zh: &'static str) -> Rule {
    item(
        0x0100_0000 | (di2 as u32) << 16,
        Format::Demand { signed, unit },
        en,
        zh,
    )
    .di1_to(0x3F)
    .di0_to(0x0C)
    .flag(PHASES)
    .statistic(5)
}

/// Class 02 by phase; `first` is 0 where a total exists.
const fn phases(di2: u8, first: u8, format: Format, en: &'static str, zh: &'static str) -> Rule {
    item(
        0x0200_0000 | (di2 as u32) << 16 | (first as u32) << 8,
        format,
        en,
        zh,
    )
    .di1_to(3)
}

const ACTIVE: Format = number(4, 2, Unit::KilowattHour);
const REACTIVE: Format = number(4, 2, Unit::KilovarHour);
const APPARENT: Format = number(4, 2, Unit::KilovoltAmpereHour);
const MONEY: Format = number(4, 2, Unit::Yuan);
const PRICE: Format = number(4, 4, Unit::YuanPerKilowattHour);
const COUNT1: Format = number(1, 0, Unit::None);
const PERCENT: Format = number(2, 2, Unit::Percent);

/// Ascending by code.
const SOURCE: &[Rule] = &[
    // Section 8: energy.
    energy(
        0x00,
        signed(4, 2, Unit::KilowattHour),
        "combined active energy",
        "组合有功电能",
    )
    .at(8, 1),
    energy(0x01, ACTIVE, "forward active energy", "正向有功电能")
        .at(8, 1)
        .direction(1),
    energy(0x02, ACTIVE, "reverse active energy", "反向有功电能")
        .at(8, 1)
        .direction(2),
    energy(
        0x03,
        signed(4, 2, Unit::KilovarHour),
        "combined reactive 1 energy",
        "组合无功1电能",
    )
    .at(9, 1),
    energy(
        0x04,
        signed(4, 2, Unit::KilovarHour),
        "combined reactive 2 energy",
        "组合无功2电能",
    )
    .at(9, 1)
    .direction(7),
    energy(0x05, REACTIVE, "Q1 reactive energy", "第一象限无功电能")
        .at(9, 1)
        .direction(3),
    energy(0x06, REACTIVE, "Q2 reactive energy", "第二象限无功电能")
        .at(9, 1)
        .direction(4),
    energy(0x07, REACTIVE, "Q3 reactive energy", "第三象限无功电能")
        .at(9, 1)
        .direction(5),
    energy(0x08, REACTIVE, "Q4 reactive energy", "第四象限无功电能")
        .at(9, 1)
        .direction(6),
    energy(0x09, APPARENT, "forward apparent energy", "正向视在电能")
        .at(10, 1)
        .direction(1),
    energy(0x0A, APPARENT, "reverse apparent energy", "反向视在电能")
        .at(10, 1)
        .direction(2),
    item(
        0x000B_0000,
        ACTIVE,
        "combined use of the settlement period",
        "结算周期组合有功用电量",
    )
    .di0_to(1),
    item(
        0x000C_0000,
        ACTIVE,
        "combined use of the month",
        "月度组合有功用电量",
    )
    .di0_to(1),
    item(
        0x000D_0000,
        ACTIVE,
        "combined use of the year",
        "年度组合有功用电量",
    )
    .di0_to(6),
    loss(0x80, "associated active energy", "关联总电能").at(39, 1),
    loss(
        0x81,
        "forward fundamental active energy",
        "正向有功基波电能",
    )
    .at(8, 1)
    .direction(1)
    .harmonic(1),
    loss(
        0x82,
        "reverse fundamental active energy",
        "反向有功基波电能",
    )
    .at(8, 1)
    .direction(2)
    .harmonic(1),
    loss(0x83, "forward harmonic active energy", "正向有功谐波电能")
        .at(8, 1)
        .direction(1)
        .harmonic(62),
    loss(0x84, "reverse harmonic active energy", "反向有功谐波电能")
        .at(8, 1)
        .direction(2)
        .harmonic(62),
    loss(0x85, "copper loss energy", "铜损有功总电能补偿量").at(37, 1),
    loss(0x86, "iron loss energy", "铁损有功总电能补偿量").at(38, 1),
    item(0x0090_0100, ACTIVE, "remaining energy", "剩余电量").at(21, 1),
    item(0x0090_0101, ACTIVE, "overdraft energy", "透支电量").at(23, 1),
    item(0x0090_0200, MONEY, "remaining money", "剩余金额").at(20, -2),
    item(0x0090_0201, MONEY, "overdraft money", "透支金额").at(22, -2),
    // Section 9: maximum demand.
    demand(
        0x01,
        false,
        Unit::Kilowatt,
        "forward active maximum demand",
        "正向有功最大需量",
    )
    .at(3, -1)
    .direction(1),
    demand(
        0x02,
        false,
        Unit::Kilowatt,
        "reverse active maximum demand",
        "反向有功最大需量",
    )
    .at(3, -1)
    .direction(2),
    demand(
        0x03,
        true,
        Unit::Kilovar,
        "combined reactive 1 maximum demand",
        "组合无功1最大需量",
    )
    .at(4, -1),
    demand(
        0x04,
        true,
        Unit::Kilovar,
        "combined reactive 2 maximum demand",
        "组合无功2最大需量",
    )
    .at(4, -1)
    .direction(7),
    demand(
        0x05,
        false,
        Unit::Kilovar,
        "Q1 reactive maximum demand",
        "第一象限无功最大需量",
    )
    .at(4, -1)
    .direction(3),
    demand(
        0x06,
        false,
        Unit::Kilovar,
        "Q2 reactive maximum demand",
        "第二象限无功最大需量",
    )
    .at(4, -1)
    .direction(4),
    demand(
        0x07,
        false,
        Unit::Kilovar,
        "Q3 reactive maximum demand",
        "第三象限无功最大需量",
    )
    .at(4, -1)
    .direction(5),
    demand(
        0x08,
        false,
        Unit::Kilovar,
        "Q4 reactive maximum demand",
        "第四象限无功最大需量",
    )
    .at(4, -1)
    .direction(6),
    demand(
        0x09,
        false,
        Unit::KilovoltAmpere,
        "forward apparent maximum demand",
        "正向视在最大需量",
    )
    .at(5, -1)
    .direction(1),
    demand(
        0x0A,
        false,
        Unit::KilovoltAmpere,
        "reverse apparent maximum demand",
        "反向视在最大需量",
    )
    .at(5, -1)
    .direction(2),
    // Section 10: variables.
    phases(0x01, 1, number(2, 1, Unit::Volt), "voltage", "电压").at(1, -1),
    phases(0x02, 1, signed(3, 3, Unit::Ampere), "current", "电流").at(2, -3),
    phases(
        0x03,
        0,
        signed(3, 4, Unit::Kilowatt),
        "active power",
        "瞬时有功功率",
    )
    .at(3, -1),
    phases(
        0x04,
        0,
        signed(3, 4, Unit::Kilovar),
        "reactive power",
        "瞬时无功功率",
    )
    .at(4, -1),
    phases(
        0x05,
        0,
        number(3, 4, Unit::KilovoltAmpere),
        "apparent power",
        "瞬时视在功率",
    )
    .at(5, -1),
    phases(
        0x06,
        0,
        signed(2, 3, Unit::None),
        "power factor",
        "功率因数",
    )
    .at(6, -3),
    phases(0x07, 1, number(2, 1, Unit::Degree), "phase angle", "相角").at(11, -1),
    phases(0x08, 1, PERCENT, "voltage distortion", "电压波形失真度").at(12, -2),
    phases(0x09, 1, PERCENT, "current distortion", "电流波形失真度").at(41, -2),
    item(0x020A_0101, PERCENT, "voltage harmonic", "电压谐波含量")
        .di1_to(3)
        .di0_to(21)
        .at(13, -2)
        .harmonic(ORDER),
    item(0x020B_0101, PERCENT, "current harmonic", "电流谐波含量")
        .di1_to(3)
        .di0_to(21)
        .at(42, -2)
        .harmonic(ORDER),
    // The neutral is phase 4 of the unified standard; `point` gives it that.
    item(
        0x0280_0001,
        signed(3, 3, Unit::Ampere),
        "neutral current",
        "零线电流",
    )
    .at(2, -3),
    item(
        0x0280_0002,
        number(2, 2, Unit::Hertz),
        "grid frequency",
        "电网频率",
    )
    .at(7, -2),
    item(
        0x0280_0003,
        signed(3, 4, Unit::Kilowatt),
        "one-minute mean active power",
        "一分钟有功总平均功率",
    )
    .at(3, -1)
    .statistic(1),
    item(
        0x0280_0004,
        signed(3, 4, Unit::Kilowatt),
        "present active demand",
        "当前有功需量",
    )
    .at(3, -1)
    .statistic(4),
    item(
        0x0280_0005,
        signed(3, 4, Unit::Kilovar),
        "present reactive demand",
        "当前无功需量",
    )
    .at(4, -1)
    .statistic(4),
    item(
        0x0280_0006,
        signed(3, 4, Unit::KilovoltAmpere),
        "present apparent demand",
        "当前视在需量",
    )
    .at(5, -1)
    .statistic(4),
    item(
        0x0280_0007,
        signed(2, 1, Unit::Celsius),
        "inside temperature",
        "表内温度",
    )
    .at(15, -1),
    item(
        0x0280_0008,
        number(2, 2, Unit::Volt),
        "clock battery voltage",
        "时钟电池电压",
    )
    .at(17, -2),
    item(
        0x0280_0009,
        number(2, 2, Unit::Volt),
        "outage-reading battery voltage",
        "停电抄表电池电压",
    )
    .at(17, -2)
    .channel(1),
    // Minutes here, seconds in the unified standard: not a matter of the exponent, so it goes nowhere.
    item(
        0x0280_000A,
        number(4, 0, Unit::Minute),
        "battery operating time",
        "内部电池工作时间",
    ),
    item(0x0280_000B, PRICE, "present ladder price", "当前阶梯电价").at(19, -4),
    item(
        0x0280_000E,
        signed(3, 3, Unit::Ampere),
        "live-wire current",
        "火线电流",
    )
    .at(2, -3)
    .channel(1),
    item(
        0x0280_000F,
        signed(3, 4, Unit::Kilowatt),
        "live-wire active power",
        "火线有功功率",
    )
    .at(3, -1)
    .channel(1),
    item(
        0x0280_0010,
        signed(2, 3, Unit::None),
        "live-wire power factor",
        "火线功率因数",
    )
    .at(6, -3)
    .channel(1),
    item(0x0280_0020, PRICE, "present price", "当前电价")
        .at(19, -4)
        .channel(1),
    item(0x0280_0021, PRICE, "present tariff price", "当前费率电价")
        .at(19, -4)
        .channel(2),
    item(
        0x0280_0022,
        number(2, 0, Unit::Minute),
        "authentication time left",
        "身份认证有效时长剩余",
    ),
    item(
        0x0280_0023,
        number(1, 0, Unit::Minute),
        "infrared authentication time left",
        "红外认证时长剩余",
    ),
    // Section 11: purchases. A record is read item by item; DI0 counts back.
    item(
        0x0332_0101,
        Format::MinuteStamp,
        "energy purchase: time",
        "购电日期",
    )
    .numbered(10),
    item(
        0x0332_0201,
        number(2, 0, Unit::None),
        "energy purchase: count",
        "购电后总购电次数",
    )
    .numbered(10),
    item(0x0332_0301, ACTIVE, "energy purchase: amount", "购电量").numbered(10),
    item(
        0x0332_0401,
        ACTIVE,
        "energy purchase: remaining before",
        "购电前剩余电量",
    )
    .numbered(10),
    item(
        0x0332_0501,
        ACTIVE,
        "energy purchase: remaining after",
        "购电后剩余电量",
    )
    .numbered(10),
    item(
        0x0332_0601,
        ACTIVE,
        "energy purchase: total bought",
        "购电后累计购电量",
    )
    .numbered(10),
    item(
        0x0333_0101,
        Format::MinuteStamp,
        "money purchase: time",
        "购电日期",
    )
    .numbered(10),
    item(
        0x0333_0201,
        number(2, 0, Unit::None),
        "money purchase: count",
        "购电后总购电次数",
    )
    .numbered(10),
    item(0x0333_0301, MONEY, "money purchase: amount", "购电金额").numbered(10),
    item(
        0x0333_0401,
        MONEY,
        "money purchase: remaining before",
        "购电前剩余金额",
    )
    .numbered(10),
    item(
        0x0333_0501,
        MONEY,
        "money purchase: remaining after",
        "购电后剩余金额",
    )
    .numbered(10),
    item(
        0x0333_0601,
        MONEY,
        "money purchase: total bought",
        "购电后累计购电金额",
    )
    .numbered(10),
    // Section 12: parameters.
    item(
        0x0400_0101,
        Format::DateWeekday,
        "date and weekday",
        "日期及星期",
    )
    .rw(),
    item(0x0400_0102, Format::TimeOfDay, "time", "时间").rw(),
    item(
        0x0400_0103,
        number(1, 0, Unit::Minute),
        "demand period",
        "最大需量周期",
    )
    .rw(),
    item(
        0x0400_0104,
        number(1, 0, Unit::Minute),
        "sliding time",
        "滑差时间",
    )
    .rw(),
    item(
        0x0400_0105,
        number(2, 0, Unit::Millisecond),
        "pulse width",
        "校表脉冲宽度",
    )
    .rw(),
    item(
        0x0400_0106,
        Format::MinuteStamp,
        "switch to the other zone set",
        "两套时区表切换时间",
    )
    .rw(),
    item(
        0x0400_0107,
        Format::MinuteStamp,
        "switch to the other day-table set",
        "两套日时段表切换时间",
    )
    .rw(),
    item(
        0x0400_0108,
        Format::MinuteStamp,
        "switch of tariff prices",
        "两套费率电价切换时间",
    )
    .rw(),
    item(
        0x0400_0109,
        Format::MinuteStamp,
        "switch of ladders",
        "两套阶梯切换时间",
    )
    .rw(),
    item(
        0x0400_010C,
        Format::DateWeekdayTime,
        "date, weekday and time",
        "日期时间",
    )
    .rw(),
    item(0x0400_0201, COUNT1, "year zones", "年时区数").rw(),
    item(0x0400_0202, COUNT1, "day tables", "日时段表数").rw(),
    item(0x0400_0203, COUNT1, "slots per day", "日时段数").rw(),
    item(0x0400_0204, COUNT1, "tariffs", "费率数").rw(),
    item(
        0x0400_0205,
        number(2, 0, Unit::None),
        "public holidays",
        "公共假日数",
    )
    .rw(),
    item(0x0400_0206, COUNT1, "harmonics analysed", "谐波分析次数").rw(),
    item(0x0400_0207, COUNT1, "ladders", "阶梯数").rw(),
    item(
        0x0400_0306,
        number(3, 0, Unit::None),
        "current transformer ratio",
        "电流互感器变比",
    )
    .rw(),
    item(
        0x0400_0307,
        number(3, 0, Unit::None),
        "voltage transformer ratio",
        "电压互感器变比",
    )
    .rw(),
    item(
        0x0400_0401,
        Format::Digits { bytes: 6 },
        "communication address",
        "通信地址",
    )
    .rw(),
    item(
        0x0400_0402,
        Format::Digits { bytes: 6 },
        "meter number",
        "表号",
    )
    .rw(),
    item(
        0x0400_0403,
        Format::Text { bytes: 32 },
        "asset code",
        "资产管理编码",
    )
    .rw(),
    item(
        0x0400_0404,
        Format::Text { bytes: 6 },
        "rated voltage",
        "额定电压",
    )
    .rw(),
    item(
        0x0400_0405,
        Format::Text { bytes: 6 },
        "rated current",
        "额定电流",
    )
    .rw(),
    item(
        0x0400_0406,
        Format::Text { bytes: 6 },
        "maximum current",
        "最大电流",
    )
    .rw(),
    item(
        0x0400_0407,
        Format::Text { bytes: 4 },
        "active accuracy class",
        "有功准确度等级",
    )
    .rw(),
    item(
        0x0400_0408,
        Format::Text { bytes: 4 },
        "reactive accuracy class",
        "无功准确度等级",
    )
    .rw(),
    item(
        0x0400_0409,
        number(3, 0, Unit::PulsesPerKilowattHour),
        "active constant",
        "电表有功常数",
    )
    .rw(),
    item(
        0x0400_040A,
        number(3, 0, Unit::PulsesPerKilovarHour),
        "reactive constant",
        "电表无功常数",
    )
    .rw(),
    item(0x0400_040B, Format::Text { bytes: 10 }, "model", "电表型号").rw(),
    item(
        0x0400_040C,
        Format::Text { bytes: 10 },
        "production date",
        "生产日期",
    )
    .rw(),
    item(
        0x0400_040D,
        Format::Text { bytes: 16 },
        "protocol version",
        "协议版本号",
    ),
    item(
        0x0400_040E,
        Format::Digits { bytes: 6 },
        "customer number",
        "客户编号",
    )
    .rw(),
    item(
        0x0400_0501,
        Format::Bits { bytes: 2 },
        "status word",
        "电表运行状态字",
    )
    .di0_to(7)
    .at(33, 0),
    item(
        0x0400_0508,
        Format::Bits { bytes: 4 },
        "key status",
        "密钥状态字",
    ),
    item(
        0x0400_0601,
        Format::Bits { bytes: 1 },
        "active combination word",
        "有功组合方式特征字",
    )
    .rw(),
    item(
        0x0400_0602,
        Format::Bits { bytes: 1 },
        "reactive 1 combination word",
        "无功组合方式1特征字",
    )
    .rw(),
    item(
        0x0400_0603,
        Format::Bits { bytes: 1 },
        "reactive 2 combination word",
        "无功组合方式2特征字",
    )
    .rw(),
    item(
        0x0400_0701,
        Format::Bits { bytes: 1 },
        "rate byte of port",
        "通信速率特征字",
    )
    .numbered(5)
    .rw(),
    item(
        0x0400_0801,
        Format::Bits { bytes: 1 },
        "weekend word",
        "周休日特征字",
    )
    .rw(),
    item(
        0x0400_0802,
        COUNT1,
        "day table of weekends",
        "周休日采用的日时段表号",
    )
    .rw(),
    item(0x0400_0B01, Format::DayHour, "settlement day", "每月结算日")
        .numbered(3)
        .rw(),
    item(0x0400_0C01, Format::Raw { bytes: 4 }, "password", "密码")
        .numbered(10)
        .write_only(),
    item(
        0x0400_0E01,
        number(3, 4, Unit::Kilowatt),
        "upper limit of forward power",
        "正向有功功率上限值",
    )
    .rw(),
    item(
        0x0400_0E02,
        number(3, 4, Unit::Kilowatt),
        "upper limit of reverse power",
        "反向有功功率上限值",
    )
    .rw(),
    item(
        0x0400_0E03,
        number(2, 1, Unit::Volt),
        "upper voltage limit",
        "电压上限值",
    )
    .rw(),
    item(
        0x0400_0E04,
        number(2, 1, Unit::Volt),
        "lower voltage limit",
        "电压下限值",
    )
    .rw(),
    item(0x0400_0F01, ACTIVE, "alarm energy 1", "报警电量1限值").rw(),
    item(0x0400_0F02, ACTIVE, "alarm energy 2", "报警电量2限值").rw(),
    item(0x0400_0F03, ACTIVE, "hoard energy limit", "囤积电量限值").rw(),
    item(
        0x0400_0F04,
        ACTIVE,
        "overdraft energy limit",
        "透支电量限值",
    )
    .rw(),
    item(0x0400_1001, MONEY, "alarm money 1", "报警金额1限值").rw(),
    item(0x0400_1002, MONEY, "alarm money 2", "报警金额2限值").rw(),
    item(0x0400_1003, MONEY, "overdraft money limit", "透支金额限值").rw(),
    item(0x0400_1004, MONEY, "hoard money limit", "囤积金额限值").rw(),
    item(
        0x0400_1005,
        MONEY,
        "money needed to allow close",
        "合闸允许金额限值",
    )
    .rw(),
    item(
        0x0400_1401,
        number(2, 0, Unit::Minute),
        "alarm time before trip",
        "跳闸延时时间",
    )
    .rw(),
    item(
        0x0400_1402,
        number(3, 3, Unit::Ampere),
        "trip current limit",
        "继电器拉闸控制电流门限值",
    )
    .rw(),
    item(
        0x0400_1403,
        number(2, 0, Unit::Minute),
        "delay of the current trip",
        "继电器拉闸控制电流门限保护延时时间",
    )
    .rw(),
    item(
        0x0405_0101,
        PRICE,
        "price in use of tariff",
        "当前套费率电价",
    )
    .di0_to(0x3F),
    item(
        0x0405_0201,
        PRICE,
        "spare price of tariff",
        "备用套费率电价",
    )
    .di0_to(0x3F)
    .rw(),
    item(
        0x0480_0001,
        Format::Text { bytes: 32 },
        "software version",
        "厂家软件版本号",
    ),
    item(
        0x0480_0002,
        Format::Text { bytes: 32 },
        "hardware version",
        "厂家硬件版本号",
    ),
    item(0x0480_0003, Format::Text { bytes: 32 }, "maker", "厂家编号"),
];

pub(crate) const LEN: usize = SOURCE.len();

/// The compact rows, ascending by code.
pub(crate) static ROWS: [Row; LEN] = {
    let mut rows = [SOURCE[0].row; LEN];
    let mut nth = 1;
    while nth < LEN {
        rows[nth] = SOURCE[nth].row;
        assert!(
            rows[nth - 1].code < rows[nth].code,
            "the table is not in ascending order"
        );
        nth += 1;
    }
    rows
};

/// English names in the order of the rows.
pub(crate) static NAMES_EN: [&str; LEN] = {
    let mut names = [""; LEN];
    let mut nth = 0;
    while nth < LEN {
        names[nth] = SOURCE[nth].en;
        nth += 1;
    }
    names
};

/// Chinese names in the order of the rows.
pub(crate) static NAMES_ZH: [&str; LEN] = {
    let mut names = [""; LEN];
    let mut nth = 0;
    while nth < LEN {
        names[nth] = SOURCE[nth].zh;
        nth += 1;
    }
    names
};

/// Places in the unified standard in the order of the rows.
#[cfg(feature = "meter-proto")]
pub(crate) static PLACES: [Place; LEN] = {
    let mut places = [NOWHERE; LEN];
    let mut nth = 0;
    while nth < LEN {
        places[nth] = SOURCE[nth].place;
        nth += 1;
    }
    places
};
