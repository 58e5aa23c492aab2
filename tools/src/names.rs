//! Identifiers by code or by name.

use anyhow::bail;
use dlt645::{DataId, DataId1997, Lang, catalogue_1997, search};

/// The identifier with this code (eight hexadecimal digits) or this name, in English or Chinese; a name that begins
/// or contains one rule alone will do.
///
/// # Errors
/// Text that names nothing, or several things; these are listed.
pub fn data_id(text: &str) -> anyhow::Result<DataId> {
    let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    if digits.len() == 8
        && let Ok(code) = u32::from_str_radix(&digits, 16)
    {
        return Ok(DataId(code));
    }
    let wanted = text.trim();
    let languages = [Lang::En, Lang::Zh];
    let exact = |text: &str| {
        languages
            .iter()
            .find_map(|lang| DataId::from_name(text, *lang))
    };
    let near_to = |text: &str| -> Vec<(DataId, String)> {
        languages
            .iter()
            .flat_map(|lang| search(text, *lang))
            .map(|item| (item.id(), item.name(Lang::En).to_string()))
            .collect()
    };
    let lower = wanted.to_lowercase();
    if let Some(id) = exact(wanted).or_else(|| exact(&lower)) {
        return Ok(id);
    }
    let mut near = near_to(wanted);
    if near.is_empty() {
        near = near_to(&lower);
    }
    match near.as_slice() {
        [] => bail!("{text}: neither eight hexadecimal digits nor a name of the tables"),
        [(id, _)] => Ok(*id),
        several => {
            let list: Vec<String> = several
                .iter()
                .take(8)
                .map(|(id, name)| format!("{id} {name}"))
                .collect();
            bail!(
                "{text}: {} identifiers have this in their names: {}",
                several.len(),
                list.join("; ")
            )
        }
    }
}

/// The 1997 identifier with this code (four hexadecimal digits) or this name.
///
/// # Errors
/// Other text.
pub fn data_id_1997(text: &str) -> anyhow::Result<DataId1997> {
    let wanted = text.trim().to_lowercase();
    catalogue_1997()
        .find(|item| {
            [Lang::En, Lang::Zh].map(|lang| item.name(lang).to_string().to_lowercase() == wanted)
                != [false; 2]
        })
        .map_or_else(|| hex16(text).map(DataId1997), |item| Ok(item.id()))
}

/// The CJ/T 188 identifier with this code (four hexadecimal digits).
///
/// # Errors
/// Other text.
pub fn data_id_188(text: &str) -> anyhow::Result<cjt188::DataId> {
    hex16(text).map(cjt188::DataId)
}

fn hex16(text: &str) -> anyhow::Result<u16> {
    if text.len() == 4
        && let Ok(code) = u16::from_str_radix(text, 16)
    {
        return Ok(code);
    }
    bail!("{text}: not four hexadecimal digits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names() {
        assert_eq!(data_id("00010000").unwrap(), DataId(0x0001_0000));
        assert_eq!(data_id("02-01-FF-00").unwrap(), DataId(0x0201_FF00));
        assert_eq!(
            data_id("forward active energy").unwrap(),
            DataId(0x0001_0000)
        );
        assert_eq!(data_id("正向有功电能").unwrap(), DataId(0x0001_0000));
        let tariff = "Forward active energy, tariff 2";
        assert_eq!(data_id(tariff).unwrap(), DataId(0x0001_0200));
        let many = data_id("reactive").unwrap_err().to_string();
        assert!(many.contains("identifiers have this"), "{many}");
        assert!(data_id("nonsense").is_err());
        assert_eq!(data_id_188("901F").unwrap(), cjt188::DataId::PRESENT);
    }
}
