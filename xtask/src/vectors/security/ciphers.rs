//! Published cases of block ciphers, modes and key derivation.

use security::aead::AeadError;
use security::engine::{Block128, BlockCipher, Soft, SoftKey};
use security::key::Secret;
use security::{ccm, chacha, cmac, gcm, kdf, wrap};

use super::{Case, Held, refused, same, soft};

pub fn cmac(case: &Case<'_>) -> Result<Held, String> {
    let key = case.key(BlockCipher::Aes128, "key")?;
    let (message, tag) = (case.bytes("msg")?, case.bytes("tag")?);
    let Ok(got) = cmac::mac(&mut Soft, &key, &[&message]);
    if case.valid()? {
        same("tag", &tag, &got)?;
        // The same message in two parts.
        let (a, b) = message.split_at(message.len() / 2);
        let Ok(split) = cmac::mac(&mut Soft, &key, &[a, b]);
        return same("tag of two parts", &tag, &split).map(|()| Held::Yes);
    }
    refused("a wrong tag was taken", tag != got)
}

pub fn key_wrap(case: &Case<'_>) -> Result<Held, String> {
    let kek_len = case.bytes("kek")?.len();
    if kek_len != 16 {
        return Ok(Held::NotBuilt(format!("AES-{}", 8 * kek_len)));
    }
    let kek = case.key(BlockCipher::Aes128, "kek")?;
    let (plain, wrapped) = (case.bytes("pt")?, case.bytes("wrapped")?);
    let mut buf = wrapped.clone();
    let unwrapped = wrap::unwrap(&mut Soft, &kek, &mut buf).map(|plain| plain.to_vec());
    if !case.valid()? {
        if unwrapped.is_ok() {
            return Err("an invalid wrap was taken".to_owned());
        }
        return refused("something was left", buf.iter().all(|byte| *byte == 0));
    }
    same(
        "key",
        &plain,
        &unwrapped.map_err(|error| error.to_string())?,
    )?;
    let mut buf = [&[0; wrap::OVERHEAD][..], &plain].concat();
    wrap::wrap(&mut Soft, &kek, &mut buf).map_err(|error| error.to_string())?;
    same("wrapped key", &wrapped, &buf).map(|()| Held::Yes)
}

/// The parts of a sealed message, whose tag may stand behind the ciphertext.
struct Sealed {
    nonce: Vec<u8>,
    aad: Vec<u8>,
    plain: Vec<u8>,
    cipher: Vec<u8>,
    tag: Vec<u8>,
}

fn sealed(case: &Case<'_>) -> Result<Sealed, String> {
    let (cipher, tag) = match case.bytes("tag") {
        Ok(tag) => (case.bytes("ct")?, tag),
        Err(_) => {
            let mut cipher = case.bytes("ct_and_tag")?;
            let cut = cipher
                .len()
                .checked_sub(case.small("tag_len")?)
                .ok_or("shorter than its tag")?;
            let tag = cipher.split_off(cut);
            (cipher, tag)
        }
    };
    Ok(Sealed {
        nonce: case.bytes("nonce").or_else(|_| case.bytes("iv"))?,
        aad: case.bytes("aad")?,
        plain: case.bytes("pt")?,
        cipher,
        tag,
    })
}

/// Opens a case and, if it is valid, seals it again; nothing may be left of an invalid one.
fn compare(
    case: &Case<'_>,
    message: &Sealed,
    open: impl Fn(&[&[u8]], &mut [u8]) -> Result<(), AeadError>,
    seal: impl Fn(&[&[u8]], &mut [u8]) -> Result<[u8; 16], AeadError>,
) -> Result<Held, String> {
    let mut body = message.cipher.clone();
    // The associated data in three parts, one of them empty.
    let (a, b) = message.aad.split_at(message.aad.len() / 3);
    let opened = open(&[a, &[], b], &mut body);
    if !case.valid()? {
        if opened.is_ok() {
            return Err("an invalid message was opened".to_owned());
        }
        return refused("plaintext was left", body.iter().all(|byte| *byte == 0));
    }
    opened.map_err(|error| format!("not opened: {error}"))?;
    same("plaintext", &message.plain, &body)?;
    let full = seal(&[&message.aad], &mut body).map_err(|error| format!("not sealed: {error}"))?;
    same("ciphertext", &message.cipher, &body)?;
    same("tag", &message.tag, &full[..message.tag.len()])?;
    Ok(Held::Yes)
}

pub fn aes_ccm(case: &Case<'_>) -> Result<Held, String> {
    ccm_with(case, BlockCipher::Aes128)
}

pub fn sm4_ccm(case: &Case<'_>) -> Result<Held, String> {
    ccm_with(case, BlockCipher::Sm4)
}

