//! Cuts a byte stream into lines of bounded length, wherever the pieces of the stream begin and end.

/// Longest line that is read; agents put whole files into one line.
pub const LINE_BYTES: usize = 16 * 1024 * 1024;
/// How much of a longer line is kept, to say what it was.
pub const LINE_HEAD_BYTES: usize = 256;

/// A splitter that knows its place in the journal.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Lines {
    /// The line under way.
    buffer: Vec<u8>,
    /// Where it began.
    start: u64,
    /// Where the next byte belongs.
    end: u64,
    /// The line under way is too long and only its head is kept.
    skipping: bool,
}

/// A whole line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line {
    /// Where it begins in the journal.
    pub offset: u64,
    /// Its length with its line feed.
    pub len: u64,
    /// The line without its line feed; only the head of one that was too long.
    pub bytes: Vec<u8>,
    /// Whether it was longer than [`LINE_BYTES`].
    pub too_long: bool,
}

impl Line {
    pub fn end(&self) -> u64 {
        self.offset + self.len
    }
}

impl Lines {
    /// Takes a piece that stands at `offset` in the journal and gives the lines it completes. Bytes that were taken
    /// before are skipped. A piece beyond the end leaves a gap: nothing is taken, and the missing offset is the error.
    pub fn feed(&mut self, piece: &[u8], offset: u64) -> Result<Vec<Line>, u64> {
        if offset > self.end {
            return Err(self.end);
        }
        let known = usize::try_from(self.end - offset).unwrap_or(usize::MAX);
        let mut rest = piece.get(known..).unwrap_or_default();
        let mut lines = Vec::new();
        while let Some(at) = rest.iter().position(|b| *b == b'\n') {
            let (line, after) = rest.split_at(at + 1);
            self.keep(&line[..at]);
            self.end += line.len() as u64;
            lines.push(Line {
                offset: self.start,
                len: self.end - self.start,
                bytes: std::mem::take(&mut self.buffer),
                too_long: std::mem::take(&mut self.skipping),
            });
            self.start = self.end;
            rest = after;
        }
        self.keep(rest);
        self.end += rest.len() as u64;
        Ok(lines)
    }

    /// Where the next byte belongs.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// The line that was never ended, for streams whose last line may lack its line feed.
    pub fn rest(&mut self) -> Option<Line> {
        if self.end == self.start {
            return None;
        }
        let line = Line {
            offset: self.start,
            len: self.end - self.start,
            bytes: std::mem::take(&mut self.buffer),
            too_long: std::mem::take(&mut self.skipping),
        };
        self.start = self.end;
        Some(line)
    }

    fn keep(&mut self, piece: &[u8]) {
        if self.skipping {
            return;
        }
        if self.buffer.len() + piece.len() > LINE_BYTES {
            let missing = LINE_HEAD_BYTES.saturating_sub(self.buffer.len());
            self.buffer.extend_from_slice(&piece[..missing.min(piece.len())]);
            self.buffer.truncate(LINE_HEAD_BYTES);
            self.buffer.shrink_to_fit();
            self.skipping = true;
        } else {
            self.buffer.extend_from_slice(piece);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(lines: &[Line]) -> Vec<(u64, String)> {
        lines.iter().map(|l| (l.offset, String::from_utf8_lossy(&l.bytes).into_owned())).collect()
    }

    #[test]
    fn lines_know_their_place_whatever_the_pieces() {
        let stream = b"one\n\ntwo\nrest";
        let whole = Lines::default().feed(stream, 0).unwrap();
        assert_eq!(texts(&whole), [(0, "one".into()), (4, String::new()), (5, "two".into())]);
        for cut in 0..stream.len() {
            let mut lines = Lines::default();
            let mut all = lines.feed(&stream[..cut], 0).unwrap();
            all.extend(lines.feed(&stream[cut..], cut as u64).unwrap());
            assert_eq!(all, whole);
            assert_eq!(lines.rest().unwrap().bytes, b"rest");
        }
    }

    #[test]
    fn known_bytes_are_skipped_and_gaps_refused() {
        let mut lines = Lines::default();
        lines.feed(b"one\ntw", 0).unwrap();
        assert_eq!(texts(&lines.feed(b"two\n", 4).unwrap()), [(4, "two".into())]);
        assert_eq!(lines.feed(b"x", 20), Err(8));
        assert_eq!(lines.end(), 8);
    }

    #[test]
    fn an_endless_line_is_not_kept() {
        let mut lines = Lines::default();
        let piece = vec![b'x'; 1024 * 1024];
        for n in 0..40u64 {
            assert!(lines.feed(&piece, n * piece.len() as u64).unwrap().is_empty());
            assert!(lines.buffer.capacity() <= 2 * LINE_BYTES);
        }
        assert!(lines.buffer.capacity() <= 2 * LINE_HEAD_BYTES);
        let out = lines.feed(b"\nok\n", lines.end()).unwrap();
        assert!(out[0].too_long && out[0].bytes.len() == LINE_HEAD_BYTES);
        assert_eq!(out[0].len, 40 * 1024 * 1024 + 1);
        assert_eq!(out[1].bytes, b"ok");
    }
}
