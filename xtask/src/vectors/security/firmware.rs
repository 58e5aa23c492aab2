//! Firmware manifests and the signatures under them.

use security::fw::{Admission, Core, Manifest, PublicKey, verify};

use super::{Case, Held, refused, same};

pub fn manifest(case: &Case<'_>) -> Result<Held, String> {
    let (bytes, image) = (case.bytes("manifest")?, case.bytes("image")?);
    let device = Admission {
        core: match case.number("target_core")? {
            1 => Core::Metering,
            2 => Core::Management,
            3 => Core::Modem,
            4 => Core::Gateway,
            other => return Err(format!("target core {other} is not in the format")),
        },
        hardware: case.small("hw_model")?,
        security_counter: case.small("min_security_counter")?,
        // The cases name no legal software: the device has the one that the manifest asks for.
        legal_software: bytes[96..104].try_into().map_err(|_| "too short")?,
        slot_len: 1 << 20,
        running_hash: None,
        decrypts: false,
    };
    let key = PublicKey::Ed25519(case.array("pk")?);
    let mut slot = |offset: u32, buf: &mut [u8]| {
        let from = offset as usize;
        let bytes = image.get(from..from + buf.len()).ok_or(())?;
        buf.copy_from_slice(bytes);
        Ok(())
    };
    let verified = verify(
        &bytes,
        &case.array("signature")?,
        &device,
        &[key],
        &mut slot,
    );
    if case.number("accept")? == 0 {
        return refused("a manifest or image was accepted", verified.is_err());
    }
    let verified = verified.map_err(|error| error.to_string())?;
    same("manifest encoded again", &bytes, &verified.get().encode())?;
    let parsed = Manifest::parse(&bytes).map_err(|error| error.to_string())?;
    refused(
        "the verified manifest is another",
        parsed == *verified.get(),
    )
}

pub fn ed25519(case: &Case<'_>) -> Result<Held, String> {
    let key = PublicKey::Ed25519(case.array("pk")?);
    signature(case, &key, "sig")
}

pub fn ecdsa_p256(case: &Case<'_>) -> Result<Held, String> {
    let key = PublicKey::EcdsaP256(case.array("pk_uncompressed")?);
    signature(case, &key, "sig_rs")
}

fn signature(case: &Case<'_>, key: &PublicKey, name: &str) -> Result<Held, String> {
    let message = case.bytes("msg")?;
    // The type of a signature refuses other lengths.
    let verifies = case
        .array(name)
        .is_ok_and(|signature| key.verifies(&message, &signature));
    refused(
        "the signature was judged wrongly",
        verifies == case.valid()?,
    )
}
