"""Log, certificates, envelopes and columns of a whole platform: do they agree?"""

from . import chain, note, projection

from .export import json_of
from .merkle import Tree, leaf, root
from .record import whole as whole_record
from .wire import Unreadable, canonical, from_hex

TITLES = {
    "export": "导出文件", "genesis": "创世", "block": "区块", "time": "区块时间", "tree": "日志根", "body": "本块摘要",
    "certificate": "证书", "registry": "密钥登记", "submission": "提交", "sequence": "提交序号", "signature": "提交签名",
    "place": "记录位置", "checkpoint": "检查点", "witness": "见证", "anchor": "外部锚定", "rollback": "回退",
    "doubled": "重复", "lost": "丢失", "forged": "伪造", "envelope": "存证原文", "columns": "数据列", "state": "存证状态", "tile": "瓦片",
}


class Findings:
    """What is wrong: (kind, words). Told in full up to a number of each kind."""

    KEPT = 20

    def __init__(self):
        self.list, self.count = [], {}

    def __call__(self, kind, words):
        assert kind in TITLES, kind
        self.count[kind] = self.count.get(kind, 0) + 1
        if self.count[kind] <= self.KEPT:
            self.list.append((kind, words))

    def kinds(self):
        return set(self.count)


class Log:
    """The chain as exported, checked on the way from its beginning to its end."""

    def __init__(self, export, tell, fingerprint=None, held=()):
        self._export, self._tell = export, tell
        self.genesis = chain.Genesis(export.read("genesis.bin") or b"")
        if fingerprint not in (None, self.genesis.chain.hex()):
            tell("genesis", f"链指纹 {self.genesis.chain.hex()} 不是给出的 {fingerprint}")
        self._held = {}
        for one in held:
            self._held.setdefault(one.size, []).append(one)
        # (log index, position) → hash of the record's leaf
        self.leaves, self.heights = {}, []
        self.headers, self.tree = [], Tree()
        self._keys, self._changes = {}, self._read_keys()
        self._seq = {}
        self.records = 0

    def _read_keys(self):
        changes = []
        for line in self._export.lines("keys"):
            try:
                changes.append((line["height"], chain.Key(from_hex(line["key"]))))
            except (Unreadable, KeyError, TypeError):
                self._tell("registry", "密钥登记的一行不能读")
        if [height for height, _ in changes] != sorted(height for height, _ in changes):
            self._tell("registry", "密钥登记不按高度排列")
        return changes

    def _registry_root(self, height):
        moved = False
        while self._changes and self._changes[0][0] <= height:
            _, key = self._changes.pop(0)
            self._keys[key.org, key.kid] = key
            moved = True
        if moved or not self.headers:
            leaves = [leaf(self._keys[name].raw) for name in sorted(self._keys, key=_as_bytes)]
            self._root = chain.registry_root(len(leaves), root(leaves))
        return self._root

    def walk(self):
        """Every block with its submissions."""
        submissions = self._export.lines("submissions")
        validators = self.genesis.validators
        prev, time_ms = bytes(32), self.genesis.time_ms
        for number, line in enumerate(self._export.lines("blocks"), 1):
            try:
                header = chain.Header(from_hex(line["header"]))
                certificate = chain.Certificate(from_hex(line["certificate"]))
            except (Unreadable, KeyError, TypeError):
                self._tell("block", f"区块 {number} 的区块头或证书不能读")
                continue
            self._check_block(number, header, certificate, (prev, time_ms, validators))
            self._take(header, submissions)
            prev, time_ms = header.block_id, header.time_ms
            self.headers.append(header)
        if next(submissions, None) is not None:
            self._tell("submission", "有提交不在任何区块中")
        if self._changes:
            self._tell("registry", "有密钥登记晚于最后的区块")
        self._check_end()

    def _check_block(self, number, header, certificate, before):
        prev, time_ms, validators = before
        if (header.height, header.chain, header.prev) != (number, self.genesis.chain, prev):
            self._tell("block", f"区块 {number} 不接着前一区块")
        if header.time_ms < time_ms:
            self._tell("time", f"区块 {number} 的时间早于前一区块")
        if header.validators != validators.hash or header.next_validators != validators.hash:
            self._tell("certificate", f"区块 {number} 的验证人不是链上的验证人")
        if header.proposer not in validators.by_address:
            self._tell("block", f"区块 {number} 的出块人不是验证人")
        if not certificate.commits(header, validators):
            self._tell("certificate", f"区块 {number} 的签名无效，或不足三分之二")
        if header.registry_root != self._registry_root(number):
            self._tell("registry", f"区块 {number} 的密钥登记根不是登记的密钥算出的")

    def _take(self, header, submissions):
        first, leaves = self.tree.size, []
        while self.tree.size < header.tree_size:
            line = next(submissions, None)
            if line is None:
                self._tell("submission", f"区块 {header.height} 缺少提交")
                break
            try:
                submission = chain.Submission(from_hex(line["submission"]))
                records = [from_hex(one, 32) for one in line["leaves"]]
            except (Unreadable, KeyError, TypeError):
                self._tell("submission", f"第 {self.tree.size} 项提交不能读")
                # Its place must be kept, or all that follow would be wrong too.
                leaves.append(bytes(32))
                self._append(bytes(32), header.height)
                continue
            hash_ = leaf(submission.raw)
            leaves.append(hash_)
            self._check_submission(submission, records, header.height)
            self._append(hash_, header.height)
        if (self.tree.size, self.tree.root()) != (header.tree_size, header.tree_root):
            self._tell("tree", f"区块 {header.height} 的日志根与其提交不符")
        if header.body_digest != chain.body_digest(first, len(leaves), root(leaves)):
            self._tell("body", f"区块 {header.height} 的本块摘要与其提交不符")

    def _append(self, hash_, height):
        self.tree.append(hash_)
        self.heights.append(height)
        for one in self._held.pop(self.tree.size, ()):
            if one.origin != note.origin_of(self.genesis.chain) or one.root != self.tree.root():
                self._tell("rollback", f"日志在 {one.size} 项时的根与所持检查点不同：历史被改写")

    def _check_submission(self, submission, records, height):
        index = self.tree.size
        which = f"第 {index} 项提交（主体 {submission.org}，序号 {submission.seq}）"
        if submission.chain != self.genesis.chain:
            self._tell("submission", f"{which}不属于本链")
        if submission.count != len(records) or submission.root != root(records):
            self._tell("submission", f"{which}的记录树根与其记录不符")
        if submission.seq != self._seq.get(submission.org, 0) + 1:
            self._tell("sequence", f"{which}的前一序号是 {self._seq.get(submission.org, 0)}：有缺号、重号或乱序")
        self._seq[submission.org] = submission.seq
        owner, usage = submission.signer()
        key = self._keys.get((owner, submission.kid))
        if key is None or key.usage != usage or not key.counts_at(height):
            self._tell("signature", f"{which}的密钥 {owner}/{submission.kid} 在区块 {height} 时没有登记或无效")
        elif not submission.is_signed_by(key.key):
            self._tell("signature", f"{which}的签名与内容不符")
        for position, hash_ in enumerate(records):
            self.leaves[index, position] = hash_
        self.records += len(records)

    def _check_end(self):
        for size, ones in self._held.items():
            self._tell("rollback", f"日志只有 {self.tree.size} 项，而所持检查点有 {size} 项：被回退到旧的状态")
        told = self._export.manifest
        found = {"chain": self.genesis.chain.hex(), "height": len(self.headers), "tree_size": self.tree.size}
        if any(told.get(name) != value for name, value in found.items()):
            self._tell("export", "清单所说的链、高度或日志长度与导出的不符")

    def check_notes(self):
        """The checkpoint, cosignatures and statements that came with the export."""
        raw = self._export.read("checkpoint.txt")
        if raw is None:
            if self.headers:
                self._tell("checkpoint", "没有检查点")
        else:
            self._check_note("checkpoint", raw, self.headers[-1:])
        for line in self._export.lines("witnessed"):
            keys = line.get("keys")
            self._check_note("witness", str(line.get("note")).encode(), self.headers, keys)
        for line in self._export.lines("anchored"):
            try:
                statement = note.AnchorStatement(from_hex(line["statement"]))
            except (Unreadable, KeyError, TypeError):
                self._tell("anchor", "外部锚定的一行不能读")
                continue
            key, _ = self.genesis.validators.by_address.get(statement.validator, (None, 0))
            if key is None or not statement.is_signed_by(key):
                self._tell("anchor", f"外部锚定 {statement.transaction} 不是验证人签名的")
            if statement.chain != self.genesis.chain or not self._stood_so(statement, self.headers):
                self._tell("anchor", f"外部锚定 {statement.transaction} 的区块与链不符")

    def _stood_so(self, one, headers):
        at = next((header for header in headers if header.height == one.height), None)
        found = at and (at.tree_size, at.tree_root, at.block_id)
        return found == (one.size, one.root, one.block_id)

    def _check_note(self, kind, raw, headers, witnesses=()):
        try:
            found = note.Note(raw.decode())
            witnesses = [note.NoteKey(key) for key in witnesses]
        except (Unreadable, UnicodeDecodeError, TypeError) as reason:
            return self._tell(kind, f"检查点不能读：{reason}")
        checkpoint = found.checkpoint
        own_log = checkpoint.origin == note.origin_of(self.genesis.chain)
        if not own_log or not self._stood_so(checkpoint, headers):
            self._tell(kind, f"检查点（{checkpoint.size} 项）与链不符")
        keys = [note.log_key(checkpoint.origin, key) for key, _ in self.genesis.validators.members]
        own, *others = found.lines
        if not any(own.is_by(checkpoint, key) for key in keys):
            self._tell(kind, f"检查点（{checkpoint.size} 项）没有验证人的签名")
        if kind == "witness":
            signed = len(witnesses) == len(found.lines) and len(others) > 0
            if not signed or not all(line.is_by(checkpoint, key) for line, key in zip(others, witnesses[1:])):
                self._tell(kind, f"检查点（{checkpoint.size} 项）上的见证签名不成立")


