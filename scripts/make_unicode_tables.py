#!/usr/bin/env python3
"""Writes the tables of include/caramel/text/ from the Unicode Character Database.

    apt-get install unicode-data
    scripts/make_unicode_tables.py properties [FOLDER, /usr/share/unicode] > include/caramel/text/unicode_tables.hpp
    scripts/make_unicode_tables.py normalization [FOLDER]                  > include/caramel/text/normalize_tables.hpp

Only the standard library of Python is needed. Running it on the same database gives the same bytes.
"""
import re
import sys

CATEGORIES = "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Cs Co Cn".split()
LIMIT = 0x110000
BLOCK = 64  # code points a block of a table of two stages


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


def category_runs(category, begin):
    """(first code point, number of the category): each holds up to the next."""
    runs = []
    for c in range(begin, LIMIT):
        if not runs or category[c] != category[runs[-1][0]]:
            runs.append((c, CATEGORIES.index(category[c])))
    return runs


def two_stages(values, inert):
    """Where in the second stage each block of the first begins, the second stage, and from where on all is `inert`."""
    end = len(values)
    while end > 0 and values[end - 1] == inert:
        end -= 1
    end += -end % BLOCK
    first, second, seen = [], [], {}
    for at in range(0, end, BLOCK):
        block = tuple(values[at:at + BLOCK])
        if block not in seen:
            seen[block] = len(second)
            second.extend(block)
        first.append(seen[block])
    return first, second, end


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


def print_literal(declaration, prefix, units):
    """An array as a string literal, which compiles much faster than a list of numbers."""
    print(f"inline constexpr {declaration}[] =")
    lines, line = [], ""
    for unit in units:
        if len(line) + len(unit) > 145:
            lines.append(line)
            line = ""
        line += unit
    lines.append(line)
    print("\n".join(f'    {prefix}"{line}"' for line in lines) + ";\n")


def hexadecimal(numbers):
    return [f"\\x{n:x}" for n in numbers]


def print_head(guard, folder, meaning):
    with open(folder + "/PropList.txt", encoding="utf-8") as lines:
        major, minor, _ = re.match(r"# PropList-(\d+)\.(\d+)\.(\d+)\.txt", lines.readline()).groups()
    print(f"#ifndef {guard}")
    print(f"#define {guard}\n")
    print(f"// Made by scripts/make_unicode_tables.py from the Unicode Character Database {major}.{minor}: do not edit.")
    print(f"// {meaning} says what the numbers mean. The data are (c) Unicode, Inc., under the Unicode License (unicode.org/license.txt).\n")
    print("#include <cstdint>\n")
    print("#include <caramel/core/platform.hpp>\n")
    print("namespace caramel::inline CARAMEL_ABI {\n")
    return int(major) * 100 + int(minor)


def print_tail():
    print("}  // namespace detail\n")
    print("}  // namespace caramel::inline CARAMEL_ABI\n")
    print("#endif")


def print_case_runs(name, mapping):
    print_array(f"case_run {name}", [f"{{{a:#x}, {b:#x}, {step}, {distance}}}" for a, b, step, distance in case_runs(mapping)])


def simple_folds(folder, lower):
    folded = {int(c, 16): int(to, 16) for c, status, to, *_ in rows(folder + "/CaseFolding.txt") if status in "CS"}
    # Folding is lower-casing but for these.
    return {c: folded.get(c, c) for c in set(lower) | set(folded) if folded.get(c, c) != lower.get(c, c)}


