//! Records: which fields stand in which order (sections 11 to 14 of the fact sheet).
//!
//! A layout is a row of parts, a part a group of fields with the phase they belong to. Formats and names of the groups
//! are kept apart, so that a program which never prints a field does not carry names.

use crate::data_table::Lang;
use crate::format::Format;
use crate::format::{number, signed};
use crate::unit::Unit;

const COUNT1: Format = number(1, 0, Unit::None);
const COUNT2: Format = number(2, 0, Unit::None);
const COUNT3: Format = number(3, 0, Unit::None);
const MINUTES2: Format = number(2, 0, Unit::Minute);
const MINUTES3: Format = number(3, 0, Unit::Minute);
const PERCENT2: Format = number(2, 2, Unit::Percent);
const PERCENT3: Format = number(3, 2, Unit::Percent);
const KWH: Format = number(4, 2, Unit::KilowattHour);
const KVARH: Format = number(4, 2, Unit::KilovarHour);
const KVARH_SIGNED: Format = signed(4, 2, Unit::KilovarHour);
const YUAN: Format = number(4, 2, Unit::Yuan);
const PRICE: Format = number(4, 4, Unit::YuanPerKilowattHour);
const VOLT: Format = number(2, 1, Unit::Volt);
const AMPERE: Format = signed(3, 3, Unit::Ampere);
const KW: Format = signed(3, 4, Unit::Kilowatt);
const KVAR: Format = signed(3, 4, Unit::Kilovar);
const POWER_FACTOR: Format = signed(2, 3, Unit::None);
const HERTZ: Format = number(2, 2, Unit::Hertz);
const MAC: Format = Format::Binary { bytes: 4 };
const KW_DEMAND: Format = Format::Demand {
    signed: false,
    unit: Unit::Kilowatt,
};
const KVAR_DEMAND: Format = Format::Demand {
    signed: false,
    unit: Unit::Kilovar,
};

/// A run of fields that occurs in several records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Group {
    Begin,
    End,
    Time,
    Before,
    After,
    Operator,
    Count,
    Minutes,
    FourEnergies,
    SixEnergies,
    TwoEnergies,
    SixDemands,
    SixCounts,
    Phase,
    AmpereHours,
    Current,
    Unbalance,
    WideUnbalance,
    Quality,
    ShortQuality,
    Demand,
    ReactiveDemand,
    Id,
    Slot,
    Zone,
    Holiday,
    DayTable,
    Word,
    SettlementDay,
    Ladders,
    EnergyPurchase,
    MoneyPurchase,
    ActiveEnergy,
    ReactiveEnergy,
    CombinedEnergy,
    TariffDemand,
    Powers,
    Purse,
    Voltages,
    PowerFactors,
    FourQuadrants,
    TwoDemands,
    CurveTime,
    VoltagePoint,
    CurrentPoint,
    PowerPoint,
    PowerFactorPoint,
    EnergyPoint,
    WordByte,
    Separator,
    Counter,
    Random,
    AuthenticationRequest,
    AuthenticationTime,
    Farewell,
    Cipher,
    Recharge,
    Wallet,
    Key,
    Mac,
    Descriptor,
    Byte,
    Infrared,
    Customer,
    Comparison,
    Mode,
}

use Group as G;

/// A group at its place in a record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part {
    pub group: Group,
    /// 1, 2, 3 phases A, B, C; [`TOTAL`]; [`AT_END`].
    pub scope: u8,
    /// How often the group stands there.
    pub times: u8,
    /// Fewer are possible.
    pub open: bool,
}

/// The sum over the phases, where phases follow.
pub(crate) const TOTAL: u8 = 0x04;
/// The state at the end of the event.
pub(crate) const AT_END: u8 = 0x08;

const fn of(group: Group) -> Part {
    Part {
        group,
        scope: 0,
        times: 1,
        open: false,
    }
}

impl Part {
    const fn phase(mut self, phase: u8) -> Self {
        self.scope |= phase;
        self
    }

    const fn total(mut self) -> Self {
        self.scope |= TOTAL;
        self
    }

    const fn end(mut self) -> Self {
        self.scope |= AT_END;
        self
    }

    const fn times(mut self, times: u8) -> Self {
        self.times = times;
        self
    }

    const fn up_to(mut self, times: u8) -> Self {
        self.times = times;
        self.open = true;
        self
    }
}

