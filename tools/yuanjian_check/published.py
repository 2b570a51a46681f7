"""The published log: do its tiles give the checkpoint that the validators signed?"""

from pathlib import Path

from . import chain, note
from .merkle import Tree, root
from .wire import Unreadable

WIDTH = 256


def tile_path(level, index, width):
    """Name of a tile below `tile/`: its number in groups of three digits."""
    digits = str(index)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at:at + 3] for at in range(0, len(digits), 3)]
    name = "/".join([str(level), *("x" + group for group in groups[:-1]), groups[-1]])
    return name if width == WIDTH else f"{name}.p/{width}"


def _level(folder, level, count, tell):
    """The nodes of a level, tile by tile; nothing where one is missing or of another length."""
    nodes = []
    for index in range(-(-count // WIDTH)):
        width = min(WIDTH, count - index * WIDTH)
        name = tile_path(level, index, width)
        try:
            raw = (folder / "tile" / name).read_bytes()
        except OSError:
            return tell("tile", f"瓦片 {name} 不在")
        if len(raw) != 32 * width:
            return tell("tile", f"瓦片 {name} 的长度不符")
        nodes.extend(raw[at:at + 32] for at in range(0, len(raw), 32))
    return nodes


def check(folder, tell, fingerprint=None, held=()):
    """Checks a folder as `yuanjian ledger publish` writes it; the checkpoint it stands for."""
    folder = Path(folder) / "ledger"
    genesis = chain.Genesis((folder / "genesis").read_bytes())
    if fingerprint not in (None, genesis.chain.hex()):
        tell("genesis", f"链指纹 {genesis.chain.hex()} 不是给出的 {fingerprint}")
    signed = note.Note((folder / "checkpoint").read_text(encoding="utf-8"))
    checkpoint = signed.checkpoint
    keys = [note.log_key(checkpoint.origin, key) for key, _ in genesis.validators.members]
    own = checkpoint.origin == note.origin_of(genesis.chain)
    if not own or not any(signed.lines[0].is_by(checkpoint, key) for key in keys):
        tell("checkpoint", "检查点没有本链验证人的签名")
    level, count = 0, checkpoint.size
    nodes = _level(folder, level, count, tell)
    if nodes is None:
        return checkpoint
    roots, tree = {one.size: one for one in held}, Tree()
    for leaf in nodes:
        tree.append(leaf)
        before = roots.pop(tree.size, None)
        if before is not None and before.root != tree.root():
            tell("rollback", f"{before.size} 项时的根与所持检查点不同：历史被改写")
    for size in roots:
        tell("rollback", f"只公布了 {tree.size} 项，而所持检查点有 {size} 项：被回退到旧的状态")
    if tree.root() != checkpoint.root:
        tell("tile", "最低一层瓦片算出的根不是检查点的根")
    while count >= WIDTH:
        below, level, count = nodes, level + 1, count // WIDTH
        nodes = _level(folder, level, count, tell)
        if nodes is None:
            return checkpoint
        for at, found in enumerate(nodes):
            if found != root(below[at * WIDTH:(at + 1) * WIDTH]):
                tell("tile", f"第 {level} 层的第 {at} 个节点与下一层不符")
    return checkpoint


def read_held(names):
    """Checkpoints taken before."""
    try:
        return [note.Note(Path(name).read_text(encoding="utf-8")).checkpoint for name in names]
    except UnicodeDecodeError:
        raise Unreadable("检查点不是文本") from None
