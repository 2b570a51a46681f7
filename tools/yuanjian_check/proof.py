"""Checks a `.yjproof` file against nothing but its bytes and what the reader trusts."""

from datetime import datetime, timedelta

from . import chain, note, record
from .merkle import is_consistent, leaf, root_from_path
from .wire import Unreadable, from_hex, members, read_json, whole

STEPS = {
    "format": "证明文件完整且格式规范",
    "envelope": "记录内容可复算摘要",
    "record_path": "记录属于该次提交",
    "submission_signature": "提交由所示密钥签名",
    "key_registry": "密钥在当时已登记且有效",
    "log_path": "提交已收入存证日志",
    "header": "区块头与链、日志、验证人一致",
    "certificate": "验证人已签名确认区块",
    "witness": "见证与本区块的日志一致",
    "anchor": "外部锚定与本区块的日志一致",
    "trust": "属于所信任的链",
}
SIZE_MAX = 1 << 20
LIST_MAX = 1_000
_ALWAYS = {
    "certificate", "format", "genesis", "header", "key", "log", "record", "registry", "salt", "submission", "validators",
}
_SOMETIMES = {"changes", "witness", "anchors"}


def _hashes(value):
    if not isinstance(value, list):
        raise Unreadable("路径应为列表")
    return [from_hex(hash_, 32) for hash_ in value]


def _path(value):
    index, path = members(value, "index", "path")
    return whole(index), _hashes(path)


def _list(file, name):
    """A list that is absent when it is empty."""
    if name not in file:
        return []
    value = file[name]
    if not isinstance(value, list) or not 1 <= len(value) <= LIST_MAX:
        raise Unreadable(f"{name} 应为列表")
    return value


class Change:
    """A block at which the validators changed."""

    def __init__(self, value):
        header, certificate, validators = members(value, "header", "certificate", "validators")
        self.header = chain.Header(from_hex(header))
        self.certificate = chain.Certificate(from_hex(certificate))
        self.validators = chain.Validators.read(from_hex(validators))


class Witnessed:
    """A checkpoint and who countersigned it."""

    def __init__(self, value):
        checkpoint, keys, path = members(value, "checkpoint", "keys", "path")
        texts = [checkpoint, *keys] if isinstance(keys, list) and len(keys) <= LIST_MAX else [None]
        if not all(isinstance(text, str) for text in texts):
            raise Unreadable("见证的成员不符")
        self.note, self.keys = note.Note(checkpoint), [note.NoteKey(key) for key in keys]
        self.path = _hashes(path)


class Anchored:
    """A statement of the platform, and the way to it."""

    def __init__(self, value):
        statement, path = members(value, "statement", "path")
        self.statement, self.path = note.AnchorStatement(from_hex(statement)), _hashes(path)


class Bundle:
    """Everything that proves one record."""

    def __init__(self, raw):
        if len(raw) > SIZE_MAX:
            raise Unreadable("文件超过 1 MiB，不是存证证明")
        file = read_json(raw)
        names = set(file) if isinstance(file, dict) else set()
        if names - _SOMETIMES not in (_ALWAYS | {"envelope"}, _ALWAYS | {"disclosure"}) or file["format"] != "yjproof/1":
            raise Unreadable("不是存证证明文件，或成员不符")
        salt = from_hex(file["salt"], 16)
        whole_record = "envelope" in file
        self.record = record.whole(file["envelope"], salt) if whole_record else record.partial(file["disclosure"], salt)
        self.place = _path(file["record"])
        self.submission = chain.Submission(from_hex(file["submission"]))
        self.key = chain.Key(from_hex(file["key"]))
        index, size, path = members(file["registry"], "index", "size", "path")
        self.registry = whole(index), whole(size), _hashes(path)
        self.log = _path(file["log"])
        self.header = chain.Header(from_hex(file["header"]))
        self.certificate = chain.Certificate(from_hex(file["certificate"]))
        self.validators = chain.Validators.read(from_hex(file["validators"]))
        self.genesis = chain.Genesis(from_hex(file["genesis"]))
        self.changes = [Change(value) for value in _list(file, "changes")]
        self.witness = Witnessed(file["witness"]) if "witness" in file else None
        self.anchors = [Anchored(value) for value in _list(file, "anchors")]


def _require(holds, reason):
    if not holds:
        raise Unreadable(reason)


