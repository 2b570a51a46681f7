"""Checkpoints, the signatures under them, and statements of outside anchors."""

import base64
import binascii
import re
from unicodedata import category

from . import sm2
from .sm3 import sm3
from .wire import Reader, Unreadable

LOG, WITNESS = b"sm2-log/v1", b"sm2-cosignature/v1"
_NAME_MAX, _LINES_MAX, _NOTE_MAX = 100, 100, 64 * 1024


def _base64(value):
    try:
        raw = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise Unreadable("不是 Base64") from None
    if base64.b64encode(raw).decode() != value:
        raise Unreadable("Base64 不是唯一写法")
    return raw


def _decimal(value):
    if not re.fullmatch("0|[1-9][0-9]{0,19}", value) or int(value) >= 1 << 64:
        raise Unreadable("不是十进制数")
    return int(value)


def _hash(value):
    if not re.fullmatch("[0-9a-f]{64}", value):
        raise Unreadable("不是 64 位小写十六进制")
    return bytes.fromhex(value)


def _name(value):
    blank = any(letter.isspace() or category(letter) == "Cc" for letter in value)
    if not 1 <= len(value) <= _NAME_MAX or "+" in value or blank:
        raise Unreadable("签名者名称不符")
    return value


def origin_of(chain):
    """The name of a chain's log."""
    return f"yuanjian/{chain.hex()}"


class Checkpoint:
    """Size and root of a log, and the block at which it stood so."""

    def __init__(self, lines):
        if len(lines) != 4:
            raise Unreadable("检查点应为四行")
        self.origin, self.size, self.root = lines[0], _decimal(lines[1]), _base64(lines[2])
        block = re.fullmatch("block ([0-9]+) ([0-9a-f]{64})", lines[3], re.ASCII)
        if len(self.root) != 32 or not block:
            raise Unreadable("检查点的根或区块不符")
        self.height, self.block_id = _decimal(block[1]), _hash(block[2])
        self.body = "".join(line + "\n" for line in lines)


class NoteKey:
    """A key for signatures under checkpoints: `<name>+<id>+<base64>`."""

    def __init__(self, written):
        parts = written.split("+", 2)
        if len(parts) != 3:
            raise Unreadable("核验密钥的写法不符")
        self.name, raw = _name(parts[0]), _base64(parts[2])
        self.kind, self.key = raw[1:-65], raw[-65:]
        if raw[:1] != b"\xff" or self.kind not in (LOG, WITNESS) or sm2.public_key(self.key) is None:
            raise Unreadable("核验密钥的算法或公钥不符")
        self.id = sm3(self.name.encode(), b"\n", raw)[:4]
        if parts[1] != self.id.hex():
            raise Unreadable("核验密钥的编号不符")
        self.written = written


class Line:
    """One signature under a checkpoint."""

    def __init__(self, line):
        mark, _, line = line.partition(" ")
        self.name, blank, written = line.partition(" ")
        if mark != "—" or not blank:
            raise Unreadable("签名行的写法不符")
        raw = _base64(written)
        if len(raw) not in (68, 76):
            raise Unreadable("签名长度不符")
        self.key_id, self.time = raw[:4], int.from_bytes(raw[4:12], "big") if len(raw) == 76 else None
        self.signature = raw[-64:]

    def is_by(self, checkpoint, key):
        """Whether this key made this signature under this checkpoint."""
        if (self.name, self.key_id) != (key.name, key.id) or (self.time is None) != (key.kind == LOG):
            return False
        signed = checkpoint.body
        if self.time is not None:
            signed = f"cosignature/v1\ntime {self.time}\n" + signed
        return sm2.verify(key.key, signed.encode(), self.signature)


class Note:
    """A checkpoint and the signatures under it."""

    def __init__(self, written):
        body, blank, lines = written.partition("\n\n")
        if not blank or not lines.endswith("\n") or len(written.encode()) > _NOTE_MAX:
            raise Unreadable("检查点之后应有空行与签名行")
        self.checkpoint = Checkpoint(body.split("\n"))
        self.lines = [Line(line) for line in lines[:-1].split("\n")]
        if len(self.lines) > _LINES_MAX:
            raise Unreadable("签名行过多")


class AnchorStatement:
    """The platform's word that a checkpoint stands in another network."""

    def __init__(self, raw):
        reader = Reader(raw)
        reader.magic(b"YJ/ext/v1\0")
        self.chain, self.size, self.root = reader.hash(), reader.number(8), reader.hash()
        self.height, self.block_id = reader.number(8), reader.hash()
        self.network, self.contract, self.transaction = reader.text(), reader.text(), reader.text()
        self.block_number, self.block_hash, self.validator = reader.number(8), reader.text(), reader.hash()
        self.signature = reader.raw(64)
        reader.end()
        self._signed = raw[:-64]

    def is_signed_by(self, key):
        return sm2.verify(key, self._signed, self.signature)


def log_key(origin, key):
    """The key of a log's own signatures."""
    raw = b"\xff" + LOG + key
    number = sm3(origin.encode(), b"\n", raw)[:4].hex()
    return NoteKey(f"{origin}+{number}+{base64.b64encode(raw).decode()}")
