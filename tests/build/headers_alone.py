#!/usr/bin/env python3
"""Every header compiles alone, without warnings, with nothing but the include paths.

usage: headers_alone.py COMPILER FLAGS...

What a header includes anyway (its closure, read from the #include lines) may come precompiled: the same text, parsed once.
"""
import concurrent.futures
import functools
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

compiler, *flags = sys.argv[1:]
flags = ["-std=c++20", *flags, "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]
include = pathlib.Path(__file__).resolve().parents[2] / "include"
headers = sorted(str(path.relative_to(include)) for path in include.glob("caramel/**/*.hpp"))
included = {header: re.findall(r"^ *#include <(caramel/[^>]+)>", (include / header).read_text(), re.M) for header in headers}


@functools.cache
def closure(header):
    return frozenset({header}).union(*(closure(other) for other in included[header]))


# Sets of headers, each in the closure of many others; the later in the list, the more they save.
shared = [
    ["caramel/pipeline.hpp"],
    ["caramel/core/matrix.hpp"],
    ["caramel/core/matrix.hpp", "caramel/pipeline.hpp"],
    ["caramel/core/matrix.hpp", "caramel/core/tensor.hpp", "caramel/pipeline.hpp"],
    ["caramel/data/interactions.hpp"],
    ["caramel/data/interactions.hpp", "caramel/recommend/query.hpp", "caramel/pipeline.hpp"],
    ["caramel/core/matrix.hpp", "caramel/data/table.hpp", "caramel/pipeline.hpp"],
]


def compile_text(name, text, options):
    path = os.path.join(work, name)
    with open(path, "w") as file:
        file.write(text)
    return subprocess.run([compiler, *flags, *options, path], capture_output=True, text=True)


def precompile(number):
    name = f"shared_{number}.hpp"
    text = "".join(f"#include <{header}>\n" for header in shared[number])
    done = compile_text(name, text, ["-x", "c++-header", "-o", os.path.join(work, name + ".gch")])
    if done.returncode != 0:
        sys.exit(f"FAILED: {shared[number]}\n{done.stderr}")


def beside(header):
    """The last of the shared sets that the header includes anyway; None if there is none."""
    return max((n for n, others in enumerate(shared) if all(other in closure(header) and other != header for other in others)), default=None)


def chains():
    """Headers in as few rows as possible, in each of which a header includes the one before it: that one is no help to it, so a row may
    be compiled as one file. (Kuhn's matching: who comes after whom.)"""
    before = {}

    def follow(first, tried):
        for then in headers:
            if first != then and then not in tried and first in closure(then) and beside(first) == beside(then):
                tried.add(then)
                if then not in before or follow(before[then], tried):
                    before[then] = first
                    return True
        return False

    for header in headers:
        follow(header, set())
    after = {first: then for then, first in before.items()}
    for header in headers:
        if header not in before:
            row = [header]
            while row[-1] in after:
                row.append(after[row[-1]])
            yield row


def check(row):
    number = beside(row[0])
    first = [] if number is None else ["-include", os.path.join(work, f"shared_{number}.hpp")]
    text = "".join(f"#include <{header}>\n" for header in row)
    return row, compile_text(row[0].replace("/", "_") + ".cpp", text, ["-fsyntax-only", *first])


def is_there(header):
    """An adapter's C library may be missing on this machine."""
    foreign = re.findall(r"^#include <(\w+\.h)>", (include / header).read_text(), re.M) if "/adapters/" in header else []
    return not foreign or compile_text(header.replace("/", "_") + ".needs.cpp", "".join(f"#include <{name}>\n" for name in foreign), ["-fsyntax-only"]).returncode == 0


work = tempfile.mkdtemp()
try:
    missing = [header for header in headers if not is_there(header)]
    headers = [header for header in headers if header not in missing]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(precompile, range(len(shared))))
        rows = list(chains())
        failed = [(row, done.stderr) for row, done in pool.map(check, rows) if done.returncode != 0]
finally:
    shutil.rmtree(work)
for row, said in failed:
    print(f"FAILED: of {', '.join(row)} one does not compile alone\n{said}", file=sys.stderr)
for header in missing:
    print(f"{header} is left out: what it adapts is not on this machine")
if sum(map(len, rows)) != len(headers) or len({header for row in rows for header in row}) != len(headers):
    sys.exit("FAILED: the rows do not hold every header once")
print(f"{len(headers)} headers in {len(rows)} rows, {len(failed)} rows failed")
sys.exit(1 if failed else 0)
