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


def check(header):
    beside = [n for n, others in enumerate(shared) if all(other in closure(header) and other != header for other in others)]
    first = ["-include", os.path.join(work, f"shared_{beside[-1]}.hpp")] if beside else []
    return header, compile_text(header.replace("/", "_") + ".cpp", f"#include <{header}>\n", ["-fsyntax-only", *first])


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
        failed = [(header, done.stderr) for header, done in pool.map(check, headers) if done.returncode != 0]
finally:
    shutil.rmtree(work)
for header, said in failed:
    print(f"FAILED: {header} does not compile alone\n{said}", file=sys.stderr)
for header in missing:
    print(f"{header} is left out: what it adapts is not on this machine")
print(f"{len(headers) - len(failed)} of {len(headers)} headers compile alone")
sys.exit(1 if failed else 0)
