//! The images of a prompt, as the agent sees them.

use agent_client_protocol_schema::v1::ContentBlock;
use base64::Engine as _;

/// How files of each kind begin.
const BEGINNINGS: [(&str, &[u8]); 4] = [
    ("image/png", b"\x89PNG\r\n\x1a\n"),
    ("image/jpeg", b"\xff\xd8\xff"),
    ("image/gif", b"GIF8"),
    ("image/webp", b"RIFF"),
];

/// An image of a prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenImage {
    media_type: String,
    bytes: usize,
}

impl std::fmt::Display for SeenImage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {} bytes", self.media_type, self.bytes)
    }
}

/// Those of a prompt that are whole and what they say they are.
pub fn seen(prompt: &[ContentBlock]) -> Vec<SeenImage> {
    let image = |block: &ContentBlock| {
        let ContentBlock::Image(image) = block else { return None };
        let bytes = base64::engine::general_purpose::STANDARD.decode(&image.data).ok()?;
        let begins = |(kind, start): &(&str, &[u8])| image.mime_type == *kind && bytes.starts_with(start);
        let known = BEGINNINGS.iter().any(begins);
        known.then(|| SeenImage { media_type: image.mime_type.clone(), bytes: bytes.len() })
    };
    prompt.iter().filter_map(image).collect()
}
