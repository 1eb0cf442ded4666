#!/usr/bin/env python3
"""Compiles every ```cpp block of the documentation, so that no page shows code that does not work.

usage: scripts/snippets.py [--run] [--list] [FILE.md...] COMPILER FLAGS...
       scripts/snippets.py g++ -I include -isystem /usr/include/eigen3

Without files: README.md, README.zh-CN.md, CONTRIBUTING.md, SECURITY.md and everything under docs/. Prints
`snippets: N compiled, M failed`, and what the compiler says, with the page and its line.

How a page is read:
- A block with an `int main(` is a complete program. With --run it is also compiled alone, with its own includes, linked and
  run, and a ```text block that follows it must be what it prints.
- Any other block is a fragment. It sees what the fragments before it on the page declare, and may declare the same names anew;
  the standard headers in common use, all of caramel and `using namespace caramel;` are there.
- <!-- snippet: fresh --> before a block: it sees nothing of the page.
- <!-- snippet: namespace --> before a block: it stands at namespace scope (templates, functions), for all fragments after it.
- <!-- snippet: given CODE --> before a block: CODE stands in front of it, for what a reader has anyway.
- <!-- snippet: needs HEADER --> before a block: it is left out, with a line that says so, where that header is not installed.
- <!-- snippet: file PATH --> before a block: it is the file of that path, as in the repository: other files include it. Files of tests
  are compiled, and with --run also run, through the common contract where they stand in tests/contract/ (needs Catch2).
"""
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

root = pathlib.Path(__file__).resolve().parent.parent
arguments = sys.argv[1:]
run = "--run" in arguments
listing = "--list" in arguments
arguments = [a for a in arguments if a not in ("--run", "--list")]
pages = [pathlib.Path(a).resolve() for a in arguments if a.endswith(".md")]
arguments = [a for a in arguments if not a.endswith(".md")]
if not pages:
    pages = [root / name for name in ("README.md", "README.zh-CN.md", "CONTRIBUTING.md", "SECURITY.md")]
    pages = [page for page in pages if page.exists()] + sorted((root / "docs").rglob("*.md"))
if not arguments and not listing:
    sys.exit(__doc__)

shared_header = """#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>
#include <caramel/caramel.hpp>
#include <caramel/data/synthetic_text.hpp>
#include <caramel/io/model_file.hpp>
#include <caramel/text/bpe_json.hpp>
#include <caramel/text/embedding_safetensors.hpp>
#include <caramel/text/tokenizer_json.hpp>
"""


class Block:
    """A block of code: where it stands, its text, how it is to be read, what it is to print."""

    def __init__(self, page, line, lines, words, given):
        self.page, self.line, self.lines, self.words, self.given = page, line, lines, words, given
        self.program = any(re.match(r"\s*int main\(", text) for text in lines)
        self.output = None
        self.file = next((word[4:].strip() for word in words if word.startswith("file ")), None)
        self.failed = False

    @property
    def name(self):
        try:
            return str(self.page.relative_to(root))
        except ValueError:
            return str(self.page)

    def holds(self, name, line):
        return name == self.name and self.line <= line <= self.line + len(self.lines)


def blocks_of(page):
    found, fence, comment, after = [], None, "", None
    for number, text in enumerate(page.read_text().split("\n"), 1):
        opened = re.match(r"( *)(`{3,}|~{3,}) *([^`]*)$", text)
        if fence is None and opened:
            fence = opened[1], opened[2], opened[3].strip().split(" ")[0], number + 1, []
            continue
        if fence is not None:
            indent, ticks, language, first, lines = fence
            if text.strip().startswith(ticks) and not text.strip().strip(ticks[0]):
                fence = None
                body = [line[len(indent):] if line.startswith(indent) else line for line in lines]
                if language in ("cpp", "c++", "C++"):
                    words = re.findall(r"<!-- snippet: *(.*?) *-->", comment, re.S)
                    given = [word[len("given"):].strip() for word in words if word.startswith("given")]
                    found.append(Block(page, first, body, [w for w in words if not w.startswith("given")], given))
                    after = found[-1]
                elif language == "text" and after is not None and after.program and after.output is None:
                    after.output = "\n".join(body)
                    after = None
                comment = ""
            else:
                lines.append(text)
            continue
        if text.strip() and not text.lstrip().startswith("<!--") and not ("<!--" in comment and "-->" not in comment.rsplit("<!--", 1)[-1]):
            comment = ""
        else:
            comment += text + "\n"
        if text.startswith("#"):
            after = None  # what stands under another heading is not a program's output
    if fence is not None:
        sys.exit(f"{page}:{fence[3] - 1}: a block that does not end")
    for block in found:
        for word in block.words:
            if word not in ("fresh", "namespace") and not word.startswith(("file ", "needs ")):
                sys.exit(f"{block.name}:{block.line}: `snippet: {word}` means nothing here")
    return found


