//! Who measured: device identities and their text form.

use core::fmt;
use core::str::FromStr;

use nom::branch::alt;
use nom::bytes::complete::{tag, take_while_m_n};
use nom::character::complete::char;
use nom::combinator::{all_consuming, value, verify};
use nom::{IResult, Parser};

/// The numbering scheme of a [`DeviceId`].
///
/// | ns | prefix | bytes |
/// | ---: | --- | --- |
/// | 1 | `d645-` | DL/T 645 address, 6 bytes BCD, most significant first |
/// | 2 | `c188-` | CJ/T 188 type byte and 7 bytes BCD |
/// | 3 | `eui-` | EUI-64, 8 bytes |
/// | 4 | `mbus-` | manufacturer 2, serial 4 (BCD), version 1, medium 1 |
/// | 5 | `bus-` | gateway id hash 4, line 1, unit 1 |
/// | 6 | `dlms-` | logical device name, 1 to 16 bytes |
/// | 7 | `sn-` | maker code 2, serial number as u64 (up to 19 digits) |
/// | 8 | `uuid-` | 16 bytes |
/// | 9 | `gw-` | gateway serial, 6 bytes BCD |
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Namespace {
    /// DL/T 645 address.
    Dlt645 = 1,
    /// CJ/T 188 type and address.
    Cjt188 = 2,
    /// EUI-64 of ZigBee.
    Eui64 = 3,
    /// M-Bus identification.
    MBus = 4,
    /// A unit on a gateway's bus without an identity of its own.
    Bus = 5,
    /// DLMS logical device name.
    Dlms = 6,
    /// Maker and serial number.
    Serial = 7,
    /// UUID.
    Uuid = 8,
    /// Gateway.
    Gateway = 9,
}

/// One row per namespace: number, prefix, shortest and longest content.
const NAMESPACES: [(Namespace, &str, usize, usize); 9] = [
    (Namespace::Dlt645, "d645-", 6, 6),
    (Namespace::Cjt188, "c188-", 8, 8),
    (Namespace::Eui64, "eui-", 8, 8),
    (Namespace::MBus, "mbus-", 8, 8),
    (Namespace::Bus, "bus-", 6, 6),
    (Namespace::Dlms, "dlms-", 1, 16),
    (Namespace::Serial, "sn-", 10, 10),
    (Namespace::Uuid, "uuid-", 16, 16),
    (Namespace::Gateway, "gw-", 6, 6),
];

/// The largest serial number with 19 digits.
const SERIAL_MAX: u64 = 9_999_999_999_999_999_999;

/// A device: namespace and up to 16 bytes, checked when made. 18 bytes, `Copy`.
///
/// ```
/// use meter_proto::device::DeviceId;
/// let meter: DeviceId = "d645-202611000001".parse()?;
/// assert_eq!(meter.dev6(), Some([0x20, 0x26, 0x11, 0x00, 0x00, 0x01]));
/// assert_eq!(meter.to_string(), "d645-202611000001");
/// # Ok::<(), meter_proto::device::BadDeviceId>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceId {
    namespace: Namespace,
    len: u8,
    bytes: [u8; 16],
}

/// The text or the bytes name no device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadDeviceId;

impl fmt::Display for BadDeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this is no device identity in its canonical form")
    }
}

impl core::error::Error for BadDeviceId {}

