//! Lines of bounded length from a stream.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _};

/// Longest line that is passed on; agents put whole files into one line.
pub(super) const LINE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// A whole line without its line feed.
    Line(Vec<u8>),
    /// A line that was too long; nothing of it is kept.
    TooLong,
    /// The stream is over. What came after the last line feed is no line.
    End,
}

/// Reads the next line.
pub(super) async fn next(stream: &mut (impl AsyncBufRead + Unpin), max: usize) -> io::Result<Read> {
    let mut line = Vec::new();
    let mut too_long = false;
    loop {
        let piece = stream.fill_buf().await?;
        if piece.is_empty() {
            return Ok(Read::End);
        }
        let end = piece.iter().position(|byte| *byte == b'\n');
        let part = &piece[..end.unwrap_or(piece.len())];
        if line.len() + part.len() > max {
            too_long = true;
            line = Vec::new();
        }
        if !too_long {
            line.extend_from_slice(part);
        }
        let taken = part.len() + usize::from(end.is_some());
        stream.consume(taken);
        if end.is_some() {
            return Ok(if too_long { Read::TooLong } else { Read::Line(line) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_too_long_is_passed_over() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut stream = tokio::io::BufReader::with_capacity(3, &b"abcd\n12345678\n\nxy\nrest"[..]);
            let mut read = Vec::new();
            for _ in 0..5 {
                read.push(next(&mut stream, 4).await.unwrap());
            }
            let line = |text: &str| Read::Line(text.into());
            assert_eq!(read, [line("abcd"), Read::TooLong, line(""), line("xy"), Read::End]);
        });
    }
}