def without_includes(block, includes):
    out = []
    for text in block.lines:
        if re.match(r"\s*#\s*include\b", text):
            includes.append(text.strip())
            text = ""
        out.append(text)
    return f'#line {block.line} "{block.name}"\n' + "\n".join(out) + "\n"


def unit_of(groups):
    """One translation unit of some pages' blocks: each page in a namespace, each program in one of its own."""
    includes, body = [], []
    for number, blocks in enumerate(groups):
        spaces, inside, open_braces = [], [], 0
        for position, block in enumerate(blocks):
            if block.program:
                spaces.append(f"namespace program_{position} {{\n{without_includes(block, includes)}}}\n")
            elif "namespace" in block.words:
                spaces.append("".join(f"{code}\n" for code in block.given) + without_includes(block, includes))
            else:
                if "fresh" in block.words:
                    inside.append("}" * open_braces + "\n")
                    open_braces = 0
                inside.append("{\n" + "".join(f"{code}\n" for code in block.given) + without_includes(block, includes))
                open_braces += 1
        inside.append("}" * open_braces + "\n")
        page = f"namespace page_{number} {{\nusing namespace caramel;\n" + "".join(spaces)
        body.append(page + "#line 1 \"page\"\n[[maybe_unused]] static void fragments() {\n" + "".join(inside) + "}\n}\n")
    return "".join(f"{include}\n" for include in dict.fromkeys(includes)) + "".join(body)


def compile_file(source, options):
    done = subprocess.run([*command, *options, str(source)], capture_output=True, text=True, cwd=root)
    return done.returncode, done.stderr


def blame(said, blocks):
    """The blocks that the compiler's errors point into; the last place before an error where the error itself is in a header."""
    last = None
    for text in said.split("\n"):
        place = re.match(r"(?:In file included from |\s*from )?([^\s:]+):(\d+)[:,]", text)
        if place:
            for block in blocks:
                if block.holds(place[1], int(place[2])):
                    last = block
        if re.search(r": (fatal )?error: ", text) and last is not None:
            last.failed = True


def compile_units(units):
    def one(numbered):
        number, groups = numbered
        source = work / f"unit_{number}.cpp"
        source.write_text(unit_of(groups))
        return groups, compile_file(source, ["-include", str(work / "shared.hpp"), "-fsyntax-only"])

    with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("CARAMEL_SNIPPETS_JOBS", "2"))) as pool:
        for groups, (status, said) in pool.map(one, enumerate(units)):
            if status != 0:
                blocks = [block for group in groups for block in group]
                blame(said, blocks)
                if not any(block.failed for block in blocks):
                    for block in blocks:
                        block.failed = True
                print(said, file=sys.stderr)


def run_alone(block, number):
    """A complete program: its own includes only, linked, run in an empty directory beside examples/, its output compared."""
    source, program = work / f"program_{number}.cpp", work / f"program_{number}"
    source.write_text(f'#line {block.line} "{block.name}"\n' + "\n".join(block.lines) + "\n")
    status, said = compile_file(source, ["-O1", "-o", str(program)])
    if status != 0:
        print(said, file=sys.stderr)
        block.failed = True
        return
    place = work / f"place_{number}"
    place.mkdir()
    (place / "examples").symlink_to(root / "examples")
    done = subprocess.run([str(program)], capture_output=True, text=True, cwd=place)
    if done.returncode != 0:
        print(f"{block.name}:{block.line}: ended with {done.returncode}\n{done.stdout}{done.stderr}", file=sys.stderr)
        block.failed = True
    elif block.output is not None and done.stdout.strip() != block.output.strip():
        print(f"{block.name}:{block.line}: the page shows another output; it was\n{done.stdout}", file=sys.stderr)
        block.failed = True


def there(header, known={}):
    if header not in known:
        asked = subprocess.run([*command, "-fsyntax-only", "-x", "c++", "-"], input=f"#include <{header}>\n", capture_output=True, text=True)
        known[header] = asked.returncode == 0
    return known[header]


def left_out(block):
    missing = [word[6:].strip() for word in block.words if word.startswith("needs ") and not there(word[6:].strip())]
    if missing:
        print(f"left out: {block.name}:{block.line} ({', '.join(missing)} is not installed)")
    return missing


def write_files(blocks):
    """The blocks that are files, in a folder that is looked into before the repository."""
    for block in blocks:
        path = work / "files" / block.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'#line {block.line} "{block.name}"\n' + "\n".join(block.lines) + "\n")