def _check_envelope(bundle):
    hidden = bundle.record.hidden
    part = f"，公开 {len(bundle.record.shown)} 项，{hidden} 项仅有摘要" if hidden else ""
    return f"记录 {bundle.record.head['id']}，摘要 {bundle.record.entry[:8].hex()}…{part}"


def _check_record_path(bundle):
    index, path = bundle.place
    found = root_from_path(leaf(bundle.record.entry), index, bundle.submission.count, path)
    _require(found == bundle.submission.root, "记录内容与提交的摘要不符：记录、盐或路径被改动过")
    return f"提交含 {bundle.submission.count} 条记录，本条为第 {index + 1} 条"


def _check_submission(bundle):
    submission, key = bundle.submission, bundle.key
    _require(submission.org == bundle.record.head["org"], "记录的主体与提交的主体不同")
    same = submission.kid == key.kid and (key.org, key.usage) == submission.signer()
    _require(same, "提交所示密钥与所附密钥不同，或用途不符")
    _require(submission.is_signed_by(key.key), "提交的 SM2 签名与内容不符")
    if submission.attested_by == chain.PLATFORM:
        return f"由平台密钥 {submission.kid} 代主体 {submission.org} 签名"
    return f"由主体 {submission.org} 的密钥 {submission.kid} 签名"


def _check_key(bundle):
    index, size, path = bundle.registry
    root = root_from_path(leaf(bundle.key.raw), index, size, path)
    registered = root is not None and chain.registry_root(size, root) == bundle.header.registry_root
    _require(registered, "密钥不在该区块的密钥登记中")
    height = bundle.header.height
    _require(bundle.key.counts_at(height), f"密钥在区块 {height} 时无效（未启用或已吊销）")
    return f"密钥 {bundle.key.org}/{bundle.key.kid} 自区块 {bundle.key.since} 起有效"


def _check_log_path(bundle):
    index, path = bundle.log
    size = bundle.header.tree_size
    found = root_from_path(leaf(bundle.submission.raw), index, size, path)
    _require(found == bundle.header.tree_root, "提交不在该区块的存证日志中")
    return f"日志共 {size} 项，本提交为第 {index + 1} 项"


def _check_header(bundle):
    header, own = bundle.header, bundle.genesis.chain
    _require(header.chain == own and bundle.submission.chain == own, "区块或提交不属于所附创世文件的链")
    _require(header.validators == bundle.validators.hash, "验证人集合与区块头不符")
    _require(bundle.validators.raw == _validators_at(bundle).raw, "验证人集合变更缺少变更证明")
    return f"区块 {header.height}，标识 {header.block_id[:8].hex()}…"


def _validators_at(bundle):
    """Who signs at the block: the set of the genesis, changed by blocks that each set signed."""
    validators, height = bundle.genesis.validators, 0
    for change in bundle.changes:
        header = change.header
        named = header.validators == validators.hash and header.next_validators == change.validators.hash
        moved = header.next_validators != header.validators and height < header.height < bundle.header.height
        _require(header.chain == bundle.header.chain and named and moved, "验证人集合的变更不相衔接")
        signed = change.certificate.commits(header, validators)
        _require(signed, f"区块 {header.height} 的验证人变更没有原验证人的签名")
        validators, height = change.validators, header.height
    return validators


def _check_certificate(bundle):
    sound = bundle.certificate.commits(bundle.header, bundle.validators)
    _require(sound, "验证人签名无效，或不足三分之二")
    return f"{len(bundle.certificate.votes)} 个验证人签名确认"


_CHECKS = {
    "envelope": _check_envelope,
    "record_path": _check_record_path,
    "submission_signature": _check_submission,
    "key_registry": _check_key,
    "log_path": _check_log_path,
    "header": _check_header,
    "certificate": _check_certificate,
}


def _continues(bundle, other, path):
    """Whether a state of the log spoken of elsewhere is the block's, or continues it."""
    header = bundle.header
    later = other.size >= header.tree_size and other.height >= header.height
    same = other.height > header.height or other.block_id == header.block_id
    grown = is_consistent((header.tree_size, header.tree_root), (other.size, other.root), path)
    return later and same and grown


