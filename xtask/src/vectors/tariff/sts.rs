//! Prepayment tokens of 20 digits.

use ::tariff::sts::sta::{Sta, Tables};
use ::tariff::sts::{Base, Cipher, Contents, Credit, Tid, Token, Transfer};
use serde_json::{Value, json};

use super::{list, moment};

/// `N` small numbers.
fn numbers<const N: usize>(value: &Value) -> Option<[u8; N]> {
    let numbers: Option<Vec<u8>> = list(value)
        .iter()
        .map(|number| u8::try_from(number.as_u64()?).ok())
        .collect();
    numbers?.try_into().ok()
}

pub fn sample_tables(input: &Value) -> Option<Value> {
    let substitution = [
        numbers(&input["substitution_1"])?,
        numbers(&input["substitution_2"])?,
    ];
    let permutation = numbers(&input["permutation_bit_i_goes_to"])?;
    let tables = Tables::try_new(substitution, permutation).ok()?;
    let tokens: Option<Vec<Value>> = list(&input["tokens"])
        .iter()
        .map(|row| token(row, &tables))
        .collect();
    let amounts: Option<Vec<Value>> = list(&input["amount_encoding_tenths"])
        .iter()
        .map(|tenths| {
            let sent = Transfer::for_amount(u32::try_from(tenths.as_u64()?).ok()?)?;
            Some(json!({
                "tenths": tenths, "field": format!("{:04X}", sent.bits()),
                "credited_tenths": sent.amount(),
            }))
        })
        .collect();
    Some(json!({"tokens": tokens?, "amount_encoding": amounts?}))
}

fn token(row: &Value, tables: &Tables) -> Option<Value> {
    let number = |key: &str| row[key].as_u64();
    let base = match number("base_year")? {
        1993 => Base::Y1993,
        2014 => Base::Y2014,
        2035 => Base::Y2035,
        _ => return None,
    };
    // The vendor's local time counts, whatever its zone.
    let issued = moment(row["issued"].as_str()?)?;
    let tid = Tid::at(base, issued.utc_s + i64::from(issued.offset_s))?;
    let amount = Transfer::for_amount(u32::try_from(number("tenths")?).ok()?)?;
    let contents = Contents::Credit(Credit {
        subclass: u8::try_from(number("subclass")?).ok()?,
        random: u8::try_from(number("rnd")?).ok()?,
        tid,
        amount,
    });
    let sta = Sta::new(tables, u64::from_str_radix(row["key"].as_str()?, 16).ok()?);
    let token = Token::encode(&contents, &sta).ok()?;
    // What the meter reads from the printed digits is what was sold.
    if Token::from_digits(&token.digits()).ok()?.decode(&sta) != Ok(contents) {
        return None;
    }
    let block = Token::encode(&contents, &Clear).ok()?.data_block();
    Some(json!({
        "tid": tid.minutes(), "ken_byte": tid.expiry(),
        "amount_field": format!("{:04X}", amount.bits()), "credited_tenths": amount.amount(),
        "crc": format!("{:04X}", block as u16), "data_block": format!("{block:016X}"),
        "sta_cipher": format!("{:016X}", token.data_block()),
        "token66": format!("{:017X}", token.bits()), "token": token.digits().as_str(),
    }))
}

/// No cipher: shows the block that is enciphered.
struct Clear;

impl Cipher for Clear {
    fn encrypt(&self, block: u64) -> u64 {
        block
    }
    fn decrypt(&self, block: u64) -> u64 {
        block
    }
}