/// Which record; the identifiers that have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[repr(u8)]
pub enum Layout {
    /// Counts and minutes of a phase-wise event: 0301 to 0304, 030B to 030F totals.
    PhaseTotals,
    /// Count and minutes: 0305 to 030A totals.
    Totals,
    /// 0301 to 0304: one loss, under-voltage, over-voltage or broken phase.
    VoltageEvent,
    /// 030B to 030D: one loss, excess or interruption of current.
    CurrentEvent,
    /// 0305.
    AllVoltagesLost,
    /// 0306, 0311: begin and end.
    Interval,
    /// 0307, 0308, 030E, 030F: begin, end and energies.
    EnergyEvent,
    /// 0309, 030A.
    UnbalanceEvent,
    /// 0310 of the meter.
    Quality,
    /// 0310 of a phase.
    QualityOfPhase,
    /// 0310 of a phase as other meters send it, 25 bytes.
    ShortQualityOfPhase,
    /// 03120000.
    DemandTotals,
    /// 0312 01 and 02.
    DemandEvent,
    /// 0312 03 to 06.
    ReactiveDemandEvent,
    /// 033000.
    Programming,
    /// 033001.
    MeterClear,
    /// 033002.
    DemandClear,
    /// 033003.
    EventClear,
    /// 033004.
    ClockSet,
    /// 033005: tables 1 to 8 of both sets, 14 slots each.
    DayTablesWritten,
    /// 033006: both sets, 14 zones each.
    ZonesWritten,
    /// 033007.
    WeekendWritten,
    /// 033008.
    HolidaysWritten,
    /// 033009 to 03300B.
    WordWritten,
    /// 03300C.
    SettlementDaysWritten,
    /// 03300D, 03300E.
    CoverOpened,
    /// 033010.
    LaddersWritten,
    /// 0335.
    MagneticField,
    /// 0332.
    EnergyPurchase,
    /// 0333.
    MoneyPurchase,
    /// Classes 10 to 13.
    VoltageItems,
    /// Classes 18 to 1A.
    CurrentItems,
    /// Classes 14, 15, 1B, 1C and 0311 item by item.
    EnergyItems,
    /// Classes 16 and 17.
    UnbalanceItems,
    /// Classes 1D and 1E.
    RelayItems,
    /// Class 1F.
    PowerFactorItems,
    /// Class 22.
    BatteryItems,
    /// Total and tariffs, kWh.
    ActiveEnergies,
    /// Total and tariffs, kvarh with sign.
    CombinedEnergies,
    /// Total and tariffs, kvarh.
    ReactiveEnergies,
    /// Total and tariffs, maximum demand with time.
    Demands,
    /// 05..10: active and reactive power by phase.
    Powers,
    /// 0508..02.
    Purse,
    /// 06, class 1.
    LoadVoltages,
    /// 06, class 3.
    LoadPowerFactors,
    /// 06, class 4.
    LoadEnergies,
    /// 06, class 5.
    LoadQuadrants,
    /// 06, class 6.
    LoadDemands,
    /// 06100101.
    VoltageCurve,
    /// 06100201.
    CurrentCurve,
    /// 06100300.
    PowerCurve,
    /// 06100500.
    PowerFactorCurve,
    /// 06100601, 06100602.
    EnergyCurve,
    /// A zone table.
    Zones,
    /// A day table.
    Slots,
    /// A ladder table: limits, prices, yearly settlement days.
    Ladders,
    /// 04001104.
    ReportMode,
    /// 04001503.
    ReportClear,
    /// 04001501: the words, then a counter for each bit set.
    ReportState,
    /// 070000FF, request.
    AuthenticationRequest,
    /// 070000FF, answer.
    AuthenticationAnswer,
    /// 070001FF, request.
    AuthenticationTime,
    /// 070002FF, answer.
    Farewell,
    /// 070003FF, request.
    Cipher,
    /// 070101FF and 070102FF, request.
    Recharge,
    /// 070103FF request, and a wallet read by 078001FF.
    Wallet,
    /// 070301FF, request.
    Keys,
    /// 078001FF, answer.
    ChipData,
    /// 078001FF, request.
    ChipDescriptor,
    /// 078002FF, answer.
    Comparison,
    /// 078003FF, answer.
    InfraredQuery,
    /// 078102FF, answer.
    Prepayment,
    /// 07A006FF.
    ModeSwitch,
}

/// Lengths of a record: `fixed` bytes and up to `most` times `step` more.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub fixed: u16,
    pub step: u8,
    pub most: u8,
}

impl Shape {
    pub(crate) const fn fits(self, len: usize) -> bool {
        match len.checked_sub(self.fixed as usize) {
            Some(0) => true,
            Some(more) if self.step != 0 => {
                more.is_multiple_of(self.step as usize)
                    && more / self.step as usize <= self.most as usize
            }
            _ => false,
        }
    }
}

