"""Trees of RFC 9162 over SM3."""

from .sm3 import sm3


def leaf(raw):
    return sm3(b"\x00", raw)


def node(left, right):
    return sm3(b"\x01", left, right)


class Tree:
    """A tree that grows: the roots of its complete parts, largest first."""

    def __init__(self):
        self.size, self._parts = 0, []

    def append(self, hash_):
        size = self.size
        while size & 1:
            hash_ = node(self._parts.pop(), hash_)
            size >>= 1
        self._parts.append(hash_)
        self.size += 1

    def root(self):
        if not self._parts:
            return sm3(b"")
        *rest, hash_ = self._parts
        for part in reversed(rest):
            hash_ = node(part, hash_)
        return hash_


def root(leaves):
    tree = Tree()
    for one in leaves:
        tree.append(one)
    return tree.root()


def _levels(at, last, path, step):
    """Climbs a path as RFC 9162 says; whether it ended at the root."""
    for sibling in path:
        if last == 0:
            return False
        from_left = at & 1 == 1 or at == last
        step(from_left, sibling)
        if from_left:
            while at & 1 == 0 and at:
                at, last = at >> 1, last >> 1
        at, last = at >> 1, last >> 1
    return last == 0


def root_from_path(start, index, size, path):
    """The root that a path leads to (§2.1.3.2); nothing where it does not fit."""
    if index >= size:
        return None
    hash_ = [start]

    def step(from_left, sibling):
        hash_[0] = node(sibling, hash_[0]) if from_left else node(hash_[0], sibling)

    return hash_[0] if _levels(index, size - 1, path, step) else None


def is_consistent(old, new, path):
    """Whether a path proves that the tree `old` (size, root) grew into `new` (§2.1.4.2)."""
    (old_size, old_root), (new_size, new_root) = old, new
    if old_size == new_size:
        return not path and old_root == new_root
    if old_size == 0 or old_size > new_size:
        return old_size == 0 and not path
    path = list(path)
    if old_size & (old_size - 1):
        if not path:
            return False
        begin = path.pop(0)
    else:
        begin = old_root
    at, last = old_size - 1, new_size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    found = [begin, begin]

    def step(from_left, sibling):
        if from_left:
            found[0], found[1] = node(sibling, found[0]), node(sibling, found[1])
        else:
            found[1] = node(found[1], sibling)

    return _levels(at, last, path, step) and found == [old_root, new_root]
