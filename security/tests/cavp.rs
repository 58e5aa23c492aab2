//! NIST's response files, whole, as the Python package `cryptography-vectors` carries them: it is
//! fetched at test time, and where that is not possible the test says so.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use security::engine::{Block128, BlockCipher, Soft, SoftKey};
use security::key::Secret;
use security::{ccm, cmac, gcm, kdf, wrap};

fn soft(key: &[u8]) -> SoftKey {
    let Ok(key) = Soft.load(BlockCipher::Aes128, &Secret::new(key.try_into().unwrap()));
    key
}

/// Where the package lies; it is made once for all tests.
fn folder() -> Option<PathBuf> {
    static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOLDER.get_or_init(fetch).clone()
}

fn fetch() -> Option<PathBuf> {
    let made = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let python = testkit::python::with_package(made, "cryptography-vectors", "50.0.2");
    let python = match python {
        Ok(python) => python,
        Err(reason) => {
            testkit::skip(&reason);
            return None;
        }
    };
    let ask = "import cryptography_vectors, os; print(os.path.dirname(cryptography_vectors.__file__), end='')";
    let answer = Command::new(python).args(["-c", ask]).output().unwrap();
    Some(PathBuf::from(String::from_utf8(answer.stdout).unwrap()))
}

/// The cases of a response file: fields of a case over those of its section.
fn cases(path: &Path) -> Vec<HashMap<String, String>> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut section = HashMap::new();
    let mut case: HashMap<String, String> = HashMap::new();
    let mut in_case = false;
    let mut found = Vec::new();
    for line in text.lines().map(str::trim).chain([""]) {
        if line.starts_with('#') {
            continue;
        }
        let heads = line
            .strip_prefix('[')
            .and_then(|line| line.strip_suffix(']'));
        for field in heads.unwrap_or(line).split(", ") {
            let (name, value) = match field.split_once('=') {
                Some((name, value)) => (name.trim().to_lowercase(), value.trim().to_owned()),
                None => (field.to_lowercase(), String::new()),
            };
            if name == "count" {
                in_case = true;
            }
            if !name.is_empty() {
                let to = if in_case { &mut case } else { &mut section };
                to.insert(name, value);
            }
        }
        if line.is_empty() && in_case {
            let mut whole = section.clone();
            whole.extend(case.drain());
            found.push(whole);
            in_case = false;
        }
    }
    found
}

fn bytes(case: &HashMap<String, String>, name: &str) -> Vec<u8> {
    let text = case
        .get(name)
        .unwrap_or_else(|| panic!("no {name} in {case:?}"));
    hex::decode(text).unwrap()
}

/// Zero bytes are written as one byte 00 in the files of CCM.
fn sized(case: &HashMap<String, String>, name: &str, len: &str) -> Vec<u8> {
    let mut bytes = bytes(case, name);
    bytes.truncate(case[len].parse().unwrap());
    bytes
}

#[test]
fn gcm_of_nist() {
    let Some(folder) = folder() else { return };
    let (mut passed, mut short) = (0, 0);
    for file in ["gcmEncryptExtIV128.rsp", "gcmDecrypt128.rsp"] {
        for case in cases(&folder.join("ciphers/AES/GCM").join(file)) {
            let key = soft(&bytes(&case, "key"));
            let (nonce, aad) = (bytes(&case, "iv"), bytes(&case, "aad"));
            let (cipher, tag) = (bytes(&case, "ct"), bytes(&case, "tag"));
            let mut body = cipher.clone();
            let opened = gcm::open(&mut Soft, &key, &nonce, &[&aad], &mut body, &tag);
            if tag.len() < 12 {
                assert!(opened.is_err());
                short += 1;
                continue;
            }
            if case.contains_key("fail") {
                assert!(
                    opened.is_err() && body.iter().all(|byte| *byte == 0),
                    "{case:?}"
                );
            } else {
                assert_eq!(opened, Ok(()), "{case:?}");
                assert_eq!(body, bytes(&case, "pt"));
                let made = gcm::seal(&mut Soft, &key, &nonce, &[&aad], &mut body).unwrap();
                assert_eq!((&body, &made[..tag.len()]), (&cipher, &tag[..]));
            }
            passed += 1;
        }
    }
    // Of 15,750 cases those with tags of 32 and 64 bits are refused for their length.
    assert_eq!(passed + short, 15_750);
    assert_eq!(short, 4_500);
}

