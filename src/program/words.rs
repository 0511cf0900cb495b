//! Hashing by words: what the passes over programs look things up by.
//!
//! Invariant: no result depends on the order of a map. Source: multiplicative hashing, Knuth 1973, §6.4.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// A multiplicative hash of words; the sender of a program gains nothing from collisions, so it need not be keyed.
#[derive(Clone, Copy, Default)]
pub(in crate::program) struct Words(u64);

/// A map hashed by [`Words`].
pub(in crate::program) type Map<K, V> = HashMap<K, V, BuildHasherDefault<Words>>;

/// A set hashed by [`Words`].
pub(in crate::program) type Set<K> = HashSet<K, BuildHasherDefault<Words>>;

impl Hasher for Words {
    #[inline]
    fn write_u64(&mut self, word: u64) {
        // The odd number next to 2^64 divided by the golden ratio.
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
    #[inline]
    fn write_u32(&mut self, word: u32) {
        self.write_u64(u64::from(word));
    }
    #[inline]
    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }
    #[inline]
    fn write_isize(&mut self, word: isize) {
        self.write_usize(word.cast_unsigned());
    }
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_ne_bytes(word));
        }
    }
    #[inline]
    fn finish(&self) -> u64 {
        // The low bits of a product depend on few bits of its factors; std's tables look at the lowest and the highest bits.
        (self.0 ^ (self.0 >> 32))
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
            .rotate_right(16)
    }
}
