"""Reads what `yuanjian ledger export` wrote, and the same rows from an SQLite database."""

import json
import sqlite3
from pathlib import Path

from .sm3 import sm3
from .wire import Unreadable, canonical, read_json

FORMAT = "yjexport/1"
LINE_FILES = ("blocks", "submissions", "places", "keys", "witnessed", "anchored", "entries", "events", "epcis", "batches")

_EVENT = (
    "uid", "domain", "kind", "stage", "subject_code", "lot", "region", "event_time", "event_offset", "recorded_at",
    "source", "state", "body", "correction_of",
)


class Export:
    """A folder of files. What is wrong with the files themselves is reported by `tell`."""

    def __init__(self, folder, tell):
        self.folder, self._tell = Path(folder), tell
        self.manifest = read_json((self.folder / "manifest.json").read_bytes().removesuffix(b"\n"))
        if not isinstance(self.manifest, dict) or self.manifest.get("format") != FORMAT:
            raise Unreadable("manifest.json 不是 yjexport/1 的清单")
        self._check_files()

    def _check_files(self):
        known = self.manifest["files"]
        for name, told in known.items():
            try:
                raw = (self.folder / name).read_bytes()
            except OSError:
                self._tell("export", f"清单所列的 {name} 不在")
                continue
            found = {"bytes": len(raw), "sm3": _digest(raw)}
            if found != told:
                self._tell("export", f"{name} 与清单的长度或摘要不符")
        for name in sorted(path.name for path in self.folder.iterdir()):
            if name != "manifest.json" and name not in known:
                self._tell("export", f"{name} 不在清单中")

    def read(self, name):
        """A whole file; nothing where there is none."""
        try:
            return (self.folder / name).read_bytes()
        except OSError:
            return None

    def lines(self, name):
        """The values of a file of lines, each in the one form of JSON."""
        path = self.folder / f"{name}.jsonl"
        if not path.exists():
            return
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    value = read_json(line.removesuffix(b"\n"))
                except Unreadable as reason:
                    self._tell("export", f"{name}.jsonl 第 {number} 行：{reason}")
                    continue
                yield value


def _digest(raw):
    """SM3 of a long file; the system's own implementation where it has one."""
    import hashlib

    try:
        return hashlib.new("sm3", raw).hexdigest()
    except ValueError:
        return sm3(raw).hex()


def seal(folder, manifest):
    """Writes the manifest anew; for exports that were changed on purpose."""
    folder = Path(folder)
    names = sorted(path.name for path in folder.iterdir() if path.name != "manifest.json")
    files = {}
    for name in names:
        raw = (folder / name).read_bytes()
        files[name] = {"bytes": len(raw), "sm3": _digest(raw)}
    (folder / "manifest.json").write_bytes(canonical({**manifest, "files": files}) + b"\n")


class Sqlite:
    """The rows of the platform's own database, read by nobody's code but this."""

    def __init__(self, path):
        path = Path(path)
        if not path.is_file():
            raise Unreadable(f"{path} 不存在")
        self._db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        self._db.row_factory = sqlite3.Row

    def _rows(self, sql):
        for row in self._db.execute(sql):
            yield {name: value.hex() if isinstance(value, bytes) else value for name, value in zip(row.keys(), row)}

    def lines(self, name):
        if name == "entries":
            yield from self._rows("SELECT id, record, org, envelope, salt, state, height FROM anchor_entry ORDER BY id")
        elif name == "events":
            for row in self._rows(f"SELECT id, {', '.join(_EVENT)} FROM trace_event ORDER BY id"):
                row["links"] = list(self._links(row.pop("id")))
                yield row
        elif name == "epcis":
            yield from self._rows("SELECT uid, event_id, hash, sm3 FROM epcis_event ORDER BY uid")
        elif name == "batches":
            yield from self._rows("SELECT id, count, root FROM device_batch ORDER BY id")

    def _links(self, event):
        sql = (
            "SELECT o.code, l.role, l.quantity FROM trace_link l JOIN trace_object o ON o.id = l.object_id "
            "WHERE l.event_id = ? ORDER BY l.role, o.code"
        )
        for row in self._db.execute(sql, (event,)):
            yield dict(zip(row.keys(), row))


def json_of(written):
    """A JSON text as a column holds it."""
    return json.loads(written)
