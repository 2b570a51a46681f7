"""SM3 (GB/T 32905-2016)."""

import hashlib
from functools import lru_cache
from struct import Struct

_MASK = 0xFFFFFFFF
_BEGIN = (
    0x7380166F, 0x4914B2B9, 0x172442D7, 0xDA8A0600, 0xA96F30BC, 0x163138AA, 0xE38DEE4D, 0xB0FB0E4E,
)
_BLOCK = Struct(">16I")
_STATE = Struct(">8I")


def _turned(word, by):
    by %= 32
    return ((word << by) | (word >> (32 - by))) & _MASK


# T_j turned left by j, for each of the 64 rounds.
_CONSTANTS = tuple(_turned(0x79CC4519 if j < 16 else 0x7A879D8A, j) for j in range(64))


def _compress(state, block):
    words = list(_BLOCK.unpack(block))
    for j in range(16, 68):
        mixed = words[j - 3]
        mixed = words[j - 16] ^ words[j - 9] ^ ((mixed << 15 | mixed >> 17) & _MASK)
        mixed ^= ((mixed << 15 | mixed >> 17) ^ (mixed << 23 | mixed >> 9)) & _MASK
        old = words[j - 13]
        words.append(mixed ^ ((old << 7 | old >> 25) & _MASK) ^ words[j - 6])
    a, b, c, d, e, f, g, h = state
    for j in range(64):
        turned = (a << 12 | a >> 20) & _MASK
        first = (turned + e + _CONSTANTS[j]) & _MASK
        first = (first << 7 | first >> 25) & _MASK
        word = words[j]
        if j < 16:
            left, right = a ^ b ^ c, e ^ f ^ g
        else:
            left, right = a & b | a & c | b & c, e & f | ~e & g
        one = (left + d + (first ^ turned) + (word ^ words[j + 4])) & _MASK
        two = (right + h + first + word) & _MASK
        d, c, b, a = c, (b << 9 | b >> 23) & _MASK, a, one
        h, g, f = g, (f << 19 | f >> 13) & _MASK, e
        e = two ^ ((two << 9 | two >> 23) ^ (two << 17 | two >> 15)) & _MASK
    return tuple(old ^ new for old, new in zip(state, (a, b, c, d, e, f, g, h)))


def _own(message):
    padded = message + b"\x80" + bytes(-(len(message) + 9) % 64) + (8 * len(message)).to_bytes(8, "big")
    state = _BEGIN
    for at in range(0, len(padded), 64):
        state = _compress(state, padded[at:at + 64])
    return _STATE.pack(*state)


# The same nodes of trees are met again and again.
_digest = lru_cache(maxsize=1 << 16)(_own)


def use_system():
    """Takes the system's SM3 where it has one that agrees with this one; whether it has."""
    global _digest
    examples = [bytes(length) for length in (0, 1, 55, 56, 64, 119, 1000)]
    try:
        if any(hashlib.new("sm3", example).digest() != _own(example) for example in examples):
            return False
    except ValueError:
        return False
    _digest = lambda message: hashlib.new("sm3", message).digest()
    return True


def sm3(*parts):
    """The digest of parts, one after the other: 32 bytes."""
    return _digest(b"".join(parts))
