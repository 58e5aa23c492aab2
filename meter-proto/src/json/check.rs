//! Whether text is JSON, without recursion, and where its parts end.

use crate::error::Error;

/// Levels of nesting that a message has, with room for what a later release adds.
const LEVELS: usize = 8;
/// Entries of one object.
const ENTRIES: usize = 64;

/// The first byte from here on that is no white space.
pub(super) fn skip_space(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or(&[]);
    let spaces = rest
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
    at + spaces.count()
}

pub(super) fn byte(text: &[u8], at: usize) -> Result<u8, Error> {
    let found = text.get(at).copied();
    found.ok_or(Error::Truncated {
        position: text.len(),
    })
}

/// Behind the string that begins here; escapes are passed over.
fn end_of_string(text: &[u8], at: usize) -> Result<usize, Error> {
    let mut at = at + 1;
    loop {
        match byte(text, at)? {
            b'"' => return Ok(at + 1),
            b'\\' => at += 2,
            0..=0x1F => return Err(Error::BadText { position: at }),
            _ => at += 1,
        }
    }
}

/// Behind the value that begins here, in text that [`check`] has accepted.
pub(super) fn end_of_value(text: &[u8], at: usize) -> Result<usize, Error> {
    let mut depth = 0usize;
    let mut at = at;
    loop {
        let first = byte(text, at)?;
        at = match first {
            b'"' => end_of_string(text, at)?,
            b'{' | b'[' => {
                depth += 1;
                at + 1
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                at + 1
            }
            _ => {
                let rest = text.get(at..).unwrap_or(&[]);
                let is_end = |byte: &&u8| b",:]}{[\" \t\r\n".contains(byte);
                let own = rest.iter().take_while(|byte| !is_end(byte)).count();
                at + own.max(1)
            }
        };
        if depth == 0 {
            return Ok(at);
        }
    }
}

/// One open object or array: behind its bracket, and its entries so far.
#[derive(Clone, Copy)]
struct Level {
    start: usize,
    entries: usize,
    is_object: bool,
}

/// Refuses text that is not one JSON object, nested too deeply, or with a name twice in one object.
pub(super) fn check(text: &[u8]) -> Result<(), Error> {
    if let Err(error) = core::str::from_utf8(text) {
        return Err(Error::BadText {
            position: error.valid_up_to(),
        });
    }
    let start = skip_space(text, 0);
    match byte(text, start)? {
        b'{' => {}
        found => return Err(Error::UnknownForm { found }),
    }
    let mut levels: heapless::Vec<Level, LEVELS> = heapless::Vec::new();
    let mut at = start;
    loop {
        // A value begins here.
        let first = byte(text, at)?;
        if matches!(first, b'{' | b'[') {
            let level = Level {
                start: at + 1,
                entries: 0,
                is_object: first == b'{',
            };
            levels
                .push(level)
                .map_err(|_| Error::TooDeep { position: at })?;
            at = skip_space(text, at + 1);
            if byte(text, at)? != closing(&level) {
                at = begin_entry(text, at, levels.last_mut())?;
                continue;
            }
        } else {
            let end = end_of_value(text, at)?;
            scalar(text, at, end)?;
            at = end;
        }
        // Behind a value: close what ends here, then the next entry.
        loop {
            at = skip_space(text, at);
            let Some(level) = levels.last_mut() else {
                return if at < text.len() {
                    Err(Error::TrailingBytes { position: at })
                } else {
                    Ok(())
                };
            };
            let found = byte(text, at)?;
            if found == closing(level) {
                levels.pop();
                at += 1;
            } else if found == b',' {
                at = begin_entry(text, skip_space(text, at + 1), Some(level))?;
                break;
            } else {
                return Err(Error::BadType { position: at });
            }
        }
    }
}

const fn closing(level: &Level) -> u8 {
    if level.is_object { b'}' } else { b']' }
}

