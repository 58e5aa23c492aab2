//! Messages of the unified standard: their JSON form is the explanation.

use anyhow::Context;
use meter_proto::error::Error;
use meter_proto::form::{self, Form};
use meter_proto::json;
use meter_proto::language::Language;
use serde_json::Value;

use crate::lang::Lang;

/// Room for the JSON form of the longest message.
const ROOM: usize = 256 * 1024;

/// Whether bytes claim to be a message in the compact or the CBOR form.
#[must_use]
pub fn is_message(capture: &[u8]) -> bool {
    let form = capture.first().and_then(|first| Form::of(*first));
    matches!(form, Some(Form::Compact { .. } | Form::Cbor))
}

/// The message in its JSON form, or what is wrong with it. Of a kind that is not known here the head is shown.
///
/// # Errors
/// Only when the library's own JSON is none.
pub fn explain(capture: &[u8], lang: Lang) -> anyhow::Result<Result<Value, Error>> {
    let language = match lang {
        Lang::En => Language::English,
        Lang::Zh => Language::Chinese,
    };
    let message = match form::decode(capture) {
        Ok(message) => message,
        Err(error) => return Ok(Err(error)),
    };
    let mut room = vec![0; ROOM];
    let text = json::encode(&message, language, &mut room).context("the JSON form")?;
    Ok(Ok(serde_json::from_str(text).context("the JSON form")?))
}
