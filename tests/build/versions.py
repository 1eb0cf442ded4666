#!/usr/bin/env python3
"""The version stands in include/caramel/version.hpp; wherever else it is said, it is the same. usage: versions.py [PROJECT]"""
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[2]
header = (root / "include/caramel/version.hpp").read_text()
version = ".".join(re.findall(r"#define CARAMEL_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", header))
minor = version.rsplit(".", 1)[0]

# file, what is said there (each place that matches has to say it), what it has to say
places = [
    ("include/caramel/version.hpp", r'CARAMEL_VERSION_STRING "(.*)"', version),
    ("CHANGELOG.md", r"\A(?:.*\n)*?## (\S+)", version),  # the newest
    ("debian/changelog", r"\Acaramel \((.*)-\d+\)", version),
    ("packaging/vcpkg/caramel/vcpkg.json", r'^  "version": "(.*)"', version),
    ("docs/sbom.json", r'"name": "caramel",\s*"version": "(.*)"', version),
    ("docs/install.md", r"caramel[-/_](\d+\.\d+\.\d+)", version),
    ("docs/install.md", r"libcaramel-dev_([\d.]+)-", version),
    ("docs/install.md", r"find_package\(caramel (\d[\d.]*)", minor),
    ("cmake/caramelConfig.cmake", r"find_package\(caramel (\d[\d.]*)", minor),
]
wrong = 0
for file, pattern, expected in places:
    found = re.findall(pattern, (root / file).read_text(encoding="utf-8"), re.M)
    for said in found or ["no version"]:
        if said != expected:
            wrong += 1
            print(f"{file}: {said}, where the header says {expected}", file=sys.stderr)
print(f"{version}: {len(places)} kinds of places, {wrong} wrong")
sys.exit(1 if wrong else 0)
