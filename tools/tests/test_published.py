"""A published log that is sound is called sound, and every byte of it matters."""

import base64
import tempfile
import unittest
from pathlib import Path

import check_published
from tests.chain import SIGNERS, Made
from yuanjian_check import merkle, note
from yuanjian_check.platform import Findings
from yuanjian_check.published import check, tile_path

MADE = Made()


class Published:
    """A log of so many leaves, published."""

    def __init__(self, size):
        self.levels = [[merkle.leaf(number.to_bytes(4, "big")) for number in range(size)]]
        while len(self.levels[-1]) >= 256:
            below = self.levels[-1]
            self.levels.append([merkle.root(below[at:at + 256]) for at in range(0, len(below) // 256 * 256, 256)])
        self.size = size

    def note(self):
        root = base64.b64encode(merkle.root(self.levels[0])).decode()
        origin = note.origin_of(MADE.chain)
        body = f"{origin}\n{self.size}\n{root}\nblock 7 {'ab' * 32}\n"
        validator = SIGNERS["validator"]
        return body + "\n" + MADE.line(origin, note.LOG, validator.key, validator, body)

    def write(self, folder):
        folder = Path(folder) / "ledger"
        for level, nodes in enumerate(self.levels):
            for index in range(0, len(nodes), 256):
                part = nodes[index:index + 256]
                path = folder / "tile" / tile_path(level, index // 256, len(part))
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(b"".join(part))
        (folder / "genesis").write_bytes(MADE.genesis)
        (folder / "checkpoint").write_text(self.note(), encoding="utf-8")


def judged(size, spoil=lambda folder: None, **more):
    with tempfile.TemporaryDirectory() as folder:
        Published(size).write(folder)
        spoil(Path(folder) / "ledger")
        tell = Findings()
        check(folder, tell, **more)
        return tell.kinds()


class Folders(unittest.TestCase):
    def test_names_of_tiles(self):
        names = [tile_path(0, 0, 5), tile_path(1, 7, 256), tile_path(0, 1234067, 256), tile_path(2, 999, 1)]
        self.assertEqual(names, ["0/000.p/5", "1/007", "0/x001/x234/067", "2/999.p/1"])

    def test_sound_logs(self):
        for size in (1, 255, 256, 300, 513):
            older = note.Note(Published(size // 2 + 1).note()).checkpoint
            self.assertEqual(judged(size, held=[older], fingerprint=MADE.chain.hex()), set(), size)

    def test_damage_and_older_states(self):
        def flipped(name, at):
            def spoil(folder):
                raw = bytearray((folder / name).read_bytes())
                raw[at] ^= 1
                (folder / name).write_bytes(bytes(raw))
            return spoil

        for name in ("tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1"):
            for at in (0, 31, -1):
                self.assertEqual(judged(300, flipped(name, at)), {"tile"}, (name, at))
            self.assertEqual(judged(300, lambda folder: (folder / name).unlink()), {"tile"}, name)
            shorter = lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:-32])
            self.assertEqual(judged(300, shorter), {"tile"}, name)
        self.assertIn("checkpoint", judged(300, flipped("genesis", 18)))
        newer = note.Note(Published(301).note()).checkpoint
        self.assertEqual(judged(300, held=[newer]), {"rollback"})
        another = note.Note(Published(10).note()).checkpoint
        another.root = bytes(32)
        self.assertEqual(judged(300, held=[another]), {"rollback"})

    def test_the_program(self):
        with tempfile.TemporaryDirectory() as folder:
            Published(3).write(folder)
            self.assertEqual(check_published.main([folder]), 0)
            self.assertEqual(check_published.main([folder, "--fingerprint", "0" * 64]), 1)
            (Path(folder) / "ledger" / "checkpoint").unlink()
            self.assertEqual(check_published.main([folder]), 2)


if __name__ == "__main__":
    unittest.main()
