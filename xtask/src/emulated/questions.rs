//! Each case as questions to the image, and what must come back.

use serde_json::Value;

use crate::vectors::security::Case;

/// Case files that the image works off, and how; the rest are primitives that the crate does not offer.
pub type Translate = fn(&Case<'_>) -> Result<Vec<Question>, String>;
pub const FILES: [(&str, Translate); 22] = [
    ("aes128_cmac", cmac),
    ("aes_kw", key_wrap),
    ("dlms_gcm", dlms_gcm),
    ("dlt645_security_frames_sm4", element),
    ("nist_aes128_ccm", aes_ccm),
    ("nist_aes128_gcm", aes_gcm),
    ("sm4_ecb", sm4),
    ("sp800_108_ctr_cmac_aes128", kdf),
    ("v1_counter_reserve", counter),
    ("v1_envelope", envelope),
    ("v1_envelope_short", envelope),
    ("v1_fw_manifest", manifest),
    ("v1_handshake", handshake),
    ("v1_key_hierarchy", keys),
    ("v1_replay_window", window),
    ("wycheproof_aes_ccm", aes_ccm),
    ("wycheproof_aes_gcm", aes_gcm),
    ("wycheproof_chacha20_poly1305", chacha),
    ("wycheproof_ecdsa_p256_p1363", ecdsa),
    ("wycheproof_ed25519", ed25519),
    ("wycheproof_sm4_ccm", sm4_ccm),
    ("wycheproof_sm4_gcm", sm4_gcm),
];

/// Kind, fields, and what must come back.
pub struct Question {
    pub kind: u8,
    pub fields: Vec<Vec<u8>>,
    pub expected: Option<Vec<u8>>,
}

fn ask(kind: u8, fields: &[&[u8]], expected: Option<Vec<u8>>) -> Question {
    Question {
        kind,
        fields: fields.iter().map(|field| field.to_vec()).collect(),
        expected,
    }
}

const AES: &[u8] = &[0];
const SM4: &[u8] = &[1];

fn cmac(case: &Case<'_>) -> Result<Vec<Question>, String> {
    let fields = [case.bytes("key")?, case.bytes("msg")?];
    // A case with a wrong tag has no answer of its own.
    let tag = case.valid()?.then(|| case.bytes("tag")).transpose()?;
    Ok(tag
        .map(|tag| ask(b'M', &[AES, &fields[0], &fields[1]], Some(tag)))
        .into_iter()
        .collect())
}

fn key_wrap(case: &Case<'_>) -> Result<Vec<Question>, String> {
    let (kek, plain, wrapped) = (
        case.bytes("kek")?,
        case.bytes("pt")?,
        case.bytes("wrapped")?,
    );
    if kek.len() != 16 {
        return Ok(Vec::new());
    }
    if !case.valid()? {
        return Ok(vec![ask(b'W', &[AES, &kek, &wrapped], None)]);
    }
    Ok(vec![
        ask(b'W', &[AES, &kek, &wrapped], Some(plain.clone())),
        ask(b'w', &[AES, &kek, &plain], Some(wrapped)),
    ])
}

/// A sealed message opened, and sealed again where it is valid. `kinds` are those of opening and sealing.
fn sealed(case: &Case<'_>, kinds: [u8; 2], head: &[&[u8]]) -> Result<Vec<Question>, String> {
    let (cipher, tag) = match case.bytes("tag") {
        Ok(tag) => (case.bytes("ct")?, tag),
        Err(_) => {
            let mut cipher = case.bytes("ct_and_tag")?;
            let tag = cipher.split_off(cipher.len() - case.small::<usize>("tag_len")?);
            (cipher, tag)
        }
    };
    let nonce = case.bytes("nonce").or_else(|_| case.bytes("iv"))?;
    let (aad, plain) = (case.bytes("aad")?, case.bytes("pt")?);
    let open = [head, &[&nonce, &aad, &tag, &cipher]].concat();
    if !case.valid()? {
        return Ok(vec![ask(kinds[0], &open, None)]);
    }
    let len = [u8::try_from(tag.len()).map_err(|_| "a longer tag")?];
    let seal = [head, &[&nonce, &aad, &len, &plain]].concat();
    let whole = [cipher.clone(), tag.clone()].concat();
    Ok(vec![
        ask(kinds[0], &open, Some(plain.clone())),
        ask(kinds[1], &seal, Some(whole)),
    ])
}

fn aes_ccm(case: &Case<'_>) -> Result<Vec<Question>, String> {
    sealed(case, *b"Cc", &[AES, &case.bytes("key")?])
}

fn sm4_ccm(case: &Case<'_>) -> Result<Vec<Question>, String> {
    sealed(case, *b"Cc", &[SM4, &case.bytes("key")?])
}

fn aes_gcm(case: &Case<'_>) -> Result<Vec<Question>, String> {
    let key = case.bytes("key")?;
    if key.len() == 16 {
        sealed(case, *b"Gg", &[AES, &key])
    } else {
        Ok(Vec::new())
    }
}

fn sm4_gcm(case: &Case<'_>) -> Result<Vec<Question>, String> {
    sealed(case, *b"Gg", &[SM4, &case.bytes("key")?])
}

fn chacha(case: &Case<'_>) -> Result<Vec<Question>, String> {
    sealed(case, *b"Pp", &[&case.bytes("key")?])
}

/// Security control byte, keys and counter as nonce and associated data of GCM.
fn dlms_gcm(case: &Case<'_>) -> Result<Vec<Question>, String> {
    let key = case.bytes("ek")?;
    let (control, counter): (u8, u32) = (case.small("sc")?, case.small("invocation_counter")?);
    let (is_encrypted, is_authenticated) = (control & 0x20 != 0, control & 0x10 != 0);
    if key.len() != 16 || !is_authenticated {
        return Ok(Vec::new());
    }
    let nonce = [case.bytes("system_title")?, counter.to_be_bytes().to_vec()].concat();
    let mut aad = [vec![control], case.bytes("ak")?].concat();
    let (plain, body, tag) = (
        case.bytes("apdu")?,
        case.bytes("body")?,
        case.bytes("tag12")?,
    );
    if !is_encrypted {
        aad.extend(&plain);
        let whole = ask(b'g', &[AES, &key, &nonce, &aad, &[12], &[]], Some(tag));
        return Ok(vec![whole]);
    }
    let whole = [body, tag].concat();
    Ok(vec![ask(
        b'g',
        &[AES, &key, &nonce, &aad, &[12], &plain],
        Some(whole),
    )])
}

fn sm4(case: &Case<'_>) -> Result<Vec<Question>, String> {
    let (key, plain, cipher) = (case.bytes("key")?, case.bytes("pt")?, case.bytes("ct")?);
    Ok(vec![
        ask(b'B', &[SM4, &key, &plain], Some(cipher.clone())),
        ask(b'b', &[SM4, &key, &cipher], Some(plain.clone())),
    ])
}

fn kdf(case: &Case<'_>) -> Result<Vec<Question>, String> {
    let len = u16::to_be_bytes(case.small::<u16>("out_bits")? / 8);
    let counter_len = [case.small("r_len_bytes")?];
    let fields: [&[u8]; 5] = [
        AES,
        &case.bytes("key_in")?,
        &counter_len,
        &case.bytes("fixed_input")?,
        &len,
    ];
    Ok(vec![ask(b'K', &fields, Some(case.bytes("key_out")?))])
}

fn keys(case: &Case<'_>) -> Result<Vec<Question>, String> {
    let half = |name| Ok::<_, String>(case.small::<u16>(name)?.to_be_bytes());
    let fields: [&[u8]; 9] = [
        &case.bytes("root")?,
        &case.bytes("net_id")?,
        &half("net_epoch")?,
        &case.bytes("device_id")?,
        &[case.small("purpose")?],
        &half("dev_epoch")?,
        &[case.small("direction")?],
        &case.bytes("host_random")?,
        &case.bytes("device_random")?,
    ];
    let mut derived = Vec::new();
    for name in ["k_net", "k_dev", "k_ses", "iv_ses", "k_env", "iv_env"] {
        derived.extend(case.bytes(name)?);
    }
    let wrapped = case.bytes("new_key_wrapped_under_master")?;
    let (master, new) = (case.bytes("k_master")?, case.bytes("new_key")?);
    // The search comes first: the answers to the others hold these keys.
    Ok(vec![
        residue(case, &fields[1..])?,
        ask(b'T', &fields, Some(derived)),
        ask(b'W', &[AES, &master, &wrapped], Some(new)),
    ])
}

/// Nothing is left of the root key and of what comes of it, once the work is done. Keys travel with every bit turned, so
/// that the search does not find the request.
fn residue(case: &Case<'_>, fields: &[&[u8]]) -> Result<Question, String> {
    let turned = |name| Ok::<Vec<u8>, String>(case.bytes(name)?.iter().map(|byte| !byte).collect());
    let mut all = vec![turned("root")?];
    all.extend(fields.iter().map(|field| field.to_vec()));
    let keys = ["k_net", "k_dev", "k_ses", "k_env", "k_master"];
    for name in keys {
        all.push(turned(name)?);
    }
    // A key in use is found; then none of the root and these.
    let mut expected = vec![1];
    expected.resize(2 + keys.len(), 0);
    Ok(Question {
        kind: b'Z',
        fields: all,
        expected: Some(expected),
    })
}

fn envelope(case: &Case<'_>) -> Result<Vec<Question>, String> {
    let suite = [case.small("suite")?];
    let (key, way) = (case.bytes("k_dev")?, [case.small("direction")?]);
    let (address, epoch) = (
        case.bytes("device6")?,
        case.small::<u16>("epoch")?.to_be_bytes(),
    );
    let (ext, message) = (case.bytes("ext_aad")?, case.bytes("message")?);
    let last = case.number("last_accepted").ok().map(u64::to_be_bytes);
    let link: [&[u8]; 5] = [&suite, &key, &way, &address, &epoch];
    let known = last.as_ref().map_or(&[][..], |last| last);
    let open = [&link[..], &[known, &ext, &message]].concat();
    if !case.valid()? {
        return Ok(vec![ask(b'E', &open, None)]);
    }
    let (class, counter) = (
        [case.small("msg_class")?],
        case.number("counter")?.to_be_bytes(),
    );
    let plain = case.bytes("pt")?;
    let opened = [&plain[..], &class, &counter].concat();
    let short = [u8::from(last.is_some())];
    let seal = [&link[..], &[&class, &short, &counter, &ext, &plain]].concat();
    Ok(vec![
        ask(b'E', &open, Some(opened)),
        ask(b'e', &seal, Some(message)),
    ])
}

/// Both sides. Of a changed handshake the image's own messages differ from those of the case, or a side refuses.
fn handshake(case: &Case<'_>) -> Result<Vec<Question>, String> {
    let auth = [
        case.bytes("k_dev_auth")?,
        case.bytes("device6")?,
        case.small::<u16>("epoch")?.to_be_bytes().to_vec(),
    ];
    let [key, address, epoch] = &auth;
    let (m1, m2, m3) = (case.bytes("m1")?, case.bytes("m2")?, case.bytes("m3")?);
    let (suites, host_random) = m1.get(10..).unwrap_or_default().split_at(m1[9].into());
    let device: [&[u8]; 6] = [key, address, epoch, &m1, &m2[2..18], &m3];
    let host: [&[u8]; 6] = [key, address, epoch, suites, host_random, &m2];
    if case.number("ok")? == 1 {
        return Ok(vec![
            ask(b'H', &device, Some([&m2[..], &[1]].concat())),
            ask(b'h', &host, Some([&m1[..], &m3].concat())),
        ]);
    }
    // The host computes what it must: with a proof that is not over its own offer it stops after its first message.
    let why = case.at("why")?.as_str().unwrap_or_default();
    Ok(
        if why.contains("third message") || why.contains("host proof") {
            vec![ask(b'H', &device, Some([&m2[..], &[0]].concat()))]
        } else if why.contains("not offered") {
            vec![ask(b'h', &host, Some(m1.clone()))]
        } else {
            // The offer was cut on its way: m1 is what arrived, and the reply stands over another.
            vec![ask(b'h', &host, Some(m1.clone()))]
        },
    )
}

fn manifest(case: &Case<'_>) -> Result<Vec<Question>, String> {
    let fields: [&[u8]; 7] = [
        &case.bytes("pk")?,
        &case.bytes("manifest")?,
        &case.bytes("signature")?,
        &case.bytes("image")?,
        &[case.small("target_core")?],
        &case.small::<u16>("hw_model")?.to_be_bytes(),
        &case.number("min_security_counter")?.to_be_bytes(),
    ];
    let accepted = case.number("accept")? == 1;
    Ok(vec![ask(b'F', &fields, accepted.then(Vec::new))])
}

fn ed25519(case: &Case<'_>) -> Result<Vec<Question>, String> {
    signature(case, b'S', "pk", "sig")
}

fn ecdsa(case: &Case<'_>) -> Result<Vec<Question>, String> {
    signature(case, b'Q', "pk_uncompressed", "sig_rs")
}

fn signature(case: &Case<'_>, kind: u8, key: &str, name: &str) -> Result<Vec<Question>, String> {
    let fields: [&[u8]; 3] = [&case.bytes(key)?, &case.bytes("msg")?, &case.bytes(name)?];
    let good = case.valid()?;
    Ok(vec![ask(kind, &fields, good.then(Vec::new))])
}

fn list(case: &Case<'_>, name: &str) -> Result<Vec<u64>, String> {
    let values = case.at(name)?.as_array().ok_or("no list")?;
    let numbers: Option<Vec<u64>> = values.iter().map(Value::as_u64).collect();
    numbers.ok_or_else(|| format!("{name} holds something else"))
}

fn window(case: &Case<'_>) -> Result<Vec<Question>, String> {
    let kind = [u8::from(case.number("window")? != 0)];
    let counters: Vec<[u8; 8]> = list(case, "counters")?
        .into_iter()
        .map(u64::to_be_bytes)
        .collect();
    let mut fields: Vec<&[u8]> = vec![&kind];
    fields.extend(counters.iter().map(|counter| &counter[..]));
    let accept = list(case, "accept")?.into_iter().map(|bit| bit as u8);
    Ok(vec![ask(b'R', &fields, Some(accept.collect()))])
}

fn counter(case: &Case<'_>) -> Result<Vec<Question>, String> {
    const EVENTS: [&str; 5] = [
        "use",
        "crash",
        "use_crash_before_write",
        "use_crash_after_write",
        "use_crash",
    ];
    let named = |event: &Value| {
        let name = event.as_str()?;
        let known = EVENTS.iter().position(|known| *known == name);
        // Any other name is a crash behind the use.
        Some(known.unwrap_or(4) as u8)
    };
    let events: Option<Vec<u8>> = case
        .at("events")?
        .as_array()
        .ok_or("no list")?
        .iter()
        .map(named)
        .collect();
    let block = case.number("block")?.to_be_bytes();
    let mut expected: Vec<u8> = list(case, "emitted")?
        .into_iter()
        .flat_map(u64::to_be_bytes)
        .collect();
    expected.extend(case.number("stored_limit")?.to_be_bytes());
    expected.push(case.small("nv_writes")?);
    let events = events.ok_or("events are no names")?;
    Ok(vec![ask(b'N', &[&block, &events], Some(expected))])
}

/// Identity, an order and a change of validity; what travels is taken from the frames of the case.
fn element(case: &Case<'_>) -> Result<Vec<Question>, String> {
    let data = |name: &str| {
        let frame = case.bytes(name)?;
        let frame = dlt645::FrameView::parse(&frame).map_err(|error| error.to_string())?;
        Ok::<Vec<u8>, String>(frame.data().collect())
    };
    let mut plain = case.array::<8>("ctrl_plain")?;
    plain[2..].reverse();
    let minutes: [u8; 2] = case.array("validity_minutes_bcd")?;
    let minutes = minutes.iter().fold(0_u16, |sum, byte| {
        sum * 100 + u16::from(byte >> 4) * 10 + u16::from(byte & 15)
    });
    let mut random2 = case.bytes("r2")?;
    random2.resize(8, 0);
    let fields: [&[u8]; 9] = [
        &case.bytes("k_param")?,
        &case.bytes("k_ctrl")?,
        &case.bytes("k_auth")?,
        &case.bytes("address")?,
        &case.bytes("element_serial")?,
        &case.bytes("r1")?,
        &random2,
        &plain,
        &minutes.to_be_bytes(),
    ];
    // Identifier and operator code before each request, the identifier before the answer, level and operator before the
    // order.
    let mut expected = data("frame_auth")?.split_off(8);
    expected.extend(data("frame_auth_reply")?.split_off(4));
    expected.extend(data("frame_ctrl")?.split_off(8));
    expected.extend(data("frame_set_validity")?.split_off(8));
    Ok(vec![ask(b'D', &fields, Some(expected))])
}
