//! Images that nobody on the way may read.
//!
//! Each image has a key of its own, drawn by who publishes it; every device gets it wrapped (AES-KW) under its `fw` key,
//! behind manifest and signature in the same message of class firmware. Byte `n` of the image is added to byte `n mod 16`
//! of `AES(key, n / 16)`, the number standing in 16 bytes, most significant first: counter mode from zero, which is safe
//! because a key serves one image. Signature and hashes are those of the plain image, so this hides and proves nothing:
//! [`super::verify`] judges what was written.

use core::fmt;

use zeroize::Zeroize;

use crate::engine::{Block, Block128, BlockCipher, EngineError, copy, fill, xor};
use crate::key::{KeyHandle, Purpose, Secret};
use crate::wrap::{self, WrapError};

/// Length of a wrapped key of an image.
pub const IMAGE_KEY_LEN: usize = wrap::OVERHEAD + 16;

/// Decrypts the chunks of one image, in any order.
///
/// ```
/// use security::engine::Soft;
/// use security::fw::ImageCipher;
/// use security::key::{DeviceKey, DeviceKeyId, Purpose, Secret};
///
/// let id = DeviceKeyId::meter([0x20, 0x26, 0x11, 0, 0, 1]);
/// let fw = DeviceKey::new(Secret::new([7; 16]), id, Purpose::Fw, 1).soft();
/// // Whoever publishes: one key for the image, wrapped for each device.
/// let image_key = Secret::new([0x31; 16]);
/// let wrapped = ImageCipher::wrap_key(&mut Soft, &fw, &image_key).unwrap();
/// let publisher = ImageCipher::new(&mut Soft, &image_key).unwrap();
/// let mut chunk = *b"the bytes from 512 on";
/// publisher.apply(&mut Soft, 512, &mut chunk).unwrap();
/// assert_ne!(&chunk, b"the bytes from 512 on");
/// // Device.
/// let device = ImageCipher::unwrap(&mut Soft, &fw, &wrapped).unwrap();
/// device.apply(&mut Soft, 512, &mut chunk).unwrap();
/// assert_eq!(&chunk, b"the bytes from 512 on");
/// ```
pub struct ImageCipher<K = crate::engine::SoftKey> {
    key: K,
}

impl<K> fmt::Debug for ImageCipher<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImageCipher").finish_non_exhaustive()
    }
}

impl<K> ImageCipher<K> {
    /// The cipher of an image whose key is known: of who publishes it. A key serves one image.
    ///
    /// # Errors
    /// [`ImageKeyError::Engine`].
    pub fn new<E: Block128<Key = K>>(
        engine: &mut E,
        image_key: &Secret<16>,
    ) -> Result<Self, ImageKeyError> {
        let key = engine.load(BlockCipher::Aes128, image_key);
        let key = key.map_err(|error| ImageKeyError::Engine(error.into()))?;
        Ok(Self { key })
    }

    /// The cipher of an image whose key came wrapped for this device.
    ///
    /// # Errors
    /// [`ImageKeyError`], all variants.
    pub fn unwrap<E: Block128<Key = K>>(
        engine: &mut E,
        fw: &KeyHandle<K>,
        wrapped: &[u8; IMAGE_KEY_LEN],
    ) -> Result<Self, ImageKeyError> {
        if fw.purpose() != Purpose::Fw {
            return Err(ImageKeyError::Purpose);
        }
        let mut buf = Secret::new(*wrapped);
        let mut secret = Secret::new([0; 16]);
        copy(
            secret.expose_mut(),
            wrap::unwrap(engine, fw.key(), buf.expose_mut())?,
        );
        Self::new(engine, &secret)
    }

    /// Wraps the key of an image for a device.
    ///
    /// # Errors
    /// [`ImageKeyError::Purpose`], [`ImageKeyError::Engine`].
    pub fn wrap_key<E: Block128<Key = K>>(
        engine: &mut E,
        fw: &KeyHandle<K>,
        image_key: &Secret<16>,
    ) -> Result<[u8; IMAGE_KEY_LEN], ImageKeyError> {
        if fw.purpose() != Purpose::Fw {
            return Err(ImageKeyError::Purpose);
        }
        let mut buf = [0; IMAGE_KEY_LEN];
        fill(&mut buf, &[&[0; wrap::OVERHEAD], image_key.expose()]);
        wrap::wrap(engine, fw.key(), &mut buf)?;
        Ok(buf)
    }

    /// Encrypts or decrypts the bytes of the image from `offset` on, in place: a chunk, before it is written to flash.
    ///
    /// # Errors
    /// Those of the engine; then the bytes are wiped.
    pub fn apply<E: Block128<Key = K>>(
        &self,
        engine: &mut E,
        offset: u32,
        data: &mut [u8],
    ) -> Result<(), E::Error> {
        let mut skip = (offset % 16) as usize;
        let mut number = offset / 16;
        let mut at = 0;
        while at < data.len() {
            let mut stream: [Block; 2] = [[0; 16]; 2];
            for block in &mut stream {
                copy(
                    block.get_mut(12..).unwrap_or_default(),
                    &number.to_be_bytes(),
                );
                number = number.wrapping_add(1);
            }
            if let Err(error) = engine.encrypt(&self.key, &mut stream) {
                data.zeroize();
                return Err(error);
            }
            let fresh = stream.as_flattened().get(skip..).unwrap_or_default();
            let rest = data.get_mut(at..).unwrap_or_default();
            let len = fresh.len().min(rest.len());
            xor(
                rest.get_mut(..len).unwrap_or_default(),
                fresh.get(..len).unwrap_or_default(),
            );
            at = at.saturating_add(len);
            skip = 0;
            stream.zeroize();
        }
        Ok(())
    }
}

/// Why there is no key for an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImageKeyError {
    /// The device key is not one of purpose `fw`.
    Purpose,
    /// It was not wrapped for this device.
    Key,
    /// The cipher engine failed.
    Engine(EngineError),
}

impl From<WrapError> for ImageKeyError {
    fn from(error: WrapError) -> Self {
        match error {
            WrapError::Engine(error) => Self::Engine(error),
            _ => Self::Key,
        }
    }
}

impl fmt::Display for ImageKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Purpose => f.write_str("the key is not one for firmware"),
            Self::Key => f.write_str("the key of the image was not wrapped for this device"),
            Self::Engine(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for ImageKeyError {}
