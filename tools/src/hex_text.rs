//! Bytes as people write them: `68 FE`, `0x68, 0xFE`, `68:fe`, `68FE`, over several lines.

use std::fmt;

use nom::branch::alt;
use nom::bytes::complete::{tag_no_case, take_while_m_n};
use nom::character::complete::one_of;
use nom::combinator::{map_opt, opt};
use nom::multi::many0_count;
use nom::sequence::preceded;
use nom::{IResult, Parser};

/// Text that is no list of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HexTextError {
    /// Index of the first character that does not belong.
    pub position: usize,
    /// That character; `None` if the text ends inside a byte.
    pub found: Option<char>,
}

impl fmt::Display for HexTextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.found {
            Some(found) => write!(
                f,
                "two hexadecimal digits belong at character {}, found '{found}'",
                self.position
            ),
            None => write!(
                f,
                "the text ends at character {} inside a byte",
                self.position
            ),
        }
    }
}

impl std::error::Error for HexTextError {}

/// The bytes that `text` lists.
///
/// # Errors
/// [`HexTextError`] with the place of the first character that does not belong.
pub fn parse(text: &str) -> Result<Vec<u8>, HexTextError> {
    let mut rest = text;
    let mut bytes = Vec::new();
    loop {
        rest = separators(rest).map_or(rest, |(rest, _)| rest);
        if rest.is_empty() {
            return Ok(bytes);
        }
        match byte(rest) {
            Ok((behind, byte)) => {
                bytes.push(byte);
                rest = behind;
            }
            Err(_) => return Err(place(text, rest)),
        }
    }
}

fn separators(text: &str) -> IResult<&str, usize> {
    many0_count(one_of(" \t\r\n,;:-_|[]{}\"'")).parse(text)
}

fn byte(text: &str) -> IResult<&str, u8> {
    let digits = take_while_m_n(2, 2, |c: char| c.is_ascii_hexdigit());
    let pair = map_opt(digits, |pair| u8::from_str_radix(pair, 16).ok());
    preceded(opt(alt((tag_no_case("0x"), tag_no_case("\\x")))), pair).parse(text)
}

fn place(text: &str, rest: &str) -> HexTextError {
    let prefix = ["0x", "0X", "\\x"];
    let skipped = prefix
        .iter()
        .find_map(|prefix| rest.strip_prefix(prefix))
        .unwrap_or(rest);
    let right = skipped
        .chars()
        .take(2)
        .take_while(char::is_ascii_hexdigit)
        .count();
    let bad = skipped.get(right..).unwrap_or_default();
    HexTextError {
        position: text.chars().count().saturating_sub(bad.chars().count()),
        found: bad.chars().next(),
    }
}

/// Bytes as `68 FE 16`.
#[must_use]
pub fn show(bytes: &[u8]) -> String {
    let words: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_ways_of_writing() {
        for text in [
            "68fe16",
            "68 FE 16",
            "0x68, 0xFE,0x16",
            "68:fe:16\n",
            "[0x68; 0xfe; 0x16]",
            "\\x68\\xfe\\x16",
        ] {
            assert_eq!(parse(text), Ok(vec![0x68, 0xFE, 0x16]), "{text}");
        }
        assert_eq!(parse(" "), Ok(vec![]));
    }

    #[test]
    fn the_first_wrong_character_is_named() {
        let wrong = |position, found| Err(HexTextError { position, found });
        assert_eq!(parse("68 G1"), wrong(3, Some('G')));
        assert_eq!(parse("68 1"), wrong(4, None));
        assert_eq!(parse("0x6 0x7"), wrong(3, Some(' ')));
        assert_eq!(parse("68 起"), wrong(3, Some('起')));
    }
}
