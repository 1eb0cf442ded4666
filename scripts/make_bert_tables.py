#!/usr/bin/env python3
"""Writes include/caramel/text/bert_tables.hpp from the Unicode Character Database.

    apt-get install unicode-data
    scripts/make_bert_tables.py [FOLDER, /usr/share/unicode] > include/caramel/text/bert_tables.hpp

Hugging Face tokenizers 0.23.2 works with several versions of Unicode at once: categories are those of version 8,
canonical decompositions and combining classes those of version 9, lower case that of version 16. The lists below say
where its behaviour, measured over all code points, is not what the database says for those versions.
"""
import sys

from make_unicode_tables import LIMIT, character_data, print_array, property_set, ranges, rows

# Punctuation in Unicode 8 that is none today.
HF_PUNCTUATION = {0x166D, 0x111C9}
# Nonspacing marks today, but not in Unicode 8; and the other way round.
HF_NO_MARK = {0x1885, 0x1886, 0xA9BD, 0x111C9}
HF_MARK = {0x1734}
# Lower case beyond Unicode 15.0: first, last, step, distance.
HF_LOWER = [(0x1C89, 0x1C89, 1, 1), (0xA7CB, 0xA7CB, 1, 0x264 - 0xA7CB), (0xA7CC, 0xA7CC, 1, 1), (0xA7CE, 0xA7CE, 1, 1), (0xA7D2, 0xA7D4, 2, 1),
            (0xA7DA, 0xA7DA, 1, 1), (0xA7DC, 0xA7DC, 1, 0x19B - 0xA7DC), (0x10D50, 0x10D65, 1, 32), (0x16EA0, 0x16EB8, 1, 27)]
HF_CJK = [(0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x2A6DF), (0x2A700, 0x2B81F), (0x2B920, 0x2CEAF), (0x2F800, 0x2FA1F)]
GOOGLE_CJK = [(0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x2A6DF), (0x2A700, 0x2CEAF), (0x2F800, 0x2FA1F)]
HANGUL = range(0xAC00, 0xD7A4)


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else "/usr/share/unicode"
    category, _ = character_data(folder)
    decomposition, order, age = {}, {}, {}
    for fields in rows(folder + "/UnicodeData.txt"):
        point = int(fields[0], 16)
        if fields[5] and not fields[5].startswith("<"):
            decomposition[point] = [int(c, 16) for c in fields[5].split()]
        if fields[3] != "0":
            order[point] = int(fields[3])
    for span, version in rows(folder + "/DerivedAge.txt"):
        first, _, last = span.partition("..")
        for c in range(int(first, 16), int(last or first, 16) + 1):
            age[c] = float(version)

    def decomposed(c):
        return [y for x in decomposition[c] for y in decomposed(x)] if c in decomposition else [c]

    stripped = {}
    for c in range(LIMIT):
        if category[c] != "Mn" and c not in HANGUL:
            kept = [x for x in decomposed(c) if category[x] != "Mn"]
            if kept != [c]:
                stripped[c] = kept
    one = {c: kept[0] for c, kept in stripped.items() if len(kept) == 1}
    many = {c: kept for c, kept in stripped.items() if len(kept) > 1}
    assert all(category[x][0] not in "PZC" for kept in many.values() for x in kept)       # parts of words
    assert all(2 <= len(kept) <= 3 and len(kept) <= len(chr(c).encode()) for c, kept in many.items())
    recent = {c for c in range(LIMIT) if age.get(c, 0) > 8 and (category[c][0] == "P" or category[c] in ("Mn", "Cf"))}

    # Where a mark goes when its neighbours are put into canonical order; that of its first part where it has parts.
    placed = {c: order.get(decomposed(c)[0], 0) for c in set(order) | set(decomposition)}
    order_runs = []
    for c in sorted(placed):
        if placed[c]:
            kind = [placed[c], age[c] > 9]
            if order_runs and order_runs[-1][1] == c - 1 and order_runs[-1][2:] == kind:
                order_runs[-1][1] = c
            else:
                order_runs.append([c, c] + kind)

    properties = folder + "/DerivedCoreProperties.txt"
    cased = {c for c in property_set(properties, "Cased") if category[c] not in ("Lu", "Ll", "Lt")}
    ignorable = {c for c in property_set(properties, "Case_Ignorable") if category[c] not in ("Mn", "Me", "Cf", "Lm", "Sk")}

    print("#ifndef CARAMEL_TEXT_BERT_TABLES_HPP")
    print("#define CARAMEL_TEXT_BERT_TABLES_HPP\n")
    print("// Made by scripts/make_bert_tables.py from the Unicode Character Database 15.0: do not edit.")
    print("// text/bert_characters.hpp says what the numbers mean. The data are (c) Unicode, Inc., under the Unicode License (unicode.org/license.txt).\n")
    print("#include <cstdint>\n")
    print("#include <caramel/core/platform.hpp>")
    print("#include <caramel/text/unicode_tables.hpp>\n")
    print("namespace caramel::inline CARAMEL_ABI {\n")
    print("namespace detail {\n")

    def print_ranges(name, points):
        print_array(f"code_point_range {name}", [f"{{{first:#x}, {last:#x}}}" for first, last in points])

    print("// Punctuation, nonspacing marks and format characters that Unicode 8 did not have.")
    print_ranges("bert_recent", ranges(recent))
    print("// Where Hugging Face's categories are neither those of Unicode 15.0 nor missing.")
    print_ranges("bert_hf_punctuation", ranges(HF_PUNCTUATION))
    print_ranges("bert_hf_no_mark", ranges(HF_NO_MARK))
    print_ranges("bert_hf_mark", ranges(HF_MARK))
    print_array("case_run bert_hf_lower", [f"{{{a:#x}, {b:#x}, {step}, {distance}}}" for a, b, step, distance in HF_LOWER])
    print("// Set apart as Chinese.")
    print_ranges("bert_hf_cjk", HF_CJK)
    print_ranges("bert_google_cjk", GOOGLE_CJK)
    print("// Canonical decompositions of one code point once nonspacing marks are gone: runs, and what their members become, one run")
    print("// after the other.")
    print_ranges("bert_stripped", ranges(one))
    print_array("std::uint32_t bert_stripped_to", [hex(one[c]) for c in sorted(one)])
    print("// Those of two or three (0 where there is no third).")
    print("struct stripped_parts {\n    std::uint32_t point, parts[3];\n};")
    print_array("stripped_parts bert_stripped_parts", ["{%#x, {%s}}" % (c, ", ".join(hex(x) for x in (many[c] + [0])[:3])) for c in sorted(many)])
    print("// With parts since Unicode 9.")
    print_ranges("bert_recent_parts", ranges(c for c in decomposition if age[c] > 9 and c in stripped))
    print("// Canonical combining classes; `recent` = not yet in Unicode 9.")
    print("struct order_run {\n    std::uint32_t first, last;\n    std::uint8_t order;\n    bool recent;\n};")
    print_array("order_run bert_order", ["{%#x, %#x, %d, %s}" % (a, b, k, "true" if r else "false") for a, b, k, r in order_runs])
    print("// Cased without being Lu, Ll or Lt; ignored around a final sigma without being Mn, Me, Cf, Lm or Sk.")
    print_ranges("bert_cased", ranges(cased))
    print_ranges("bert_case_ignorable", ranges(ignorable))
    print("}  // namespace detail\n")
    print("}  // namespace caramel::inline CARAMEL_ABI\n")
    print("#endif")


if __name__ == "__main__":
    main()