impl DeviceId {
    /// A device from its namespace number and content.
    ///
    /// # Errors
    /// [`BadDeviceId`] for an unknown namespace, a wrong length, or digits that are no BCD.
    pub fn try_new(namespace: u8, content: &[u8]) -> Result<Self, BadDeviceId> {
        let (namespace, _, shortest, longest) = *NAMESPACES
            .iter()
            .find(|row| row.0 as u8 == namespace)
            .ok_or(BadDeviceId)?;
        if content.len() < shortest || content.len() > longest {
            return Err(BadDeviceId);
        }
        let digits = match namespace {
            Namespace::Dlt645 | Namespace::Gateway => content,
            Namespace::Cjt188 => content.get(1..).unwrap_or(&[]),
            Namespace::MBus => content.get(2..6).unwrap_or(&[]),
            _ => &[],
        };
        if digits.iter().any(|byte| byte >> 4 > 9 || byte & 0x0F > 9) {
            return Err(BadDeviceId);
        }
        if namespace == Namespace::Serial
            && serial_of(content).is_none_or(|serial| serial > SERIAL_MAX)
        {
            return Err(BadDeviceId);
        }
        let mut bytes = [0; 16];
        for (to, from) in bytes.iter_mut().zip(content) {
            *to = *from;
        }
        Ok(Self {
            namespace,
            len: content.len() as u8,
            bytes,
        })
    }

    /// An electricity meter by its DL/T 645 address, most significant byte first.
    ///
    /// # Errors
    /// [`BadDeviceId`] if a nibble is no decimal digit.
    pub fn dlt645(address: [u8; 6]) -> Result<Self, BadDeviceId> {
        Self::try_new(Namespace::Dlt645 as u8, &address)
    }

    /// A gateway by its serial number, most significant byte first.
    ///
    /// # Errors
    /// [`BadDeviceId`] if a nibble is no decimal digit.
    pub fn gateway(serial: [u8; 6]) -> Result<Self, BadDeviceId> {
        Self::try_new(Namespace::Gateway as u8, &serial)
    }

    /// A CJ/T 188 meter by its type byte and address, most significant byte first.
    ///
    /// # Errors
    /// [`BadDeviceId`] if a nibble of the address is no decimal digit.
    pub fn cjt188(meter_type: u8, address: [u8; 7]) -> Result<Self, BadDeviceId> {
        let [a, b, c, d, e, f, g] = address;
        Self::try_new(Namespace::Cjt188 as u8, &[meter_type, a, b, c, d, e, f, g])
    }

    /// The numbering scheme.
    #[must_use]
    pub const fn namespace(&self) -> Namespace {
        self.namespace
    }

    /// The content, as in the table of [`Namespace`].
    #[must_use]
    pub fn content(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or(&[])
    }

    /// The six address bytes of an electricity meter or a gateway, as the security envelope carries them.
    #[must_use]
    pub fn dev6(&self) -> Option<[u8; 6]> {
        match self.namespace {
            Namespace::Dlt645 | Namespace::Gateway => self.content().try_into().ok(),
            _ => None,
        }
    }

    /// 32-bit FNV-1a over namespace byte and content: spreads devices over shards and start delays.
    #[must_use]
    pub fn hash32(&self) -> u32 {
        let step = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
        self.content()
            .iter()
            .fold(step(0x811C_9DC5, self.namespace as u8), |hash, byte| {
                step(hash, *byte)
            })
    }
}

fn serial_of(content: &[u8]) -> Option<u64> {
    content.get(2..)?.try_into().ok().map(u64::from_be_bytes)
}

/// The canonical text form.
impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text: heapless::String<48> = heapless::String::new();
        self.write_text(&mut text)?;
        f.pad(&text)
    }
}

impl DeviceId {
    fn write_text(&self, out: &mut impl fmt::Write) -> fmt::Result {
        let content = self.content();
        if let Some(row) = NAMESPACES.iter().find(|row| row.0 == self.namespace) {
            out.write_str(row.1)?;
        }
        match self.namespace {
            Namespace::Dlms if plain_name(content) => content
                .iter()
                .try_for_each(|byte| out.write_char(char::from(*byte))),
            Namespace::Dlms => {
                out.write_char('~')?;
                hex(out, content)
            }
            Namespace::Serial => {
                hex(out, content.get(..2).unwrap_or(&[]))?;
                write!(out, "-{}", serial_of(content).unwrap_or(0))
            }
            Namespace::Bus => hyphenated(out, content, &[4, 5]),
            Namespace::Uuid => hyphenated(out, content, &[4, 6, 8, 10]),
            _ => hex(out, content),
        }
    }
}