def properties(folder):
    category, lower = character_data(folder)
    exceptions = simple_folds(folder, lower)
    ideographs = property_set(folder + "/PropList.txt", "Ideographic") & property_set(folder + "/Scripts.txt", "Han")
    classes = [CATEGORIES.index(c) for c in category]
    for c in ideographs:
        classes[c] = {"Lo": 30, "Nl": 31}[category[c]]
    for c, special in ((0x27, 32), (0x2019, 33), (0x200C, 34), (0x200D, 34)):
        classes[c] = special
    planes = 0x32400  # behind these code points there are few and long runs
    assert max(ideographs) < planes
    first, second, end = two_stages(classes[:planes], None)
    assert end == planes

    version = print_head("CARAMEL_TEXT_UNICODE_TABLES_HPP", folder, "text/unicode.hpp")
    print("/// The version of the Unicode Character Database, 100 * major + minor.")
    print(f"inline constexpr std::uint32_t unicode_version = {version};\n")
    print("namespace detail {\n")
    print(f"// The class of code point c < {planes:#x} is the letter class_letters[class_blocks[c / {BLOCK}] + c % {BLOCK}] - '@'.")
    print(f"inline constexpr std::uint32_t class_block = {BLOCK}, class_limit = {planes:#x};")
    print_literal("char16_t class_blocks", "u", hexadecimal(first))
    print_literal("char class_letters", "", [chr(64 + n).replace("\\", "\\\\") for n in second])
    print("// From there on: first code point * 32 + number of its category; a run ends where the next begins.")
    print_array("std::uint32_t category_runs", [hex(c * 32 + n) for c, n in category_runs(category, planes)])
    print("// Every `step`-th code point from `first` to `last` maps to the one `distance` further on.")
    print("struct case_run {\n    std::uint32_t first, last, step;\n    std::int32_t distance;\n};")
    cased = set(lower) | set(exceptions)
    gap = (0x2D2E, 0xA63F)
    assert not any(gap[0] <= c <= gap[1] for c in cased)
    print("// Between these there is nothing to map: what is written in East Asia, mostly.")
    print(f"inline constexpr std::uint32_t first_without_case = {gap[0]:#x}, last_without_case = {gap[1]:#x};")
    print_case_runs("lower_case_runs", lower)
    print_case_runs("fold_exception_runs", exceptions)
    emoji = ranges(property_set(folder + "/emoji/emoji-data.txt", "Extended_Pictographic"))
    print("// Extended_Pictographic: first and last of each range.")
    print(f"inline constexpr std::uint32_t pictograph_count = {len(emoji)};")
    print_literal("char32_t pictograph_ranges", "U", hexadecimal(x for pair in emoji for x in pair))
    print_tail()


# Hangul syllables are worked out, not looked up.
S_BASE, L_BASE, V_BASE, T_BASE, L_COUNT, V_COUNT, T_COUNT, S_COUNT = 0xAC00, 0x1100, 0x1161, 0x11A7, 19, 21, 28, 11172


class normalizer:
    """What UnicodeData.txt and CompositionExclusions.txt say (UAX 15)."""

    def __init__(self, folder):
        self.combining, self.mapping, self.compatible = {}, {}, set()
        for fields in rows(folder + "/UnicodeData.txt"):
            c = int(fields[0], 16)
            if fields[3] != "0":
                self.combining[c] = int(fields[3])
            if fields[5]:
                parts = fields[5].split()
                if parts[0].startswith("<"):
                    self.compatible.add(c)
                    parts = parts[1:]
                self.mapping[c] = [int(p, 16) for p in parts]
        excluded = {int(fields[0], 16) for fields in rows(folder + "/CompositionExclusions.txt")}
        self.pairs = {}
        for c, parts in self.mapping.items():
            starts = len(parts) == 2 and not self.combining.get(c) and not self.combining.get(parts[0])
            if starts and c not in self.compatible and c not in excluded:
                self.pairs[tuple(parts)] = c
        self.seconds = {b for _, b in self.pairs} | set(range(V_BASE, V_BASE + V_COUNT)) | set(range(T_BASE + 1, T_BASE + T_COUNT))

    def decompose(self, c, compatible):
        if c not in self.mapping or (c in self.compatible and not compatible):
            return [c]
        return [d for part in self.mapping[c] for d in self.decompose(part, compatible)]

    def ordered(self, points):
        out = []
        for c in points:
            at = len(out)
            if self.combining.get(c):
                while at > 0 and self.combining.get(out[at - 1], 0) > self.combining[c]:
                    at -= 1
            out.insert(at, c)
        return out

    @staticmethod
    def syllable(a, b):
        if L_BASE <= a < L_BASE + L_COUNT and V_BASE <= b < V_BASE + V_COUNT:
            return S_BASE + ((a - L_BASE) * V_COUNT + (b - V_BASE)) * T_COUNT
        if S_BASE <= a < S_BASE + S_COUNT and (a - S_BASE) % T_COUNT == 0 and T_BASE < b < T_BASE + T_COUNT:
            return a + (b - T_BASE)
        return None

    def composed(self, points):
        out, starter, last = [], -1, 0
        for c in points:
            mark = self.combining.get(c, 0)
            if starter >= 0 and (starter == len(out) - 1 or last < mark):
                together = self.pairs.get((out[starter], c)) or self.syllable(out[starter], c)
                if together is not None:
                    out[starter] = together
                    continue
            if mark == 0:
                starter = len(out)
            last = mark
            out.append(c)
        return out


