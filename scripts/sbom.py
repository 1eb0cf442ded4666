#!/usr/bin/env python3
"""What caramel is made of and needs, as CycloneDX 1.4: docs/sbom.json. Versions are those of CI's Debian packages.

usage: scripts/sbom.py           writes docs/sbom.json
       scripts/sbom.py --check   says whether it is what would be written
"""
import json
import pathlib
import re
import subprocess
import sys

root = pathlib.Path(__file__).resolve().parent.parent
version = ".".join(re.findall(r"#define CARAMEL_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", (root / "include/caramel/version.hpp").read_text()))

# name, version tested with, licence, Debian package, scope, what for
parts = [
    ("eigen", "3.4.0", "MPL-2.0", "libeigen3-dev", "required", "matrices"),
    ("xtensor", "0.24.3", "BSD-3-Clause", "libxtensor-dev", "required", "tensors"),
    ("xtl", "0.7.2", "BSD-3-Clause", "xtl-dev", "required", "needed by xtensor"),
    ("nlohmann-json", "3.11.2", "MIT", "nlohmann-json3-dev", "optional", "saving and loading"),
    ("sqlite", "3.40.1", "blessing", "libsqlite3-dev", "optional", "the adapter adapters/sqlite.hpp"),
    ("cpp-httplib", "0.11.4", "MIT", "libcpp-httplib-dev", "excluded", "the example examples/hosts/service"),
    ("catch2", "2.13.10", "BSL-1.0", "catch2", "excluded", "tests"),
    ("google-benchmark", "1.7.1", "Apache-2.0", "libbenchmark-dev", "excluded", "benchmarks"),
    ("cli11", "2.1.2", "BSD-3-Clause", "libcli11-dev", "excluded", "examples and tools"),
]


def installed(package):
    """The upstream version of a Debian package, if it is installed here."""
    asked = subprocess.run(["dpkg-query", "-W", "-f=${Version}", package], capture_output=True, text=True, check=False) if pathlib.Path("/usr/bin/dpkg-query").exists() else None
    return re.match(r"(?:\d+:)?([\d.]+)", asked.stdout).group(1).rstrip(".") if asked and asked.returncode == 0 and asked.stdout else None


def document():
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.4",
        "version": 1,
        "metadata": {"component": {"type": "library", "bom-ref": "caramel", "name": "caramel", "version": version}},
        "components": [
            {"type": "library", "bom-ref": name, "name": name, "version": tested, "scope": scope, "description": purpose,
             "licenses": [{"license": {"id": licence}}], "purl": f"pkg:deb/debian/{package}@{tested}"}
            for name, tested, licence, package, scope, purpose in parts
        ],
        "dependencies": [
            {"ref": "caramel", "dependsOn": [name for name, _, _, _, scope, _ in parts if scope != "excluded" and name != "xtl"]},
            {"ref": "xtensor", "dependsOn": ["xtl"]},
        ],
    }


def main():
    text = json.dumps(document(), indent=1) + "\n"
    path = root / "docs/sbom.json"
    if "--check" not in sys.argv[1:]:
        path.write_text(text)
        return 0
    for name, tested, _, package, _, _ in parts:
        here = installed(package)
        if here and here != tested:
            print(f"sbom: {name} is {here} on this machine, {tested} in the list")
    if not path.exists() or path.read_text() != text:
        print("sbom: docs/sbom.json is not what scripts/sbom.py writes", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
