"""Verification of SM2 signatures (GB/T 32918.2-2016) on the recommended curve of GB/T 32918.5,
with the default identity of GM/T 0009."""

from functools import lru_cache

from .sm3 import sm3

P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFC
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
G = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)
_IDENTITY = b"1234567812345678"
_NOWHERE = (1, 1, 0)


def _double(point):
    """Twice a point in Jacobian coordinates (a = -3)."""
    x, y, z = point
    if z == 0:
        return point
    z2 = z * z % P
    y2 = y * y % P
    slope = 3 * (x - z2) * (x + z2) % P
    s = 4 * x * y2 % P
    x3 = (slope * slope - 2 * s) % P
    return x3, (slope * (s - x3) - 8 * y2 * y2) % P, 2 * y * z % P


def _add(point, other):
    """A point in Jacobian coordinates plus one in affine coordinates."""
    x1, y1, z1 = point
    x2, y2 = other
    if z1 == 0:
        return x2, y2, 1
    z2 = z1 * z1 % P
    h = (x2 * z2 - x1) % P
    r = (y2 * z2 * z1 - y1) % P
    if h == 0:
        return _double(point) if r == 0 else _NOWHERE
    h2 = h * h % P
    h3 = h2 * h % P
    v = x1 * h2 % P
    x3 = (r * r - h3 - 2 * v) % P
    return x3, (r * (v - x3) - y1 * h3) % P, z1 * h % P


def _affine(point):
    x, y, z = point
    if z == 0:
        return None
    inverse = pow(z, -1, P)
    square = inverse * inverse % P
    return x * square % P, y * square * inverse % P


def _table(point):
    """1 to 15 times every 16th power multiple of a point, affine, for products without doubling."""
    rows = []
    for _ in range(64):
        multiples, sum_ = [None], _NOWHERE
        for _ in range(15):
            sum_ = _add(sum_, point)
            multiples.append(_affine(sum_))
        rows.append(multiples)
        point = _affine(_add(sum_, point))
    return rows


_table_of = lru_cache(maxsize=64)(_table)
_seen = {}


def _times(scalar, point, sum_):
    """`sum_ + scalar * point`; a table is worth it for a point that comes again."""
    count = _seen[point] = _seen.get(point, 0) + 1
    if len(_seen) > 4096:
        _seen.clear()
    if count > 8 or point == G:
        for row in _table_of(point):
            if scalar & 15:
                sum_ = _add(sum_, row[scalar & 15])
            scalar >>= 4
        return sum_
    product = _NOWHERE
    for bit in bin(scalar)[2:]:
        product = _double(product)
        if bit == "1":
            product = _add(product, point)
    product = _affine(product)
    return sum_ if product is None else _add(sum_, product)


@lru_cache(maxsize=4096)
def public_key(raw):
    """The point that `04 ‖ x ‖ y` names; nothing where there is none."""
    if len(raw) != 65 or raw[0] != 4:
        return None
    x, y = int.from_bytes(raw[1:33], "big"), int.from_bytes(raw[33:], "big")
    if x >= P or y >= P or (y * y - x * x * x - A * x - B) % P:
        return None
    return x, y


def _identity_digest(point):
    numbers = (A, B, *G, *point)
    parts = b"".join(number.to_bytes(32, "big") for number in numbers)
    return sm3((8 * len(_IDENTITY)).to_bytes(2, "big"), _IDENTITY, parts)


@lru_cache(maxsize=1 << 14)
def verify(key, message, signature):
    """Whether `signature` (`r ‖ s`) was made for `message` by the owner of `key`."""
    point = public_key(key)
    if point is None or len(signature) != 64:
        return False
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if not (0 < r < N and 0 < s < N):
        return False
    t = (r + s) % N
    if t == 0:
        return False
    e = int.from_bytes(sm3(_identity_digest(point), message), "big")
    found = _affine(_times(t, point, _times(s, G, _NOWHERE)))
    return found is not None and (e + found[0]) % N == r
