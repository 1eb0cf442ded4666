#!/usr/bin/env python3
"""Makes the single header: every header of include/, in the order in which they need each other, as one file.

usage: scripts/single_header.py FILE            writes FILE, say caramel_all.hpp
       scripts/single_header.py --shims DIR     writes DIR/caramel_all.hpp, and DIR/caramel/X.hpp for every header X, which includes
                                                it alone: what is compiled with -I DIR is compiled against the single header

The same headers give the same bytes. Include guards stay, so the single header may meet <caramel/...> of the same version in one
program. The readers of JSON (saving and loading) come last; they are left out where nlohmann-json's header is not to be found, or
where a program defines CARAMEL_NO_JSON to compile sooner. Adapters to other systems (caramel/adapters/) are not in it: who wants one has
that system's headers, and takes the folder include/.
"""
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parent.parent
include = root / "include"
own = re.compile(r"^ *# *include <(caramel/[^>]+)>")
foreign = re.compile(r"^ *# *include <([^>]+)>")
json_header = "nlohmann/json.hpp"


def read(header):
    return (include / header).read_text(encoding="utf-8").splitlines()


def body(header, seen):
    """The lines of a header without the includes of our own ones, and without those of others that stand above anyway. An include
    under an #if of its own stays where it is."""
    depth, lines = 0, []
    for line in read(header):
        directive = re.match(r"^ *# *(\w+)", line)
        word = directive.group(1) if directive else ""
        depth += word in ("if", "ifdef", "ifndef")
        depth -= word == "endif"
        if own.match(line):
            if depth != 1:
                sys.exit(f"single_header.py: {header} includes another header under a condition, which this script does not know how to keep")
            continue
        other = foreign.match(line)
        if other and depth == 1:
            if other.group(1) in seen:
                continue
            seen.add(other.group(1))
        # Blank lines that now stand together are one.
        if line or (lines and lines[-1]):
            lines.append(line)
    return lines


def ordered(headers):
    """Every header after those that it includes; else in the order given."""
    done, open_now = [], []

    def visit(header):
        if header in done:
            return
        if header in open_now:
            sys.exit("single_header.py: headers include each other: " + " -> ".join([*open_now, header]))
        open_now.append(header)
        for line in read(header):
            found = own.match(line)
            if found:
                visit(found.group(1))
        open_now.pop()
        done.append(header)

    for header in headers:
        visit(header)
    return done


def with_json(headers):
    """Those that read JSON, themselves or through others."""
    found = set()
    for header in headers:  # after what they include
        text = read(header)
        if any(line.startswith(f"#include <{json_header}>") for line in text) or any(m.group(1) in found for m in map(own.match, text) if m):
            found.add(header)
    return found


def names():
    return sorted(str(path.relative_to(include)) for path in include.glob("caramel/**/*.hpp"))


def is_adapter(header):
    return header.startswith("caramel/adapters/")


def single_header():
    everything = ordered(["caramel/caramel.hpp", *(header for header in names() if not is_adapter(header))])
    json = with_json(everything)
    version = re.search(r'#define CARAMEL_VERSION_STRING "(.*)"', "\n".join(read("caramel/version.hpp"))).group(1)
    licence = (root / "LICENSE").read_text(encoding="utf-8").splitlines()
    out = [f"// caramel {version} as a single header: made by scripts/single_header.py from the headers of include/, not to be edited.",
           "// Needs the headers of Eigen 3.4 and xtensor 0.24 or newer and, for save and load, of nlohmann-json 3.10 or newer:",
           "//     g++ -std=c++20 -O2 -I . -isystem /usr/include/eigen3 program.cpp",
           "// Without nlohmann-json, or with CARAMEL_NO_JSON defined, everything but the readers of JSON is here.",
           "//",
           *[f"// {line}".rstrip() for line in licence],
           "",
           "#ifndef CARAMEL_ALL_HPP",
           "#define CARAMEL_ALL_HPP"]
    seen = set()

    def add(header):
        out.extend(["", f"// ======== {header}", ""])
        out.extend(body(header, seen))

    for header in everything:
        if header not in json:
            add(header)
    out.extend(["", f"#if !defined(CARAMEL_NO_JSON) && __has_include(<{json_header}>)"])
    for header in everything:
        if header in json:
            add(header)
    out.extend(["", "#endif  // JSON", "", "#endif"])
    return "\n".join(out) + "\n", everything


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "--shims":
        target = pathlib.Path(sys.argv[2])
        text, headers = single_header()
        for header in headers:
            path = target / header
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("#include <caramel_all.hpp>\n", encoding="utf-8")
        for header in filter(is_adapter, names()):  # as they are: what they include is there
            path = target / header
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text((include / header).read_text(encoding="utf-8"), encoding="utf-8")
        (target / "caramel_all.hpp").write_text(text, encoding="utf-8")
    elif len(sys.argv) == 2 and not sys.argv[1].startswith("-"):
        pathlib.Path(sys.argv[1]).write_text(single_header()[0], encoding="utf-8")
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
