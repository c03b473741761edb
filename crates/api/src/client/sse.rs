//! Reading server-sent events: bytes in, events out.

use super::ClientError;

/// Longest event that is taken: a task with a prompt of the greatest length, escaped.
const EVENT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// One event.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SseEvent {
    /// Its id, where it has one.
    pub(super) id: Option<u64>,
    /// Its data.
    pub(super) data: String,
}

/// Takes bytes as they come and gives whole events. Comments, which keep a connection alive, give none.
#[derive(Default)]
pub(super) struct Reader {
    bytes: Vec<u8>,
    id: Option<u64>,
    data: Option<String>,
}

impl Reader {
    /// Takes more bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), ClientError> {
        self.bytes.extend_from_slice(bytes);
        let held = self.bytes.len() + self.data.as_ref().map_or(0, String::len);
        if held > EVENT_BYTES_MAX { Err(ClientError::EventTooLong(EVENT_BYTES_MAX)) } else { Ok(()) }
    }

    /// The next whole event.
    pub(super) fn next(&mut self) -> Option<SseEvent> {
        while let Some(end) = self.bytes.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.bytes.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end_matches(['\n', '\r']);
            if line.is_empty() {
                if let Some(data) = self.data.take() {
                    return Some(SseEvent { id: self.id.take(), data });
                }
                continue;
            }
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "id" => self.id = value.parse().ok(),
                "data" => match &mut self.data {
                    Some(data) => {
                        data.push('\n');
                        data.push_str(value);
                    }
                    None => self.data = Some(value.to_owned()),
                },
                _ => {}
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pieces: &[&str]) -> Vec<(Option<u64>, String)> {
        let mut reader = Reader::default();
        let mut events = Vec::new();
        for piece in pieces {
            reader.push(piece.as_bytes()).unwrap();
            while let Some(event) = reader.next() {
                events.push((event.id, event.data));
            }
        }
        events
    }

    #[test]
    fn events_come_whole_however_the_bytes_are_cut() {
        let text = ": hello\n\nid: 7\ndata: {\"a\":1}\n\nid:8\r\ndata:x\r\ndata: y\r\n\r\n";
        let whole = read(&[text]);
        assert_eq!(whole, [(Some(7), "{\"a\":1}".to_owned()), (Some(8), "x\ny".to_owned())]);
        let bytes: Vec<String> = text.chars().map(String::from).collect();
        assert_eq!(read(&bytes.iter().map(String::as_str).collect::<Vec<_>>()), whole);
    }

    #[test]
    fn an_unfinished_event_is_not_given() {
        assert_eq!(read(&["id: 1\ndata: x\n"]), []);
    }

    #[test]
    fn an_event_without_end_is_an_error() {
        let mut reader = Reader::default();
        let piece = vec![b'x'; EVENT_BYTES_MAX / 2 + 1];
        assert!(reader.push(&piece).is_ok());
        assert!(matches!(reader.push(&piece), Err(ClientError::EventTooLong(_))));
    }
}
