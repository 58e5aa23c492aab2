//! Security case files: published cipher cases and the crate's own formats.

mod ciphers;
mod element;
mod firmware;
mod formats;
mod handshake;

use security::engine::{Block128, BlockCipher, Soft, SoftKey};
use security::key::Secret;
use serde_json::Value;

use super::Outcome;

/// Runs one file, known by its name with or without `.json`. Kinds and suites that the crate does
/// not offer are skipped by name; every other case is compared.
pub fn run(file_name: &str, v: &Value) -> Outcome {
    let name = file_name.trim_end_matches(".json");
    let kind: fn(&Case<'_>) -> Result<Held, String> = match name {
        "aes128_cmac" => ciphers::cmac,
        "aes_kw" => ciphers::key_wrap,
        "nist_aes128_ccm" | "wycheproof_aes_ccm" => ciphers::aes_ccm,
        "nist_aes128_gcm" | "wycheproof_aes_gcm" => ciphers::aes_gcm,
        "dlms_gcm" => ciphers::dlms_gcm,
        "sm4_ecb" => ciphers::sm4_block,
        "wycheproof_sm4_ccm" => ciphers::sm4_ccm,
        "wycheproof_sm4_gcm" => ciphers::sm4_gcm,
        "wycheproof_chacha20_poly1305" => ciphers::chacha,
        "sp800_108_ctr_cmac_aes128" => ciphers::kdf,
        "v1_key_hierarchy" => formats::keys,
        "v1_envelope" | "v1_envelope_short" => formats::envelope,
        "dlt645_security_frames_sm4" => element::frames,
        "v1_fw_manifest" => firmware::manifest,
        "wycheproof_ed25519" => firmware::ed25519,
        "wycheproof_ecdsa_p256_p1363" => firmware::ecdsa_p256,
        "v1_handshake" => handshake::ake1,
        "v1_replay_window" => formats::window,
        "v1_counter_reserve" => formats::counter,
        _ => |_| Ok(Held::NotBuilt(String::new())),
    };
    let fields = v["fields"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let mut outcome = Outcome::default();
    for (row, case) in v["cases"].as_array().into_iter().flatten().enumerate() {
        match kind(&Case { fields, case }) {
            Ok(Held::Yes) => outcome.passed += 1,
            Ok(Held::NotBuilt(what)) => {
                let what = if what.is_empty() {
                    name.to_owned()
                } else {
                    format!("{name}: {what}")
                };
                *outcome.skipped.entry(what).or_default() += 1;
            }
            Err(why) => outcome.failed.push(format!("{name} case {row}: {why}")),
        }
    }
    outcome
}

enum Held {
    Yes,
    /// A primitive that the crate does not offer.
    NotBuilt(String),
}

/// One case: an object, or a row of a table whose columns are named in the file's head.
pub struct Case<'v> {
    /// Names of the columns; empty where cases are objects.
    pub fields: &'v [Value],
    /// The case itself.
    pub case: &'v Value,
}

impl<'v> Case<'v> {
    pub fn at(&self, name: &str) -> Result<&'v Value, String> {
        let column = self.fields.iter().position(|field| field == name);
        let cell = match column {
            Some(column) => self.case.get(column),
            None => self.case.get(name),
        };
        cell.ok_or_else(|| format!("no field {name}"))
    }

    pub fn bytes(&self, name: &str) -> Result<Vec<u8>, String> {
        let text = self
            .at(name)?
            .as_str()
            .ok_or_else(|| format!("{name} is no text"))?;
        hex::decode(text).map_err(|error| format!("{name}: {error}"))
    }

    pub fn array<const N: usize>(&self, name: &str) -> Result<[u8; N], String> {
        let bytes = self.bytes(name)?;
        let found = bytes.len();
        bytes
            .try_into()
            .map_err(|_| format!("{name} has {found} bytes, expected {N}"))
    }

    pub fn number(&self, name: &str) -> Result<u64, String> {
        self.at(name)?
            .as_u64()
            .ok_or_else(|| format!("{name} is no number"))
    }

    pub fn small<T: TryFrom<u64>>(&self, name: &str) -> Result<T, String> {
        T::try_from(self.number(name)?).map_err(|_| format!("{name} is out of range"))
    }

    fn key(&self, cipher: BlockCipher, name: &str) -> Result<SoftKey, String> {
        Ok(soft(cipher, &Secret::new(self.array(name)?)))
    }

    pub fn valid(&self) -> Result<bool, String> {
        Ok(self.number("valid")? == 1)
    }
}

fn soft(cipher: BlockCipher, secret: &Secret<16>) -> SoftKey {
    let Ok(key) = Soft.load(cipher, secret);
    key
}

fn same(what: &str, expected: &[u8], got: &[u8]) -> Result<(), String> {
    if expected == got {
        Ok(())
    } else {
        Err(format!(
            "{what}: expected {}, got {}",
            hex::encode(expected),
            hex::encode(got)
        ))
    }
}

fn refused(what: &str, holds: bool) -> Result<Held, String> {
    if holds {
        Ok(Held::Yes)
    } else {
        Err(what.to_owned())
    }
}
