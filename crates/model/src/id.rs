//! Identifiers of records: UUIDv7, typed by what they identify.

use std::{fmt, marker::PhantomData, str::FromStr};

use crate::Rejected;

/// The identifier of a `T`. Larger identifiers were made later.
pub struct Id<T> {
    value: u128,
    of: PhantomData<fn() -> T>,
}

/// The bits of version 7 and the RFC 9562 variant.
const FIXED: u128 = (0x7 << 76) | (0b10 << 62);
/// The bits that chance may fill.
const RANDOM: u128 = (0xFFF << 64) | ((1 << 62) - 1);

impl<T> Id<T> {
    /// An identifier made at `unix_ms` with these random bits.
    pub const fn from_parts(unix_ms: u64, random: u128) -> Self {
        let time = (unix_ms as u128 & 0xFFFF_FFFF_FFFF) << 80;
        Self { value: time | FIXED | (random & RANDOM), of: PhantomData }
    }

    /// Like [`Id::from_parts`], but always larger than `last`, even within one millisecond or when
    /// the clock stepped back.
    pub fn after(unix_ms: u64, random: u128, last: Option<Self>) -> Self {
        let fresh = Self::from_parts(unix_ms, random);
        match last {
            Some(last) if fresh.value <= last.value => last.successor(random),
            _ => fresh,
        }
    }

    /// The same time, the random part advanced by a small random step.
    fn successor(self, random: u128) -> Self {
        let high = (self.value >> 64) & 0xFFF;
        let counter = (high << 62) | (self.value & ((1 << 62) - 1));
        let stepped = counter + 1 + (random & 0xFFFF_FFFF);
        // 74 bits; on overflow the next millisecond begins.
        let (carry, counter) = (stepped >> 74, stepped & ((1 << 74) - 1));
        let unix_ms = u64::try_from(self.value >> 80).unwrap_or(u64::MAX);
        let unix_ms = unix_ms + u64::try_from(carry).unwrap_or(0);
        let random = ((counter >> 62) << 64) | (counter & ((1 << 62) - 1));
        Self::from_parts(unix_ms, random)
    }

    /// The same identifier, seen as that of something else.
    pub const fn cast<U>(self) -> Id<U> {
        Id { value: self.value, of: PhantomData }
    }

    /// When it was made.
    pub const fn unix_ms(self) -> u64 {
        (self.value >> 80) as u64
    }

    /// Its 16 bytes.
    pub const fn to_bytes(self) -> [u8; 16] {
        self.value.to_be_bytes()
    }
}

impl<T> fmt::Display for Id<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.value;
        write!(
            formatter,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            value >> 96,
            (value >> 80) & 0xFFFF,
            (value >> 64) & 0xFFFF,
            (value >> 48) & 0xFFFF,
            value & 0xFFFF_FFFF_FFFF
        )
    }
}

impl<T> FromStr for Id<T> {
    type Err = Rejected;

    fn from_str(text: &str) -> Result<Self, Rejected> {
        let wrong = || Rejected::new("标识应为 UUID，如 0193a5f0-0000-7000-8000-000000000000");
        let bytes = text.as_bytes();
        let hyphens = [8, 13, 18, 23];
        if bytes.len() != 36 || hyphens.iter().any(|&at| bytes[at] != b'-') {
            return Err(wrong());
        }
        let digits: String = text.chars().filter(|letter| *letter != '-').collect();
        if digits.len() != 32 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        let value = u128::from_str_radix(&digits, 16).map_err(|_| wrong())?;
        Ok(Self { value, of: PhantomData })
    }
}

impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}
impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Id<T> {}
impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}
impl<T> Eq for Id<T> {}
impl<T> PartialOrd for Id<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Id<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.value.cmp(&other.value)
    }
}
impl<T> std::hash::Hash for Id<T> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.value.hash(state);
    }
}
impl<T> serde::Serialize for Id<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl<'de, T> serde::Deserialize<'de> for Id<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn identifiers_only_grow(steps in prop::collection::vec((0u64..5000, any::<u128>()), 1..200)) {
            let mut last: Option<Id<()>> = None;
            for (unix_ms, random) in steps {
                let next = Id::after(unix_ms, random, last);
                prop_assert!(last.is_none_or(|last| next > last));
                prop_assert_eq!(next.to_string().parse::<Id<()>>(), Ok(next));
                prop_assert_eq!(&next.to_string()[14..15], "7");
                last = Some(next);
            }
        }
    }

    #[test]
    fn text_that_is_not_a_uuid_is_refused() {
        for text in [
            "",
            "x",
            "0193a5f0-0000-7000-8000-00000000000g",
            "0193a5f0+0000-7000-8000-000000000000",
        ] {
            assert!(text.parse::<Id<()>>().is_err(), "{text}");
        }
    }
}
