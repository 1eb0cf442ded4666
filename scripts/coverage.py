"""What the tests of a build reached in include/, from `llvm-cov show` of each program on standard input; scripts/coverage.sh calls it.

A line is covered when one of the functions or instantiations it belongs to ran it; each side of a condition is a branch, covered when one of them
took it; conditions known when compiling have no sides. Templates that nothing instantiates are missing from llvm-cov's report altogether: lines
with a statement that the compiler saw and no region covers count as not covered, in headers that the report does not name, too.
"""

import argparse
import collections
import pathlib
import re
import sys

statement = re.compile(r"\breturn\b|\bthrow\b|(?<!void )\brequire(_\w+)?\(|\bfail\(|^\s*(if|for|while|switch)\b")
only_compiler = re.compile(r"\bconsteval\b|\bconstexpr\b.* = \[\]")  # functions, and tables that a lambda makes

string = re.compile(r'"(\\.|[^"\\])*"')


def read_show(text):
    """Header -> (line -> ran at all, place of a condition -> [was true, was false])."""
    headers = {}
    for line in text:
        if line.endswith(".hpp:\n"):
            lines, sides = headers.setdefault(str(pathlib.Path(line[:-2]).resolve()), ({}, collections.defaultdict(lambda: [False, False])))
        elif match := re.match(r" +(\d+)\| *([\d.]+[kMGTPE]?)\|", line):
            lines[int(match[1])] = lines.get(int(match[1]), False) or match[2] != "0"
        elif match := re.search(r"\|  Branch \((\d+):(\d+)\): \[True: ([^,]+), False: ([^\]]+)\]", line):
            both = sides[int(match[1]), int(match[2])]
            both[0] |= match[3] != "0"
            both[1] |= match[4] != "0"
    return headers


def read_preprocessed(text):
    """Header -> its lines of code, as the preprocessor leaves them, and those with a statement that run when the program does."""
    lines = collections.defaultdict(list)
    for line in text:
        if match := re.match(r'# (\d+) "(.*)"', line):
            number, path = int(match[1]), match[2]
            if path.endswith(".hpp") and "caramel/" in path:
                lines[path]  # there, if only with directives
        else:
            if path in lines:
                lines[path].append((number, string.sub("", line)))
            number += 1
    statements = {}
    for path, code in lines.items():
        there, found = statements.setdefault(str(pathlib.Path(path).resolve()), (set(), set()))
        inside = False  # of what only the compiler runs
        depth = 0
        for number, line in code:
            if line.strip():
                there.add(number)
            if not inside and only_compiler.search(line):
                inside, depth = True, 0
            if inside:
                depth += line.count("{") - line.count("}")
                inside = not (depth <= 0 and ("}" in line or line.rstrip().endswith(";")))
            elif statement.search(line):
                found.add(number)
    return statements


def read_excluded(path):
    """Lines of `header ## line of code ## reason`; the line is named by its text, which moves with it."""
    excluded = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = line.split(" ## ")
        if len(parts) != 3 or not all(part.strip() for part in parts):
            sys.exit(f"{path}:{number}: not `header ## line of code ## reason`")
        excluded[parts[0].strip(), parts[1].strip()] = parts[2].strip()
    return excluded


def percent(part, whole):
    return 100 * part / whole if whole else 100.0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("include", type=pathlib.Path)
    parser.add_argument("preprocessed", type=pathlib.Path, help="all headers, preprocessed as they were for the tests")
    parser.add_argument("--excluded", type=pathlib.Path)
    parser.add_argument("--lines", type=float, default=98, help="least percentage of lines")
    parser.add_argument("--branches", type=float, default=90, help="least percentage of branches")
    parser.add_argument("--uncovered", action="store_true", help="list every line and branch that is not covered")
    arguments = parser.parse_args()
    include = arguments.include.resolve()
    excluded = read_excluded(arguments.excluded) if arguments.excluded else {}
    report = read_show(sys.stdin)
    with arguments.preprocessed.open() as text:
        statements = read_preprocessed(text)

    table, used, without_code, failed, n_excluded = [], set(), [], [], 0
    for path in sorted(include.rglob("*.hpp")):
        name = str(path.relative_to(include))
        source = path.read_text().splitlines()
        lines, sides = report.get(str(path), ({}, {}))
        if str(path) not in statements and "adapters" in path.parts:
            without_code.append(f"{name} (its library is not on this machine)")
            continue
        if str(path) not in statements:
            failed.append(f"{name} was not preprocessed")
        code, needed = statements.get(str(path), (set(), set()))
        lines = {line: ran for line, ran in lines.items() if line in code}  # llvm-cov counts comments and what #if leaves out
        unseen = needed - lines.keys()
        lines = lines | dict.fromkeys(unseen, False)
        left_out = {number for number, text in enumerate(source, 1) if (name, text.strip()) in excluded}
        used |= {(name, source[number - 1].strip()) for number in left_out}
        n_excluded += len(left_out & lines.keys())
        lines = {line: ran for line, ran in lines.items() if line not in left_out}
        sides = {place: both for place, both in sides.items() if place[0] not in left_out}
        if not lines:
            without_code.append(name)
            continue
        table.append((name, sum(lines.values()), len(lines), sum(map(sum, sides.values())), 2 * len(sides), len(unseen - left_out)))
        for line in sorted(lines.keys() | {place[0] for place in sides}) if arguments.uncovered else ():
            missed = [f"{'' if true else ' true'}{'' if false else ' false'}@{place[1]}" for place, (true, false) in sorted(sides.items())
                      if place[0] == line and not (true and false)]
            if line in unseen or not lines.get(line, True) or missed:
                what = "not instantiated" if line in unseen else "not run" if not lines.get(line, True) else "never" + ",".join(missed)
                print(f"{name}:{line}: {what}: {source[line - 1].strip()}")

    print(f"{'lines':>8} {'missed':>7} {'%':>7}   {'branches':>8} {'missed':>7} {'%':>7}   {'unseen':>6}   header")
    for name, covered, lines, reached, branches, unseen in sorted(table, key=lambda row: (row[1] - row[2], row[3] - row[4], row[0])):
        print(f"{lines:8} {lines - covered:7} {percent(covered, lines):7.2f}   {branches:8} {branches - reached:7} {percent(reached, branches):7.2f}   {unseen:6}   {name}")
    print("headers that only declare, or have nothing that runs: " + " ".join(without_code))

    all_lines = sum(row[2] for row in table)
    all_branches = sum(row[4] for row in table)
    lines_percent = percent(sum(row[1] for row in table), all_lines)
    branches_percent = percent(sum(row[3] for row in table), all_branches)
    print(f"{all_lines} lines, {all_branches} branches, {n_excluded} lines left out ({percent(n_excluded, all_lines + n_excluded):.2f} %)")
    print(f"coverage.lines {lines_percent:.2f}")
    print(f"coverage.branches {branches_percent:.2f}")
    failed += [f"{header}: this line, left out, is no longer there: {line}" for header, line in sorted(excluded.keys() - used)]
    if n_excluded > 0.005 * (all_lines + n_excluded):
        failed.append("more than 0.5 % of the lines are left out")
    if lines_percent < arguments.lines:
        failed.append(f"less than {arguments.lines:g} % of the lines are covered")
    if branches_percent < arguments.branches:
        failed.append(f"less than {arguments.branches:g} % of the branches are covered")
    for line in failed:
        print(f"coverage: {line}", file=sys.stderr)
    sys.exit(1 if failed else 0)


main()
