#!/usr/bin/env python3
"""核验存证证明（.yjproof）。只用 Python 标准库，与平台的程序无关；格式见 docs/proof-format.md。

退出码：0 全部成立，1 有不成立的，2 有不能读的。"""

import argparse
import sys
from pathlib import Path

from yuanjian_check.note import NoteKey
from yuanjian_check.proof import STEPS, verify
from yuanjian_check.wire import Unreadable


def main(arguments=None):
    parser = argparse.ArgumentParser(description="离线核验存证证明")
    parser.add_argument("files", nargs="+", metavar="文件", help=".yjproof 文件")
    parser.add_argument("--fingerprint", help="所信任的链指纹（64 位小写十六进制）")
    parser.add_argument("--witness", action="append", default=[], metavar="密钥", help="所信任的见证方的核验密钥，可重复")
    options = parser.parse_args(arguments)
    try:
        witnesses = [NoteKey(written) for written in options.witness]
    except Unreadable as reason:
        parser.error(f"--witness：{reason}")
    worst = 0
    for name in options.files:
        try:
            raw = Path(name).read_bytes()
        except OSError as reason:
            print(f"{name}：不能读：{reason.strerror}", file=sys.stderr)
            worst = 2
            continue
        verdict = verify(raw, options.fingerprint, witnesses)
        print(name)
        for step, holds, detail in verdict.steps:
            print(f"  {'通过' if holds else '未通过'} {STEPS[step]}：{detail}")
        print(f"  {verdict.conclusion}")
        worst = max(worst, 1 if verdict.failed else 0)
    return worst


if __name__ == "__main__":
    sys.exit(main())