def _check_witness(bundle, trusted):
    unknown = "证明文件中没有您所信任的见证方的签名"
    if bundle.witness is None:
        _require(not trusted, unknown)
        return "证明文件中无见证"
    checkpoint, lines, keys = bundle.witness.note.checkpoint, bundle.witness.note.lines, bundle.witness.keys
    own = checkpoint.origin == note.origin_of(bundle.header.chain)
    _require(own and _continues(bundle, checkpoint, bundle.witness.path), "检查点不是本区块日志的延续")
    _require(len(lines) == len(keys) >= 2, "检查点的签名与所附公钥不相对应")
    for at, (line, key) in enumerate(zip(lines, keys)):
        if at == 0:
            validators = {member for member, _ in bundle.validators.members}
            placed = key.kind == note.LOG and key.name == checkpoint.origin and key.key in validators
        else:
            placed = key.kind == note.WITNESS and key.written not in [other.written for other in keys[1:at]]
        _require(placed and line.is_by(checkpoint, key), f"检查点上 {key.name} 的签名不成立")
    known = {key.written for key in keys[1:]} & {key.written for key in trusted}
    _require(known or not trusted, unknown)
    names = "、".join(key.name for key in keys[1:])
    by_whom = f"，其中 {len(known)} 个是您所信任的" if trusted else "，见证方公钥由证明文件自带，请与见证方公布的核对"
    return f"检查点共 {checkpoint.size} 项，由 {names} 见证{by_whom}"


def _check_anchors(bundle):
    places = []
    for anchored in bundle.anchors:
        statement = anchored.statement
        own = statement.chain == bundle.header.chain and _continues(bundle, statement, anchored.path)
        _require(own, "外部锚定的日志不是本区块日志的延续")
        key, _ = bundle.validators.by_address.get(statement.validator, (None, 0))
        _require(key is not None and statement.is_signed_by(key), "外部锚定声明没有验证人的有效签名")
        places.append(f"{statement.network} 的交易 {statement.transaction}")
    if not places:
        return "证明文件中无外部锚定"
    return f"平台声明已锚定于 {'、'.join(places)}，请在该链上核对"


def _check_trust(bundle, fingerprint):
    found = bundle.genesis.chain.hex()
    if fingerprint is None:
        return f"信任锚由证明文件自带：链 {bundle.genesis.name}，指纹 {found}，请与平台公布的指纹核对"
    _require(found == fingerprint, "证明来自另一条链，与您信任的指纹不一致")
    return f"链 {bundle.genesis.name}，指纹与您给出的一致"


def beijing(time_ms):
    """A moment as people in China write it."""
    try:
        moment = datetime(1970, 1, 1) + timedelta(hours=8, seconds=time_ms // 1_000)
    except OverflowError:
        return f"{time_ms} 毫秒"
    return f"{moment:%Y-%m-%d %H:%M:%S}（北京时间）"


class Verdict:
    """What was found, step by step: (step, whether it holds, particulars)."""

    def __init__(self, steps, bundle):
        self.steps, self.bundle = steps, bundle

    @property
    def failed(self):
        """The step that does not hold."""
        return next((step for step, holds, _ in self.steps if not holds), None)

    @property
    def conclusion(self):
        if self.failed:
            return f"验证未通过：{self.steps[-1][2]}"
        header, submission, witness = self.bundle.header, self.bundle.submission, self.bundle.witness
        if submission.attested_by == chain.ENTERPRISE:
            signed = f"主体 {submission.org} 的密钥 {submission.kid} 签名"
        else:
            signed = f"平台密钥 {submission.kid} 代主体 {submission.org} 签名"
        witnessed = ""
        if witness:
            names = "、".join(line.name for line in witness.note.lines if line.time is not None)
            witnessed = f"，{witness.note.checkpoint.size} 项的检查点由 {names} 见证"
        when = beijing(header.time_ms)
        return f"该记录自 {when} 存证以来未被改动（区块 {header.height}，{signed}{witnessed}）"


def verify(raw, fingerprint=None, witnesses=()):
    """Verifies a proof file; `fingerprint` is the chain that the reader trusts, from elsewhere, and
    `witnesses` are the keys of those of whom one must have countersigned."""
    steps, bundle = [], None
    try:
        bundle = Bundle(raw)
        steps.append(("format", True, "格式 yjproof/1"))
        for step, check in _CHECKS.items():
            steps.append((step, True, check(bundle)))
        steps.append(("witness", True, _check_witness(bundle, witnesses)))
        steps.append(("anchor", True, _check_anchors(bundle)))
        steps.append(("trust", True, _check_trust(bundle, fingerprint)))
    except Unreadable as reason:
        step = list(STEPS)[len(steps)]
        steps.append((step, False, str(reason) or "字节格式不符，可能被改动过"))
    return Verdict(steps, bundle)
