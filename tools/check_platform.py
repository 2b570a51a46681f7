#!/usr/bin/env python3
"""核对整个平台的存证：日志、证书、存证原文与数据列是否一致，应答过的是否都在。

先停止平台，执行 `yuanjian ledger export 目录 --config yuanjian.toml`，再核对。只用 Python 标准库，
与平台的程序无关；格式见 docs/proof-format.md。

退出码：0 一致，1 有发现，2 不能核对。"""

import argparse
import sys
from pathlib import Path

from yuanjian_check.export import Export, Sqlite
from yuanjian_check.note import Note
from yuanjian_check.platform import TITLES, Findings, check
from yuanjian_check.sm3 import use_system
from yuanjian_check.wire import Unreadable


def main(arguments=None):
    parser = argparse.ArgumentParser(description="核对整个平台的存证")
    parser.add_argument("--export", required=True, metavar="目录", help="yuanjian ledger export 写出的目录")
    parser.add_argument("--database", metavar="sqlite:文件", help="直接从 SQLite 数据库读数据列，不用导出的")
    parser.add_argument("--acknowledged", metavar="文件", help="向客户应答过的记录编号，一行一个")
    parser.add_argument("--fingerprint", help="所信任的链指纹")
    parser.add_argument("--held", action="append", default=[], metavar="文件", help="从前取得的检查点，可重复")
    parser.add_argument("--system-sm3", action="store_true", help="用系统（OpenSSL）的 SM3，快得多；没有时仍用自己的")
    options = parser.parse_args(arguments)
    if options.system_sm3 and not use_system():
        print("系统没有 SM3，或与本程序的不符；用自己的", file=sys.stderr)
    tell = Findings()
    try:
        held = [Note(Path(name).read_text(encoding="utf-8")).checkpoint for name in options.held]
        database = None
        if options.database:
            if not options.database.startswith("sqlite:"):
                parser.error("--database 应为 sqlite:文件；其他数据库的数据列由导出提供")
            database = Sqlite(options.database.removeprefix("sqlite:"))
        records = ()
        if options.acknowledged:
            records = Path(options.acknowledged).read_text(encoding="utf-8").split()
        report = check(Export(options.export, tell), tell, database, records, options.fingerprint, held)
    except (OSError, ValueError, KeyError, Unreadable) as reason:
        print(f"不能核对：{reason!r}", file=sys.stderr)
        return 2
    for kind, words in tell.list:
        print(f"{TITLES[kind]}（{kind}）：{words}")
    for kind, count in tell.count.items():
        if count > tell.KEPT:
            print(f"{TITLES[kind]}（{kind}）：共 {count} 处，以上只列 {tell.KEPT} 处")
    log, rows = report.log, report.rows
    print(
        f"链 {log.genesis.name}，{len(log.headers)} 个区块，{log.tree.size} 项提交，{log.records} 条记录，"
        f"{rows.entries} 份存证原文，{len(records)} 条应答：{'全部一致' if report.well else '有不一致'}"
    )
    return 0 if report.well else 1


if __name__ == "__main__":
    sys.exit(main())
