//! Passwords, session tokens and who may do what.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use rand::RngCore;
use sha2::{Digest, Sha256};

use crate::store::{Device, User};

/// Hashes a password that a person chose: Argon2id with the recommended cost, in PHC form.
pub fn hash_password(password: &str) -> anyhow::Result<String> {
    Ok(Argon2::default()
        .hash_password(password.as_bytes())
        .map_err(|error| anyhow::anyhow!("{error}"))?
        .to_string())
}

/// Prefix of the hash of a password that a machine drew.
const DRAWN: &str = "sha256:";

/// Hashes a password of 128 random bits. A slow hash would add nothing against guessing and let a reconnecting fleet
/// load the server.
pub fn hash_drawn(password: &str) -> String {
    format!(
        "{DRAWN}{}",
        hex::encode(Sha256::digest(password.as_bytes()))
    )
}

/// Checks a password against either form of hash.
pub fn verify(password: &str, hash: &str) -> bool {
    if hash.starts_with(DRAWN) {
        // Both sides are digests, so the time of the comparison says nothing about the password.
        return hash_drawn(password) == hash;
    }
    match PasswordHash::new(hash) {
        Ok(parsed) => Argon2::default()
            .verify_password(password.as_bytes(), &parsed)
            .is_ok(),
        Err(_) => false,
    }
}

/// Hash that fits no password: an unknown name costs the same time as a wrong password.
pub fn dummy_hash() -> &'static str {
    static DUMMY: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    DUMMY.get_or_init(|| hash_password(&random_hex::<16>()).unwrap_or_default())
}

/// `N` random bytes as hexadecimal text.
pub fn random_hex<const N: usize>() -> String {
    let mut bytes = [0; N];
    rand::rng().fill_bytes(&mut bytes);
    hex::encode(bytes)
}

/// The form in which a session token is stored.
pub fn token_hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// A password for people, easy to copy: sixteen letters and digits that look different from each other.
pub fn readable_password() -> String {
    const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz23456789x";
    let mut bytes = [0; 16];
    rand::rng().fill_bytes(&mut bytes);
    bytes
        .iter()
        .map(|byte| char::from(LETTERS[usize::from(byte % 32)]))
        .collect()
}

/// Whether a user sees a device at all. Every handler that names a device asks this, and answers "not found" otherwise.
pub fn sees(user: &User, device: &Device) -> bool {
    user.tenant == device.tenant
}

/// Tells whether an account of the broker may use a topic.
///
/// A device owns everything below its own identity, the reader may only listen to the tree of the unified standard.
pub mod topics {
    /// Account that may only listen.
    pub const READER: &str = "reader";

    fn own(user: &str, topic: &str) -> bool {
        let mut levels = topic.split('/');
        // m1/<shard>/<device>/...
        levels.next() == Some("m1")
            && levels
                .next()
                .is_some_and(|shard| !shard.is_empty() && !shard.contains(['+', '#']))
            && levels.next() == Some(user)
            && levels.next().is_some()
    }

    /// Whether `user` may publish to `topic`.
    pub fn may_publish(user: &str, topic: &str) -> bool {
        user != READER && own(user, topic) && topic.split('/').nth(3) != Some("d")
    }

    /// Whether `user` may subscribe to `filter`.
    pub fn may_subscribe(user: &str, filter: &str) -> bool {
        if user == READER {
            return filter == "m1" || filter.starts_with("m1/");
        }
        own(user, filter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_of_both_kinds() {
        let chosen = hash_password("correct horse").unwrap();
        assert!(verify("correct horse", &chosen) && !verify("correct house", &chosen));
        let drawn = hash_drawn("00112233445566778899aabbccddeeff");
        assert!(verify("00112233445566778899aabbccddeeff", &drawn) && !verify("00", &drawn));
        assert!(!verify("x", "not a hash"));
    }

    #[test]
    fn a_device_stays_below_its_own_name() {
        use topics::{may_publish, may_subscribe};
        assert!(may_publish("gw-1", "m1/0/gw-1/u/1"));
        assert!(!may_publish("gw-1", "m1/0/gw-2/u/1"));
        assert!(!may_publish("gw-1", "m1/0/gw-1"));
        assert!(
            !may_publish("gw-1", "m1/0/gw-1/d"),
            "only the platform speaks downwards"
        );
        assert!(!may_publish("gw-1", "gw-1/u"));
        assert!(may_subscribe("gw-1", "m1/0/gw-1/d"));
        assert!(may_subscribe("gw-1", "m1/0/gw-1/#"));
        assert!(
            !may_subscribe("gw-1", "m1/+/gw-1/d")
                && !may_subscribe("gw-1", "m1/#")
                && !may_subscribe("gw-1", "#")
        );
        assert!(may_subscribe("reader", "m1/#") && !may_subscribe("reader", "#"));
        assert!(!may_publish("reader", "m1/0/reader/u/1"));
    }
}
