#!/usr/bin/env python3
"""核对公布的存证日志：`yuanjian ledger publish` 写出的检查点、哈希瓦片与创世文件是否相符。

只用 Python 标准库，与平台的程序无关；格式见 docs/proof-format.md 与 docs/witnessing.md。

退出码：0 相符，1 有发现，2 不能核对。"""

import argparse
import sys

from yuanjian_check.platform import TITLES, Findings
from yuanjian_check.published import check, read_held
from yuanjian_check.sm3 import use_system
from yuanjian_check.wire import Unreadable


def main(arguments=None):
    parser = argparse.ArgumentParser(description="核对公布的存证日志")
    parser.add_argument("folder", metavar="目录", help="其中有 ledger/checkpoint、ledger/tile、ledger/genesis")
    parser.add_argument("--fingerprint", help="所信任的链指纹")
    parser.add_argument("--held", action="append", default=[], metavar="文件", help="从前取得的检查点，可重复")
    parser.add_argument("--system-sm3", action="store_true", help="用系统（OpenSSL）的 SM3，快得多；没有时仍用自己的")
    options = parser.parse_args(arguments)
    if options.system_sm3 and not use_system():
        print("系统没有 SM3，或与本程序的不符；用自己的", file=sys.stderr)
    tell = Findings()
    try:
        checkpoint = check(options.folder, tell, options.fingerprint, read_held(options.held))
    except (OSError, UnicodeDecodeError, Unreadable) as reason:
        print(f"不能核对：{reason}", file=sys.stderr)
        return 2
    for kind, words in tell.list:
        print(f"{TITLES[kind]}（{kind}）：{words}")
    print(f"日志 {checkpoint.size} 项，区块 {checkpoint.height}：{'有不相符' if tell.list else '全部相符'}")
    return 1 if tell.list else 0


if __name__ == "__main__":
    sys.exit(main())