/// Counts the entry, checks its name in an object, and returns where its value begins.
fn begin_entry(text: &[u8], at: usize, level: Option<&mut Level>) -> Result<usize, Error> {
    let Some(level) = level else {
        return Ok(at);
    };
    level.entries += 1;
    if !level.is_object {
        return Ok(at);
    }
    if level.entries > ENTRIES {
        return Err(Error::TooMany {
            position: at,
            capacity: ENTRIES,
        });
    }
    if byte(text, at)? != b'"' {
        return Err(Error::BadType { position: at });
    }
    let end = end_of_string(text, at)?;
    let name = text.get(at..end);
    let mut other = skip_space(text, level.start);
    while other < at {
        let (other_end, value) = entry(text, other)?;
        if text.get(other..other_end) == name {
            return Err(Error::DuplicateName { position: at });
        }
        other = next_entry(text, value)?;
    }
    let colon = skip_space(text, end);
    if byte(text, colon)? != b':' {
        return Err(Error::BadType { position: colon });
    }
    Ok(skip_space(text, colon + 1))
}

/// Of an entry of an object: behind its name, and where its value begins.
pub(super) fn entry(text: &[u8], at: usize) -> Result<(usize, usize), Error> {
    let end = end_of_string(text, at)?;
    Ok((end, skip_space(text, skip_space(text, end) + 1)))
}

/// Where the entry behind the value that begins here begins, or the bracket that closes.
pub(super) fn next_entry(text: &[u8], value: usize) -> Result<usize, Error> {
    let at = skip_space(text, end_of_value(text, value)?);
    Ok(if byte(text, at)? == b',' {
        skip_space(text, at + 1)
    } else {
        at
    })
}

/// A string, a number or a word.
fn scalar(text: &[u8], at: usize, end: usize) -> Result<(), Error> {
    let token = text.get(at..end).unwrap_or(&[]);
    match token {
        [b'"', inside @ .., b'"'] => {
            let mut inside = inside.iter();
            while let Some(byte) = inside.next() {
                if *byte == b'\\' {
                    match inside.next() {
                        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {}
                        Some(b'u')
                            if inside
                                .by_ref()
                                .take(4)
                                .filter(|it| it.is_ascii_hexdigit())
                                .count()
                                == 4 => {}
                        _ => return Err(Error::BadText { position: at }),
                    }
                }
            }
            Ok(())
        }
        b"true" | b"false" | b"null" => Ok(()),
        number if is_number(number) => Ok(()),
        _ => Err(Error::BadType { position: at }),
    }
}

/// -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?
fn is_number(token: &[u8]) -> bool {
    let digits = |token: &[u8]| {
        token
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count()
    };
    let token = token.strip_prefix(b"-").unwrap_or(token);
    let whole = digits(token);
    if whole == 0 || (whole > 1 && token.first() == Some(&b'0')) {
        return false;
    }
    let mut rest = token.get(whole..).unwrap_or(&[]);
    if let Some(places) = rest.strip_prefix(b".") {
        let count = digits(places);
        if count == 0 {
            return false;
        }
        rest = places.get(count..).unwrap_or(&[]);
    }
    if let [b'e' | b'E', power @ ..] = rest {
        let power = match power {
            [b'+' | b'-', power @ ..] => power,
            power => power,
        };
        return !power.is_empty() && digits(power) == power.len();
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn grammar_of_rfc_8259() {
        for good in [
            "{}",
            " { } ",
            r#"{"a":[1,-0.5e+7,true,false,null,"x\"\\\/\b\u00e9"],"b":{"a":{}}}"#,
            "{\"a\" : [ ] , \"b\" : 0 }\n",
        ] {
            assert_eq!(check(good.as_bytes()), Ok(()), "{good}");
        }
        for bad in [
            "",
            "[]",
            "{",
            "{}}",
            "{} 1",
            r#"{"a"}"#,
            r#"{"a":}"#,
            r#"{"a":1,}"#,
            r#"{,}"#,
            r#"{"a":[1,]}"#,
            r#"{"a":[1 2]}"#,
            r#"{"a":1]"#,
            r#"{a:1}"#,
            r#"{"a":01}"#,
            r#"{"a":1.}"#,
            r#"{"a":.5}"#,
            r#"{"a":+1}"#,
            r#"{"a":1e}"#,
            r#"{"a":NaN}"#,
            r#"{"a":"\x"}"#,
            r#"{"a":"\u12g4"}"#,
            "{\"a\":\"\n\"}",
            r#"{"a":1,"b":2,"a":3}"#,
            r#"{"a":[[[[[[[[]]]]]]]]}"#,
            r#"{"a":"x"#,
        ] {
            assert!(check(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(check(b"{\"a\":\"\xFF\"}").is_err());
    }
}
