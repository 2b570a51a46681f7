//! Fixed binary encodings: big-endian numbers, length-prefixed texts.

use crate::Hash;

/// The bytes end too early, go on too long, or hold what may not stand there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("字节格式不符")]
pub struct Unreadable;

#[derive(Default)]
pub(crate) struct Writer(pub(crate) Vec<u8>);

impl Writer {
    pub(crate) fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    pub(crate) fn u8(self, value: u8) -> Self {
        self.raw(&[value])
    }

    pub(crate) fn u16(self, value: u16) -> Self {
        self.raw(&value.to_be_bytes())
    }

    pub(crate) fn u32(self, value: u32) -> Self {
        self.raw(&value.to_be_bytes())
    }

    pub(crate) fn u64(self, value: u64) -> Self {
        self.raw(&value.to_be_bytes())
    }

    /// Two bytes of length, then UTF-8. Texts here are codes far below the bound.
    pub(crate) fn text(self, text: &str) -> Self {
        let bytes = &text.as_bytes()[..text.len().min(usize::from(u16::MAX))];
        let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
        self.u16(length).raw(bytes)
    }
}

pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn raw(&mut self, count: usize) -> Result<&'a [u8], Unreadable> {
        let (head, tail) = self.0.split_at_checked(count).ok_or(Unreadable)?;
        self.0 = tail;
        Ok(head)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Unreadable> {
        self.raw(N)?.try_into().map_err(|_| Unreadable)
    }

    pub(crate) fn hash(&mut self) -> Result<Hash, Unreadable> {
        self.array()
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Unreadable> {
        self.array().map(|[byte]| byte)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Unreadable> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Unreadable> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Unreadable> {
        self.array().map(u64::from_be_bytes)
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, Unreadable> {
        let length = usize::from(self.u16()?);
        std::str::from_utf8(self.raw(length)?).map_err(|_| Unreadable)
    }

    pub(crate) fn end(&self) -> Result<(), Unreadable> {
        if self.0.is_empty() { Ok(()) } else { Err(Unreadable) }
    }
}
