"""Checks a `.yjproof` file against nothing but its bytes and what the reader trusts."""

from . import chain, record
from .merkle import leaf, root_from_path
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
    "trust": "属于所信任的链",
}
SIZE_MAX = 1 << 20
_ALWAYS = {
    "certificate", "format", "genesis", "header", "key", "log", "record", "registry", "salt", "submission", "validators",
}


def _hashes(value):
    if not isinstance(value, list):
        raise Unreadable("路径应为列表")
    return [from_hex(hash_, 32) for hash_ in value]


def _path(value):
    index, path = members(value, "index", "path")
    return whole(index), _hashes(path)


class Bundle:
    """Everything that proves one record."""

    def __init__(self, raw):
        if len(raw) > SIZE_MAX:
            raise Unreadable("文件超过 1 MiB，不是存证证明")
        file = read_json(raw)
        names = set(file) if isinstance(file, dict) else set()
        if names not in (_ALWAYS | {"envelope"}, _ALWAYS | {"disclosure"}) or file["format"] != "yjproof/1":
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
    _require(bundle.validators.raw == bundle.genesis.validators.raw, "验证人集合变更缺少变更证明")
    return f"区块 {header.height}，标识 {header.block_id[:8].hex()}…"


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


def _check_trust(bundle, fingerprint):
    found = bundle.genesis.chain.hex()
    if fingerprint is None:
        return f"信任锚由证明文件自带：链 {bundle.genesis.name}，指纹 {found}，请与平台公布的指纹核对"
    _require(found == fingerprint, "证明来自另一条链，与您信任的指纹不一致")
    return f"链 {bundle.genesis.name}，指纹与您给出的一致"


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
        height, org = self.bundle.header.height, self.bundle.submission.org
        return f"该记录自存证以来未被改动（区块 {height}，提交主体 {org}）"


def verify(raw, fingerprint=None, witnesses=()):
    """Verifies a proof file; `fingerprint` is the chain that the reader trusts, from elsewhere."""
    steps, bundle = [], None
    try:
        bundle = Bundle(raw)
        steps.append(("format", True, "格式 yjproof/1"))
        for step, check in _CHECKS.items():
            steps.append((step, True, check(bundle)))
        steps.append(("trust", True, _check_trust(bundle, fingerprint)))
    except Unreadable as reason:
        step = list(STEPS)[len(steps)]
        steps.append((step, False, str(reason) or "字节格式不符，可能被改动过"))
    return Verdict(steps, bundle)
