"""The same verdicts as the platform's own verifier, on the same files."""

import json
import os
import unittest
from pathlib import Path

from yuanjian_check.note import NoteKey
from yuanjian_check.proof import STEPS, verify
from yuanjian_check.sm3 import sm3

VECTORS = Path(__file__).resolve().parents[2] / "crates" / "proof" / "vectors"


def vectors(name):
    return json.loads((VECTORS / name).read_text(encoding="utf-8"))


class Proofs(unittest.TestCase):
    def test_every_vector_is_judged_alike(self):
        proofs = vectors("proofs.json")
        self.assertGreater(len(proofs), 50)
        for proof in proofs:
            with self.subTest(proof["name"]):
                witnesses = [NoteKey(key) for key in proof.get("witnesses", [])]
                verdict = verify(proof["bundle"].encode(), proof["fingerprint"], witnesses)
                self.assertEqual(verdict.failed, proof["failed"], verdict.conclusion)
                if proof["failed"] is None:
                    self.assertEqual([step for step, _, _ in verdict.steps], list(STEPS))
                    self.assertIn("存证以来未被改动", verdict.conclusion)

    def test_garbage_is_refused_and_never_crashes(self):
        for raw in (b"", b"{}", b"[]", b"null", b"\xff", b'{"a":1e999}', b"[" * 100_000, b'"\\ud800"', b"NaN"):
            self.assertEqual(verify(raw).failed, "format", raw[:20])


def changes(byte):
    """What a byte is changed into: see crates/proof/tests/mutations.rs."""
    letter = chr(byte)
    if letter in "9f":
        kind = {"9": ord("0"), "f": ord("a")}[letter]
    elif letter in "012345678abcde":
        kind = byte + 1
    else:
        kind = byte ^ 0x20
    return byte ^ 1, byte ^ 0x80, (byte + 1) & 0xFF, kind


class Mutations(unittest.TestCase):
    """Of every 13th byte; with YJ_MUTATIONS=all of every byte, which takes a minute."""

    def test_no_change_of_a_byte_is_accepted_and_each_fails_at_the_same_step(self):
        proofs = {proof["name"]: proof for proof in vectors("proofs.json")}
        for told in vectors("mutations.json"):
            with self.subTest(told["name"]):
                every = 1 if os.environ.get("YJ_MUTATIONS") == "all" else told["sampled"]["every"]
                wanted = told if every == 1 else told["sampled"]
                found = self.digest(proofs[told["name"]], every)
                self.assertEqual(found, (wanted["count"], wanted["sm3"]))

    def digest(self, proof, every):
        raw, steps = proof["bundle"].encode(), []
        for at in range(0, len(raw), every):
            for other in changes(raw[at]):
                failed = verify(raw[:at] + bytes([other]) + raw[at + 1:], proof["fingerprint"]).failed
                self.assertIsNotNone(failed, f"byte {at} changed into {other} is not noticed")
                steps.append(failed + "\n")
        return len(steps), sm3("".join(steps).encode()).hex()


if __name__ == "__main__":
    unittest.main()
