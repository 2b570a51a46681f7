"""Exports made by hand: a small chain with its own signer, for tests of the checker. The checker
itself cannot sign."""

import base64
import hashlib
import json
from pathlib import Path

from yuanjian_check import chain, merkle, note, sm2
from yuanjian_check.export import seal
from yuanjian_check.record import whole
from yuanjian_check.sm3 import sm3
from yuanjian_check.wire import canonical, text, u16, u32, u64

ORG, FARM = "93610525MAYJ000496", "93610525MAYJ000500"


class Signer:
    """A key that signs; the nonce is made of key and message, so that exports are reproducible."""

    def __init__(self, seed):
        self._secret = int.from_bytes(hashlib.sha256(seed.encode()).digest(), "big") % sm2.N
        x, y = sm2._affine(sm2._times(self._secret, sm2.G, sm2._NOWHERE))
        self.key = b"\x04" + x.to_bytes(32, "big") + y.to_bytes(32, "big")

    def sign(self, message):
        point = sm2.public_key(self.key)
        e = int.from_bytes(sm3(sm2._identity_digest(point), message), "big")
        nonce = int.from_bytes(sm3(self._secret.to_bytes(32, "big"), message), "big") % sm2.N
        x, _ = sm2._affine(sm2._times(nonce, sm2.G, sm2._NOWHERE))
        r = (e + x) % sm2.N
        s = pow(1 + self._secret, -1, sm2.N) * (nonce - r * self._secret) % sm2.N
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


VALIDATOR, PLATFORM, FARMER = Signer("validator"), Signer("platform"), Signer("farmer")
WITNESS = Signer("witness")
SIGNERS = {"validator": VALIDATOR, "platform": PLATFORM, "farmer": FARMER, "witness": WITNESS}


def key_entry(org, kid, key, usage, since, until=chain.FOREVER):
    return b"YJ/key/v1\0" + text(org) + text(kid) + key + bytes([usage]) + u64(since) + u64(until) + bytes(32)


