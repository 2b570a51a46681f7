"""Checks the evidence of 源鉴 without 源鉴: by docs/proof-format.md, in the standard library of
Python alone, sharing no code with the platform."""
