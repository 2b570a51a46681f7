//! A keyed shuffle of numbers: every number below a bound becomes another one below it, and back.
//! Who has no key can neither guess the next nor tell how many there are.
//!
//! A balanced Feistel network over SM4 in the shape of FF1 (NIST SP 800-38G): ten rounds, each of
//! which takes from the block the bits it needs; what falls outside the bound is shuffled again, so
//! that the result is a permutation of exactly the numbers below it.

use sm4::{
    Sm4,
    cipher::{BlockCipherEncrypt as _, KeyInit as _},
};

use crate::sm4::Key;

/// As many as FF1 has.
const ROUNDS: u8 = 10;

/// A permutation of the numbers below a bound.
pub struct Shuffle {
    cipher: Sm4,
    /// Bits of one half.
    half: u32,
    bound: u64,
}

impl Shuffle {
    /// Of the numbers below `bound`, which is at least 2 and at most 2⁶².
    pub fn new(key: &Key, bound: u64) -> Self {
        let bound = bound.clamp(2, 1 << 62);
        let bits = u64::BITS - (bound - 1).leading_zeros();
        Self { cipher: Sm4::new(&(*key.expose()).into()), half: bits.div_ceil(2), bound }
    }

    /// The number that stands for `number`; of none at or above the bound there is one.
    pub fn hide(&self, number: u64) -> Option<u64> {
        self.walk(number, Self::forward)
    }

    /// The number that a hidden one stands for.
    pub fn find(&self, hidden: u64) -> Option<u64> {
        self.walk(hidden, Self::backward)
    }

    /// A permutation of a few more numbers than wanted, walked along until one is below the bound:
    /// at most one step in four is wasted, so 400 steps are never needed.
    fn walk(&self, number: u64, step: fn(&Self, u64) -> u64) -> Option<u64> {
        if number >= self.bound {
            return None;
        }
        let mut value = step(self, number);
        for _ in 0..400 {
            if value < self.bound {
                return Some(value);
            }
            value = step(self, value);
        }
        None
    }

    fn mask(&self) -> u64 {
        (1 << self.half) - 1
    }

    fn round(&self, round: u8, right: u64) -> u64 {
        let mut block = [0; 16];
        block[..8].copy_from_slice(&self.bound.to_be_bytes());
        block[8..].copy_from_slice(&right.to_be_bytes());
        // The upper half of the word is free: a half has 31 bits at most.
        block[8] = round + 1;
        let mut block = block.into();
        self.cipher.encrypt_block(&mut block);
        let mut word = [0; 8];
        word.copy_from_slice(&block[..8]);
        u64::from_be_bytes(word) & self.mask()
    }

    fn forward(&self, value: u64) -> u64 {
        let (mut left, mut right) = (value >> self.half, value & self.mask());
        for round in 0..ROUNDS {
            (left, right) = (right, left ^ self.round(round, right));
        }
        left << self.half | right
    }

    fn backward(&self, value: u64) -> u64 {
        let (mut left, mut right) = (value >> self.half, value & self.mask());
        for round in (0..ROUNDS).rev() {
            (left, right) = (right ^ self.round(round, left), left);
        }
        left << self.half | right
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn key(byte: u8) -> Key {
        Key::new([byte; 16])
    }

    #[test]
    fn every_number_below_the_bound_is_hit_once() {
        for bound in [2, 3, 10, 255, 256, 257, 1_000] {
            let shuffle = Shuffle::new(&key(1), bound);
            let hidden: BTreeSet<u64> =
                (0..bound).map(|number| shuffle.hide(number).unwrap()).collect();
            assert_eq!(hidden.len() as u64, bound);
            assert!(hidden.iter().all(|value| *value < bound));
            assert_eq!(shuffle.hide(bound), None);
            assert_eq!(shuffle.find(bound), None);
        }
    }

    #[test]
    fn what_was_hidden_is_found_with_the_key_alone() {
        for bound in [1 << 60, 1_000_000_000, 1_000_000_000_000_000] {
            let (shuffle, other) = (Shuffle::new(&key(1), bound), Shuffle::new(&key(2), bound));
            let mut strangers = 0;
            for number in 0..1_000 {
                let hidden = shuffle.hide(number).unwrap();
                assert_eq!(shuffle.find(hidden), Some(number));
                strangers += usize::from(other.find(hidden).unwrap() < 1_000);
            }
            assert!(strangers <= 1, "{strangers}");
        }
    }

    /// Neighbours have nothing in common: each of the 60 bits differs about half of the time.
    #[test]
    fn neighbours_do_not_resemble_each_other() {
        let shuffle = Shuffle::new(&key(7), 1 << 60);
        let mut differing = [0_u32; 60];
        for number in 0..1_000 {
            let change = shuffle.hide(number).unwrap() ^ shuffle.hide(number + 1).unwrap();
            for (bit, count) in differing.iter_mut().enumerate() {
                *count += u32::from(change >> bit & 1 == 1);
            }
        }
        assert!(differing.iter().all(|count| (400..600).contains(count)), "{differing:?}");
    }
}
