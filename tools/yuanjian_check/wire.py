"""Fixed encodings: lower-case hexadecimal, big-endian numbers, texts after their length, and the
one form of JSON (RFC 8785)."""

import json
import re


class Unreadable(Exception):
    """The bytes are not what the format says."""


def from_hex(text, length=None):
    """Lower-case hexadecimal; `length` in bytes where it is fixed."""
    if not isinstance(text, str) or not re.fullmatch("(?:[0-9a-f]{2})*", text):
        raise Unreadable("不是小写十六进制")
    if length is not None and len(text) != 2 * length:
        raise Unreadable(f"应为 {length} 字节")
    return bytes.fromhex(text)


def u16(value):
    return value.to_bytes(2, "big")


def u32(value):
    return value.to_bytes(4, "big")


def u64(value):
    return value.to_bytes(8, "big")


def text(value):
    raw = value.encode()
    return u16(len(raw)) + raw


class Reader:
    """Reads bytes from their beginning to their end."""

    def __init__(self, raw):
        self._raw, self._at = raw, 0

    def raw(self, count):
        end = self._at + count
        if end > len(self._raw):
            raise Unreadable("字节不足")
        part = self._raw[self._at:end]
        self._at = end
        return part

    def number(self, width):
        return int.from_bytes(self.raw(width), "big")

    def hash(self):
        return self.raw(32)

    def text(self):
        try:
            return self.raw(self.number(2)).decode()
        except UnicodeDecodeError:
            raise Unreadable("不是 UTF-8") from None

    def magic(self, expected):
        if self.raw(len(expected)) != expected:
            raise Unreadable("标签不符")

    def end(self):
        if self._at != len(self._raw):
            raise Unreadable("字节过多")




def _number(value):
    """ECMA-262 Number::toString of a double, which RFC 8785 prescribes."""
    value = float(value)
    if value != value or value in (float("inf"), float("-inf")):
        raise Unreadable("不是 JSON 数字")
    if value == 0:
        return "0"
    if value < 0:
        return "-" + _number(-value)
    mantissa, _, exponent = repr(value).partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = "" if fraction == "0" else fraction
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    count = len(digits)
    if count <= point <= 21:
        return digits + "0" * (point - count)
    if 0 < point <= 21:
        return digits[:point] + "." + digits[point:]
    if -6 < point <= 0:
        return "0." + "0" * -point + digits
    power = point - 1
    tail = "." + digits[1:] if count > 1 else ""
    return f"{digits[0]}{tail}e{'+' if power > 0 else '-'}{abs(power)}"


def _canonical(value):
    if value is None or value is True or value is False:
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, (int, float)):
        return _number(value)
    if isinstance(value, list):
        return "[" + ",".join(map(_canonical, value)) + "]"
    names = sorted(value, key=lambda name: name.encode("utf-16-be", "surrogatepass"))
    return "{" + ",".join(f"{_canonical(name)}:{_canonical(value[name])}" for name in names) + "}"


def canonical(value):
    """The bytes of a JSON value by RFC 8785."""
    try:
        return _canonical(value).encode()
    except (UnicodeEncodeError, OverflowError, RecursionError):
        raise Unreadable("不能规范化") from None


def _refuse(constant):
    raise Unreadable(f"{constant} 不是 JSON")


# Objects and lists within each other; as many as other readers of JSON take.
DEPTH_MAX = 127


def _require_shallow(raw):
    depth, quoted, escaped = 0, False, False
    for byte in raw:
        if quoted:
            quoted = escaped or byte != 0x22
            escaped = byte == 0x5C and not escaped
        elif byte == 0x22:
            quoted = True
        elif byte in b"[{":
            depth += 1
            if depth > DEPTH_MAX:
                raise Unreadable("嵌套过深")
        elif byte in b"]}":
            depth -= 1


def read_json(raw):
    """A JSON value, from bytes in its one form."""
    if raw.count(b"[") + raw.count(b"{") > DEPTH_MAX:
        _require_shallow(raw)
    try:
        value = json.loads(raw.decode(), parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise Unreadable("不是存证证明文件，或内容残缺") from None
    if canonical(value) != raw:
        raise Unreadable("文件不是规范形式，可能被改动过")
    return value


def members(value, *names):
    """The members of an object that has exactly these."""
    if not isinstance(value, dict) or set(value) != set(names):
        raise Unreadable("成员不符")
    return tuple(value[name] for name in names)


def whole(value, below=1 << 64):
    """A number of a place or size."""
    if type(value) is not int or not 0 <= value < below:
        raise Unreadable("应为非负整数")
    return value
