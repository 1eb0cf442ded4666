#!/usr/bin/env python3
"""Lists what the reference would show without a word: public types, functions and concepts of namespace caramel, and public
member functions of more than one line, that have no doc comment.

usage: scripts/undocumented.py [--members]      without --members: only what stands in the namespace itself

Prints one line each, and last `documented: N of M`. What says itself (constructors and assignments that are defaulted, comparison,
deduction guides, forward declarations) is not counted. It reads the style of the headers, and is no parser of C++."""
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parent.parent / "include" / "caramel"
members = "--members" in sys.argv
declared = re.compile(r"(?:template <.*> ?)?(?:requires .*)?(?:\[\[\w+\]\] )*(?:(?:constexpr|inline|static|explicit|friend|consteval|CARAMEL_\w+) )*"
                      r"(?:(?P<kind>struct|class|enum class|concept) (?:CARAMEL_EXPORT )?(?P<type>\w+)|(?:using (?P<alias>\w+) =)|(?:[\w:<>,&\*. ()]*?[ &\*])?(?P<function>~?\w+|operator\W+)\()")
said, counted = [], 0


def look(path):
    global counted
    depth, hidden, stack, documented = 0, None, [], False
    lines = path.read_text().split("\n")
    for number, line in enumerate(lines, 1):
        code = re.sub(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|//.*', "", line)
        if line.lstrip().startswith("///"):
            documented = True
            continue
        if code.startswith("#") or not line.strip():
            if not line.strip():
                documented = False
            continue
        if re.match(r"\s*namespace (\w+::)*(detail|hangul)\b|\s*namespace caramel::inline CARAMEL_ABI::detail", code) and hidden is None:
            hidden = depth
        stripped = code.strip()
        if hidden is None and depth == 1 + len(stack) and (depth == 1 or members and stack[-1][1]):
            starts = re.match(r"(template <.*>|requires[ (].*)$", stripped)
            found = declared.match(stripped)
            if found and not starts and not stripped.startswith(("return", "namespace", "}", ")", ":", "using namespace", "using enum", "static_assert", "if ", "for ", "while ")):
                name = found["type"] or found["alias"] or found["function"]
                forward = found["type"] and stripped.endswith(";") and "{" not in stripped and found["kind"] != "concept"
                plain = re.search(r"= (default|delete);", stripped) or (name or "").startswith(("operator==", "operator<=>", "fields", "field_names")) or "->" in stripped.split(")")[-1] and found["function"] and name[0].islower() and stripped.endswith(";") and re.match(r"(template <.*> )?\w+\(", stripped)
                one_line = depth > 1 and "{" in stripped and stripped.endswith("}")
                special = found["type"] and re.search(rf"(?:struct|class) {found['type']}<", stripped)  # a specialization: its template has the words
                if name and not name.endswith("_") and not special and not forward and not plain and not one_line and not (depth > 1 and found["alias"]) and "///<" not in line:
                    counted += 1
                    if not documented and not (found["function"] and overload_of_documented(lines, number, name)):
                        said.append(f"{path.relative_to(root.parent)}:{number}: {name}")
            if not starts:
                documented = False
        opened = re.match(r"(?:template <.*> )?(struct|class) (?:CARAMEL_EXPORT )?(\w+)[^;]*\{\s*$", stripped)
        before = depth
        depth += code.count("{") - code.count("}")
        if hidden is None and opened and before == 1 + len(stack) and depth == before + 1:
            stack.append([opened[2], opened[1] == "struct"])
        while stack and depth < 1 + len(stack):
            stack.pop()
        if stack and depth == 1 + len(stack) and re.match(r"(public|private|protected):", stripped):
            stack[-1][1] = stripped.startswith("public")
        if hidden is not None and depth <= hidden:
            hidden = None


def overload_of_documented(lines, number, name):
    """The same name declared just above, without an empty line between: one comment speaks for both."""
    for text in reversed(lines[max(0, number - 25):number - 1]):
        if not text.strip():
            return False
        if re.search(rf"\b{re.escape(name)}\(", text):
            return True
    return False


for header in sorted(root.rglob("*.hpp")):
    look(header)
print("\n".join(said))
print(f"documented: {counted - len(said)} of {counted}")