impl Layout {
    #[inline]
    pub(crate) const fn shape(self) -> Shape {
        SHAPES[self as usize]
    }

    pub(crate) const fn parts(self) -> &'static [Part] {
        PARTS[self as usize]
    }

    /// The format of the `nth` field (from 0) of a record without open parts.
    pub(crate) fn nth(self, nth: usize) -> Option<Format> {
        let (part, place) = self.field(nth)?;
        part.group.formats().get(place).copied()
    }

    /// The part of the `nth` field and its place in the group.
    pub(crate) fn field(self, nth: usize) -> Option<(Part, usize)> {
        let mut rest = nth;
        for part in self.parts() {
            let each = part.group.formats().len();
            for _ in 0..part.times {
                if rest < each {
                    return Some((*part, rest));
                }
                rest -= each;
            }
        }
        None
    }

    /// How many fields a record without open parts has.
    pub(crate) const fn count(self) -> u8 {
        let parts = self.parts();
        let (mut nth, mut count) = (0, 0);
        while nth < parts.len() {
            count += FORMATS[parts[nth].group as usize].len() * parts[nth].times as usize;
            nth += 1;
        }
        count as u8
    }
}

impl Group {
    pub(crate) const fn formats(self) -> &'static [Format] {
        FORMATS[self as usize]
    }

    pub(crate) fn names(self, lang: Lang) -> &'static [&'static str] {
        match lang {
            Lang::En => NAMES_EN[self as usize],
            Lang::Zh => NAMES_ZH[self as usize],
        }
    }
}

const GROUPS: usize = 66;
const LAYOUTS: usize = 73;

type Names = &'static [&'static str];