def check_files(blocks):
    """Headers and tests of the pages in one translation unit; each is a file of its own for --run."""
    source = work / "files.cpp"
    source.write_text("".join(f'#include "{block.file.removeprefix("include/")}"\n' for block in blocks))
    status, said = compile_file(source, ["-include", str(work / "shared.hpp"), *file_flags, "-fsyntax-only"])
    if status != 0:
        blame(said, blocks)
        for block in blocks:
            block.failed = block.failed or not any(other.failed for other in blocks)
        print(said, file=sys.stderr)


def run_files(blocks):
    """The tests of the pages as a program: with the checks of the contract, and with kept files of their own."""
    tests = root / "tests"
    (work / "files/tests/data/format-1").mkdir(parents=True)
    sources = [work / "files" / block.file for block in blocks if block.file.endswith(".cpp")]
    sources += [tests / "contract" / name for name in ("checks.cpp", "data.cpp", "verdict_test.cpp")] + [tests / "support" / name for name in ("faults.cpp", "main.cpp")]
    program = work / "page_tests"
    options = [*file_flags, f'-DCARAMEL_TESTS_DIR="{work}/files/tests"', "-DCATCH_CONFIG_FAST_COMPILE", "-O1", f"@{tests}/support/faults.options", "-o", str(program)]
    done = subprocess.run([*command, *options, *map(str, sources)], capture_output=True, text=True, cwd=root)
    for keep in ("1", None):  # the first run writes what later versions must load, the second one compares
        if done.returncode == 0:
            environment = {**os.environ, **({"CARAMEL_KEEP_FILES": keep} if keep else {})}
            done = subprocess.run([str(program)], capture_output=True, text=True, env=environment)
    print("".join(line + "\n" for line in done.stdout.split("\n") if re.match(r"contract: \d|All tests|test cases", line)), end="")
    if done.returncode != 0:
        print(done.stdout + done.stderr, file=sys.stderr)
        for block in blocks:
            block.failed = True


pages_blocks = [group for group in (blocks_of(page) for page in pages) if group]
blocks = [block for group in pages_blocks for block in group]
file_blocks = [block for block in blocks if block.file]
groups = [group for group in ([block for block in group if not block.file] for group in pages_blocks) if group]
if listing:
    for block in blocks:
        print(f"{block.name}:{block.line}: {len(block.lines)} lines, {'a program' if block.program else 'a fragment'}{', its output' if block.output else ''}")
    sys.exit(0)

compiler, *flags = arguments
command = [compiler, "-std=c++20", *flags, "-Werror", "-Wall", "-Wno-unused", "-Wno-return-type", "-Wunused-result"]
said = subprocess.run([compiler, "--version"], capture_output=True, text=True).stdout
is_clang = "clang" in said
if is_clang:
    # clang 19 reads a template of xtensor 0.24 as ambiguous; older ones do not know the option.
    for option in ("-fno-relaxed-template-template-args", "-Wno-deprecated-no-relaxed-template-template-args"):
        version = subprocess.run([compiler, "-dumpversion"], capture_output=True, text=True).stdout
        if int(version.split(".")[0]) >= 19:
            command.append(option)
work = pathlib.Path(tempfile.mkdtemp())
try:
    header = work / "shared.hpp"
    header.write_text(shared_header)
    status, said = compile_file(header, ["-x", "c++-header", "-o", str(header) + (".pch" if is_clang else ".gch")])
    if status != 0:
        sys.exit(f"the headers do not compile\n{said}")
    # The longest pages first, each to the unit with the least: few units, since each takes a second to read the header.
    skipped = [block for block in blocks if left_out(block)]
    groups = [group for group in ([block for block in group if block not in skipped] for group in groups) if group]
    blocks = [block for block in blocks if block not in skipped]
    units = [[] for _ in range(min(4, len(groups)))]
    for group in sorted(groups, key=lambda group: -sum(len(block.lines) for block in group)):
        min(units, key=lambda unit: sum(len(block.lines) for other in unit for block in other)).append(group)
    file_flags = ["-I", str(work / "files/include"), "-I", str(work / "files"), "-I", str(root / "tests"), "-Wno-missing-field-initializers"]
    # The single header is made by a script, and has its own tests; here its name stands for what it holds.
    (work / "caramel_all.hpp").write_text('#include "shared.hpp"\n')
    command += ["-I", str(work)]
    write_files(file_blocks)
    compile_units(units)
    if file_blocks:
        check_files(file_blocks)
    if run:
        if file_blocks:
            run_files(file_blocks)
        for number, block in enumerate(b for b in blocks if b.program and not b.failed):
            run_alone(block, number)
finally:
    shutil.rmtree(work)
failed = [block for block in blocks if block.failed]
for block in failed:
    print(f"FAILED: {block.name}:{block.line}", file=sys.stderr)
print(f"snippets: {len(blocks) - len(failed)} compiled, {len(failed)} failed")
sys.exit(1 if failed else 0)
