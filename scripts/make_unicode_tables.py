#!/usr/bin/env python3
"""Writes include/caramel/text/unicode_tables.hpp from the Unicode Character Database.

    apt-get install unicode-data
    scripts/make_unicode_tables.py [FOLDER, /usr/share/unicode] > include/caramel/text/unicode_tables.hpp

Only the standard library of Python is needed. Running it on the same database gives the same bytes.
"""
import re
import sys

CATEGORIES = "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Cs Co Cn".split()
ALTERNATING = len(CATEGORIES)  # Lu, Ll, Lu, Ll, ...: the usual layout of alphabets with two cases
LIMIT = 0x110000


def rows(path):
    """The fields of each line, without comments."""
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            line = line.split("#")[0].strip()
            if line:
                yield [field.strip() for field in line.split(";")]


def property_set(path, name):
    found = set()
    for span, value, *_ in rows(path):
        if value == name:
            first, _, last = span.partition("..")
            found.update(range(int(first, 16), int(last or first, 16) + 1))
    return found


def ranges(points):
    out = []
    for c in sorted(points):
        if out and out[-1][1] == c - 1:
            out[-1][1] = c
        else:
            out.append([c, c])
    return out


def character_data(folder):
    category, lower = ["Cn"] * LIMIT, {}
    lines = rows(folder + "/UnicodeData.txt")
    for fields in lines:
        first = last = int(fields[0], 16)
        if fields[1].endswith(", First>"):
            last = int(next(lines)[0], 16)
        category[first:last + 1] = [fields[2]] * (last - first + 1)
        if fields[13]:
            lower[first] = int(fields[13], 16)
    return category, lower


def category_runs(category):
    """(first code point, number of the category): each holds up to the next."""
    runs, c = [], 0
    while c < LIMIT:
        end = c + 1
        if category[c:c + 3] == ["Lu", "Ll", "Lu"]:
            while end < LIMIT and category[end] == ("Lu", "Ll")[(end - c) % 2]:
                end += 1
            runs.append((c, ALTERNATING))
        else:
            while end < LIMIT and category[end] == category[c]:
                end += 1
            runs.append((c, CATEGORIES.index(category[c])))
        c = end
    return runs


def case_runs(mapping):
    """(first, last, step, distance to the mapped code point): runs as long as possible."""
    points, runs, i = sorted(mapping), [], 0
    while i < len(points):
        distance = mapping[points[i]] - points[i]
        best, best_step = i, 1
        for step in (1, 2):
            j = i
            while j + 1 < len(points) and points[j + 1] == points[j] + step and mapping[points[j + 1]] - points[j + 1] == distance:
                j += 1
            if j > best:
                best, best_step = j, step
        runs.append((points[i], points[best], best_step, distance))
        i = best + 1
    return runs


def print_array(declaration, items):
    print(f"inline constexpr {declaration}[] = {{")
    line = "   "
    for item in items:
        if len(line) + len(item) + 2 > 150:
            print(line)
            line = "   "
        line += f" {item},"
    print(line)
    print("};\n")


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else "/usr/share/unicode"
    with open(folder + "/PropList.txt", encoding="utf-8") as lines:
        major, minor, _ = re.match(r"# PropList-(\d+)\.(\d+)\.(\d+)\.txt", lines.readline()).groups()
    category, lower = character_data(folder)
    folded = {int(c, 16): int(to, 16) for c, status, to, *_ in rows(folder + "/CaseFolding.txt") if status in "CS"}
    # Folding is lower-casing but for these.
    exceptions = {c: folded.get(c, c) for c in set(lower) | set(folded) if folded.get(c, c) != lower.get(c, c)}
    ideographs = property_set(folder + "/PropList.txt", "Ideographic") & property_set(folder + "/Scripts.txt", "Han")

    print("#ifndef CARAMEL_TEXT_UNICODE_TABLES_HPP")
    print("#define CARAMEL_TEXT_UNICODE_TABLES_HPP\n")
    print(f"// Made by scripts/make_unicode_tables.py from the Unicode Character Database {major}.{minor}: do not edit.")
    print("// text/unicode.hpp says what the numbers mean. The data are (c) Unicode, Inc., under the Unicode License (unicode.org/license.txt).\n")
    print("#include <cstdint>\n")
    print("#include <caramel/core/platform.hpp>\n")
    print("namespace caramel::inline CARAMEL_ABI {\n")
    print("/// The version of the Unicode Character Database, 100 * major + minor.")
    print(f"inline constexpr std::uint32_t unicode_version = {int(major) * 100 + int(minor)};\n")
    print("namespace detail {\n")
    print("// First code point * 32 + number of its category; a run ends where the next begins.")
    print_array("std::uint32_t category_runs", [hex(c * 32 + n) for c, n in category_runs(category)])
    print("struct code_point_range {\n    std::uint32_t first, last;\n};")
    print_array("code_point_range ideograph_ranges", [f"{{{first:#x}, {last:#x}}}" for first, last in ranges(ideographs)])
    print("// Every `step`-th code point from `first` to `last` maps to the one `distance` further on.")
    print("struct case_run {\n    std::uint32_t first, last, step;\n    std::int32_t distance;\n};")
    for name, mapping in (("lower_case_runs", lower), ("fold_exception_runs", exceptions)):
        print_array(f"case_run {name}", [f"{{{a:#x}, {b:#x}, {step}, {distance}}}" for a, b, step, distance in case_runs(mapping)])
    print("}  // namespace detail\n")
    print("}  // namespace caramel::inline CARAMEL_ABI\n")
    print("#endif")


if __name__ == "__main__":
    main()
