//! Words whose bits have names of their own (sections 6 and 16.4 of the fact sheet).

use crate::data_id::{DataId, DataId1997};
use crate::data_table::Lang;

/// One bit: English and Chinese; empty where the bit is reserved.
type Bit = (&'static str, &'static str);

const R: Bit = ("", "");

#[rustfmt::skip]
const STATUS_1: &[Bit] = &[
    R, ("demand by blocks", "需量积算方式：区间"), ("clock battery low", "时钟电池欠压"),
    ("outage-reading battery low", "停电抄表电池欠压"), ("active power reverse", "有功功率方向反向"),
    ("reactive power reverse", "无功功率方向反向"), ("control mode", "控制方式"), R,
    ("relay circuit fault", "控制回路错误"), ("security chip fault", "ESAM错误"), R, R,
    ("internal program error", "内部程序错误"), ("memory fault", "存储器故障或损坏"),
    ("overdraft", "透支状态"), ("clock fault", "时钟故障"),
];
#[rustfmt::skip]
const STATUS_2: &[Bit] = &[
    ("active power of phase A reverse", "A相有功功率反向"), ("active power of phase B reverse", "B相有功功率反向"),
    ("active power of phase C reverse", "C相有功功率反向"), R,
    ("reactive power of phase A reverse", "A相无功功率反向"), ("reactive power of phase B reverse", "B相无功功率反向"),
    ("reactive power of phase C reverse", "C相无功功率反向"),
];
#[rustfmt::skip]
const STATUS_3: &[Bit] = &[
    ("second day-slot set in use", "当前运行时段：第二套"), ("auxiliary supply", "供电方式：辅助电源"),
    ("battery supply", "供电方式：电池供电"), ("programming allowed", "编程允许"), ("relay open", "继电器断"),
    ("second zone set in use", "当前运行时区：第二套"), ("relay command trip", "继电器命令状态断"),
    ("alarm before trip", "预跳闸报警状态"), ("energy prepaid", "电量型预付费"), ("money prepaid", "电费型预付费"),
    ("second set of tariff prices in use", "当前运行费率电价：第二套"), ("second ladder set in use", "当前阶梯：第二套"),
    ("keep power", "保电状态"), ("identity authenticated", "身份认证有效"),
    ("local account not open", "本地未开户"), ("remote account not open", "远程未开户"),
];
#[rustfmt::skip]
const PHASE: &[Bit] = &[
    ("voltage lost", "失压"), ("under-voltage", "欠压"), ("over-voltage", "过压"), ("current lost", "失流"),
    ("over-current", "过流"), ("overload", "过载"), ("reverse flow", "潮流反向"), ("phase broken", "断相"),
    ("current interrupted", "断流"),
];
#[rustfmt::skip]
const STATUS_7: &[Bit] = &[
    ("voltage order reversed", "电压逆相序"), ("current order reversed", "电流逆相序"),
    ("voltage unbalance", "电压不平衡"), ("current unbalance", "电流不平衡"),
    ("auxiliary supply lost", "辅助电源失电"), ("power down", "掉电"), ("demand exceeded", "需量超限"),
    ("power factor low", "总功率因数超下限"), ("severe current unbalance", "电流严重不平衡"),
    ("cover open", "开表盖"), ("terminal cover open", "开端钮盖"),
];
#[rustfmt::skip]
const ACTIVE: &[Bit] = &[
    ("plus forward", "加正向有功"), ("minus forward", "减正向有功"), ("plus reverse", "加反向有功"), ("minus reverse", "减反向有功"),
];
#[rustfmt::skip]
const REACTIVE: &[Bit] = &[
    ("plus Q1", "加第一象限"), ("minus Q1", "减第一象限"), ("plus Q2", "加第二象限"), ("minus Q2", "减第二象限"),
    ("plus Q3", "加第三象限"), ("minus Q3", "减第三象限"), ("plus Q4", "加第四象限"), ("minus Q4", "减第四象限"),
];
#[rustfmt::skip]
const RATE: &[Bit] = &[
    R, ("600 bit/s", "600bps"), ("1200 bit/s", "1200bps"), ("2400 bit/s", "2400bps"),
    ("4800 bit/s", "4800bps"), ("9600 bit/s", "9600bps"), ("19200 bit/s", "19200bps"),
];
#[rustfmt::skip]
const WEEKEND: &[Bit] = &[
    ("Sunday works", "周日工作"), ("Monday works", "周一工作"), ("Tuesday works", "周二工作"), ("Wednesday works", "周三工作"),
    ("Thursday works", "周四工作"), ("Friday works", "周五工作"), ("Saturday works", "周六工作"),
];
#[rustfmt::skip]
const LOAD: &[Bit] = &[
    ("voltage, current, frequency", "电压、电流、频率"), ("power", "有、无功功率"), ("power factor", "功率因数"),
    ("energy", "有、无功总电能"), ("quadrants", "四象限无功总电能"), ("demand", "当前需量"),
];
#[rustfmt::skip]
const FREEZE: &[Bit] = &[
    ("forward active", "正向有功电能"), ("reverse active", "反向有功电能"), ("combined reactive 1", "组合无功1电能"),
    ("combined reactive 2", "组合无功2电能"), ("quadrants", "四象限无功电能"), ("forward demand", "正向有功最大需量及发生时间"),
    ("reverse demand", "反向有功最大需量及发生时间"), ("variables", "变量"),
];
#[rustfmt::skip]
const METER_1997: &[Bit] = &[
    ("read by hand", "抄表：手动"), ("demand by blocks", "最大需量积算方式：区间"), ("battery low", "电池欠压"), R,
    ("active power reverse", "有功电能方向反向"), ("reactive power reverse", "无功电能方向反向"),
];
#[rustfmt::skip]
const GRID_1997: &[Bit] = &[
    ("phase A failed", "A相断电"), ("phase B failed", "B相断电"), ("phase C failed", "C相断电"), R,
    ("over-voltage of phase A", "A相过压"), ("over-voltage of phase B", "B相过压"), ("over-voltage of phase C", "C相过压"),
];
/// Bytes 0 to 11 of the active report (04001104, 04001501, 04001503).
#[rustfmt::skip]
const REPORT: [&[Bit]; 12] = [
    &[("relay misoperation", "负荷开关误动作"), ("security chip fault", "ESAM错误"), ("card initialisation fault", "内卡初始化错误"),
      ("clock battery low", "时钟电池电压低"), ("internal program error", "内部程序错误"), ("memory fault", "存储器故障或损坏"), R,
      ("clock fault", "时钟故障")],
    &[("outage-reading battery low", "停电抄表电池欠压"), ("overdraft", "透支状态"), ("cover open", "开表盖"),
      ("terminal cover open", "开端钮盖"), ("magnetic field", "恒定磁场干扰"), ("supply fault", "电源异常"),
      ("tripped", "跳闸成功"), ("closed", "合闸成功")],
    PHASE, PHASE, PHASE,
    &[], &[], &[], &[], &[],
    &[("programming", "编程"), ("meter clear", "电表清零"), ("demand clear", "需量清零"), ("event clear", "事件清零"),
      ("clock set", "校时"), ("day tables written", "时段表编程"), ("zone tables written", "时区表编程"), ("weekend written", "周休日编程")],
    &[("holidays written", "节假日编程"), ("active combination written", "有功组合方式编程"),
      ("reactive combination 1 written", "无功组合方式1编程"), ("reactive combination 2 written", "无功组合方式2编程"),
      ("settlement day written", "结算日编程"), ("tariff prices written", "费率参数表编程"),
      ("ladder tables written", "阶梯表编程"), ("keys updated", "密钥更新")],
];