fn ccm_with(case: &Case<'_>, cipher: BlockCipher) -> Result<Held, String> {
    let key = case.key(cipher, "key")?;
    let message = sealed(case)?;
    let Sealed { nonce, tag, .. } = &message;
    compare(
        case,
        &message,
        |aad, body| ccm::open(&mut Soft, &key, nonce, aad, body, tag),
        |aad, body| ccm::seal(&mut Soft, &key, nonce, aad, body, tag.len()),
    )
}

pub fn aes_gcm(case: &Case<'_>) -> Result<Held, String> {
    match case.bytes("key")?.len() {
        16 => gcm_with(case, &case.key(BlockCipher::Aes128, "key")?),
        other => Ok(Held::NotBuilt(format!("AES-{}", 8 * other))),
    }
}

pub fn sm4_gcm(case: &Case<'_>) -> Result<Held, String> {
    gcm_with(case, &case.key(BlockCipher::Sm4, "key")?)
}

fn gcm_with(case: &Case<'_>, key: &SoftKey) -> Result<Held, String> {
    let message = sealed(case)?;
    let Sealed { nonce, tag, .. } = &message;
    compare(
        case,
        &message,
        |aad, body| gcm::open(&mut Soft, key, nonce, aad, body, tag),
        |aad, body| gcm::seal(&mut Soft, key, nonce, aad, body),
    )
}

/// Ciphering of DLMS/COSEM: its security control byte, keys and counter become nonce and associated
/// data of GCM.
pub fn dlms_gcm(case: &Case<'_>) -> Result<Held, String> {
    const AUTHENTICATED: u8 = 0x10;
    const ENCRYPTED: u8 = 0x20;
    let key = case.bytes("ek")?;
    let Ok(key) = <[u8; 16]>::try_from(key) else {
        return Ok(Held::NotBuilt("AES-256".to_owned()));
    };
    let key = soft(BlockCipher::Aes128, &Secret::new(key));
    let counter = u32::to_be_bytes(case.small("invocation_counter")?);
    let nonce = [case.bytes("system_title")?, counter.to_vec()].concat();
    let control: u8 = case.small("sc")?;
    let (plain, body, tag) = (
        case.bytes("apdu")?,
        case.bytes("body")?,
        case.bytes("tag12")?,
    );
    let mut aad = vec![control];
    aad.extend(case.bytes("ak")?);
    let mut buf = plain.clone();
    if control & ENCRYPTED == 0 {
        aad.append(&mut buf);
    }
    let full =
        gcm::seal(&mut Soft, &key, &nonce, &[&aad], &mut buf).map_err(|error| error.to_string())?;
    if control & ENCRYPTED != 0 {
        same("body", &body, &buf)?;
    } else {
        same("body", &body, &plain)?;
    }
    if control & AUTHENTICATED != 0 {
        same("tag", &tag, &full[..12])?;
        gcm::open(&mut Soft, &key, &nonce, &[&aad], &mut buf, &tag)
            .map_err(|error| format!("not opened: {error}"))?;
    }
    Ok(Held::Yes)
}

pub fn chacha(case: &Case<'_>) -> Result<Held, String> {
    let key = Secret::new(case.array("key")?);
    let message = sealed(case)?;
    let Ok(nonce) = <[u8; 12]>::try_from(message.nonce.clone()) else {
        // The type of the nonce refuses it.
        return refused("a valid case has no nonce of 12 bytes", !case.valid()?);
    };
    compare(
        case,
        &message,
        |aad, body| chacha::open(&key, &nonce, aad, body, &message.tag),
        |aad, body| chacha::seal(&key, &nonce, aad, body),
    )
}

pub fn sm4_block(case: &Case<'_>) -> Result<Held, String> {
    let key = case.key(BlockCipher::Sm4, "key")?;
    let (plain, cipher) = (case.bytes("pt")?, case.bytes("ct")?);
    let (mut blocks, rest) = {
        let (blocks, rest) = plain.as_chunks();
        (blocks.to_vec(), rest)
    };
    let Ok(()) = Soft.encrypt(&key, &mut blocks);
    same("ciphertext", &cipher, blocks.as_flattened())?;
    for block in &mut blocks {
        let Ok(()) = Soft.decrypt(&key, block);
    }
    same("plaintext", &plain, &[blocks.as_flattened(), rest].concat()).map(|()| Held::Yes)
}

pub fn kdf(case: &Case<'_>) -> Result<Held, String> {
    let mut out = vec![0; case.small::<usize>("out_bits")? / 8];
    let (key, fixed) = (
        case.key(BlockCipher::Aes128, "key_in")?,
        case.bytes("fixed_input")?,
    );
    let counter_len = case.small("r_len_bytes")?;
    let derived = kdf::counter_mode(&mut Soft, &key, counter_len, &fixed, &mut out);
    derived.map_err(|error| error.to_string())?;
    same("derived key", &case.bytes("key_out")?, &out).map(|()| Held::Yes)
}
