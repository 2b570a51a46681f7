#!/usr/bin/env python3
"""Runs the tests of the checker and prints their count for `cargo xtask test`."""

import sys
import unittest
from pathlib import Path

if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    sys.path.insert(0, str(here))
    suite = unittest.defaultTestLoader.discover(str(here / "tests"), top_level_dir=str(here))
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, buffer=True).run(suite)
    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    print(f"yuanjian-count {result.testsRun - failed - len(result.skipped)} passed {failed} failed")
    sys.exit(0 if failed == 0 and result.testsRun > 0 else 1)