/// In the order of [`Group`]: formats, English and Chinese names.
#[rustfmt::skip]
const SOURCE: [(Group, &[Format], Names, Names); GROUPS] = [
    (G::Begin, &[Format::SecondStamp], &["begin"], &["发生时刻"]),
    (G::End, &[Format::SecondStamp], &["end"], &["结束时刻"]),
    (G::Time, &[Format::SecondStamp], &["time"], &["发生时刻"]),
    (G::Before, &[Format::SecondStamp], &["time before"], &["校时前时间"]),
    (G::After, &[Format::SecondStamp], &["time after"], &["校时后时间"]),
    (G::Operator, &[Format::Binary { bytes: 4 }], &["operator"], &["操作者代码"]),
    (G::Count, &[COUNT3], &["count"], &["总次数"]),
    (G::Minutes, &[MINUTES3], &["total time"], &["累计时间"]),
    (G::FourEnergies,
        &[KWH, KWH, KVARH_SIGNED, KVARH_SIGNED],
        &["forward active energy", "reverse active energy", "combined reactive 1 energy", "combined reactive 2 energy"],
        &["正向有功电能", "反向有功电能", "组合无功1电能", "组合无功2电能"]),
    (G::SixEnergies,
        &[KWH, KWH, KVARH, KVARH, KVARH, KVARH],
        &["forward active energy", "reverse active energy", "Q1 reactive energy", "Q2 reactive energy", "Q3 reactive energy", "Q4 reactive energy"],
        &["正向有功电能", "反向有功电能", "第一象限无功电能", "第二象限无功电能", "第三象限无功电能", "第四象限无功电能"]),
    (G::TwoEnergies, &[KWH, KWH], &["forward active energy", "reverse active energy"], &["正向有功电能", "反向有功电能"]),
    (G::SixDemands,
        &[KW_DEMAND, KW_DEMAND, KVAR_DEMAND, KVAR_DEMAND, KVAR_DEMAND, KVAR_DEMAND],
        &["forward active maximum demand", "reverse active maximum demand", "Q1 reactive maximum demand", "Q2 reactive maximum demand", "Q3 reactive maximum demand", "Q4 reactive maximum demand"],
        &["正向有功最大需量", "反向有功最大需量", "第一象限无功最大需量", "第二象限无功最大需量", "第三象限无功最大需量", "第四象限无功最大需量"]),
    (G::SixCounts,
        &[COUNT3, COUNT3, COUNT3, COUNT3, COUNT3, COUNT3],
        &["forward active demand exceeded, count", "reverse active demand exceeded, count", "Q1 reactive demand exceeded, count", "Q2 reactive demand exceeded, count", "Q3 reactive demand exceeded, count", "Q4 reactive demand exceeded, count"],
        &["正向有功需量超限次数", "反向有功需量超限次数", "第一象限无功需量超限次数", "第二象限无功需量超限次数", "第三象限无功需量超限次数", "第四象限无功需量超限次数"]),
    (G::Phase,
        &[VOLT, AMPERE, KW, KVAR, POWER_FACTOR],
        &["voltage", "current", "active power", "reactive power", "power factor"],
        &["电压", "电流", "有功功率", "无功功率", "功率因数"]),
    (G::AmpereHours, &[number(4, 2, Unit::AmpereHour)], &["ampere-hours"], &["安时值"]),
    (G::Current, &[AMPERE], &["current"], &["电流值"]),
    (G::Unbalance, &[PERCENT2], &["maximum unbalance"], &["最大不平衡率"]),
    (G::WideUnbalance, &[PERCENT3], &["maximum unbalance"], &["最大不平衡率"]),
    (G::Quality,
        &[MINUTES3, PERCENT3, PERCENT3, MINUTES3, MINUTES3, VOLT, Format::MonthMinute, VOLT, Format::MonthMinute],
        &["time monitored", "share in range", "share out of range", "time above the limit", "time below the limit", "highest voltage", "time of the highest voltage", "lowest voltage", "time of the lowest voltage"],
        &["监测时间", "合格率", "超限率", "超上限时间", "超下限时间", "最高电压", "最高电压出现时间", "最低电压", "最低电压出现时间"]),
    (G::ShortQuality,
        &[MINUTES3, PERCENT2, PERCENT2, MINUTES3, MINUTES3, VOLT, Format::MonthMinute, VOLT, Format::MonthMinute],
        &["time monitored", "share in range", "share out of range", "time above the limit", "time below the limit", "highest voltage", "time of the highest voltage", "lowest voltage", "time of the lowest voltage"],
        &["监测时间", "合格率", "超限率", "超上限时间", "超下限时间", "最高电压", "最高电压出现时间", "最低电压", "最低电压出现时间"]),
    (G::Demand, &[KW_DEMAND], &["maximum demand"], &["最大需量及发生时间"]),
    (G::ReactiveDemand, &[KVAR_DEMAND], &["maximum demand"], &["最大需量及发生时间"]),
    (G::Id, &[Format::Id], &["identifier"], &["数据标识"]),
    (G::Slot, &[Format::Slot], &["slot"], &["时段"]),
    (G::Zone, &[Format::Zone], &["zone"], &["时区"]),
    (G::Holiday, &[Format::Holiday], &["holiday"], &["公共假日"]),
    (G::DayTable, &[COUNT1], &["day table"], &["时段表号"]),
    (G::Word, &[Format::Bits { bytes: 1 }], &["word before"], &["特征字"]),
    (G::SettlementDay, &[Format::DayHour], &["settlement day"], &["结算日"]),
    (G::Ladders,
        &[KWH, KWH, KWH, KWH, KWH, KWH, PRICE, PRICE, PRICE, PRICE, PRICE, PRICE, PRICE, Format::MonthHour, Format::MonthHour, Format::MonthHour, Format::MonthHour, Format::MonthHour, Format::MonthHour],
        &["limit 1", "limit 2", "limit 3", "limit 4", "limit 5", "limit 6", "price 1", "price 2", "price 3", "price 4", "price 5", "price 6", "price 7", "yearly settlement day 1", "yearly settlement day 2", "yearly settlement day 3", "yearly settlement day 4", "yearly settlement day 5", "yearly settlement day 6"],
        &["阶梯值1", "阶梯值2", "阶梯值3", "阶梯值4", "阶梯值5", "阶梯值6", "阶梯电价1", "阶梯电价2", "阶梯电价3", "阶梯电价4", "阶梯电价5", "阶梯电价6", "阶梯电价7", "年结算日1", "年结算日2", "年结算日3", "年结算日4", "年结算日5", "年结算日6"]),
    (G::EnergyPurchase,
        &[Format::MinuteStamp, COUNT2, KWH, KWH, KWH, KWH],
        &["time", "count", "amount", "remaining before", "remaining after", "total bought"],
        &["日期", "购电后总购电次数", "购电量", "购电前剩余电量", "购电后剩余电量", "购电后累计购电量"]),
    (G::MoneyPurchase,
        &[Format::MinuteStamp, COUNT2, YUAN, YUAN, YUAN, YUAN],
        &["time", "count", "amount", "remaining before", "remaining after", "total bought"],
        &["日期", "购电后总购电次数", "购电金额", "购电前剩余金额", "购电后剩余金额", "购电后累计购电金额"]),
    (G::ActiveEnergy, &[KWH], &["energy of tariff"], &["电能"]),
    (G::ReactiveEnergy, &[KVARH], &["energy of tariff"], &["电能"]),
    (G::CombinedEnergy, &[KVARH_SIGNED], &["energy of tariff"], &["电能"]),
    (G::TariffDemand, &[KW_DEMAND], &["maximum demand of tariff"], &["最大需量"]),
    (G::Powers,
        &[KW, KW, KW, KW, KVAR, KVAR, KVAR, KVAR],
        &["active power", "active power, phase A", "active power, phase B", "active power, phase C", "reactive power", "reactive power, phase A", "reactive power, phase B", "reactive power, phase C"],
        &["有功功率", "A相有功功率", "B相有功功率", "C相有功功率", "无功功率", "A相无功功率", "B相无功功率", "C相无功功率"]),
    (G::Purse,
        &[COUNT2, YUAN, YUAN],
        &["purchase count", "remaining money", "overdraft money"],
        &["购电次数", "剩余金额", "透支金额"]),
    (G::Voltages,
        &[VOLT, VOLT, VOLT, AMPERE, AMPERE, AMPERE, HERTZ],
        &["voltage, phase A", "voltage, phase B", "voltage, phase C", "current, phase A", "current, phase B", "current, phase C", "frequency"],
        &["A相电压", "B相电压", "C相电压", "A相电流", "B相电流", "C相电流", "频率"]),
    (G::PowerFactors,
        &[POWER_FACTOR, POWER_FACTOR, POWER_FACTOR, POWER_FACTOR],
        &["power factor", "power factor, phase A", "power factor, phase B", "power factor, phase C"],
        &["总功率因数", "A相功率因数", "B相功率因数", "C相功率因数"]),
    (G::FourQuadrants,
        &[KVARH, KVARH, KVARH, KVARH],
        &["Q1 reactive energy", "Q2 reactive energy", "Q3 reactive energy", "Q4 reactive energy"],
        &["第一象限无功电能", "第二象限无功电能", "第三象限无功电能", "第四象限无功电能"]),
    (G::TwoDemands, &[KW, KVAR], &["active demand", "reactive demand"], &["当前有功需量", "当前无功需量"]),
    (G::CurveTime, &[Format::MinuteStamp], &["from"], &["起始时间"]),
    (G::VoltagePoint, &[VOLT], &["voltage"], &["电压"]),
    (G::CurrentPoint, &[AMPERE], &["current"], &["电流"]),
    (G::PowerPoint, &[KW], &["active power"], &["有功功率"]),
    (G::PowerFactorPoint, &[POWER_FACTOR], &["power factor"], &["功率因数"]),
    (G::EnergyPoint, &[KWH], &["energy"], &["电能示值"]),
    (G::WordByte, &[Format::Bits { bytes: 1 }], &["byte"], &["字节"]),
    (G::Separator, &[Format::Raw { bytes: 1 }], &["separator"], &["分隔符"]),
    (G::Counter, &[Format::Bits { bytes: 1 }], &["counter"], &["新增次数"]),
    (G::Random, &[Format::Binary { bytes: 4 }, Format::Binary { bytes: 8 }], &["random number", "chip serial number"], &["随机数", "ESAM序列号"]),
    (G::AuthenticationRequest,
        &[Format::Binary { bytes: 8 }, Format::Binary { bytes: 8 }, Format::Binary { bytes: 8 }],
        &["cipher", "random number", "diversifier"],
        &["密文", "随机数", "分散因子"]),
    (G::AuthenticationTime, &[MINUTES2, MAC], &["time", "MAC"], &["身份认证时效", "MAC"]),
    (G::Farewell,
        &[Format::Digits { bytes: 6 }, Format::Binary { bytes: 4 }, Format::Binary { bytes: 4 }, Format::Binary { bytes: 4 }],
        &["customer number", "remaining money", "purchase count", "key information"],
        &["客户编号", "剩余金额", "购电次数", "密钥信息"]),
    (G::Cipher, &[Format::Binary { bytes: 8 }], &["cipher"], &["密文"]),
    (G::Recharge,
        &[Format::Binary { bytes: 4 }, Format::Binary { bytes: 4 }, MAC, Format::Digits { bytes: 6 }, MAC],
        &["amount", "count", "MAC 1", "customer number", "MAC 2"],
        &["购电金额", "购电次数", "MAC1", "客户编号", "MAC2"]),
    (G::Wallet,
        &[Format::Binary { bytes: 4 }, MAC, Format::Binary { bytes: 4 }, MAC],
        &["amount", "MAC 1", "count", "MAC 2"],
        &["金额", "MAC1", "购电次数", "MAC2"]),
    (G::Key, &[Format::Binary { bytes: 4 }, Format::Binary { bytes: 32 }], &["key information", "key"], &["密钥信息", "密钥"]),
    (G::Mac, &[MAC], &["MAC"], &["MAC"]),
    (G::Descriptor, &[Format::Binary { bytes: 8 }], &["descriptor"], &["数据回抄标识"]),
    (G::Byte, &[Format::Raw { bytes: 1 }], &["byte"], &["数据"]),
    (G::Infrared,
        &[Format::Digits { bytes: 6 }, Format::Binary { bytes: 8 }, Format::Binary { bytes: 8 }, Format::Binary { bytes: 8 }],
        &["meter number", "chip serial number", "encrypted random number", "random number"],
        &["表号", "ESAM序列号", "随机数1密文", "随机数2"]),
    (G::Customer, &[Format::Digits { bytes: 6 }, Format::Binary { bytes: 4 }], &["customer number", "key information"], &["客户编号", "密钥信息"]),
    (G::Comparison, &[Format::Binary { bytes: 64 }], &["comparison"], &["比对数据"]),
    (G::Mode,
        &[Format::Digits { bytes: 8 }, Format::Raw { bytes: 1 }, MAC],
        &["meter number", "mode", "MAC"],
        &["表号", "费控模式", "MAC"]),
];

