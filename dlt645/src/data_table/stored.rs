//! Classes 05 to 07: freezes, load records, security (sections 13 and 14 of the fact sheet).
//!
//! The formats of class 07 are those of answers.

use super::{Rule, item};
use crate::format::{Format, number, record};
use crate::layout::Layout;
use crate::unit::Unit;

const ACTIVE: Format = number(4, 2, Unit::KilowattHour);

/// Ascending by code. Freezes of all kinds but the hourly and the one of money are alike, and so are load records of all
/// classes: DI2 is the kind.
#[rustfmt::skip]
pub(super) const RULES: &[Rule] = &[
    item(0x0500_0001, Format::MinuteStamp, "time", "冻结时间").shifted().numbered(0xFE),
    item(0x0500_0101, record(Layout::ActiveEnergies), "forward active energy", "正向有功电能").shifted().numbered(0xFE),
    item(0x0500_0201, record(Layout::ActiveEnergies), "reverse active energy", "反向有功电能").shifted().numbered(0xFE),
    item(0x0500_0301, record(Layout::CombinedEnergies), "combined reactive 1 energy", "组合无功1电能").shifted().numbered(0xFE),
    item(0x0500_0401, record(Layout::CombinedEnergies), "combined reactive 2 energy", "组合无功2电能").shifted().numbered(0xFE),
    item(0x0500_0501, record(Layout::ReactiveEnergies), "Q1 reactive energy", "第一象限无功电能").shifted().numbered(0xFE),
    item(0x0500_0601, record(Layout::ReactiveEnergies), "Q2 reactive energy", "第二象限无功电能").shifted().numbered(0xFE),
    item(0x0500_0701, record(Layout::ReactiveEnergies), "Q3 reactive energy", "第三象限无功电能").shifted().numbered(0xFE),
    item(0x0500_0801, record(Layout::ReactiveEnergies), "Q4 reactive energy", "第四象限无功电能").shifted().numbered(0xFE),
    item(0x0500_0901, record(Layout::Demands), "forward active maximum demand", "正向有功最大需量").shifted().numbered(0xFE),
    item(0x0500_0A01, record(Layout::Demands), "reverse active maximum demand", "反向有功最大需量").shifted().numbered(0xFE),
    item(0x0500_1001, record(Layout::Powers), "variables", "变量数据").shifted().numbered(0xFE),
    item(0x0500_FF01, Format::Freeze, "whole freeze", "数据块").shifted().numbered(0xFE),
    item(0x0504_0001, Format::MinuteStamp, "time", "冻结时间").numbered(0xFE),
    item(0x0504_0101, ACTIVE, "forward active energy", "正向有功总电能").numbered(0xFE),
    item(0x0504_0201, ACTIVE, "reverse active energy", "反向有功总电能").numbered(0xFE),
    item(0x0504_FF01, Format::Freeze, "whole freeze", "数据块").numbered(0xFE),
    item(0x0508_0001, Format::MinuteStamp, "time", "冻结时间").numbered(0xFE),
    item(0x0508_0201, record(Layout::Purse), "purse", "购电次数、剩余金额及透支金额").numbered(0xFE),
    item(0x0600_0000, Format::LoadBlocks, "oldest blocks", "最早记录块").shifted(),
    item(0x0600_0001, Format::LoadBlocks, "blocks from a time", "给定时间记录块").shifted(),
    item(0x0600_0002, Format::LoadBlocks, "newest block", "最近一个记录块").shifted(),
    item(0x0610_0101, record(Layout::VoltageCurve), "voltage curve, phase A", "A相电压曲线"),
    item(0x0610_0102, record(Layout::VoltageCurve), "voltage curve, phase B", "B相电压曲线"),
    item(0x0610_0103, record(Layout::VoltageCurve), "voltage curve, phase C", "C相电压曲线"),
    item(0x0610_0201, record(Layout::CurrentCurve), "current curve, phase A", "A相电流曲线"),
    item(0x0610_0202, record(Layout::CurrentCurve), "current curve, phase B", "B相电流曲线"),
    item(0x0610_0203, record(Layout::CurrentCurve), "current curve, phase C", "C相电流曲线"),
    item(0x0610_0300, record(Layout::PowerCurve), "active power curve", "有功功率曲线"),
    item(0x0610_0500, record(Layout::PowerFactorCurve), "power factor curve", "功率因数曲线"),
    item(0x0610_0601, record(Layout::EnergyCurve), "forward active energy curve", "正向有功总电能曲线"),
    item(0x0610_0602, record(Layout::EnergyCurve), "reverse active energy curve", "反向有功总电能曲线"),
    item(0x0700_00FF, record(Layout::AuthenticationAnswer), "identity authentication", "身份认证"),
    item(0x0700_01FF, Format::Opaque, "authentication time", "身份认证时效设置"),
    item(0x0700_02FF, record(Layout::Farewell), "end of authentication", "身份认证失效"),
    item(0x0700_03FF, Format::Opaque, "infrared authentication", "红外认证"),
    item(0x0700_04FF, Format::Opaque, "write information file, plain", "参数信息文件明文写入"),
    item(0x0700_05FF, Format::Opaque, "write information file, cipher", "参数信息文件密文写入"),
    item(0x0701_01FF, Format::Opaque, "open account", "开户"),
    item(0x0701_02FF, Format::Opaque, "recharge", "充值"),
    item(0x0701_03FF, Format::Opaque, "initialise wallet", "钱包初始化"),
    item(0x0702_01FF, Format::Opaque, "key update, older form:", "密钥更新").numbered_in_di1(4),
    item(0x0703_01FF, Format::Opaque, "update keys", "密钥更新"),
    item(0x0780_01FF, record(Layout::ChipData), "read chip data", "数据回抄"),
    item(0x0780_02FF, record(Layout::Comparison), "software comparison", "软件比对"),
    item(0x0780_03FF, record(Layout::InfraredQuery), "infrared query", "红外认证查询"),
    item(0x0781_02FF, record(Layout::Prepayment), "prepayment state", "费控状态查询"),
    item(0x07A0_01FF, Format::Opaque, "terminal dialogue", "终端交互").numbered_in_di1(5),
    item(0x07A0_06FF, record(Layout::ModeSwitch), "mode switch", "费控模式切换"),
];