fn name(bits: &[Bit], bit: u8, lang: Lang) -> Option<&'static str> {
    let (en, zh) = *bits.get(usize::from(bit))?;
    let name = match lang {
        Lang::En => en,
        Lang::Zh => zh,
    };
    (!name.is_empty()).then_some(name)
}

impl DataId {
    /// What a set bit of a single word means: status words 1 to 7, combination, rate, weekend and mode words, and the
    /// report words with bit 8 as bit 0 of their second byte. `None` for reserved bits and other items.
    ///
    /// ```
    /// use dlt645::{DataId, Lang};
    /// assert_eq!(DataId(0x0400_0503).bit_name(4, Lang::En), Some("relay open"));
    /// assert_eq!(DataId(0x0400_0503).bit_name(12, Lang::Zh), Some("保电状态"));
    /// assert_eq!(DataId(0x0400_0501).bit_name(0, Lang::En), None);
    /// ```
    #[must_use]
    pub fn bit_name(self, bit: u8, lang: Lang) -> Option<&'static str> {
        let bits = match self.0 {
            0x0400_0501 => STATUS_1,
            0x0400_0502 => STATUS_2,
            0x0400_0503 => STATUS_3,
            0x0400_0504..=0x0400_0506 => PHASE,
            0x0400_0507 => STATUS_7,
            0x0400_0601 => ACTIVE,
            0x0400_0602 | 0x0400_0603 => REACTIVE,
            0x0400_0701..=0x0400_0705 => RATE,
            0x0400_0801 => WEEKEND,
            0x0400_0901 => LOAD,
            0x0400_0902..=0x0400_0906 => FREEZE,
            0x0400_1104 | 0x0400_1501 | 0x0400_1503 => {
                return name(REPORT.get(usize::from(bit >> 3))?, bit & 7, lang);
            }
            _ => return None,
        };
        name(bits, bit, lang)
    }
}

impl DataId1997 {
    /// What a set bit of the words C020 to C022 means; `None` for reserved bits and other items. Of the weekend word one
    /// driver reads the bits the other way round.
    #[must_use]
    pub fn bit_name(self, bit: u8, lang: Lang) -> Option<&'static str> {
        match self.0 {
            0xC020 => name(METER_1997, bit, lang),
            0xC021 => name(GRID_1997, bit, lang),
            0xC022 => name(WEEKEND, bit, lang),
            _ => None,
        }
    }
}