static FORMATS: [&[Format]; GROUPS] = {
    let mut all: [&[Format]; GROUPS] = [&[]; GROUPS];
    let mut nth = 0;
    while nth < GROUPS {
        assert!(SOURCE[nth].0 as usize == nth && SOURCE[nth].1.len() == SOURCE[nth].2.len());
        all[nth] = SOURCE[nth].1;
        nth += 1;
    }
    all
};

static NAMES_EN: [Names; GROUPS] = {
    let mut all: [Names; GROUPS] = [&[]; GROUPS];
    let mut nth = 0;
    while nth < GROUPS {
        all[nth] = SOURCE[nth].2;
        nth += 1;
    }
    all
};

static NAMES_ZH: [Names; GROUPS] = {
    let mut all: [Names; GROUPS] = [&[]; GROUPS];
    let mut nth = 0;
    while nth < GROUPS {
        assert!(SOURCE[nth].2.len() == SOURCE[nth].3.len());
        all[nth] = SOURCE[nth].3;
        nth += 1;
    }
    all
};

/// In the order of [`Layout`].
#[rustfmt::skip]
const LAYOUT_SOURCE: [(Layout, &[Part]); LAYOUTS] = [
    (Layout::PhaseTotals, &[of(G::Count).phase(1), of(G::Minutes).phase(1), of(G::Count).phase(2), of(G::Minutes).phase(2), of(G::Count).phase(3), of(G::Minutes).phase(3)]),
    (Layout::Totals, &[of(G::Count), of(G::Minutes)]),
    (Layout::VoltageEvent, &[of(G::Begin), of(G::End), of(G::FourEnergies).total(), of(G::FourEnergies).phase(1), of(G::Phase).phase(1), of(G::FourEnergies).phase(2), of(G::Phase).phase(2), of(G::FourEnergies).phase(3), of(G::Phase).phase(3), of(G::AmpereHours).total(), of(G::AmpereHours).phase(1), of(G::AmpereHours).phase(2), of(G::AmpereHours).phase(3)]),
    (Layout::CurrentEvent, &[of(G::Begin), of(G::End), of(G::FourEnergies).total(), of(G::FourEnergies).phase(1), of(G::Phase).phase(1), of(G::FourEnergies).phase(2), of(G::Phase).phase(2), of(G::FourEnergies).phase(3), of(G::Phase).phase(3)]),
    (Layout::AllVoltagesLost, &[of(G::Begin), of(G::Current), of(G::End)]),
    (Layout::Interval, &[of(G::Begin), of(G::End)]),
    (Layout::EnergyEvent, &[of(G::Begin), of(G::End), of(G::FourEnergies).total(), of(G::FourEnergies).phase(1), of(G::FourEnergies).phase(2), of(G::FourEnergies).phase(3)]),
    (Layout::UnbalanceEvent, &[of(G::Begin), of(G::End), of(G::Unbalance), of(G::FourEnergies).total(), of(G::FourEnergies).phase(1), of(G::FourEnergies).phase(2), of(G::FourEnergies).phase(3)]),
    (Layout::Quality, &[of(G::Quality)]),
    (Layout::QualityOfPhase, &[of(G::Quality)]),
    (Layout::ShortQualityOfPhase, &[of(G::ShortQuality)]),
    (Layout::DemandTotals, &[of(G::SixCounts)]),
    (Layout::DemandEvent, &[of(G::Begin), of(G::End), of(G::Demand)]),
    (Layout::ReactiveDemandEvent, &[of(G::Begin), of(G::End), of(G::ReactiveDemand)]),
    (Layout::Programming, &[of(G::Time), of(G::Operator), of(G::Id).times(10)]),
    (Layout::MeterClear, &[of(G::Time), of(G::Operator), of(G::SixEnergies).total(), of(G::SixEnergies).phase(1), of(G::SixEnergies).phase(2), of(G::SixEnergies).phase(3)]),
    (Layout::DemandClear, &[of(G::Time), of(G::Operator), of(G::SixDemands).total(), of(G::SixDemands).phase(1), of(G::SixDemands).phase(2), of(G::SixDemands).phase(3)]),
    (Layout::EventClear, &[of(G::Time), of(G::Operator), of(G::Id)]),
    (Layout::ClockSet, &[of(G::Operator), of(G::Before), of(G::After)]),
    (Layout::DayTablesWritten, &[of(G::Time), of(G::Operator), of(G::Slot).times(224)]),
    (Layout::ZonesWritten, &[of(G::Time), of(G::Operator), of(G::Zone).times(28)]),
    (Layout::WeekendWritten, &[of(G::Time), of(G::Operator), of(G::DayTable)]),
    (Layout::HolidaysWritten, &[of(G::Time), of(G::Operator), of(G::Holiday).times(254)]),
    (Layout::WordWritten, &[of(G::Time), of(G::Operator), of(G::Word)]),
    (Layout::SettlementDaysWritten, &[of(G::Time), of(G::Operator), of(G::SettlementDay).times(3)]),
    (Layout::CoverOpened, &[of(G::Begin), of(G::End), of(G::SixEnergies), of(G::SixEnergies).end()]),
    (Layout::LaddersWritten, &[of(G::Time), of(G::Operator), of(G::Ladders).times(8)]),
    (Layout::MagneticField, &[of(G::Begin), of(G::End), of(G::TwoEnergies), of(G::TwoEnergies).end()]),
    (Layout::EnergyPurchase, &[of(G::EnergyPurchase)]),
    (Layout::MoneyPurchase, &[of(G::MoneyPurchase)]),
    (Layout::VoltageItems, &[of(G::Begin), of(G::FourEnergies).total(), of(G::FourEnergies).phase(1), of(G::Phase).phase(1), of(G::FourEnergies).phase(2), of(G::Phase).phase(2), of(G::FourEnergies).phase(3), of(G::Phase).phase(3), of(G::AmpereHours).total(), of(G::AmpereHours).phase(1), of(G::AmpereHours).phase(2), of(G::AmpereHours).phase(3), of(G::End), of(G::FourEnergies).total().end(), of(G::FourEnergies).phase(1).end(), of(G::FourEnergies).phase(2).end(), of(G::FourEnergies).phase(3).end()]),
    (Layout::CurrentItems, &[of(G::Begin), of(G::FourEnergies).total(), of(G::FourEnergies).phase(1), of(G::Phase).phase(1), of(G::FourEnergies).phase(2), of(G::Phase).phase(2), of(G::FourEnergies).phase(3), of(G::Phase).phase(3), of(G::End), of(G::FourEnergies).total().end(), of(G::FourEnergies).phase(1).end(), of(G::FourEnergies).phase(2).end(), of(G::FourEnergies).phase(3).end()]),
    (Layout::EnergyItems, &[of(G::Begin), of(G::FourEnergies).total(), of(G::FourEnergies).phase(1), of(G::FourEnergies).phase(2), of(G::FourEnergies).phase(3), of(G::End), of(G::FourEnergies).total().end(), of(G::FourEnergies).phase(1).end(), of(G::FourEnergies).phase(2).end(), of(G::FourEnergies).phase(3).end()]),
    (Layout::UnbalanceItems, &[of(G::Begin), of(G::FourEnergies).total(), of(G::FourEnergies).phase(1), of(G::FourEnergies).phase(2), of(G::FourEnergies).phase(3), of(G::WideUnbalance), of(G::End), of(G::FourEnergies).total().end(), of(G::FourEnergies).phase(1).end(), of(G::FourEnergies).phase(2).end(), of(G::FourEnergies).phase(3).end()]),
    (Layout::RelayItems, &[of(G::Time), of(G::Operator), of(G::SixEnergies)]),
    (Layout::PowerFactorItems, &[of(G::Begin), of(G::FourEnergies), of(G::End), of(G::FourEnergies).end()]),
    (Layout::BatteryItems, &[of(G::Time), of(G::FourEnergies).total(), of(G::FourEnergies).phase(1), of(G::FourEnergies).phase(2), of(G::FourEnergies).phase(3)]),
    (Layout::ActiveEnergies, &[of(G::ActiveEnergy).up_to(64)]),
    (Layout::CombinedEnergies, &[of(G::CombinedEnergy).up_to(64)]),
    (Layout::ReactiveEnergies, &[of(G::ReactiveEnergy).up_to(64)]),
    (Layout::Demands, &[of(G::TariffDemand).up_to(64)]),
    (Layout::Powers, &[of(G::Powers)]),
    (Layout::Purse, &[of(G::Purse)]),
    (Layout::LoadVoltages, &[of(G::Voltages)]),
    (Layout::LoadPowerFactors, &[of(G::PowerFactors)]),
    (Layout::LoadEnergies, &[of(G::FourEnergies)]),
    (Layout::LoadQuadrants, &[of(G::FourQuadrants)]),
    (Layout::LoadDemands, &[of(G::TwoDemands)]),
    (Layout::VoltageCurve, &[of(G::CurveTime), of(G::VoltagePoint).up_to(255)]),
    (Layout::CurrentCurve, &[of(G::CurveTime), of(G::CurrentPoint).up_to(255)]),
    (Layout::PowerCurve, &[of(G::CurveTime), of(G::PowerPoint).up_to(255)]),
    (Layout::PowerFactorCurve, &[of(G::CurveTime), of(G::PowerFactorPoint).up_to(255)]),
    (Layout::EnergyCurve, &[of(G::CurveTime), of(G::EnergyPoint).up_to(255)]),
    (Layout::Zones, &[of(G::Zone).up_to(14)]),
    (Layout::Slots, &[of(G::Slot).up_to(14)]),
    (Layout::Ladders, &[of(G::Ladders)]),
    (Layout::ReportMode, &[of(G::WordByte).times(8)]),
    (Layout::ReportClear, &[of(G::WordByte).times(12)]),
    (Layout::ReportState, &[of(G::WordByte).times(12), of(G::Separator), of(G::Counter).up_to(96), of(G::Separator)]),
    (Layout::AuthenticationRequest, &[of(G::AuthenticationRequest)]),
    (Layout::AuthenticationAnswer, &[of(G::Random)]),
    (Layout::AuthenticationTime, &[of(G::AuthenticationTime)]),
    (Layout::Farewell, &[of(G::Farewell)]),
    (Layout::Cipher, &[of(G::Cipher)]),
    (Layout::Recharge, &[of(G::Recharge)]),
    (Layout::Wallet, &[of(G::Wallet)]),
    (Layout::Keys, &[of(G::Key).up_to(20), of(G::Mac)]),
    (Layout::ChipData, &[of(G::Descriptor), of(G::Byte).up_to(200), of(G::Mac)]),
    (Layout::ChipDescriptor, &[of(G::Descriptor)]),
    (Layout::Comparison, &[of(G::Comparison)]),
    (Layout::InfraredQuery, &[of(G::Infrared)]),
    (Layout::Prepayment, &[of(G::Wallet), of(G::Customer)]),
    (Layout::ModeSwitch, &[of(G::Mode), of(G::Wallet)]),
];

static PARTS: [&[Part]; LAYOUTS] = {
    let mut all: [&[Part]; LAYOUTS] = [&[]; LAYOUTS];
    let mut nth = 0;
    while nth < LAYOUTS {
        assert!(LAYOUT_SOURCE[nth].0 as usize == nth);
        all[nth] = LAYOUT_SOURCE[nth].1;
        nth += 1;
    }
    all
};

static SHAPES: [Shape; LAYOUTS] = {
    let mut all = [Shape {
        fixed: 0,
        step: 0,
        most: 0,
    }; LAYOUTS];
    let mut nth = 0;
    while nth < LAYOUTS {
        let parts = LAYOUT_SOURCE[nth].1;
        let mut place = 0;
        while place < parts.len() {
            let part = parts[place];
            let formats = SOURCE[part.group as usize].1;
            let (mut field, mut len) = (0, 0);
            while field < formats.len() {
                len += formats[field].len();
                field += 1;
            }
            if part.open {
                assert!(all[nth].step == 0);
                all[nth].step = len as u8;
                all[nth].most = part.times;
            } else {
                all[nth].fixed += (len * part.times as usize) as u16;
            }
            place += 1;
        }
        nth += 1;
    }
    all
};
