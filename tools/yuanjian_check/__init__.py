"""Checks the evidence of 源鉴 without 源鉴: written from docs/proof-format.md alone, in the
standard library of Python alone."""