class Made:
    """A platform with two organisations: one signs for itself from block 2 on."""

    def __init__(self):
        self.validators = u16(1) + VALIDATOR.key + u64(1)
        self.genesis = b"YJ/gen/v1\0" + text("示例链") + u64(1_000) + self.validators
        self.chain = sm3(self.genesis)
        self.blocks, self.submissions, self.places, self.entries, self.events = [], [], [], [], []
        self.keys = [(1, key_entry("platform", "platform-1", PLATFORM.key, chain.PLATFORM, 1))]
        self.tree, self.prev, self.seq, self.headers = merkle.Tree(), bytes(32), {}, []
        for height in range(1, 5):
            if height == 2:
                self.keys.append((2, key_entry(FARM, "k1", FARMER.key, chain.ENTERPRISE, 2)))
            batches = [(ORG, PLATFORM, "platform-1", chain.PLATFORM, 3)]
            if height > 1:
                batches.append((FARM, FARMER, "k1", chain.ENTERPRISE, 2))
            self.block(height, batches)
        self.entries.append(self.entry(self.event("waiting", FARM, 99), "pending", None)[0])
        self.statement = self.anchor()

    def event(self, record, org, number):
        code = f"F1-{number}"
        line = {"code": code, "quantity": "12.5", "unit": "KGM"}
        body = {"outputs": [line], "attributes": {"plot": "示例地块", "phone": {"sealed": "x"}}}
        row = {
            "uid": record, "domain": "agri", "kind": "harvest", "stage": "01", "subject_code": org, "lot": code,
            "region": "610525", "event_time": 1_790_000_000_000 + number, "event_offset": 480,
            "recorded_at": 1_790_000_100_000, "source": "manual", "state": "accepted", "body": json.dumps(body),
            "correction_of": None, "subject_id": f"s-{org}", "product_id": None, "counterparty_id": None,
            "pack_version": "1.0.0", "links": [{"code": code, "role": 1, "quantity": 125_000}],
        }
        self.events.append(row)
        return row

    def entry(self, row, state, height):
        from yuanjian_check.projection import event, time_text

        body = event(row)
        body["attributes"] = {name: value for name, value in body["attributes"].items() if name != "phone"}
        time = time_text(row["event_time"], 0).replace("+00:00", "Z")
        record, org = row["uid"], row["subject_code"]
        envelope = {"v": 1, "type": "trace_event", "id": record, "org": org, "time": time, "body": body}
        salt = sm3(record.encode())[:16]
        line = {
            "id": len(self.entries) + 1, "record": record, "org": org, "envelope": canonical(envelope).decode(),
            "salt": salt.hex(), "state": state, "height": height,
        }
        return line, whole(envelope, salt).entry

    def registry_root(self, height):
        found = {}
        for since, raw in self.keys:
            if since <= height:
                key = chain.Key(raw)
                found[key.org, key.kid] = raw
        leaves = [merkle.leaf(found[name]) for name in sorted(found)]
        return chain.registry_root(len(leaves), merkle.root(leaves))

    def block(self, height, batches):
        first, leaves = self.tree.size, []
        for org, signer, kid, attested_by, count in batches:
            own = []
            for position in range(count):
                record = f"r{height}-{org[-3:]}-{position}"
                line, entry = self.entry(self.event(record, org, 100 * height + len(self.entries)), "confirmed", height)
                self.entries.append(line)
                own.append(merkle.leaf(entry))
                self.places.append({"record": record, "log": self.tree.size, "position": position, "height": height})
            self.seq[org] = self.seq.get(org, 0) + 1
            signed = b"YJ/sub/v1\0" + self.chain + text(org) + u64(self.seq[org]) + u32(count)
            signed += merkle.root(own) + text(kid) + bytes([attested_by])
            raw = signed + signer.sign(signed)
            self.submissions.append({"submission": raw.hex(), "leaves": [leaf.hex() for leaf in own]})
            leaves.append(merkle.leaf(raw))
            self.tree.append(leaves[-1])
        self.header(height, first, leaves)

    def header(self, height, first, leaves, time_ms=None):
        own = sm3(b"YJ/set/v1\0", self.validators)
        raw = u16(1) + self.chain + u64(height) + self.prev + u64(time_ms or 1_000 + height)
        raw += chain.address(VALIDATOR.key) + u64(self.tree.size) + self.tree.root()
        raw += chain.body_digest(first, len(leaves), merkle.root(leaves)) + own + own
        raw += self.registry_root(height) + bytes(32)
        self.add(raw)

    def add(self, raw):
        self.blocks.append({"header": raw.hex(), "certificate": self.certificate(raw).hex()})
        self.headers.append(chain.Header(raw))
        self.prev = self.headers[-1].block_id

    def certificate(self, raw):
        header = chain.Header(raw)
        vote = b"YJ/vote/v1\0" + self.chain + b"\x02" + u64(header.height) + u32(0) + header.block_id
        return u32(0) + u16(1) + chain.address(VALIDATOR.key) + VALIDATOR.sign(vote)

    def body(self, header):
        root = base64.b64encode(header.tree_root).decode()
        origin = note.origin_of(self.chain)
        return f"{origin}\n{header.tree_size}\n{root}\nblock {header.height} {header.block_id.hex()}\n"

    def line(self, name, kind, key, signer, body, time=None):
        number = sm3(name.encode(), b"\n\xff" + kind + key)[:4]
        signed = body if time is None else f"cosignature/v1\ntime {time}\n{body}"
        blob = number + (b"" if time is None else u64(time)) + signer.sign(signed.encode())
        return f"— {name} {base64.b64encode(blob).decode()}\n"

    def note(self, header):
        body = self.body(header)
        return body + "\n" + self.line(note.origin_of(self.chain), note.LOG, VALIDATOR.key, VALIDATOR, body)

    def written(self, name, kind, key):
        number = sm3(name.encode(), b"\n\xff" + kind + key)[:4].hex()
        return "+".join((name, number, base64.b64encode(b"\xff" + kind + key).decode()))

    def witnessed(self, header):
        origin = note.origin_of(self.chain)
        cosigned = self.line("示例检测中心", note.WITNESS, WITNESS.key, WITNESS, self.body(header), 1_790_000_000)
        keys = [self.written(origin, note.LOG, VALIDATOR.key), self.written("示例检测中心", note.WITNESS, WITNESS.key)]
        return {"keys": keys, "note": self.note(header) + cosigned}

    def anchor(self):
        header = self.headers[2]
        raw = b"YJ/ext/v1\0" + self.chain + u64(header.tree_size) + header.tree_root + u64(header.height)
        raw += header.block_id + text("eip155:31337") + text("0x5f") + text("0xab") + u64(12) + text("0xcd")
        raw += chain.address(VALIDATOR.key)
        return raw + VALIDATOR.sign(raw)

    def write(self, folder):
        """The files, sealed by their manifest."""
        folder = Path(folder)
        (folder / "genesis.bin").write_bytes(self.genesis)
        lines = {
            "blocks": self.blocks, "submissions": self.submissions,
            "places": sorted(self.places, key=lambda place: place["record"]),
            "keys": [{"height": height, "key": raw.hex()} for height, raw in self.keys],
            "witnessed": [self.witnessed(self.headers[1])], "anchored": [{"statement": self.statement.hex()}],
            "entries": self.entries, "events": self.events, "epcis": [], "batches": [],
        }
        for name, values in lines.items():
            raw = b"".join(canonical(value) + b"\n" for value in values)
            (folder / f"{name}.jsonl").write_bytes(raw)
        (folder / "checkpoint.txt").write_text(self.note(self.headers[-1]), encoding="utf-8")
        manifest = {
            "format": "yjexport/1", "chain": self.chain.hex(), "height": len(self.blocks), "tree_size": self.tree.size,
        }
        seal(folder, manifest)
