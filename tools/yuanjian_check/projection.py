"""What the columns of the query tables say, in the shape in which it was anchored."""

from datetime import datetime, timedelta, timezone

from .export import json_of

_BEIJING = 480


def time_text(unix_ms, offset_minutes):
    """RFC 3339 with the fewest digits after the second."""
    moment = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(milliseconds=unix_ms)
    local = moment.astimezone(timezone(timedelta(minutes=offset_minutes)))
    fraction = f".{unix_ms % 1000:03d}".rstrip("0") if unix_ms % 1000 else ""
    sign, minutes = "-" if offset_minutes < 0 else "+", abs(offset_minutes)
    return f"{local:%Y-%m-%dT%H:%M:%S}{fraction}{sign}{minutes // 60:02d}:{minutes % 60:02d}"


def quantity_text(scaled):
    """Ten-thousandths as an exact decimal."""
    if scaled is None:
        return None
    whole, fraction = divmod(abs(scaled), 10_000)
    sign = "-" if scaled < 0 else ""
    return f"{sign}{whole}" + (f".{fraction:04d}".rstrip("0") if fraction else "")


def event(row):
    """A 追溯事件: its columns and links."""
    body = json_of(row["body"])
    kept = ("inputs", "outputs", "place", "counterparty", "documents", "evidence", "correction_reason")
    region = (body.get("place") or {}).get("region")
    links = [
        {"code": link["code"], "role": link["role"], "quantity": quantity_text(link["quantity"])} for link in row["links"]
    ]
    return {
        **{name: body.get(name) for name in kept},
        "domain": row["domain"], "type": row["kind"], "stage": row["stage"], "subject": row["subject_code"],
        "event_time": time_text(row["event_time"], row["event_offset"]),
        "recorded_at": time_text(row["recorded_at"], _BEIJING), "source": row["source"],
        "attributes": body.get("attributes") or {}, "lot": row["lot"],
        "region": region if isinstance(region, str) else row["region"], "correction_of": row["correction_of"],
        "links": links,
    }


def differences(anchored, found, path=""):
    """The places where two values differ."""
    if isinstance(anchored, dict) and isinstance(found, dict):
        for name in sorted(anchored.keys() | found.keys()):
            inner = f"{path}.{name}" if path else name
            yield from differences(anchored.get(name), found.get(name), inner)
    elif isinstance(anchored, list) and isinstance(found, list) and len(anchored) == len(found):
        for at, (left, right) in enumerate(zip(anchored, found)):
            yield from differences(left, right, f"{path}[{at}]")
    elif anchored != found or type(anchored) is not type(found):
        yield path
