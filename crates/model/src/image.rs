//! Images that go with a prompt. Their bytes are stored once, by their hash, outside of the log; events name them.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::limits;

/// An image, as the log names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Image {
    /// By what its bytes are found.
    pub hash: ImageHash,
    /// What they are.
    pub media_type: MediaType,
    /// How many there are.
    pub bytes: u64,
    /// What its file was called, for people: somebody else's words.
    pub name: String,
}

/// The SHA-256 of an image's bytes, as 64 lower-case hexadecimal digits; nothing else, so it may stand in a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(into = "String", try_from = "String")]
#[ts(as = "String")]
pub struct ImageHash(String);

/// The kinds of images that are taken. Vector images are not: they can run script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub enum MediaType {
    /// PNG.
    #[serde(rename = "image/png")]
    Png,
    /// JPEG.
    #[serde(rename = "image/jpeg")]
    Jpeg,
    /// GIF.
    #[serde(rename = "image/gif")]
    Gif,
    /// WebP.
    #[serde(rename = "image/webp")]
    Webp,
}

/// An image with the way in which an agent was given it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct GivenImage {
    /// The image.
    #[serde(flatten)]
    pub image: Image,
    /// The way.
    #[serde(flatten)]
    pub given: Given,
}

/// How an agent was given an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "given", rename_all = "snake_case")]
pub enum Given {
    /// As part of its prompt: it sees it.
    Shown,
    /// As a file outside of its workspace, whose path the prompt names.
    File {
        /// The absolute path.
        path: String,
    },
}

/// The text is no hash of an image.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no hash of an image")]
pub struct NotAHash(pub String);

impl ImageHash {
    /// Its digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for ImageHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for ImageHash {
    type Err = NotAHash;

    fn from_str(text: &str) -> Result<Self, NotAHash> {
        text.to_owned().try_into()
    }
}

impl TryFrom<String> for ImageHash {
    type Error = NotAHash;

    fn try_from(text: String) -> Result<Self, NotAHash> {
        let digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if text.len() == 64 && text.bytes().all(digit) { Ok(Self(text)) } else { Err(NotAHash(text)) }
    }
}

impl From<ImageHash> for String {
    fn from(hash: ImageHash) -> Self {
        hash.0
    }
}

impl MediaType {
    /// What bytes are, judged by themselves alone; none: no image that is taken.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let at = |from: usize, what: &[u8]| bytes.get(from..from + what.len()) == Some(what);
        match () {
            () if at(0, b"\x89PNG\r\n\x1a\n") => Some(Self::Png),
            () if at(0, b"\xff\xd8\xff") => Some(Self::Jpeg),
            () if at(0, b"GIF87a") || at(0, b"GIF89a") => Some(Self::Gif),
            () if at(0, b"RIFF") && at(8, b"WEBP") => Some(Self::Webp),
            () => None,
        }
    }

    /// Its name on the web.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Gif => "image/gif",
            Self::Webp => "image/webp",
        }
    }

    /// How names of its files end, without the dot.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpg",
            Self::Gif => "gif",
            Self::Webp => "webp",
        }
    }
}

/// The name of a file without its folders, cut to its bound; `image` where nothing is left.
pub fn name_of(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default().trim();
    let end = last
        .char_indices()
        .map(|(at, c)| at + c.len_utf8())
        .take_while(|end| *end <= limits::IMAGE_NAME_BYTES);
    match last.get(..end.last().unwrap_or_default()) {
        None | Some("") => "image".to_owned(),
        Some(name) => name.to_owned(),
    }
}

/// What stands behind a prompt for the images that are given as files; empty where there are none.
pub fn told(images: &[GivenImage]) -> String {
    let file = |given: &GivenImage| match &given.given {
        Given::Shown => None,
        // A name is somebody else's words: in quotation marks on one line it cannot pass for a sentence of ours.
        Given::File { path } => Some(format!("\n- {:?}: {path}", given.image.name)),
    };
    let files: String = images.iter().filter_map(file).collect();
    if files.is_empty() {
        return files;
    }
    format!(
        "\n\nImages that belong to this message, as files outside of the workspace that you can read:\n{files}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bytes_say_what_an_image_is() {
        assert_eq!(MediaType::of(b"\x89PNG\r\n\x1a\nmore"), Some(MediaType::Png));
        assert_eq!(MediaType::of(b"RIFF....WEBPVP8 "), Some(MediaType::Webp));
        assert_eq!(MediaType::of(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), None);
        assert_eq!(MediaType::of(b"\x89PN"), None);
        let stored = serde_json::to_value(MediaType::Jpeg).unwrap();
        assert_eq!(stored, MediaType::Jpeg.as_str());
    }

    #[test]
    fn a_hash_never_leads_anywhere() {
        let hash = "0123456789abcdef".repeat(4);
        assert_eq!(hash.parse::<ImageHash>().unwrap().as_str(), hash);
        for wrong in ["", "../../etc/passwd", &hash[1..], &hash.to_uppercase(), &format!("{hash}0")] {
            assert!(wrong.parse::<ImageHash>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_name_is_that_of_a_file_alone() {
        assert_eq!(name_of("/home/ada/shot.png"), "shot.png");
        assert_eq!(name_of("C:\\pictures\\shot.png"), "shot.png");
        assert_eq!(name_of(" / "), "image");
        assert_eq!(name_of(&"é".repeat(500)).len(), limits::IMAGE_NAME_BYTES - limits::IMAGE_NAME_BYTES % 2);
    }

    #[test]
    fn only_files_are_named_in_words() {
        let image = Image {
            hash: "0".repeat(64).parse().unwrap(),
            media_type: MediaType::Png,
            bytes: 1,
            name: "a\n\"b\"".into(),
        };
        let shown = GivenImage { image: image.clone(), given: Given::Shown };
        assert_eq!(told(std::slice::from_ref(&shown)), "");
        let file = GivenImage { image, given: Given::File { path: "/d/0.png".into() } };
        let words = told(&[shown, file.clone()]);
        assert!(words.ends_with("\n- \"a\\n\\\"b\\\"\": /d/0.png\n"), "{words}");
        let stored = serde_json::to_value(&file).unwrap();
        assert_eq!(stored["given"], "file");
        assert_eq!(serde_json::from_value::<GivenImage>(stored).unwrap(), file);
    }
}