def normalization(folder):
    n = normalizer(folder)
    pool, places = [0xF << 12], {}  # what no form changes: nothing before it matters
    values = [0] * 0x30000
    quick = {form: {} for form in ("NFC_QC", "NFKC_QC")}
    for span, name, *value in rows(folder + "/DerivedNormalizationProps.txt"):
        if name in quick:
            first, _, last = span.partition("..")
            for c in range(int(first, 16), int(last or first, 16) + 1):
                quick[name][c] = value[0]
    for c in sorted(set(n.mapping) | set(n.combining) | n.seconds):
        mark = n.combining.get(c, 0)
        forms = [n.ordered(n.decompose(c, compatible)) for compatible in (False, True)]
        header = mark
        for which, (form, name) in enumerate(zip(forms, ("NFC_QC", "NFKC_QC"))):
            composed = n.composed(form)
            leads = n.combining.get(form[0], 0) == 0
            joins = form[0] in n.seconds
            changes = composed != [c]
            # What the database says, from first principles.
            assert quick[name].get(c, "Y") == ("N" if changes else "M" if c in n.seconds else "Y"), hex(c)
            header |= (1 << 8 + which) * changes                      # the form with compositions changes it
            header |= (1 << 10 + which) * (c in n.seconds)            # it may join with what stands before
            header |= (1 << 12 + which) * (leads and not joins)       # nothing before it matters: with compositions,
            header |= (1 << 14 + which) * leads                       # and without
            header |= (1 << 16 + which) * (changes and composed == form and leads and not joins)  # its decomposition is its composed form
        canonical = [] if forms[0] == [c] else forms[0]
        compatible = [] if forms[1] == [c] or forms[1] == canonical else forms[1]
        assert len(canonical) < 8 and len(compatible) < 32 and max([0] + canonical + compatible) < 0x30000
        header |= (1 << 18) * (forms[1] != [c])
        header |= len(canonical) << 20 | len(compatible) << 24
        entry = (header, *canonical, *compatible)
        if entry not in places:
            places[entry] = len(pool)
            pool.extend(entry)
        values[c] = places[entry]
    assert len(pool) < 0x10000
    first, second, end = two_stages(values, 0)

    full = {int(c, 16): [int(p, 16) for p in to.split()] for c, status, to, *_ in rows(folder + "/CaseFolding.txt") if status == "F"}
    special = {int(f[0], 16): [int(p, 16) for p in f[1].split()] for f in rows(folder + "/SpecialCasing.txt") if len(f) == 5 and not f[4]}
    lower = character_data(folder)[1]
    assert {c: to for c, to in special.items() if to != [lower.get(c, c)]} == {0x130: [0x69, 0x307]}
    cased = property_set(folder + "/DerivedCoreProperties.txt", "Cased")
    ignorable = property_set(folder + "/DerivedCoreProperties.txt", "Case_Ignorable")

    print_head("CARAMEL_TEXT_NORMALIZE_TABLES_HPP", folder, "text/normalize.hpp")
    print("namespace detail {\n")
    print(f"// What normalization needs of code point c < normal_limit stands from normal_pool[normal_places[normal_blocks[c / {BLOCK}] + c % {BLOCK}]] on: a")
    print("// header and its decompositions, the canonical one and, where it is another, the compatible one.")
    print(f"inline constexpr std::uint32_t normal_block = {BLOCK}, normal_limit = {end:#x};")
    print_literal("char16_t normal_blocks", "u", hexadecimal(first))
    print_literal("char16_t normal_places", "u", hexadecimal(second))
    print_literal("char32_t normal_pool", "U", hexadecimal(pool))
    print("// Pairs that compose, sorted: first, second, what they make.")
    print(f"inline constexpr std::uint32_t normal_pair_count = {len(n.pairs)};")
    print_literal("char32_t normal_pairs", "U", hexadecimal(x for pair in sorted(n.pairs) for x in (*pair, n.pairs[pair])))
    print("// Code points that fold to several, sorted: the code point and three, the missing ones 0.")
    print(f"inline constexpr std::uint32_t full_fold_count = {len(full)};")
    print_literal("char32_t full_folds", "U", hexadecimal(x for c in sorted(full) for x in (c, *full[c], *[0] * (3 - len(full[c])))))
    print("// What Case_Ignorable says, and the other cased letters, which decide how a sigma is written: first and last of each range.")
    for name, points in (("cased", cased - ignorable), ("ignorable", ignorable)):
        print(f"inline constexpr std::uint32_t {name}_count = {len(ranges(points))};")
        print_literal(f"char32_t {name}_ranges", "U", hexadecimal(x for pair in ranges(points) for x in pair))
    print_tail()


if __name__ == "__main__":
    made = sys.argv[1] if len(sys.argv) > 1 else ""
    if made not in ("properties", "normalization"):
        sys.exit(__doc__)
    (properties if made == "properties" else normalization)(sys.argv[2] if len(sys.argv) > 2 else "/usr/share/unicode")
