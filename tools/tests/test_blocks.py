"""The building blocks against published examples and against other programs."""

import hashlib
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from yuanjian_check import merkle, sm2
from yuanjian_check.sm3 import sm3
from yuanjian_check.wire import Unreadable, canonical, read_json


class Sm3(unittest.TestCase):
    def test_both_examples_of_gbt_32905(self):
        self.assertEqual(sm3(b"abc").hex(), "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0")
        long = "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"
        self.assertEqual(sm3(b"abcd" * 16).hex(), long)

    def test_every_length_agrees_with_the_system(self):
        if "sm3" not in hashlib.algorithms_available:
            self.skipTest("hashlib 没有 SM3")
        for length in range(0, 200):
            message = bytes(range(256))[:length]
            self.assertEqual(sm3(message), hashlib.new("sm3", message).digest(), length)


class Sm2(unittest.TestCase):
    KEY = bytes.fromhex(
        "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
        "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
    )
    SIGNATURE = bytes.fromhex(
        "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"
        "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa"
    )

    def test_the_example_of_gbt_32918_5(self):
        self.assertTrue(sm2.verify(self.KEY, b"message digest", self.SIGNATURE))
        self.assertFalse(sm2.verify(self.KEY, b"message digesT", self.SIGNATURE))
        for at in range(64):
            changed = bytearray(self.SIGNATURE)
            changed[at] ^= 1
            self.assertFalse(sm2.verify(self.KEY, b"message digest", bytes(changed)), at)

    def test_impossible_keys_and_signatures_are_refused(self):
        self.assertIsNone(sm2.public_key(bytes([4] * 65)))
        self.assertIsNone(sm2.public_key(b"\x02" + self.KEY[1:33]))
        beyond = b"\x04" + (sm2.P + 1).to_bytes(33, "big")[-32:] + self.KEY[33:]
        self.assertIsNone(sm2.public_key(beyond))
        order = sm2.N.to_bytes(32, "big")
        for signature in (bytes(64), order + order, self.SIGNATURE[:32] + bytes(32), self.SIGNATURE[:63]):
            self.assertFalse(sm2.verify(self.KEY, b"message digest", signature))

    def test_what_openssl_signs_verifies(self):
        if not shutil.which("openssl"):
            self.skipTest("没有 openssl")
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)

            def openssl(*arguments):
                return subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True).stdout

            openssl("genpkey", "-algorithm", "SM2", "-out", "key.pem")
            spki = openssl("pkey", "-in", "key.pem", "-pubout", "-outform", "DER")
            for number in range(4):
                message = b"m" * (50 * number)
                (folder / "message").write_bytes(message)
                sign = "pkeyutl -sign -inkey key.pem -rawin -digest sm3 -pkeyopt distid:1234567812345678 -in message"
                signature = _plain(openssl(*sign.split()))
                self.assertTrue(sm2.verify(spki[-65:], message, signature))
                self.assertFalse(sm2.verify(spki[-65:], message + b"x", signature))


def _plain(der):
    """`r ‖ s` of a DER signature."""
    numbers, at = [], 2
    for _ in range(2):
        length = der[at + 1]
        numbers.append(int.from_bytes(der[at + 2:at + 2 + length], "big").to_bytes(32, "big"))
        at += 2 + length
    return b"".join(numbers)


class Json(unittest.TestCase):
    def test_numbers_of_rfc_8785(self):
        examples = {
            0.0: "0", -0.0: "0", 5e-324: "5e-324", 1.7976931348623157e308: "1.7976931348623157e+308",
            9007199254740992.0: "9007199254740992", 295147905179352830000.0: "295147905179352830000",
            9.999999999999997e22: "9.999999999999997e+22", 1e23: "1e+23", 1e21: "1e+21", 999999999999999700000.0:
            "999999999999999700000", 333333333.3333332: "333333333.3333332", 1e-7: "1e-7", 0.000001: "0.000001",
            1424953923781206.25: "1424953923781206.2", -10.25: "-10.25", 100.0: "100",
        }
        for number, written in examples.items():
            self.assertEqual(canonical(number).decode(), written)

    def test_order_and_escapes_of_rfc_8785(self):
        value = {"\u20ac": "e", "\r": "r", "\ufb33": 1, "\U0001f600": 2, "a": [56, {"d": True, "b": None}]}
        written = '{"\\r":"r","a":[56,{"b":null,"d":true}],"\u20ac":"e","\U0001f600":2,"\ufb33":1}'
        self.assertEqual(canonical(value).decode(), written)
        self.assertEqual(canonical("\x0f\x7f\"\\\b\t/").decode(), '"\\u000f\x7f\\"\\\\\\b\\t/"')

    def test_one_value_has_one_form(self):
        self.assertEqual(read_json(b'{"a":1}'), {"a": 1})
        for raw in (b'{"a": 1}', b'{"a":1,"a":1}', b'{"b":1,"a":1}', b'{"a":1.0}', b'"\\u0041"', b'{"a":1}\n'):
            with self.assertRaises(Unreadable):
                read_json(raw)

    def test_nesting_has_a_limit(self):
        self.assertEqual(len(str(read_json(b"[" * 127 + b"]" * 127))), 254)
        self.assertEqual(read_json(b'["' + b"[" * 500 + b'\\\\"]'), ["[" * 500 + "\\"])
        with self.assertRaises(Unreadable):
            read_json(b"[" * 128 + b"]" * 128)


class Trees(unittest.TestCase):
    def by_definition(self, leaves):
        """RFC 6962 §2.1, word for word."""
        if not leaves:
            return sm3(b"")
        if len(leaves) == 1:
            return leaves[0]
        middle = 1 << (len(leaves) - 1).bit_length() - 1
        return merkle.node(self.by_definition(leaves[:middle]), self.by_definition(leaves[middle:]))

    def inclusion(self, leaves, index):
        if len(leaves) == 1:
            return []
        middle = 1 << (len(leaves) - 1).bit_length() - 1
        left, right = leaves[:middle], leaves[middle:]
        if index < middle:
            return self.inclusion(left, index) + [self.by_definition(right)]
        return self.inclusion(right, index - middle) + [self.by_definition(left)]

    def consistency(self, old, leaves, whole=True):
        """RFC 6962 §2.1.2, word for word."""
        if old == len(leaves):
            return [] if whole else [self.by_definition(leaves)]
        middle = 1 << (len(leaves) - 1).bit_length() - 1
        left, right = leaves[:middle], leaves[middle:]
        if old <= middle:
            return self.consistency(old, left, whole) + [self.by_definition(right)]
        return self.consistency(old - middle, right, False) + [self.by_definition(left)]

    def test_every_small_tree(self):
        leaves = [merkle.leaf(bytes([number])) for number in range(24)]
        for size in range(1, len(leaves) + 1):
            some = leaves[:size]
            root = merkle.root(some)
            self.assertEqual(root, self.by_definition(some))
            for index in range(size):
                path = self.inclusion(some, index)
                self.assertEqual(merkle.root_from_path(some[index], index, size, path), root)
                self.assertIsNone(merkle.root_from_path(some[index], index, size, path + [root]))
            for old in range(1, size + 1):
                path = self.consistency(old, some)
                before = merkle.root(some[:old])
                self.assertTrue(merkle.is_consistent((old, before), (size, root), path))
                self.assertFalse(merkle.is_consistent((old, root), (size, before), path) and old != size)
                self.assertFalse(merkle.is_consistent((old, sm3(b"x")), (size, root), path))
                self.assertFalse(merkle.is_consistent((old, before), (size, root), path + [root]))


if __name__ == "__main__":
    unittest.main()