def _as_bytes(name):
    return tuple(part.encode() for part in name)


class Rows:
    """What the database says, compared with the log."""

    def __init__(self, log, tell):
        self._log, self._tell = log, tell
        self.entries, self._envelopes, self._erased = 0, {}, set()
        self._places = {}
        # Records without their text, and records that a tombstone names.
        self._erased, self._buried = set(), set()

    def take_places(self, lines):
        """Where every record is, as the ledger's own file says."""
        taken = set()
        for line in lines:
            try:
                record, at = line["record"], (line["log"], line["position"])
                height = line["height"]
            except (KeyError, TypeError):
                self._tell("place", "记录位置的一行不能读")
                continue
            if record in self._places:
                self._tell("doubled", f"记录 {record} 在链上两次")
            if at in taken:
                self._tell("doubled", f"日志第 {at[0]} 项的第 {at[1]} 条属于两条记录")
            if at not in self._log.leaves:
                self._tell("place", f"记录 {record} 的位置不在日志中")
            elif self._log.heights[at[0]] != height:
                self._tell("place", f"记录 {record} 的区块高度不符")
            taken.add(at)
            self._places[record] = (*at, height)
        for at in self._log.leaves.keys() - taken:
            self._tell("place", f"日志第 {at[0]} 项的第 {at[1]} 条没有记录")

    def take_entries(self, lines):
        """The queue and its envelopes."""
        leaves, tip = {}, len(self._log.headers)
        for row in lines:
            self.entries += 1
            record = row["record"]
            if record in self._envelopes:
                self._tell("doubled", f"记录 {record} 有两份存证原文")
            place = self._places.get(record)
            envelope = self._check_envelope(row, place)
            self._envelopes[record] = envelope
            if row["state"] == "confirmed":
                if place is None and row["height"] is not None and row["height"] <= tip:
                    self._tell("forged", f"记录 {record} 称已确认于区块 {row['height']}，而链上没有")
                elif place is not None and row["height"] != place[2]:
                    self._tell("state", f"记录 {record} 的高度是 {row['height']}，链上是 {place[2]}")
                elif row["height"] is None:
                    self._tell("state", f"记录 {record} 已确认而没有高度")
            elif row["height"] is not None:
                self._tell("state", f"记录 {record} 尚未确认而有高度")
            if place is not None:
                leaf_ = self._log.leaves.get(place[:2])
                if leaf_ in leaves and leaf_ is not None:
                    self._tell("doubled", f"记录 {record} 与 {leaves[leaf_]} 是同一存证项")
                leaves[leaf_] = record
        stones = [one["body"].get("record") for one in self._envelopes.values() if one and one["type"] == "tombstone"]
        for record in self._erased.difference(stones):
            self._tell("lost", f"记录 {record} 的存证原文已空，而没有墓碑")
        for record in self._places.keys() - self._envelopes.keys():
            self._tell("lost", f"记录 {record} 在链上，而数据库中已没有")
        for record in sorted(self._erased - self._buried):
            self._tell("lost", f"记录 {record} 的存证原文已不在，而链上没有它的墓碑")

    def _check_envelope(self, row, place):
        record = row["record"]
        if row["envelope"] == "" and row["salt"] == "":
            # Erased by law; a tombstone must say so.
            self._erased.add(record)
            return None
        if row["envelope"] == "" and row["salt"] == "":
            # Erased by law: the tombstone is looked for when all entries are known.
            self._erased.add(record)
            return None
        try:
            envelope = json_of(row["envelope"])
            if canonical(envelope) != row["envelope"].encode():
                raise Unreadable("不是规范形式")
            found = whole_record(envelope, from_hex(row["salt"], 16))
        except (Unreadable, ValueError) as reason:
            self._tell("envelope", f"记录 {record} 的存证原文不能读：{reason}")
            return None
        if (found.head["id"], found.head["org"]) != (record, row["org"]):
            self._tell("envelope", f"记录 {record} 的存证原文属于另一条记录或主体")
        if place is not None and leaf(found.entry) != self._log.leaves.get(place[:2]):
            self._tell("envelope", f"记录 {record} 的存证原文与区块 {place[2]} 中的摘要不符：被改动过")
        elif found.head["type"] == "tombstone" and found.head["org"] == "platform":
            self._buried.add(envelope["body"].get("record"))
        return envelope

    def take_acknowledged(self, records):
        """Records that were acknowledged to clients."""
        known = set()
        for record in records:
            if record in known:
                self._tell("doubled", f"记录 {record} 应答了两次")
            known.add(record)
            if record not in self._envelopes:
                self._tell("lost", f"已应答的记录 {record} 没有存证")
            elif record not in self._places:
                self._tell("lost", f"已应答的记录 {record} 没有上链")

    def take_events(self, lines):
        """追溯事件 against their envelopes."""
        met = self._facts("trace_event", lines, "uid", self._check_event)
        for record, envelope in self._envelopes.items():
            if envelope and envelope["type"] == "trace_event" and record not in met:
                self._tell("lost", f"事件 {record} 有存证，而数据库中已没有")

    def take_epcis(self, lines):
        self._facts("epcis_event", lines, "uid", self._check_members("event_id", "hash", "sm3"))

    def take_batches(self, lines):
        self._facts("device_batch", lines, "id", self._check_members("count", "root"))

    def _facts(self, kind, lines, name, check):
        met = set()
        for row in lines:
            record, envelope = row[name], self._envelopes.get(row[name])
            if record in met:
                self._tell("doubled", f"{kind} {record} 在数据库中两次")
            met.add(record)
            if row.get("state") in ("held", "rejected"):
                if record in self._envelopes:
                    self._tell("state", f"事件 {record} 未接收而有存证")
            elif record not in self._envelopes:
                self._tell("forged", f"{kind} {record} 没有存证")
            elif envelope is not None:
                if envelope["type"] != kind:
                    self._tell("columns", f"{record} 的存证不是 {kind}")
                else:
                    check(row, envelope)
        return met

    def _check_members(self, *names):
        def check(row, envelope):
            for name in names:
                if envelope["body"].get(name) != row[name]:
                    self._tell("columns", f"{envelope['type']} {envelope['id']} 的 {name} 与存证不符")

        return check

    def _check_event(self, row, envelope):
        try:
            found, anchored = projection.event(row), dict(envelope["body"])
        except (ValueError, TypeError, KeyError) as reason:
            return self._tell("columns", f"事件 {row['uid']} 的数据列不能读：{reason}")
        if row["state"] == "superseded":
            # A corrected event has given up its links; they stay in its anchored record.
            found.pop("links")
            anchored.pop("links", None)
        for name in projection.LATER:
            if name not in anchored:
                found.pop(name)
        # 个人信息 is sealed in the row and not in the record.
        personal = found["attributes"].keys() - (anchored.get("attributes") or {}).keys()
        found["attributes"] = {name: value for name, value in found["attributes"].items() if name not in personal}
        changed = list(projection.differences(anchored, found))
        if (envelope["id"], envelope["org"]) != (row["uid"], row["subject_code"]):
            changed.append("subject_code")
        if changed:
            self._tell("columns", f"事件 {row['uid']} 的 {'、'.join(changed)} 与存证不符：被改动过")


class Report:
    """What was looked at, and what is wrong."""

    def __init__(self, log, rows, tell):
        self.log, self.rows, self.findings = log, rows, tell
        self.well = not tell.list


def check(export, tell, database=None, acknowledged=None, fingerprint=None, held=()):
    """Checks an export, with the rows of a database or of the export itself."""
    log = Log(export, tell, fingerprint, held)
    log.walk()
    log.check_notes()
    rows, source = Rows(log, tell), database or export
    rows.take_places(export.lines("places"))
    rows.take_entries(source.lines("entries"))
    rows.take_acknowledged(acknowledged or ())
    rows.take_events(source.lines("events"))
    rows.take_epcis(source.lines("epcis"))
    rows.take_batches(source.lines("batches"))
    return Report(log, rows, tell)
