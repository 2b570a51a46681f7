"""Submissions, keys, validators, genesis, headers and certificates."""

from . import sm2
from .sm3 import sm3
from .wire import Reader, Unreadable, u16, u32, u64

ENTERPRISE, PLATFORM = 1, 2
FOREVER = (1 << 64) - 1
HEADER_LENGTH = 314


def _key(reader):
    raw = reader.raw(65)
    if sm2.public_key(raw) is None:
        raise Unreadable("不是 SM2 公钥")
    return raw


def _one_of(value, *allowed):
    if value not in allowed:
        raise Unreadable("取值不符")
    return value


class Submission:
    """Records of one organisation under one signature."""

    def __init__(self, raw):
        reader = Reader(raw)
        reader.magic(b"YJ/sub/v1\0")
        self.chain, self.org, self.seq, self.count = reader.hash(), reader.text(), reader.number(8), reader.number(4)
        self.root, self.kid = reader.hash(), reader.text()
        self.attested_by = _one_of(reader.number(1), ENTERPRISE, PLATFORM)
        self.signature = reader.raw(64)
        reader.end()
        self.raw = raw

    def signer(self):
        """Whose key must have signed, and for what use."""
        return (self.org, ENTERPRISE) if self.attested_by == ENTERPRISE else ("platform", PLATFORM)

    def is_signed_by(self, key):
        return sm2.verify(key, self.raw[:-64], self.signature)


class Key:
    """One key of the register."""

    def __init__(self, raw):
        reader = Reader(raw)
        reader.magic(b"YJ/key/v1\0")
        self.org, self.kid, self.key = reader.text(), reader.text(), _key(reader)
        self.usage = _one_of(reader.number(1), ENTERPRISE, PLATFORM)
        self.since, self.until, self.certificate = reader.number(8), reader.number(8), reader.hash()
        reader.end()
        self.raw = raw

    def counts_at(self, height):
        return self.since <= height < self.until


def registry_root(size, root):
    """What a header says of the register of keys."""
    return sm3(b"YJ/reg/v1\0", u64(size), root)


def address(key):
    return sm3(b"YJ/addr/v1\0", key)


class Validators:
    """Who may sign, in the order of their addresses."""

    def __init__(self, reader):
        count = reader.number(2)
        self.members = [(_key(reader), reader.number(8)) for _ in range(count)]
        addresses = [address(key) for key, _ in self.members]
        ordered = all(left < right for left, right in zip(addresses, addresses[1:]))
        sound = all(1 <= power <= 1 << 32 for _, power in self.members)
        if not 1 <= count <= 256 or not ordered or not sound:
            raise Unreadable("验证人集合不符")
        self.by_address = dict(zip(addresses, self.members))
        self.raw = u16(count) + b"".join(key + u64(power) for key, power in self.members)
        self.hash = sm3(b"YJ/set/v1\0", self.raw)

    @classmethod
    def read(cls, raw):
        reader = Reader(raw)
        found = cls(reader)
        reader.end()
        return found

    def power(self):
        return sum(power for _, power in self.members)


class Genesis:
    """The beginning of a chain; its digest is the chain's name."""

    def __init__(self, raw):
        reader = Reader(raw)
        reader.magic(b"YJ/gen/v1\0")
        self.name, self.time_ms, self.validators = reader.text(), reader.number(8), Validators(reader)
        reader.end()
        self.chain = sm3(raw)


class Header:
    """The head of a block."""

    def __init__(self, raw):
        reader = Reader(raw)
        _one_of(reader.number(2), 1)
        self.chain, self.height, self.prev, self.time_ms = reader.hash(), reader.number(8), reader.hash(), reader.number(8)
        self.proposer, self.tree_size, self.tree_root = reader.hash(), reader.number(8), reader.hash()
        self.body_digest, self.validators, self.next_validators = reader.hash(), reader.hash(), reader.hash()
        self.registry_root, self.evidence = reader.hash(), reader.hash()
        reader.end()
        self.block_id = sm3(b"YJ/hdr/v1\0", raw)


def body_digest(first, count, root):
    """What a header says of its own submissions."""
    return sm3(b"YJ/body/v1\0", u64(first), u64(count), root)


class Certificate:
    """Signatures of more than two thirds of the power."""

    def __init__(self, raw):
        reader = Reader(raw)
        self.round = reader.number(4)
        self.votes = [(reader.hash(), reader.raw(64)) for _ in range(reader.number(2))]
        reader.end()

    def commits(self, header, validators):
        signed = b"YJ/vote/v1\0" + header.chain + b"\x02" + u64(header.height) + u32(self.round) + header.block_id
        addresses = [who for who, _ in self.votes]
        if not all(left < right for left, right in zip(addresses, addresses[1:])):
            return False
        power = 0
        for who, signature in self.votes:
            key, own = validators.by_address.get(who, (None, 0))
            if key is None or not sm2.verify(key, signed, signature):
                return False
            power += own
        return power * 3 > validators.power() * 2