impl fmt::Debug for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceId({self})")
    }
}

fn plain_name(content: &[u8]) -> bool {
    content.iter().all(u8::is_ascii_alphanumeric)
}

fn hex(out: &mut impl fmt::Write, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
}

fn hyphenated(out: &mut impl fmt::Write, bytes: &[u8], before: &[usize]) -> fmt::Result {
    bytes.iter().enumerate().try_for_each(|(at, byte)| {
        if before.contains(&at) {
            out.write_char('-')?;
        }
        write!(out, "{byte:02x}")
    })
}

/// Content collected while text is read.
#[derive(Clone, Copy)]
struct Content {
    bytes: [u8; 16],
    len: usize,
}

impl Content {
    const EMPTY: Self = Self {
        bytes: [0; 16],
        len: 0,
    };

    fn push(&mut self, byte: u8) {
        if let Some(slot) = self.bytes.get_mut(self.len) {
            *slot = byte;
            self.len += 1;
        }
    }

    fn extend(mut self, bytes: &[u8]) -> Self {
        bytes.iter().for_each(|byte| self.push(*byte));
        self
    }

    /// Pairs of hex digits; the caller has checked that the text holds an even number of them.
    fn extend_hex(mut self, text: &str) -> Self {
        let nibble = |digit: u8| (digit as char).to_digit(16).unwrap_or(0) as u8;
        for pair in text.as_bytes().chunks_exact(2) {
            if let [high, low] = pair {
                self.push(nibble(*high) << 4 | nibble(*low));
            }
        }
        self
    }
}

fn is_hex(c: char) -> bool {
    matches!(c, '0'..='9' | 'a'..='f')
}

fn hex_bytes<'a>(
    count: usize,
) -> impl Parser<&'a str, Output = &'a str, Error = nom::error::Error<&'a str>> {
    take_while_m_n(count * 2, count * 2, is_hex)
}

fn groups<'a>(input: &'a str, lengths: &[usize]) -> IResult<&'a str, Content> {
    let mut rest = input;
    let mut content = Content::EMPTY;
    for (at, length) in lengths.iter().enumerate() {
        if at > 0 {
            rest = char('-').parse(rest)?.0;
        }
        let (after, text) = hex_bytes(*length).parse(rest)?;
        content = content.extend_hex(text);
        rest = after;
    }
    Ok((rest, content))
}

fn logical_name(input: &str) -> IResult<&str, Content> {
    let plain = take_while_m_n(1, 16, |c: char| c.is_ascii_alphanumeric())
        .map(|name: &str| Content::EMPTY.extend(name.as_bytes()));
    let coded = (
        char('~'),
        verify(take_while_m_n(2, 32, is_hex), |text: &str| {
            text.len().is_multiple_of(2)
        }),
    )
        .map(|(_, text): (char, &str)| Content::EMPTY.extend_hex(text));
    // A name of letters and digits only has one text form: the plain one.
    let coded = verify(coded, |content: &Content| {
        !plain_name(content.bytes.get(..content.len).unwrap_or(&[]))
    });
    alt((coded, plain)).parse(input)
}

fn serial(input: &str) -> IResult<&str, Content> {
    let number = verify(
        take_while_m_n(1, 19, |c: char| c.is_ascii_digit()),
        |text: &str| text == "0" || !text.starts_with('0'),
    )
    .map_opt(|text: &str| text.parse::<u64>().ok());
    (hex_bytes(2), char('-'), number)
        .map(|(maker, _, number)| {
            Content::EMPTY
                .extend_hex(maker)
                .extend(&number.to_be_bytes())
        })
        .parse(input)
}

