"""Negative controls: an export that is sound is called sound, and one that is damaged in any way
is not, for the right reason."""

import json
import tempfile
import unittest
from copy import deepcopy
from pathlib import Path

import check_platform
from tests.chain import FARM, FARMER, ORG, PLATFORM, WITNESS, Made, Signer, key_entry
from yuanjian_check import chain, merkle, note
from yuanjian_check.export import Export, seal
from yuanjian_check.platform import Findings, check
from yuanjian_check.wire import canonical, u32

SOUND = Made()


def judged(made, acknowledged=(), held=(), fingerprint=None, spoil=None):
    with tempfile.TemporaryDirectory() as folder:
        made.write(folder)
        if spoil:
            spoil(Path(folder))
        tell = Findings()
        check(Export(folder, tell), tell, None, acknowledged, fingerprint, held)
        return tell


def rebuilt(change):
    """A chain made anew from its records after `change`, with sound signatures throughout: what a
    platform that cheats would show."""
    made = Made.__new__(Made)
    Made.block, original = change, Made.block
    try:
        made.__init__()
    finally:
        Made.block = original
    return made


class Sound(unittest.TestCase):
    def test_a_sound_export_has_no_findings(self):
        held = [note.Note(SOUND.note(header)).checkpoint for header in SOUND.headers]
        records = [place["record"] for place in SOUND.places]
        tell = judged(SOUND, records, held, SOUND.chain.hex())
        self.assertEqual(tell.list, [])

    def test_the_program_says_so(self):
        with tempfile.TemporaryDirectory() as folder:
            SOUND.write(folder)
            self.assertEqual(check_platform.main(["--export", folder]), 0)
            self.assertEqual(check_platform.main(["--export", folder, "--fingerprint", "0" * 64]), 1)
            (Path(folder) / "manifest.json").unlink()
            self.assertEqual(check_platform.main(["--export", folder]), 2)


def flip(hexadecimal, at):
    raw = bytearray.fromhex(hexadecimal)
    raw[at] ^= 1
    return raw.hex()


