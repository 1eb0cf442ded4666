#!/usr/bin/env python3
"""The README and its Chinese twin say the same: commands, names, figures and links agree, part by part.

usage: scripts/readme_twins.py [README.md README.zh-CN.md]     exit 1 and the differences where they do not agree

A part is what stands under a heading. Of each part the blocks of code must be the same text; the names in `code`, the targets of the
links and the figures (whatever is written with digits) must be the same as often as there; lists and tables must be as long.
"""
import collections, pathlib, re, sys

root = pathlib.Path(__file__).resolve().parent.parent
names = sys.argv[1:] or [str(root / "README.md"), str(root / "README.zh-CN.md")]
twins = {"README.md", "README.zh-CN.md"}  # each links the other


def parts(name):
    text = pathlib.Path(name).read_text(encoding="utf-8")
    blocks = re.findall(r"^```.*?^```$", text, re.M | re.S)
    for i, block in enumerate(blocks):
        text = text.replace(block, f"\x00{i}\x00", 1)
    found = []
    for part in re.split(r"^#+ .*$", text, flags=re.M)[1:]:
        own = [blocks[int(i)] for i in re.findall("\x00(\\d+)\x00", part)]
        part = re.sub("\x00\\d+\x00", "", part)
        links = [target for target in re.findall(r"\]\(([^)]+)\)", part) if target not in twins]
        part = re.sub(r"\]\([^)]+\)", "]", part)
        code = re.findall(r"`[^`]+`", part)
        part = re.sub(r"`[^`]+`", "", part)
        figures = re.findall(r"[0-9.,]*[0-9][0-9.,]*[0-9]|\.?[0-9]+", part)
        rows = len(re.findall(r"^\|", part, re.M)), len(re.findall(r"^- ", part, re.M))
        found.append({"blocks of code": own, "links": links, "names": code, "figures": figures, "rows and points": list(rows)})
    return found


ours, theirs = map(parts, names)
failed = len(ours) != len(theirs)
if failed:
    print(f"FAILED: {names[0]} has {len(ours)} parts, {names[1]} {len(theirs)}", file=sys.stderr)
for number, (a, b) in enumerate(zip(ours, theirs), 1):
    for what in a:
        ordered = what in ("blocks of code", "rows and points")
        x, y = (a[what], b[what]) if ordered else (collections.Counter(a[what]), collections.Counter(b[what]))
        if x != y:
            failed = True
            only = [list((x - y).elements()), list((y - x).elements())] if not ordered else [x, y]
            print(f"FAILED: part {number}, {what}: {names[0]} alone {only[0]}, {names[1]} alone {only[1]}", file=sys.stderr)
figures = sum(len(part["figures"]) for part in ours)
print(f"readme_twins: {len(ours)} parts, {figures} figures" + (", they differ" if failed else ", the same in both"))
sys.exit(failed)