#[test]
fn ccm_of_nist() {
    let Some(folder) = folder() else { return };
    let mut passed = 0;
    for file in ["DVPT128", "VADT128", "VNT128", "VPT128", "VTT128"] {
        let path = folder
            .join("ciphers/AES/CCM")
            .join(file)
            .with_extension("rsp");
        for case in cases(&path) {
            let key = soft(&bytes(&case, "key"));
            let nonce = bytes(&case, "nonce");
            let aad = sized(&case, "adata", "alen");
            let mut cipher = bytes(&case, "ct");
            let sealed = cipher.clone();
            let tag = cipher.split_off(cipher.len() - case["tlen"].parse::<usize>().unwrap());
            let mut body = cipher;
            let opened = ccm::open(&mut Soft, &key, &nonce, &[&aad], &mut body, &tag);
            if case
                .get("result")
                .is_some_and(|result| result.starts_with("Fail"))
            {
                assert!(
                    opened.is_err() && body.iter().all(|byte| *byte == 0),
                    "{case:?}"
                );
            } else {
                assert_eq!(opened, Ok(()), "{case:?}");
                assert_eq!(body, sized(&case, "payload", "plen"), "{case:?}");
                let made = ccm::seal(&mut Soft, &key, &nonce, &[&aad], &mut body, tag.len());
                body.extend(&made.unwrap()[..tag.len()]);
                assert_eq!(body, sealed);
            }
            passed += 1;
        }
    }
    assert!(passed > 700, "{passed}");
}

#[test]
fn key_wrap_cmac_and_kdf_of_nist() {
    let Some(folder) = folder() else { return };
    let mut passed = 0;
    for file in ["KW_AE_128.txt", "KW_AD_128.txt"] {
        for case in cases(&folder.join("keywrap/kwtestvectors").join(file)) {
            let kek = soft(&bytes(&case, "k"));
            let wrapped = bytes(&case, "c");
            let mut buf = wrapped.clone();
            let unwrapped = wrap::unwrap(&mut Soft, &kek, &mut buf).map(|key| key.to_vec());
            if case.contains_key("fail") {
                assert!(unwrapped.is_err() && buf.iter().all(|byte| *byte == 0));
            } else {
                let plain = bytes(&case, "p");
                assert_eq!(unwrapped.as_ref(), Ok(&plain));
                let mut buf = [&[0; wrap::OVERHEAD][..], &plain].concat();
                wrap::wrap(&mut Soft, &kek, &mut buf).unwrap();
                assert_eq!(buf, wrapped);
            }
            passed += 1;
        }
    }
    assert!(passed >= 1000, "{passed}");

    for case in cases(&folder.join("CMAC/nist-800-38b-aes128.txt")) {
        let key = soft(&bytes(&case, "key"));
        let Ok(tag) = cmac::mac(&mut Soft, &key, &[&bytes(&case, "message")]);
        assert_eq!(tag[..], bytes(&case, "output"));
    }

    let mut passed = 0;
    for case in cases(&folder.join("KDF/nist-800-108-KBKDF-CTR.txt")) {
        if case["prf"] != "CMAC_AES128" || case["ctrlocation"] != "BEFORE_FIXED" {
            continue;
        }
        let counter_len = match &case["rlen"][..] {
            "8_BITS" => 1,
            "16_BITS" => 2,
            "24_BITS" => 3,
            _ => 4,
        };
        let key = soft(&bytes(&case, "ki"));
        let mut out = vec![0; case["l"].parse::<usize>().unwrap() / 8];
        let fixed = bytes(&case, "fixedinputdata");
        kdf::counter_mode(&mut Soft, &key, counter_len, &fixed, &mut out).unwrap();
        assert_eq!(out, bytes(&case, "ko"));
        passed += 1;
    }
    assert_eq!(passed, 160);
}
