"""The record: commitments to every field, shown or hidden."""

import re

from .sm3 import sm3
from .wire import Unreadable, canonical, from_hex, members, u32

_MEMBERS = {"v", "type", "id", "org", "time", "body"}


def _require_exact(value):
    if isinstance(value, float) or (type(value) is int and abs(value) >= 1 << 53):
        raise Unreadable("存证记录中有小数或过大的数字")
    if isinstance(value, list):
        for item in value:
            _require_exact(item)
    if isinstance(value, dict):
        for name, member in value.items():
            if re.fullmatch("[0-9]*", name):
                raise Unreadable("存证记录的字段名不能全是数字")
            _require_exact(member)


def _require_record(value):
    sound = (
        isinstance(value, dict) and set(value) == _MEMBERS and type(value["v"]) is int and value["v"] == 1
        and all(isinstance(value[name], str) for name in ("type", "id", "org", "time"))
        and isinstance(value["body"], dict)
    )
    if not sound:
        raise Unreadable("存证记录应恰有 v、type、id、org、time、body 六项")
    _require_exact(value["body"])


def _flatten(path, value):
    if isinstance(value, list) and value:
        for at, item in enumerate(value):
            yield from _flatten(f"{path}/{at}", item)
    elif isinstance(value, dict) and value:
        for name, member in value.items():
            yield from _flatten(path + "/" + name.replace("~", "~0").replace("/", "~1"), member)
    else:
        yield path, value


def _field_salt(salt, name):
    return sm3(b"YJ/salt/v1\0", salt, name.encode())[:16]


def _field_digest(salt, name, value):
    return sm3(b"YJ/field/v1\0", salt, canonical([name, value]))


def _entry(head, digests, salt):
    record = sm3(b"YJ/rec/v1\0", u32(len(digests)), b"".join(digests), canonical(head))
    return sm3(b"YJ/leaf/v1\0", salt, record)


class Record:
    """What is proved, and what the log holds of it."""

    def __init__(self, head, entry, shown, hidden):
        self.head, self.entry, self.shown, self.hidden = head, entry, shown, hidden


def whole(envelope, salt):
    """A record that is shown whole."""
    _require_record(envelope)
    head = {name: value for name, value in envelope.items() if name != "body"}
    fields = sorted(_flatten("", envelope["body"]), key=lambda field: field[0].encode())
    digests = [_field_digest(_field_salt(salt, name), name, value) for name, value in fields]
    return Record(head, _entry(head, digests, _field_salt(salt, "")), fields, 0)


def partial(disclosure, salt):
    """A record that is shown in part."""
    head, fields = members(disclosure, "head", "fields")
    if not isinstance(head, dict) or not isinstance(fields, list):
        raise Unreadable("部分披露的成员不符")
    _require_record({**head, "body": {}})
    shown, digests = [], []
    for field in fields:
        if isinstance(field, str):
            digests.append(from_hex(field, 32))
            continue
        name, own, value = members(field, "name", "salt", "value")
        if not isinstance(name, str):
            raise Unreadable("字段名应为文本")
        shown.append((name, value))
        digests.append(_field_digest(from_hex(own, 16), name, value))
    return Record(head, _entry(head, digests, salt), shown, len(digests) - len(shown))
