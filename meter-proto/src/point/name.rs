//! Points as text for people.

use core::fmt;

use super::{Direction, Foreign, Parts, Phase, PointId, Statistic};
use crate::language::Language;

/// The name of a point in one language, for printing.
#[derive(Clone, Copy, Debug)]
pub struct PointName {
    point: PointId,
    language: Language,
}

impl PointId {
    /// The name for people.
    ///
    /// ```
    /// use meter_proto::language::Language;
    /// use meter_proto::point::{Direction, PointId};
    /// use meter_proto::quantity::Quantity;
    /// let point = PointId::new(Quantity::ACTIVE_ENERGY).direction(Direction::IMPORT).tariff(2);
    /// assert_eq!(point.to_string(), "Active energy import, tariff 2");
    /// assert_eq!(point.name(Language::Chinese).to_string(), "正向有功电能，费率2");
    /// ```
    #[must_use]
    pub const fn name(self, language: Language) -> PointName {
        PointName {
            point: self,
            language,
        }
    }
}

/// The English name.
impl fmt::Display for PointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name(Language::English).fmt(f)
    }
}

impl fmt::Display for PointName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.point.foreign() {
            Some(Foreign::Obis([a, b, c, d, e, g])) => {
                return write!(f, "OBIS {a}-{b}:{c}.{d}.{e}*{g}");
            }
            Some(Foreign::DataId(id)) => return write!(f, "DI {id:08X}"),
            Some(Foreign::MBus(code)) => {
                return write!(f, "M-Bus VIF {:08X}", u32::from_be_bytes(code));
            }
            Some(Foreign::Modbus { function, address }) => {
                return write!(f, "Modbus {function:02X} {address:04X}");
            }
            Some(Foreign::ZigBee { cluster, attribute }) => {
                return write!(f, "ZigBee {cluster:04X} {attribute:04X}");
            }
            Some(Foreign::Unknown { kind, code }) => return write!(f, "code {kind} {code:08X}"),
            None => {}
        }
        if let Some(number) = self.point.set_number().filter(|number| *number > 0) {
            return write!(f, "{}{number}", self.language.pick("Set ", "数据集"));
        }
        let parts = self.point.parts();
        match self.language {
            Language::English => english(f, &parts),
            Language::Chinese => chinese(f, &parts),
        }
    }
}

fn english(f: &mut fmt::Formatter<'_>, parts: &Parts) -> fmt::Result {
    const LANGUAGE: Language = Language::English;
    write!(f, "{}", parts.quantity)?;
    if parts.phase != Phase::TOTAL {
        match parts.phase.name(LANGUAGE) {
            Some(name) => write!(f, " {name}")?,
            None => write!(f, " phase {}", parts.phase.0)?,
        }
    }
    if parts.direction != Direction::NET {
        write!(f, " {}", parts.direction.name(LANGUAGE).unwrap_or(""))?;
    }
    if parts.tariff != 0 {
        write!(f, ", tariff {}", parts.tariff)?;
    }
    if parts.statistic != Statistic::NATURAL {
        match parts.statistic.name(LANGUAGE) {
            Some(name) => write!(f, ", {name}")?,
            None => write!(f, ", statistic {}", parts.statistic.0)?,
        }
    }
    match parts.harmonic {
        0 => {}
        1 => f.write_str(", fundamental")?,
        62 => f.write_str(", harmonics")?,
        63 => f.write_str(", interharmonics")?,
        order => write!(f, ", order {order}")?,
    }
    match parts.settlement {
        0 => {}
        days @ 64..=153 => write!(f, ", {} days ago", days - 63)?,
        months @ 160..=207 => write!(f, ", {} months ago", months - 159)?,
        number => write!(f, ", settlement {number}")?,
    }
    if parts.channel != 0 {
        write!(f, ", channel {}", parts.channel)?;
    }
    Ok(())
}

fn chinese(f: &mut fmt::Formatter<'_>, parts: &Parts) -> fmt::Result {
    const LANGUAGE: Language = Language::Chinese;
    if parts.phase != Phase::TOTAL {
        match parts.phase.name(LANGUAGE) {
            Some(name) => f.write_str(name)?,
            None => write!(f, "相{}", parts.phase.0)?,
        }
    }
    if parts.direction != Direction::NET {
        f.write_str(parts.direction.name(LANGUAGE).unwrap_or(""))?;
    }
    match parts.quantity.name(LANGUAGE) {
        "" => write!(f, "量{}", parts.quantity.id())?,
        name => f.write_str(name)?,
    }
    if parts.tariff != 0 {
        write!(f, "，费率{}", parts.tariff)?;
    }
    if parts.statistic != Statistic::NATURAL {
        match parts.statistic.name(LANGUAGE) {
            Some(name) => write!(f, "，{name}")?,
            None => write!(f, "，统计{}", parts.statistic.0)?,
        }
    }
    match parts.harmonic {
        0 => {}
        1 => f.write_str("，基波")?,
        62 => f.write_str("，谐波")?,
        63 => f.write_str("，间谐波")?,
        order => write!(f, "，{order}次谐波")?,
    }
    match parts.settlement {
        0 => {}
        days @ 64..=153 => write!(f, "，{}日前", days - 63)?,
        months @ 160..=207 => write!(f, "，{}月前", months - 159)?,
        number => write!(f, "，上{number}结算日")?,
    }
    if parts.channel != 0 {
        write!(f, "，通道{}", parts.channel)?;
    }
    Ok(())
}
