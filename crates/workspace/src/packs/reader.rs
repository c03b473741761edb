//! Reading objects at their places.

use std::collections::HashMap;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::rc::Rc;

use flate2::{Decompress, FlushDecompress, Status};
use sha1::{Digest as _, Sha1};

use super::{Name, Packs, delta};

/// Largest object that is read here; larger ones are better streamed, by git.
const SIZE_MAX: u64 = 4 << 20;
/// Bytes read at first: the head of an object, and most objects whole.
const FIRST_READ: usize = 4096;
/// Longest head: kind and size, and how far back the object lies that this one differs from.
const HEAD_MAX: usize = 32;
/// Longest chain of differences; git makes them of 50, and takes 4095.
const CHAIN_MAX: usize = 4096;
/// Bytes of objects that others differ from, kept for those to come.
const KEPT_MAX: usize = 16 << 20;

/// Reads objects one after the other; each thread has its own.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    packs: &'a Packs,
    inflate: Decompress,
    raw: Vec<u8>,
    kept: HashMap<(usize, u64), Rc<Vec<u8>>>,
    kept_bytes: usize,
}

/// An object as it is kept.
enum Stored {
    Blob(Vec<u8>),
    Delta { back: u64, bytes: Vec<u8> },
}

impl<'a> Reader<'a> {
    pub(crate) fn new(packs: &'a Packs) -> Self {
        let (raw, kept) = (vec![0; FIRST_READ], HashMap::new());
        Self { packs, inflate: Decompress::new(true), raw, kept, kept_bytes: 0 }
    }

    /// The bytes of the blob that was asked for as number `n`, if they can be read here and are those of this name.
    pub(crate) fn read(&mut self, n: usize, name: &Name) -> Option<Rc<Vec<u8>>> {
        let (pack, offset) = self.packs.places[n]?;
        let bytes = self.blob(pack, offset)?;
        let mut hash = Sha1::new();
        hash.update(format!("blob {}\0", bytes.len()));
        hash.update(bytes.as_slice());
        (hash.finalize().as_slice() == name).then_some(bytes)
    }

    /// Down to an object that is whole, and up again by the differences.
    fn blob(&mut self, pack: usize, offset: u64) -> Option<Rc<Vec<u8>>> {
        let (mut at, mut deltas) = (offset, Vec::new());
        let mut bytes = loop {
            if let Some(known) = self.kept.get(&(pack, at)) {
                break Rc::clone(known);
            }
            match self.stored(pack, at)? {
                Stored::Blob(bytes) => break Rc::new(bytes),
                Stored::Delta { back, bytes } if deltas.len() < CHAIN_MAX => {
                    deltas.push((at, bytes));
                    at = at.checked_sub(back).filter(|_| back > 0)?;
                }
                Stored::Delta { .. } => return None,
            }
        };
        for (differs, delta) in deltas.into_iter().rev() {
            let made = delta::apply(&bytes, &delta, SIZE_MAX)?;
            self.keep((pack, at), bytes);
            (bytes, at) = (Rc::new(made), differs);
        }
        Some(bytes)
    }

    fn keep(&mut self, place: (usize, u64), bytes: Rc<Vec<u8>>) {
        if self.kept_bytes + bytes.len() > KEPT_MAX {
            self.kept.clear();
            self.kept_bytes = 0;
        }
        self.kept_bytes += bytes.len();
        self.kept.insert(place, bytes);
    }

    fn stored(&mut self, pack: usize, offset: u64) -> Option<Stored> {
        let mut there = self.fill(pack, offset, FIRST_READ)?;
        let (kind, size, mut at) = head(&self.raw[..there])?;
        if size > SIZE_MAX {
            return None;
        }
        let back = match kind {
            3 => None,
            6 => Some(distance(&self.raw[..there], &mut at)?),
            // A folder or commit is no blob, and what an object differs from is not looked for by its name.
            _ => return None,
        };
        let whole = at + packed_bytes_max(size as usize);
        if whole > there {
            there = self.fill(pack, offset, whole)?;
        }
        // One byte of room more than there should be, so that too many are noticed.
        let mut bytes = Vec::with_capacity(size as usize + 1);
        self.inflate.reset(true);
        let input = self.raw.get(at..there)?;
        let done = self.inflate.decompress_vec(input, &mut bytes, FlushDecompress::Finish);
        if !matches!(done, Ok(Status::StreamEnd)) || bytes.len() as u64 != size {
            return None;
        }
        Some(match back {
            Some(back) => Stored::Delta { back, bytes },
            None => Stored::Blob(bytes),
        })
    }

    /// Reads up to this many bytes from an offset on, and says how many there were.
    fn fill(&mut self, pack: usize, offset: u64, bytes: usize) -> Option<usize> {
        if self.raw.len() < bytes {
            self.raw.resize(bytes, 0);
        }
        let (file, mut there) = (self.packs.files.get(pack)?, 0);
        while there < bytes {
            match file.read_at(&mut self.raw[there..bytes], offset + there as u64) {
                Ok(0) => break,
                Ok(read) => there += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return None,
            }
        }
        Some(there)
    }
}

/// Kind, size, and where what follows begins.
fn head(raw: &[u8]) -> Option<(u8, u64, usize)> {
    let first = *raw.first()?;
    let (mut size, mut at, mut more) = (u64::from(first & 0x0f), 1, first & 0x80 != 0);
    while more {
        let shift = 4 + 7 * (at - 1);
        let byte = *raw.get(at).filter(|_| shift < 57 && at < HEAD_MAX)?;
        size |= u64::from(byte & 0x7f) << shift;
        more = byte & 0x80 != 0;
        at += 1;
    }
    Some((first >> 4 & 0x07, size, at))
}

/// How far back the object lies that this one differs from: seven bits a byte, the highest first, each further byte
/// counting from one more.
fn distance(raw: &[u8], at: &mut usize) -> Option<u64> {
    let mut value: u64 = 0;
    loop {
        let byte = *raw.get(*at).filter(|_| *at < HEAD_MAX)?;
        *at += 1;
        value = value.checked_mul(128)? | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some(value);
        }
        value = value.checked_add(1)?;
    }
}

/// What zlib needs at most; what another program packed worse is left to git.
fn packed_bytes_max(size: usize) -> usize {
    size + (size >> 12) + (size >> 14) + (size >> 25) + 64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read_and_cut_ones_refused() {
        assert_eq!(head(&[0x35]), Some((3, 5, 1)));
        assert_eq!(head(&[0xb5, 0x01]), Some((3, 0x15, 2)));
        assert_eq!(head(&[0xe5, 0x81, 0x01]), Some((6, 5 + (1 << 4) + (1 << 11), 3)));
        assert_eq!((head(&[]), head(&[0xb5]), head(&[0xff; 40])), (None, None, None));
        let mut at = 0;
        assert_eq!((distance(&[0x05], &mut at), at), (Some(5), 1));
        let mut at = 1;
        assert_eq!((distance(&[0, 0x80, 0x00], &mut at), at), (Some(128), 3));
        assert_eq!(distance(&[0xff; 40], &mut 0), None);
    }
}
