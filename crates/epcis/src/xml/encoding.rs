//! Bytes of a document as UTF-8, whatever its byte order mark says they are.

use std::io::{Error, ErrorKind, Read, Result};

const CHUNK: usize = 4 << 10;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Nothing is read yet.
    Unknown,
    Utf8,
    Utf16 {
        big: bool,
    },
}

/// Reads UTF-8, and UTF-16 where a byte order mark says so, as UTF-8 without mark. What is no text of
/// its encoding is [`ErrorKind::InvalidData`]; UTF-8 itself is not looked into.
pub(super) struct Decoded<R> {
    reader: R,
    form: Form,
    /// Bytes that make no whole character yet.
    raw: Vec<u8>,
    /// What is decoded, and how much of it has been given away.
    out: Vec<u8>,
    given: usize,
}

impl<R: Read> Decoded<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, form: Form::Unknown, raw: Vec::new(), out: Vec::new(), given: 0 }
    }

    pub(super) fn is_utf16(&self) -> bool {
        matches!(self.form, Form::Utf16 { .. })
    }

    fn begin(&mut self) -> Result<()> {
        let mut byte = [0];
        while self.raw.len() < 3 && self.reader.read(&mut byte)? > 0 {
            self.raw.push(byte[0]);
        }
        let raw = std::mem::take(&mut self.raw);
        self.form = match raw.as_slice() {
            [0xef, 0xbb, 0xbf] => Form::Utf8,
            [0xff, 0xfe, rest @ ..] | [0xfe, 0xff, rest @ ..] => {
                self.raw.extend(rest);
                Form::Utf16 { big: raw[0] == 0xfe }
            }
            // Every document begins with an ASCII character, so that this is UTF-16 without mark.
            [0, _, ..] | [_, 0, ..] => return Err(ErrorKind::InvalidData.into()),
            other => {
                self.out.extend(other);
                Form::Utf8
            }
        };
        Ok(())
    }

    /// Decodes as much as is there; nothing at the end.
    fn more(&mut self, big: bool) -> Result<()> {
        self.given = 0;
        self.out.clear();
        let mut chunk = [0; CHUNK];
        while self.out.is_empty() {
            let count = self.reader.read(&mut chunk)?;
            self.raw.extend(&chunk[..count]);
            let used = decode(&self.raw, big, &mut self.out)?;
            self.raw.drain(..used);
            if count == 0 {
                return if self.raw.is_empty() { Ok(()) } else { Err(broken()) };
            }
        }
        Ok(())
    }
}

fn broken() -> Error {
    ErrorKind::InvalidData.into()
}

/// Decodes whole characters, and says how many bytes they were.
fn decode(raw: &[u8], big: bool, out: &mut Vec<u8>) -> Result<usize> {
    let unit =
        |pair: &[u8; 2]| if big { u16::from_be_bytes(*pair) } else { u16::from_le_bytes(*pair) };
    let mut units: Vec<u16> = raw.as_chunks().0.iter().map(unit).collect();
    // The second half of a character may be still to come.
    if units.last().is_some_and(|last| (0xd800..0xdc00).contains(last)) {
        units.pop();
    }
    for letter in char::decode_utf16(units.iter().copied()) {
        let letter = letter.map_err(|_| broken())?;
        out.extend(letter.encode_utf8(&mut [0; 4]).as_bytes());
    }
    Ok(units.len() * 2)
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if self.form == Form::Unknown {
            self.begin()?;
        }
        if self.given == self.out.len() {
            match self.form {
                Form::Utf16 { big } => self.more(big)?,
                _ => return self.reader.read(buffer),
            }
        }
        let count = (&self.out[self.given..]).read(buffer)?;
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives its bytes away so many at a time.
    struct Drops<'b>(&'b [u8], usize);

    impl Read for Drops<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
            let count = self.1.min(buffer.len()).min(self.0.len());
            let (now, later) = self.0.split_at(count);
            buffer[..count].copy_from_slice(now);
            self.0 = later;
            Ok(count)
        }
    }

    fn read(bytes: &[u8], at_once: usize) -> Result<String> {
        let mut text = String::new();
        Decoded::new(Drops(bytes, at_once)).read_to_string(&mut text).map(|_| text)
    }

    #[test]
    fn every_encoding_is_the_same_text() {
        let text = "<a>源𬭚é</a>".repeat(900);
        let units = || text.encode_utf16();
        let little: Vec<u8> =
            [0xff, 0xfe].into_iter().chain(units().flat_map(u16::to_le_bytes)).collect();
        let big: Vec<u8> =
            [0xfe, 0xff].into_iter().chain(units().flat_map(u16::to_be_bytes)).collect();
        let marked = format!("\u{feff}{text}").into_bytes();
        for bytes in [text.as_bytes(), &marked, &little, &big] {
            for at_once in [1, 2, 3, 7, 4096, 1 << 20] {
                assert_eq!(read(bytes, at_once).unwrap(), text);
            }
        }
        assert_eq!(read(b"", 1).unwrap(), "");
        assert_eq!(read(b"<", 1).unwrap(), "<");
        assert_eq!(read(&[0xff, 0xfe], 1).unwrap(), "");
    }

    #[test]
    fn what_is_no_text_is_told() {
        for bytes in [
            &b"<\0a\0"[..],
            b"\0<\0a",
            b"\xff\xfe<\0a",
            b"\xff\xfe<\0\x00\xd8",
            b"\xff\xfe\x00\xdc<\0",
            b"\xff\xfe\x00\xd8<\0",
        ] {
            for at_once in [1, 100] {
                assert_eq!(read(bytes, at_once).unwrap_err().kind(), ErrorKind::InvalidData);
            }
        }
    }
}