fn prefix(input: &str) -> IResult<&str, Namespace> {
    let mut last = tag(NAMESPACES[0].1)
        .parse(input)
        .map(|(rest, _)| (rest, NAMESPACES[0].0));
    for (namespace, text, ..) in &NAMESPACES[1..] {
        if last.is_ok() {
            break;
        }
        last = value(*namespace, tag(*text)).parse(input);
    }
    last
}

fn device(input: &str) -> IResult<&str, (Namespace, Content)> {
    let (rest, namespace) = prefix(input)?;
    let lengths: &[usize] = match namespace {
        Namespace::Dlt645 | Namespace::Gateway => &[6],
        Namespace::Cjt188 | Namespace::Eui64 | Namespace::MBus => &[8],
        Namespace::Bus => &[4, 1, 1],
        Namespace::Uuid => &[4, 2, 2, 2, 6],
        Namespace::Dlms => {
            return logical_name(rest).map(|(rest, content)| (rest, (namespace, content)));
        }
        Namespace::Serial => {
            return serial(rest).map(|(rest, content)| (rest, (namespace, content)));
        }
    };
    groups(rest, lengths).map(|(rest, content)| (rest, (namespace, content)))
}

/// Reads the canonical text form and nothing else: lower-case hex, no leading zeros in serial numbers.
impl FromStr for DeviceId {
    type Err = BadDeviceId;

    fn from_str(text: &str) -> Result<Self, BadDeviceId> {
        let (_, (namespace, content)) =
            all_consuming(device).parse(text).map_err(|_| BadDeviceId)?;
        Self::try_new(
            namespace as u8,
            content.bytes.get(..content.len).ok_or(BadDeviceId)?,
        )
    }
}

#[cfg(feature = "serde")]
mod with_serde {
    use super::DeviceId;
    use serde::de::{Deserialize, Deserializer, Error};
    use serde::ser::{Serialize, Serializer};

    /// Namespace byte and content as a list of bytes.
    impl Serialize for DeviceId {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            (self.namespace as u8, self.content()).serialize(serializer)
        }
    }

    impl<'de> Deserialize<'de> for DeviceId {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let (namespace, content) = <(u8, heapless::Vec<u8, 16>)>::deserialize(deserializer)?;
            Self::try_new(namespace, &content).map_err(D::Error::custom)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    extern crate std;
    use std::string::ToString;

    #[test]
    fn canonical_texts_round_trip() {
        for text in [
            "d645-202611000001",
            "c188-1020261100000004",
            "eui-00158d0001020304",
            "mbus-2c2d123456781b16",
            "bus-0123abcd-01-1f",
            "dlms-KFM1000123",
            "dlms-~00ff",
            "sn-4d4b-0",
            "sn-4d4b-9999999999999999999",
            "uuid-00112233-4455-6677-8899-aabbccddeeff",
            "gw-202611000100",
        ] {
            let device: DeviceId = text.parse().unwrap_or_else(|_| panic!("{text}"));
            assert_eq!(device.to_string(), text);
            assert_eq!(
                DeviceId::try_new(device.namespace() as u8, device.content()),
                Ok(device)
            );
        }
    }

    #[test]
    fn other_spellings_are_refused() {
        for text in [
            "",
            "d645-",
            "d645-20261100000",
            "d645-2026110000011",
            "d645-20261100000a",
            "D645-202611000001",
            "eui-00158D0001020304",
            "dlms-",
            "dlms-~4142",
            "dlms-ABCDEFGHIJKLMNOPQ",
            "dlms-a/b",
            "sn-4d4b-01",
            "sn-4d4b-",
            "sn-4d4b-99999999999999999999",
            "gw-202611000100 ",
            "uuid-00112233445566778899aabbccddeeff",
            "ä",
        ] {
            assert_eq!(text.parse::<DeviceId>(), Err(BadDeviceId), "{text}");
        }
        assert_eq!(DeviceId::try_new(0, &[1]), Err(BadDeviceId));
        assert_eq!(DeviceId::try_new(8, &[1; 17]), Err(BadDeviceId));
    }
}
