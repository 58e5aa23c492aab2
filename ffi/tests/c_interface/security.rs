//! Key change, logs, firmware and failing callbacks from C. The images are signed here, because the interface has no
//! signer: that is a tool of the factory.

use std::fmt::Write;
use std::process::Command;

use ed25519_compact::{KeyPair, Seed};
use security::fw::{Core, Manifest, PublicKey, SignatureKind};
use sha2::{Digest, Sha256};

use crate::native;

const IMAGE_LEN: usize = 521;

/// Manifest with signature, and the image.
fn signed(signer: &KeyPair, counter: u8) -> (Vec<u8>, Vec<u8>) {
    let image: Vec<u8> = (0..IMAGE_LEN).map(|at| at as u8 ^ (counter * 37)).collect();
    let manifest = Manifest {
        signature: SignatureKind::Ed25519,
        core: Core::Management,
        delta: false,
        encrypted: false,
        hardware: 0x0101,
        security_counter: counter.into(),
        version: (1, counter),
        revision: 0,
        build: 100,
        image_len: IMAGE_LEN as u32,
        chunk_len: 256,
        image_hash: Sha256::digest(&image).into(),
        base_hash: [0; 32],
        legal_software: [0; 8],
        key_id: PublicKey::Ed25519(*signer.pk).id(),
    };
    let mut bytes = manifest.encode().to_vec();
    let signature = signer.sk.sign(&bytes, None);
    bytes.extend(*signature);
    (bytes, image)
}

fn row(text: &mut String, name: &str, bytes: &[u8]) {
    let list: Vec<String> = bytes.iter().map(ToString::to_string).collect();
    writeln!(
        text,
        "static const uint8_t {name}[{}] = {{{}}};",
        bytes.len(),
        list.join(", ")
    )
    .expect("text");
}

#[test]
fn keys_logs_firmware_and_failing_callbacks_from_c() {
    if !native::have_compiler("security.c") {
        return;
    }
    let signer = KeyPair::from_seed(Seed::new([5; 32]));
    let mut text = format!("#include <stdint.h>\n#define IMAGE_LEN {IMAGE_LEN}\n");
    row(&mut text, "PUBLIC_KEY", &*signer.pk);
    for (name, counter) in [("OLD", 1), ("NEW", 2)] {
        let (manifest, image) = signed(&signer, counter);
        row(&mut text, &format!("{name}_MANIFEST"), &manifest);
        row(&mut text, &format!("{name}_IMAGE"), &image);
    }
    let folder = native::scratch().join("signed");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("signed.h"), text).expect("the header is written");
    let include = format!("-I{}", folder.display());
    let flags = [
        "-std=c11",
        "-fsanitize=address,undefined",
        "-fno-sanitize-recover=all",
        &include,
    ];
    let source = native::folder().join("tests/c/security.c");
    let program = native::build("cc", &flags, &[source], "security");
    let text = native::run(&mut Command::new(program));
    assert_eq!(text, "all of security is right\n");
}
