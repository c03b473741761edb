//! The index of a pack: which objects it has, and where.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use super::Name;
use crate::git_index::HASH_BYTES;

const SIGNATURE: [u8; 8] = [0xff, b't', b'O', b'c', 0, 0, 0, 2];
/// Signature, and the number of objects up to each first byte.
const HEAD_BYTES: u64 = 8 + 256 * 4;

/// An open index.
#[derive(Debug)]
pub(super) struct Index {
    file: File,
    /// How many objects there are whose name begins with this byte or a smaller one.
    up_to: Vec<u32>,
}

impl Index {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let mut head = vec![0; HEAD_BYTES as usize];
        file.read_exact_at(&mut head, 0)?;
        let up_to: Vec<u32> = head[SIGNATURE.len()..].chunks_exact(4).map(number).collect();
        let sorted = up_to.windows(2).all(|pair| pair[0] <= pair[1]);
        match head.starts_with(&SIGNATURE) && sorted {
            true => Ok(Self { file, up_to }),
            false => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    /// The offset of each of these objects, which are sorted; nothing for those that are not in the pack.
    pub(super) fn offsets(&self, sorted: &[&Name]) -> io::Result<Vec<Option<u64>>> {
        let mut offsets = Vec::with_capacity(sorted.len());
        for same in sorted.chunk_by(|one, other| one[0] == other[0]) {
            let first = usize::from(same[0][0]);
            let from = if first == 0 { 0 } else { self.up_to[first - 1] };
            let range = u64::from(from)..u64::from(self.up_to[first]);
            let names = self.block(HEAD_BYTES, HASH_BYTES, &range)?;
            // After the names come the checksums, of four bytes like the offsets.
            let at = HEAD_BYTES + self.count() * (HASH_BYTES as u64 + 4);
            let places = self.block(at, 4, &range)?;
            let (names, _) = names.as_chunks::<HASH_BYTES>();
            for name in same {
                let place = names.binary_search(name).ok().and_then(|n| places.get(n * 4..n * 4 + 4));
                offsets.push(place.map(|place| self.offset(number(place))).transpose()?);
            }
        }
        Ok(offsets)
    }

    /// With its highest bit set, the number is that of one of eight bytes in the table after this one.
    fn offset(&self, place: u32) -> io::Result<u64> {
        let large = place & 0x7fff_ffff;
        if large == place {
            return Ok(u64::from(place));
        }
        let mut bytes = [0; 8];
        let table = HEAD_BYTES + self.count() * (HASH_BYTES as u64 + 4 + 4);
        self.file.read_exact_at(&mut bytes, table + u64::from(large) * 8)?;
        Ok(u64::from_be_bytes(bytes))
    }

    fn count(&self) -> u64 {
        u64::from(self.up_to[255])
    }

    fn block(&self, table: u64, each: usize, range: &Range<u64>) -> io::Result<Vec<u8>> {
        let bytes = (range.end - range.start) * each as u64;
        // A damaged one must not ask for memory that its file does not explain.
        if table + range.end * each as u64 > self.file.metadata()?.len() {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut block = vec![0; bytes as usize];
        self.file.read_exact_at(&mut block, table + range.start * each as u64)?;
        Ok(block)
    }
}

fn number(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte))
}
