//! Encryption for one browser: RFC 8291 over RFC 8188 (`aes128gcm`), one record.

use ring::rand::{SecureRandom, SystemRandom};
use ring::{aead, agreement, hkdf};

/// Length of a public key on P-256, uncompressed.
pub(super) const PUBLIC_BYTES: usize = 65;
/// Length of the secret that a browser gives with its key.
pub(super) const AUTH_BYTES: usize = 16;
/// Longest text. With everything around it a message stays below the 4096 bytes that every service takes.
pub(super) const TEXT_BYTES_MAX: usize = 3000;
/// Texts are filled up to a multiple of this, so that their length tells little.
const FILL: usize = 256;
/// The record size that the header names; the one record is shorter.
const RECORD_BYTES: u32 = 4096;

/// What a browser gave for messages to it.
#[derive(Clone)]
pub(super) struct Browser {
    public: [u8; PUBLIC_BYTES],
    auth: [u8; AUTH_BYTES],
}

/// Something could not be encrypted.
#[derive(Debug, thiserror::Error)]
pub(super) enum EncryptError {
    /// It is too long.
    #[error("the notice is longer than {TEXT_BYTES_MAX} bytes")]
    TooLong,
    /// The browser's key is no point of the curve, or there is no randomness.
    #[error("the browser's key cannot be used")]
    Key,
}

impl Browser {
    /// None where the lengths are wrong, or the key is not an uncompressed point. Whether it lies on the curve is found
    /// when it is used.
    pub(super) fn new(public: &[u8], auth: &[u8]) -> Option<Self> {
        let (public, auth) = (<[u8; PUBLIC_BYTES]>::try_from(public).ok()?, auth.try_into().ok()?);
        (public[0] == 4).then_some(Self { public, auth })
    }

    /// The body of a message, with a key and a salt that are used once.
    pub(super) fn encrypt(&self, text: &[u8]) -> Result<Vec<u8>, EncryptError> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(EncryptError::TooLong);
        }
        let random = SystemRandom::new();
        let mut salt = [0; 16];
        random.fill(&mut salt).map_err(|_| EncryptError::Key)?;
        let own = agreement::EphemeralPrivateKey::generate(&agreement::ECDH_P256, &random);
        let own = own.map_err(|_| EncryptError::Key)?;
        let own_public = own.compute_public_key().map_err(|_| EncryptError::Key)?;
        let theirs = agreement::UnparsedPublicKey::new(&agreement::ECDH_P256, &self.public);
        let mut filled = text.to_vec();
        filled.push(2);
        filled.resize(filled.len().next_multiple_of(FILL), 0);
        agreement::agree_ephemeral(own, &theirs, |shared| {
            self.seal(shared, own_public.as_ref(), &salt, filled).map_err(|_| EncryptError::Key)
        })
        .map_err(|_| EncryptError::Key)?
    }

    /// The message from what both sides share. `filled` is the text with its delimiter.
    fn seal(
        &self,
        shared: &[u8],
        own_public: &[u8],
        salt: &[u8; 16],
        mut filled: Vec<u8>,
    ) -> Result<Vec<u8>, ring::error::Unspecified> {
        let mut secret = [0; 32];
        let info = [b"WebPush: info\0".as_slice(), &self.public, own_public];
        derive(&self.auth, shared, &info, &mut secret)?;
        let (mut key, mut nonce) = ([0; 16], [0; 12]);
        derive(salt, &secret, &[b"Content-Encoding: aes128gcm\0"], &mut key)?;
        derive(salt, &secret, &[b"Content-Encoding: nonce\0"], &mut nonce)?;
        let key = aead::LessSafeKey::new(aead::UnboundKey::new(&aead::AES_128_GCM, &key)?);
        let nonce = aead::Nonce::assume_unique_for_key(nonce);
        key.seal_in_place_append_tag(nonce, aead::Aad::empty(), &mut filled)?;
        let length = u8::try_from(own_public.len()).map_err(|_| ring::error::Unspecified)?;
        Ok([salt.as_slice(), &RECORD_BYTES.to_be_bytes(), &[length], own_public, &filled].concat())
    }
}

/// HKDF with SHA-256: extract with this salt, expand with this info.
fn derive(salt: &[u8], from: &[u8], info: &[&[u8]], into: &mut [u8]) -> Result<(), ring::error::Unspecified> {
    struct Length(usize);
    impl hkdf::KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }
    let key = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(from);
    key.expand(info, Length(into.len()))?.fill(into)
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;
    use p256::elliptic_curve::sec1::ToSec1Point;

    use super::*;

    fn bytes(text: &str) -> Vec<u8> {
        BASE64_URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    /// RFC 8291, section 5 and appendix A.
    #[test]
    fn the_example_of_the_standard_is_met_byte_for_byte() {
        let browser_public =
            bytes("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4");
        let browser = Browser::new(&browser_public, &bytes("BTBZMqHH6r4Tts7J_aSIgg")).unwrap();
        let own = p256::SecretKey::from_slice(&bytes("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")).unwrap();
        let own_public = own.public_key().to_sec1_point(false);
        assert_eq!(
            own_public.as_bytes(),
            bytes("BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8")
        );
        let theirs = p256::PublicKey::from_sec1_bytes(&browser_public).unwrap();
        let shared = p256::ecdh::diffie_hellman(own.to_nonzero_scalar(), theirs.as_affine());
        assert_eq!(
            shared.raw_secret_bytes().as_slice(),
            bytes("kyrL1jIIOHEzg3sM2ZWRHDRB62YACZhhSlknJ672kSs")
        );
        let salt: [u8; 16] = bytes("DGv6ra1nlYgDCS1FRnbzlw").try_into().unwrap();
        let text = [b"When I grow up, I want to be a watermelon".as_slice(), &[2]].concat();
        let sealed = browser.seal(shared.raw_secret_bytes(), own_public.as_bytes(), &salt, text).unwrap();
        let wanted = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLoc\
            InmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_\
            Qulcy4a-fN";
        assert_eq!(BASE64_URL_SAFE_NO_PAD.encode(sealed), wanted);
    }

    #[test]
    fn what_is_no_key_is_refused_and_lengths_are_hidden() {
        assert!(Browser::new(&[4; 64], &[0; 16]).is_none());
        assert!(Browser::new(&[2; 65], &[0; 16]).is_none());
        assert!(Browser::new(&[4; 65], &[0; 15]).is_none());
        let off_the_curve = Browser::new(&[4; 65], &[0; 16]).unwrap();
        assert!(matches!(off_the_curve.encrypt(b"x"), Err(EncryptError::Key)));
        let public = p256::SecretKey::from_slice(&[7; 32]).unwrap().public_key().to_sec1_point(false);
        let browser = Browser::new(public.as_bytes(), &[0; 16]).unwrap();
        let length = |text: &[u8]| browser.encrypt(text).unwrap().len();
        assert_eq!(length(b"t1"), length(&[b'x'; 255]));
        assert!(length(&[0; TEXT_BYTES_MAX]) <= 4096);
        assert!(matches!(browser.encrypt(&[0; TEXT_BYTES_MAX + 1]), Err(EncryptError::TooLong)));
        assert_ne!(browser.encrypt(b"t1").unwrap(), browser.encrypt(b"t1").unwrap(), "a new key each time");
    }
}
