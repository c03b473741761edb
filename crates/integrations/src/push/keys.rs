//! The key by which services know this daemon again (VAPID, RFC 8292), and the word that it signs.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::json;

/// How long a signed word holds; services take at most a day.
const LIFE: SignedDuration = SignedDuration::from_hours(12);

/// The key.
pub(super) struct Keys {
    pair: EcdsaKeyPair,
    random: SystemRandom,
}

impl Keys {
    /// A new key, and the bytes (PKCS #8) that it is kept as.
    pub(super) fn make() -> std::io::Result<(Self, Vec<u8>)> {
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
        let made = made.map_err(|_| std::io::Error::other("there is no randomness for a key"))?;
        Ok((Self::read(made.as_ref())?, made.as_ref().to_vec()))
    }

    /// The key that was kept as these bytes.
    pub(super) fn read(bytes: &[u8]) -> std::io::Result<Self> {
        let random = SystemRandom::new();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, bytes, &random);
        let pair = pair.map_err(|error| std::io::Error::other(format!("the key is damaged: {error}")))?;
        Ok(Self { pair, random })
    }

    /// The public half, as browsers want it when they subscribe.
    pub(super) fn public(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.pair.public_key())
    }

    /// The value of `Authorization` for the service at this origin; `subject` is whom it may turn to.
    pub(super) fn authorization(
        &self,
        origin: &str,
        subject: &str,
        now: Timestamp,
    ) -> std::io::Result<String> {
        let part = |value: serde_json::Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let expires = (now + LIFE).as_second();
        let head = part(json!({ "typ": "JWT", "alg": "ES256" }));
        let word = format!("{head}.{}", part(json!({ "aud": origin, "exp": expires, "sub": subject })));
        let signed = self.pair.sign(&self.random, word.as_bytes());
        let signed = signed.map_err(|_| std::io::Error::other("the key does not sign"))?;
        let signature = BASE64_URL_SAFE_NO_PAD.encode(signed);
        Ok(format!("vapid t={word}.{signature}, k={}", self.public()))
    }
}

#[cfg(test)]
mod tests {
    use p256::ecdsa::signature::Verifier;

    use super::*;

    #[test]
    fn what_it_signs_is_verified_by_another_hand() {
        let (keys, bytes) = Keys::make().unwrap();
        let again = Keys::read(&bytes).unwrap();
        assert_eq!(keys.public(), again.public());
        let now = Timestamp::from_second(1000).unwrap();
        let header = again.authorization("https://push.example.net", "mailto:a@example.net", now).unwrap();
        let (token, public) = header.strip_prefix("vapid t=").unwrap().split_once(", k=").unwrap();
        let (word, signature) = token.rsplit_once('.').unwrap();
        let decode = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).unwrap();
        let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(&decode(public)).unwrap();
        let signature = p256::ecdsa::Signature::from_slice(&decode(signature)).unwrap();
        key.verify(word.as_bytes(), &signature).unwrap();
        assert!(key.verify(b"another word", &signature).is_err());
        let claims: serde_json::Value =
            serde_json::from_slice(&decode(word.split_once('.').unwrap().1)).unwrap();
        let wanted =
            json!({ "aud": "https://push.example.net", "exp": 44200, "sub": "mailto:a@example.net" });
        assert_eq!(claims, wanted);
        assert!(Keys::read(b"nonsense").is_err());
    }
}
