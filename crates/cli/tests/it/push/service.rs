//! A push service on loopback, and the browser for which it takes messages. What comes is opened with other hands than those
//! that closed it.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};

use aes_gcm::aead::{Aead, KeyInit};
use aes_gcm::{Aes128Gcm, Nonce};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hkdf::Hkdf;
use p256::ecdsa::signature::Verifier;
use p256::elliptic_curve::sec1::ToSec1Point;
use serde_json::Value;
use sha2::Sha256;

const AUTH: [u8; 16] = [5; 16];

/// The service. It runs until the test ends.
pub struct Service {
    pub base: String,
    status: Arc<AtomicU16>,
    taken: Arc<Mutex<Vec<Posted>>>,
}

/// What was sent to it.
#[derive(Clone, Debug)]
pub struct Posted {
    pub path: String,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Service {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (status, taken) = (Arc::new(AtomicU16::new(201)), Arc::<Mutex<Vec<Posted>>>::default());
        let (answers, takes) = (Arc::clone(&status), Arc::clone(&taken));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let Some(posted) = read(&mut stream) else { continue };
                takes.lock().unwrap().push(posted);
                let status = answers.load(Ordering::SeqCst);
                let _ = write!(stream, "HTTP/1.1 {status} x\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n");
            }
        });
        Self { base, status, taken }
    }

    /// What it answers from now on.
    pub fn answers(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    pub fn count(&self) -> usize {
        self.taken.lock().unwrap().len()
    }

    /// The message of this number, once it is there.
    pub fn message(&self, index: usize) -> Posted {
        divisi_testkit::wait_until("the service has the message", || self.count() > index);
        self.taken.lock().unwrap()[index].clone()
    }
}

fn read(stream: &mut TcpStream) -> Option<Posted> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
            let mut lines = head.lines();
            let path = lines.next()?.split(' ').nth(1)?.to_owned();
            let pairs = lines.filter_map(|line| line.split_once(": "));
            let headers: BTreeMap<_, _> =
                pairs.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
            let length: usize = headers.get("content-length")?.parse().ok()?;
            if bytes.len() >= end + 4 + length {
                return Some(Posted { path, headers, body: bytes[end + 4..].to_vec() });
            }
        }
        match stream.read(&mut piece).ok()? {
            0 => return None,
            read => bytes.extend_from_slice(&piece[..read]),
        }
    }
}

fn browser() -> p256::SecretKey {
    p256::SecretKey::from_slice(&[9; 32]).unwrap()
}

/// The browser's keys as it gives them with its subscription.
pub fn keys() -> (String, String) {
    let public = browser().public_key().to_sec1_point(false);
    (BASE64_URL_SAFE_NO_PAD.encode(public.as_bytes()), BASE64_URL_SAFE_NO_PAD.encode(AUTH))
}

impl Posted {
    /// What the browser reads in it (RFC 8291).
    pub fn open(&self) -> Value {
        let (salt, rest) = self.body.split_at(16);
        let (size, rest) = rest.split_at(4);
        assert_eq!((size, rest[0]), (4096u32.to_be_bytes().as_slice(), 65));
        assert!(self.body.len() <= 4096);
        let (sender, sealed) = rest[1..].split_at(65);
        let public = p256::PublicKey::from_sec1_bytes(sender).unwrap();
        let shared = p256::ecdh::diffie_hellman(browser().to_nonzero_scalar(), public.as_affine());
        let own = browser().public_key().to_sec1_point(false);
        let info = [b"WebPush: info\0".as_slice(), own.as_bytes(), sender].concat();
        let (mut secret, mut key, mut nonce) = ([0; 32], [0; 16], [0; 12]);
        let raw = shared.raw_secret_bytes();
        Hkdf::<Sha256>::new(Some(&AUTH), raw).expand(&info, &mut secret).unwrap();
        let hkdf = Hkdf::<Sha256>::new(Some(salt), &secret);
        hkdf.expand(b"Content-Encoding: aes128gcm\0", &mut key).unwrap();
        hkdf.expand(b"Content-Encoding: nonce\0", &mut nonce).unwrap();
        let cipher = Aes128Gcm::new_from_slice(&key).unwrap();
        let filled = cipher.decrypt(&Nonce::from(nonce), sealed).unwrap();
        let end = filled.iter().rposition(|byte| *byte != 0).unwrap();
        assert_eq!(filled[end], 2, "the last record ends so");
        serde_json::from_slice(&filled[..end]).unwrap()
    }

    /// The claims of the signed word, which is signed with this key (RFC 8292).
    pub fn claims(&self, key: &str) -> Value {
        let bytes = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).unwrap();
        let word = self.headers["authorization"].strip_prefix("vapid t=").unwrap();
        let (token, named) = word.split_once(", k=").unwrap();
        assert_eq!(named, key);
        let (word, signature) = token.rsplit_once('.').unwrap();
        let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(&bytes(key)).unwrap();
        key.verify(word.as_bytes(), &p256::ecdsa::Signature::from_slice(&bytes(signature)).unwrap()).unwrap();
        let (head, claims) = word.split_once('.').unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&bytes(head)).unwrap()["alg"], "ES256");
        serde_json::from_slice(&bytes(claims)).unwrap()
    }
}
