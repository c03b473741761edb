//! The ends of files that launches wrote.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use sha2::Digest as _;

/// The end of a file, at most `bytes`.
pub(crate) fn end_of(path: &Path, bytes: u64) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(bytes)))?;
    let mut end = Vec::new();
    file.take(bytes).read_to_end(&mut end)?;
    Ok(end)
}

/// The end of a file as text, at most `bytes`, and its SHA-256 over all of it.
pub(crate) fn end_and_hash(path: &Path, bytes: usize) -> io::Result<(String, String)> {
    let mut file = File::open(path)?;
    let mut hash = sha2::Sha256::new();
    let mut end = Vec::new();
    let mut piece = vec![0; 64 * 1024];
    loop {
        let read = file.read(&mut piece)?;
        if read == 0 {
            break;
        }
        hash.update(&piece[..read]);
        end.extend_from_slice(&piece[..read]);
        if end.len() > 2 * bytes {
            end.drain(..end.len() - bytes);
        }
    }
    let cut = end.len().saturating_sub(bytes);
    let text = String::from_utf8_lossy(&end[cut..]).into_owned();
    Ok((text, hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()))
}
