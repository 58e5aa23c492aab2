//! Names of functions, bits and orders in both languages; one row each.

use dlt645::{AddressKind, Edition, Err645, Function, Lang, Order, SecurityErr};

use crate::lang::say;

type Row = (u8, &'static str, &'static str);

const FUNCTIONS_2007: &[Row] = &[
    (0x03, "security", "安全认证"),
    (0x08, "broadcast time", "广播校时"),
    (0x11, "read", "读数据"),
    (0x12, "read follow-up", "读后续数据"),
    (0x13, "read address", "读通信地址"),
    (0x14, "write", "写数据"),
    (0x15, "write address", "写通信地址"),
    (0x16, "freeze", "冻结命令"),
    (0x17, "change rate", "更改通信速率"),
    (0x18, "change password", "修改密码"),
    (0x19, "clear demand", "最大需量清零"),
    (0x1A, "clear meter", "电表清零"),
    (0x1B, "clear events", "事件清零"),
    (0x1C, "relay, alarm, keep power", "跳合闸、报警、保电"),
    (0x1D, "multi-function output", "多功能端子输出控制"),
];

const FUNCTIONS_1997: &[Row] = &[
    (0x01, "read", "读数据"),
    (0x02, "read follow-up", "读后续数据"),
    (0x03, "read again", "重读数据"),
    (0x04, "write", "写数据"),
    (0x08, "broadcast time", "广播校时"),
    (0x0A, "write address", "写设备地址"),
    (0x0C, "change rate", "更改通信速率"),
    (0x0F, "change password", "修改密码"),
    (0x10, "clear demand", "最大需量清零"),
];

const FUNCTIONS_188: &[Row] = &[
    (0x01, "read", "读数据"),
    (0x03, "read address", "读地址"),
    (0x04, "write", "写数据"),
    (0x09, "read key version", "读密钥版本号"),
    (0x15, "write address", "写地址"),
    (0x16, "synchronise the motor", "写机电同步数"),
    (0x2A, "vendor's own", "厂家自定义"),
];

/// The English names stand in the library.
const ERR_2007_ZH: &[&str] = &[
    "其他错误",
    "无请求数据",
    "密码错或未授权",
    "通信速率不能更改",
    "年时区数超",
    "日时段数超",
    "费率数超",
    "保留",
];

const ERR_1997_ZH: &[&str] = &[
    "非法数据",
    "数据标识错",
    "密码错",
    "保留",
    "年时区数超",
    "日时段数超",
    "费率数超",
    "保留",
];

const SERR_ZH: &[&str] = &[
    "其他错误",
    "重复充值",
    "ESAM验证失败",
    "身份认证失败或失效",
    "客户编号不匹配",
    "充值次数错误",
    "购电超囤积",
    "地址异常",
    "远程控制挂起",
    "保留",
    "保留",
    "保留",
    "保留",
    "保留",
    "保留",
    "密码错",
];

fn find(rows: &'static [Row], code: u8, lang: Lang) -> &'static str {
    rows.iter()
        .find(|row| row.0 == code)
        .map_or(say(lang, "unknown function", "未知功能"), |row| {
            say(lang, row.1, row.2)
        })
}

/// Name of a DL/T 645 function.
pub fn function(edition: Edition, function: Function, lang: Lang) -> &'static str {
    match edition {
        Edition::V2007 => find(FUNCTIONS_2007, function.0, lang),
        Edition::V1997 => find(FUNCTIONS_1997, function.0, lang),
    }
}

/// Name of a CJ/T 188 function.
pub fn function_188(function: cjt188::Function, lang: Lang) -> &'static str {
    find(FUNCTIONS_188, function.0, lang)
}

fn bits(
    bits: impl Iterator<Item = u8>,
    en: impl Fn(u8) -> &'static str,
    zh: &[&'static str],
    lang: Lang,
) -> String {
    let names: Vec<String> = bits
        .map(|bit| {
            let zh = zh.get(usize::from(bit)).copied().unwrap_or("保留");
            format!("b{bit} {}", say(lang, en(bit), zh))
        })
        .collect();
    if names.is_empty() {
        say(lang, "no bit set", "无置位").to_owned()
    } else {
        names.join(say(lang, ", ", "，"))
    }
}

/// The set bits of ERR.
pub fn err(edition: Edition, err: Err645, lang: Lang) -> String {
    let zh = match edition {
        Edition::V2007 => ERR_2007_ZH,
        Edition::V1997 => ERR_1997_ZH,
    };
    bits(err.bits(), |bit| Err645::bit_name(bit, edition), zh, lang)
}

/// The set bits of SERR.
pub fn serr(err: SecurityErr, lang: Lang) -> String {
    bits(err.bits(), SecurityErr::bit_name, SERR_ZH, lang)
}

/// What an address names.
pub fn address_kind(kind: AddressKind, lang: Lang) -> &'static str {
    match kind {
        AddressKind::Single => say(lang, "one meter", "单表"),
        AddressKind::Abbreviated => say(lang, "abbreviated", "缩位"),
        AddressKind::Wildcard => say(lang, "wildcard", "通配"),
        AddressKind::Broadcast => say(lang, "broadcast", "广播"),
        AddressKind::Irregular => say(lang, "irregular", "不规则"),
    }
}

/// What function 1C orders.
pub fn order(order: Order, lang: Lang) -> &'static str {
    match order {
        Order::Trip => say(lang, "trip", "跳闸"),
        Order::AllowClose => say(lang, "allow close", "合闸允许"),
        Order::Close => say(lang, "close directly", "直接合闸"),
        Order::TripThenClose => say(
            lang,
            "trip, close again after the delay",
            "跳闸，延时自动合闸",
        ),
        Order::TripThenAllow => say(
            lang,
            "trip, allow close after the delay",
            "跳闸，延时合闸允许",
        ),
        Order::AlarmOn => say(lang, "alarm on", "报警"),
        Order::AlarmOff => say(lang, "alarm off", "报警解除"),
        Order::KeepPower => say(lang, "keep power", "保电"),
        Order::EndKeepPower => say(lang, "end of keep power", "保电解除"),
        _ => say(lang, "unknown order", "未知命令"),
    }
}

/// What a CJ/T 188 meter measures.
pub fn meter_type(meter_type: cjt188::MeterType, lang: Lang) -> &'static str {
    use cjt188::{Medium, MeterType};
    match meter_type {
        MeterType::COLD_WATER => say(lang, "cold water", "冷水水表"),
        MeterType::HOT_WATER => say(lang, "hot water", "生活热水水表"),
        MeterType::DRINKING_WATER => say(lang, "drinking water", "直饮水水表"),
        MeterType::RECLAIMED_WATER => say(lang, "reclaimed water", "中水水表"),
        MeterType::HEAT => say(lang, "heat", "热量表（热量）"),
        MeterType::COLD => say(lang, "cold", "热量表（冷量）"),
        MeterType::HEAT_AND_COLD => say(lang, "heat and cold", "热量表（冷热）"),
        MeterType::GAS => say(lang, "gas", "燃气表"),
        MeterType::ELECTRICITY => say(lang, "electricity", "电度表"),
        MeterType::ANY => say(lang, "any type", "任意类型"),
        other => match other.medium() {
            Some(Medium::Water) => say(lang, "water", "水表"),
            Some(Medium::Heat) => say(lang, "heat", "热量表"),
            Some(Medium::Gas) => say(lang, "gas", "燃气表"),
            Some(_) => say(lang, "other", "其他仪表"),
            None => say(lang, "unknown type", "未知类型"),
        },
    }
}
