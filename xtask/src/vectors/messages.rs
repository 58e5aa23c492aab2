//! Golden messages of the unified standard: every later release must read them, in both forms.

use meter_proto::{cbor, compact};
use serde_json::Value;

use super::Outcome;

/// Runs a list of `{name, kind, compact, cbor}`.
pub fn run(messages: &[Value]) -> Outcome {
    let mut outcome = Outcome::default();
    for message in messages {
        match check(message) {
            Ok(()) => outcome.passed += 1,
            Err(why) => {
                let name = message["name"].as_str().unwrap_or("without a name");
                outcome.failed.push(format!("message {name}: {why}"));
            }
        }
    }
    outcome
}

fn check(message: &Value) -> Result<(), String> {
    let bytes = |form: &str| {
        let text = message[form].as_str().ok_or(format!("no `{form}`"))?;
        hex::decode(text).map_err(|error| format!("{form}: {error}"))
    };
    let (compact_bytes, cbor_bytes) = (bytes("compact")?, bytes("cbor")?);
    let from_compact =
        compact::decode(&compact_bytes).map_err(|error| format!("compact: {error}"))?;
    let from_cbor = cbor::decode(&cbor_bytes).map_err(|error| format!("CBOR: {error}"))?;
    if from_compact != from_cbor {
        return Err(format!("compact says {from_compact:?}, CBOR {from_cbor:?}"));
    }
    let (kind, _) = compact::peek(&compact_bytes).map_err(|error| error.to_string())?;
    if message["kind"] != kind {
        return Err(format!("expected kind {}, got {kind}", message["kind"]));
    }
    let mut out = vec![0; 16_384];
    let len = compact::encode(&from_compact, &mut out).map_err(|error| error.to_string())?;
    if out[..len] != compact_bytes {
        return Err(format!("encodes to {}", hex::encode(&out[..len])));
    }
    Ok(())
}