class Damaged(unittest.TestCase):
    """Each takes a sound export, damages it in one way, and must be told the kind of damage."""

    def told(self, kind, change, **more):
        made = deepcopy(SOUND)
        change(made)
        tell = judged(made, **more)
        self.assertIn(kind, tell.kinds(), tell.list)
        return tell

    def test_every_byte_of_a_header_matters(self):
        for at in range(0, chain.HEADER_LENGTH, 5):
            def change(made):
                made.blocks[1]["header"] = flip(made.blocks[1]["header"], at)

            made = deepcopy(SOUND)
            change(made)
            self.assertTrue(judged(made).list, at)

    def test_a_block_is_missing_or_moved(self):
        self.told("block", lambda made: made.blocks.pop(1))
        self.told("block", lambda made: made.blocks.insert(1, made.blocks.pop(2)))
        self.told("block", lambda made: made.blocks.append(made.blocks[-1]))

    def test_a_certificate_by_another_or_by_nobody(self):
        def nobody(made):
            made.blocks[2]["certificate"] = (u32(0) + bytes(2)).hex()

        def another(made):
            made.blocks[2]["certificate"] = flip(made.blocks[2]["certificate"], 80)

        self.told("certificate", nobody)
        self.told("certificate", another)

    def test_time_goes_backwards(self):
        def block(made, height, batches, original=Made.block):
            original(made, height, batches)
            if height == 3:
                made.blocks.pop()
                made.headers.pop()
                made.prev = made.headers[-1].block_id
                first = made.headers[-1].tree_size
                leaves = [merkle.leaf(bytes.fromhex(one["submission"])) for one in made.submissions[first:]]
                made.header(height, first, leaves, time_ms=1_001)

        self.assertEqual(judged(rebuilt(block)).kinds(), {"time"})

    def test_a_submission_is_missing_changed_or_doubled(self):
        self.told("submission", lambda made: made.submissions.pop())
        self.told("tree", lambda made: made.submissions.pop(1))
        self.told("submission", lambda made: made.submissions.append(made.submissions[-1]))

        def change(made):
            made.submissions[3]["submission"] = flip(made.submissions[3]["submission"], -70)

        self.assertTrue({"tree", "body", "submission"} & self.told("tree", change).kinds())

    def test_a_submission_without_its_number_or_signature(self):
        def resigned(alter):
            def block(made, height, batches, original=Made.block):
                if height == 3:
                    alter(made, batches)
                original(made, height, batches)
            return judged(rebuilt(block)).kinds()

        def skip(made, batches):
            made.seq[ORG] += 1

        def again(made, batches):
            made.seq[ORG] -= 1

        def stranger(made, batches):
            batches[0] = (ORG, Signer("stranger"), *batches[0][2:])

        def unregistered(made, batches):
            batches[1] = (FARM, FARMER, "k9", *batches[1][3:])

        def too_late(made, batches):
            made.keys.append((3, key_entry(FARM, "k1", FARMER.key, chain.ENTERPRISE, 2, 3)))

        def posing(made, batches):
            batches[1] = (FARM, PLATFORM, "platform-1", chain.ENTERPRISE, 2)

        self.assertEqual(resigned(skip), {"sequence"})
        self.assertEqual(resigned(again), {"sequence"})
        self.assertEqual(resigned(stranger), {"signature"})
        for alter in (unregistered, too_late, posing):
            self.assertEqual(resigned(alter), {"signature"}, alter.__name__)

    def test_the_key_register_is_not_the_one_of_the_headers(self):
        self.told("registry", lambda made: made.keys.pop())
        self.told("registry", lambda made: made.keys.append((9, made.keys[0][1])))

        def another(made):
            made.keys[0] = (1, key_entry("platform", "platform-1", WITNESS.key, chain.PLATFORM, 1))

        self.assertIn("signature", self.told("registry", another).kinds())

    def test_leaves_and_places(self):
        def leaf(made):
            made.submissions[0]["leaves"][1] = made.submissions[0]["leaves"][0]

        self.told("submission", leaf)
        self.told("place", lambda made: made.places.pop())
        self.told("doubled", lambda made: made.places.append(dict(made.places[0])))
        self.told("place", lambda made: made.places[0].update(log=99))
        self.told("place", lambda made: made.places[0].update(height=3))

        def swapped(made):
            left, right = made.places[0]["record"], made.places[1]["record"]
            made.places[0]["record"], made.places[1]["record"] = right, left

        self.told("envelope", swapped)

    def test_envelopes(self):
        def text_of(made):
            made.entries[2]["envelope"] = made.entries[2]["envelope"].replace("12.5", "13.5")

        def salt(made):
            made.entries[2]["salt"] = flip(made.entries[2]["salt"], 3)

        def spaced(made):
            made.entries[2]["envelope"] = made.entries[2]["envelope"].replace(":", ": ", 1)

        for change in (text_of, salt, spaced, lambda made: made.entries[2].update(org=FARM)):
            self.told("envelope", change)

    def test_an_erasure_needs_a_tombstone(self):
        made = deepcopy(SOUND)
        made.entries[2].update(envelope="", salt="")
        self.assertEqual(judged(made).kinds(), {"lost"})
        stone = {
            "v": 1, "type": "tombstone", "id": "stone", "org": "platform", "time": "2026-11-01T00:00:00Z",
            "body": {"record": made.entries[2]["record"], "kind": "trace_event", "ground": "other"},
        }
        line = {"id": 99, "record": "stone", "org": "platform", "envelope": canonical(stone).decode(), "salt": "00" * 16}
        made.entries.append({**line, "state": "pending", "height": None})
        self.assertEqual(judged(made).list, [])

    def test_rows_lost_forged_or_doubled(self):
        self.told("lost", lambda made: made.entries.pop(1))
        self.told("lost", lambda made: made.events.pop(1))
        self.told("doubled", lambda made: made.entries.append(dict(made.entries[1])))
        self.told("doubled", lambda made: made.events.append(dict(made.events[1])))
        self.told("forged", lambda made: made.events.append({**made.events[1], "uid": "invented"}))

        def forged(made):
            made.entries[-1].update(state="confirmed", height=2)

        self.told("forged", forged)
        self.told("state", lambda made: made.entries[0].update(height=2))
        self.told("state", lambda made: made.entries[-1].update(height=2))
        self.told("state", lambda made: made.events[0].update(state="held"))
        # What is empty was erased; without a tombstone it was not.
        self.told("lost", lambda made: made.entries[0].update(envelope="", salt=""))

    def test_every_anchored_column(self):
        changes = {
            "domain": "drug", "kind": "sow", "stage": "02", "subject_code": FARM, "lot": "other", "region": "610526",
            "event_time": 1, "event_offset": 0, "recorded_at": 1, "source": "import", "correction_of": "r1",
            "subject_id": "s-other", "product_id": "p1", "counterparty_id": "s-other", "pack_version": "9.9.9",
            "links": [], "body": json.dumps({"outputs": [], "attributes": {"plot": "示例地块"}}),
        }
        for name, value in changes.items():
            tell = self.told("columns", lambda made: made.events[4].update({name: value}))
            self.assertEqual(tell.kinds(), {"columns"}, name)

        def quantity(made):
            made.events[4]["links"][0]["quantity"] += 1

        self.told("columns", quantity)
        self.told("columns", lambda made: made.events[4].update(body="{"))

    def test_what_is_corrected_gives_up_its_links_and_nothing_else(self):
        made = deepcopy(SOUND)
        made.events[4].update(state="superseded", links=[])
        self.assertEqual(judged(made).list, [])
        made.events[4]["lot"] = "other"
        self.assertEqual(judged(made).kinds(), {"columns"})

    def test_what_was_acknowledged(self):
        first = SOUND.places[0]["record"]
        self.assertEqual(judged(SOUND, ["never"]).kinds(), {"lost"})
        self.assertEqual(judged(SOUND, ["waiting"]).kinds(), {"lost"})
        self.assertEqual(judged(SOUND, [first, first]).kinds(), {"doubled"})

    def test_an_older_or_another_history(self):
        held = [note.Note(SOUND.note(SOUND.headers[-1])).checkpoint]

        def older(made):
            last = made.headers.pop()
            made.blocks.pop()
            first = made.headers[-1].tree_size
            del made.submissions[first:]
            made.places = [place for place in made.places if place["height"] < last.height]
            gone = {line["record"] for line in made.entries if line["height"] == last.height}
            made.entries = [line for line in made.entries if line["record"] not in gone]
            made.events = [row for row in made.events if row["uid"] not in gone]
            made.tree = merkle.Tree()
            for one in made.submissions:
                made.tree.append(merkle.leaf(bytes.fromhex(one["submission"])))

        made = deepcopy(SOUND)
        older(made)
        self.assertEqual(judged(made).list, [], "consistent with itself")
        self.assertEqual(judged(made, held=held).kinds(), {"rollback"})

        def block(made, height, batches, original=Made.block):
            if height == 2:
                batches.pop()
            original(made, height, batches)

        self.assertIn("rollback", judged(rebuilt(block), held=held).kinds())

    def test_checkpoints_witnesses_and_anchors(self):
        older = SOUND.note(SOUND.headers[0])

        def checkpoint(written):
            def spoil(folder):
                (folder / "checkpoint.txt").write_text(written, encoding="utf-8")
                manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
                seal(folder, manifest)
            return judged(SOUND, spoil=spoil).kinds()

        good = SOUND.note(SOUND.headers[-1])
        self.assertEqual(checkpoint(good), set())
        self.assertEqual(checkpoint(older), {"checkpoint"})
        self.assertEqual(checkpoint(good.replace("\n\n", "\n")), {"checkpoint"})
        body, signed = good.split("\n\n")
        self.assertEqual(checkpoint(body + "\n\n" + older.split("\n\n")[1]), {"checkpoint"})

        class Lying(Made):
            def witnessed(self, header):
                return {**super().witnessed(header), **self.lie}

        for lie in ({"note": good}, {"keys": []}, {"note": "x"}, {"keys": SOUND.witnessed(SOUND.headers[1])["keys"][:1] * 2}):
            made = deepcopy(SOUND)
            made.__class__, made.lie = Lying, lie
            self.assertEqual(judged(made).kinds(), {"witness"}, lie)
        for at in (12, 50, 120, -40):
            def change(made):
                made.statement = bytes.fromhex(flip(made.statement.hex(), at))

            self.assertEqual(self.told("anchor", change).kinds(), {"anchor"}, at)

    def test_files_that_are_not_those_of_the_manifest(self):
        def shorter(folder):
            path = folder / "events.jsonl"
            path.write_bytes(path.read_bytes()[:-1])

        def written_otherwise(folder):
            path = folder / "places.jsonl"
            path.write_bytes(path.read_bytes().replace(b":", b": ", 1))

        def gone(folder):
            (folder / "keys.jsonl").unlink()

        def more(folder):
            (folder / "more.txt").write_text("x")

        for spoil in (shorter, written_otherwise, gone, more):
            self.assertIn("export", judged(SOUND, spoil=spoil).kinds(), spoil.__name__)

    def test_another_chain(self):
        self.assertEqual(judged(SOUND, fingerprint="0" * 64).kinds(), {"genesis"})


if __name__ == "__main__":
    unittest.main()
