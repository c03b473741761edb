//! The file itself: a tar archive, compressed by gzip, which any tool opens. It is written and read in one pass, and
//! every byte of a part goes through its checksum.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};
use tar::{EntryType, Header};

use super::manifest::PartSum;

/// Readable by its owner alone.
const MODE: u32 = 0o600;
/// What may stand between the last part and the end of the file: the padding of a tar archive.
const PADDING_BYTES: u64 = 1 << 20;
/// How a gzip file begins.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Writes an export.
pub(super) struct Writer<W: Write> {
    tar: tar::Builder<GzEncoder<BufWriter<W>>>,
    seconds: u64,
    parts: Vec<PartSum>,
}

/// Counts and hashes what is read through it.
struct Summed<R> {
    inner: R,
    bytes: u64,
    hash: Sha256,
}

impl<R> Summed<R> {
    fn new(inner: R) -> Self {
        Self { inner, bytes: 0, hash: Sha256::new() }
    }

    fn part(self, name: &str) -> PartSum {
        let sha256 = self.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        PartSum { name: name.to_owned(), bytes: self.bytes, sha256 }
    }
}

impl<R: Read> Read for Summed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.hash.update(&buffer[..read]);
        self.bytes += read as u64;
        Ok(read)
    }
}

impl<W: Write> Writer<W> {
    /// Begins an export; `seconds` since 1970 become the time of its parts.
    pub(super) fn new(file: W, seconds: u64) -> Self {
        // Most of it is packed already, and journals shrink to a tenth by the fastest way.
        let zip = GzEncoder::new(BufWriter::new(file), Compression::fast());
        Self { tar: tar::Builder::new(zip), seconds, parts: Vec::new() }
    }

    /// Adds a part.
    pub(super) fn bytes(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.part(name, bytes, bytes.len() as u64)
    }

    /// Adds the first `length` bytes of a file as a part.
    pub(super) fn file(&mut self, name: &str, path: &Path, length: u64) -> io::Result<()> {
        self.part(name, File::open(path)?, length)
    }

    /// The parts so far.
    pub(super) fn parts(&self) -> &[PartSum] {
        &self.parts
    }

    /// Ends the export and gives the file back.
    pub(super) fn finish(self) -> io::Result<W> {
        let buffer = self.tar.into_inner()?.finish()?;
        buffer.into_inner().map_err(io::IntoInnerError::into_error)
    }

    fn part(&mut self, name: &str, from: impl Read, length: u64) -> io::Result<()> {
        let mut header = Header::new_ustar();
        header.set_path(name)?;
        header.set_entry_type(EntryType::Regular);
        header.set_mode(MODE);
        header.set_mtime(self.seconds);
        header.set_size(length);
        header.set_cksum();
        let mut summed = Summed::new(from.take(length));
        self.tar.append(&header, &mut summed)?;
        if summed.bytes != length {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, format!("{name} became shorter")));
        }
        self.parts.push(summed.part(name));
        Ok(())
    }
}

/// Why an export could not be read to its end.
#[derive(Debug)]
pub(super) enum ReadError<E> {
    /// It is no compressed archive.
    NotAnArchive,
    /// It ends too early.
    Cut,
    /// Its bytes contradict each other.
    Damaged(io::Error),
    /// It holds something that is no plain file.
    NotAFile(String),
    /// There is something behind its end.
    Trailing,
    /// The file cannot be read.
    Io(io::Error),
    /// Whoever took the parts refused one.
    Refused(E),
}

/// Gives every part to `take`, in order, with its name and a reader that ends with it, and gets back how each is summed up.
pub(super) fn read<E>(
    mut file: File,
    mut take: impl FnMut(&str, &mut dyn Read) -> Result<(), E>,
) -> Result<Vec<PartSum>, ReadError<E>> {
    let mut magic = [0; 2];
    match file.read_exact(&mut magic).and_then(|()| io::Seek::rewind(&mut file)) {
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => return Err(ReadError::Io(error)),
        Ok(()) if magic == GZIP => {}
        _ => return Err(ReadError::NotAnArchive),
    }
    let mut tar = tar::Archive::new(GzDecoder::new(BufReader::new(file)));
    let mut parts = Vec::new();
    // Raw: extensions that change names or kinds of entries are never written, so they are not obeyed either.
    for entry in tar.entries().map_err(broken)?.raw(true) {
        let entry = entry.map_err(broken)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if entry.header().entry_type() != EntryType::Regular {
            return Err(ReadError::NotAFile(name));
        }
        let size = entry.size();
        let mut summed = Summed::new(entry);
        take(&name, &mut summed).map_err(ReadError::Refused)?;
        // What was not taken counts too.
        io::copy(&mut summed, &mut io::sink()).map_err(broken)?;
        if summed.bytes != size {
            return Err(ReadError::Cut);
        }
        parts.push(summed.part(&name));
    }
    // To its end, where the checksum of the whole stands.
    let left = io::copy(&mut tar.into_inner().take(PADDING_BYTES + 1), &mut io::sink()).map_err(broken)?;
    if left > PADDING_BYTES { Err(ReadError::Trailing) } else { Ok(parts) }
}

/// Also used for what goes wrong while a part is copied out of the archive.
pub(super) fn broken<E>(error: io::Error) -> ReadError<E> {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => ReadError::Cut,
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::Other => {
            ReadError::Damaged(error)
        }
        _ => ReadError::Io(error),
    }
}
