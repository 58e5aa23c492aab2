//! A suite at work: the loaded key of one link, and the mode that runs over one message.

use core::fmt;

use crate::aead::{AeadError, Way};
use crate::ccm;
#[cfg(feature = "chacha")]
use crate::chacha;
use crate::engine::{self, AsyncBlock128, Block, Block128, Run, SoftKey, xor};
#[cfg(feature = "gcm")]
use crate::gcm;
use crate::key::{LinkKey, Secret};
use crate::suite::{Cipher, Suite};

/// A link key that an engine has loaded, for one suite, and its initial value.
pub struct LinkCipher<K = SoftKey> {
    suite: Suite,
    key: Loaded<K>,
    iv: Secret<12>,
}

enum Loaded<K> {
    Block(K),
    #[cfg(feature = "chacha")]
    Stream(Secret<32>),
}

impl<K> LinkCipher<K> {
    /// Makes a link key ready for an engine.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn load<E: Block128<Key = K>>(engine: &mut E, link: &LinkKey) -> Result<Self, E::Error> {
        let suite = link.suite();
        let key = match suite.cipher() {
            Cipher::Ccm(cipher) => Loaded::Block(engine.load(cipher, &link.short_key())?),
            #[cfg(feature = "gcm")]
            Cipher::Gcm(cipher) => Loaded::Block(engine.load(cipher, &link.short_key())?),
            #[cfg(feature = "chacha")]
            Cipher::ChaCha => Loaded::Stream(link.long_key().duplicate()),
        };
        let iv = link.iv().duplicate();
        Ok(Self { suite, key, iv })
    }

    /// What the key is for.
    pub const fn suite(&self) -> Suite {
        self.suite
    }

    /// The nonce of one message: the initial value XOR `0^6 || counter`.
    pub(crate) fn nonce(&self, counter: u64) -> [u8; 12] {
        let mut nonce = *self.iv.expose();
        xor(
            nonce.get_mut(4..).unwrap_or_default(),
            &counter.to_be_bytes(),
        );
        nonce
    }

    /// Runs the suite's mode over one message and returns the full tag of it.
    pub(crate) fn run<E: Block128<Key = K>>(
        &self,
        engine: &mut E,
        way: Way,
        nonce: &[u8; 12],
        aad: &[&[u8]],
        body: &mut [u8],
    ) -> Result<Block, AeadError> {
        let (mut mode, key) = self.begin(way, nonce, aad, body)?;
        if let Some(key) = key {
            engine
                .drive(key, &mut mode)
                .map_err(|error| AeadError::Engine(error.into()))?;
        }
        Ok(mode.tag())
    }

    /// As [`LinkCipher::run`], on an engine that finishes later.
    pub(crate) async fn run_async<E: AsyncBlock128<Key = K>>(
        &self,
        engine: &mut E,
        way: Way,
        nonce: &[u8; 12],
        aad: &[&[u8]],
        body: &mut [u8],
    ) -> Result<Block, AeadError> {
        let (mut mode, key) = self.begin(way, nonce, aad, body)?;
        if let Some(key) = key {
            engine::drive_async(engine, key, &mut mode)
                .await
                .map_err(|error| AeadError::Engine(error.into()))?;
        }
        Ok(mode.tag())
    }

    /// Begins the suite's mode over one message, and names the key that it needs.
    fn begin<'a>(
        &'a self,
        way: Way,
        nonce: &'a [u8; 12],
        aad: &'a [&'a [u8]],
        body: &'a mut [u8],
    ) -> Result<(Mode<'a>, Option<&'a K>), AeadError> {
        match &self.key {
            Loaded::Block(key) => {
                let tag_len = self.suite.tag_len();
                let run = match self.suite.cipher() {
                    #[cfg(feature = "gcm")]
                    Cipher::Gcm(_) => Mode::Gcm(gcm::Run::try_new(way, nonce, aad, body, tag_len)?),
                    _ => Mode::Ccm(ccm::Run::try_new(way, nonce, aad, body, tag_len)?),
                };
                Ok((run, Some(key)))
            }
            #[cfg(feature = "chacha")]
            Loaded::Stream(key) => {
                let tag = chacha::run(way, key, nonce, aad, body)?;
                Ok((Mode::Stream(tag), None))
            }
        }
    }
}

impl<K> fmt::Debug for LinkCipher<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkCipher(***)")
    }
}

/// The mode of a suite at work on one message.
enum Mode<'a> {
    Ccm(ccm::Run<'a>),
    #[cfg(feature = "gcm")]
    Gcm(gcm::Run<'a>),
    /// No engine is asked; the tag is there already.
    #[cfg(feature = "chacha")]
    Stream(Block),
}

impl Mode<'_> {
    fn tag(&mut self) -> Block {
        match self {
            Self::Ccm(run) => run.tag(),
            #[cfg(feature = "gcm")]
            Self::Gcm(run) => run.tag(),
            #[cfg(feature = "chacha")]
            Self::Stream(tag) => *tag,
        }
    }
}

impl Run for Mode<'_> {
    fn blocks(&mut self) -> &mut [Block] {
        match self {
            Self::Ccm(run) => run.blocks(),
            #[cfg(feature = "gcm")]
            Self::Gcm(run) => run.blocks(),
            #[cfg(feature = "chacha")]
            Self::Stream(_) => &mut [],
        }
    }

    fn encrypted(&mut self) {
        match self {
            Self::Ccm(run) => run.encrypted(),
            #[cfg(feature = "gcm")]
            Self::Gcm(run) => run.encrypted(),
            #[cfg(feature = "chacha")]
            Self::Stream(_) => {}
        }
    }
}
