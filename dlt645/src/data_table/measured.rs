//! Classes 00 to 02: energy, maximum demand, variables (sections 8 to 10 of the fact sheet).

use super::{ORDER, Rule, demand, energy, item, loss, phases};
use crate::format::{Format, number, signed};
use crate::unit::Unit;

const ACTIVE: Format = number(4, 2, Unit::KilowattHour);
const REACTIVE: Format = number(4, 2, Unit::KilovarHour);
const APPARENT: Format = number(4, 2, Unit::KilovoltAmpereHour);
const MONEY: Format = number(4, 2, Unit::Yuan);
const PRICE: Format = number(4, 4, Unit::YuanPerKilowattHour);
const PERCENT: Format = number(2, 2, Unit::Percent);

/// Ascending by code.
pub(super) const RULES: &[Rule] = &[
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
    item(
        0x00FE_0001,
        Format::HourStamp,
        "instant of settlement",
        "结算日时间",
    )
    .numbered(12),
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
];
