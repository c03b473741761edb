//! Objects that are kept as a difference from another one.

/// Makes an object from the one that it differs from. Nothing if the difference is damaged, or the object larger than `max`.
pub(super) fn apply(base: &[u8], delta: &[u8], max: u64) -> Option<Vec<u8>> {
    let mut rest = delta;
    let from = size(&mut rest)?;
    let to = size(&mut rest)?;
    if from != base.len() as u64 || to > max {
        return None;
    }
    let mut made = Vec::with_capacity(to as usize);
    while let Some(command) = byte(&mut rest) {
        if command & 0x80 != 0 {
            let mut field = |bits: u8, bytes: u32| -> Option<usize> {
                let mut value = 0;
                for n in (0..bytes).filter(|n| bits & (1 << n) != 0) {
                    value |= usize::from(byte(&mut rest)?) << (8 * n);
                }
                Some(value)
            };
            let at = field(command & 0x0f, 4)?;
            let length = match field(command >> 4 & 0x07, 3)? {
                0 => 0x1_0000,
                length => length,
            };
            made.extend_from_slice(base.get(at..at.checked_add(length)?)?);
        } else if command != 0 {
            let (bytes, after) = rest.split_at_checked(usize::from(command))?;
            made.extend_from_slice(bytes);
            rest = after;
        } else {
            return None;
        }
        if made.len() as u64 > to {
            return None;
        }
    }
    (made.len() as u64 == to).then_some(made)
}

/// A size in seven bits a byte, the lowest first.
fn size(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..63).step_by(7) {
        let next = byte(rest)?;
        value |= u64::from(next & 0x7f) << shift;
        if next & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn byte(rest: &mut &[u8]) -> Option<u8> {
    let (first, after) = rest.split_first()?;
    *rest = after;
    Some(*first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_the_base_and_new_ones_make_an_object() {
        // 11 bytes become 9: five from offset 6, then four new ones.
        let delta = [11, 9, 0x80 | 0x01 | 0x10, 6, 5, 4, b'!', b'!', b'!', b'\n'];
        assert_eq!(apply(b"hello world", &delta, 100).as_deref(), Some(&b"world!!!\n"[..]));
        assert_eq!(apply(b"hello world", &delta, 8), None, "too large");
        assert_eq!(apply(b"another", &delta, 100), None, "another base");
        for cut in 0..delta.len() {
            assert_eq!(apply(b"hello world", &delta[..cut], 100), None, "{cut}");
        }
        assert_eq!(apply(b"hello world", &[11, 5, 0x91, 7, 5], 100), None, "beyond the base");
        assert_eq!(apply(b"hello world", &[11, 5, 0], 100), None, "no command");
    }
}
