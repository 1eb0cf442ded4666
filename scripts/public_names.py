#!/usr/bin/env python3
"""Lists the public names of the library: what the headers declare in namespace caramel itself, not in `detail`.

usage: scripts/public_names.py [--missing FILE]     with --missing: only those that FILE does not mention

The headers are written in one style (one declaration a line, braces where .clang-format puts them), which this reads; it
is no parser of C++."""
import pathlib
import re
import sys

declared = re.compile(
    r"^(?:template <.*> )?(?:\[\[nodiscard\]\] )?(?:constexpr |inline |consteval |CARAMEL_COLD |\[\[noreturn\]\] )*"
    r"(?:(?:struct|class|enum class|concept) (?:CARAMEL_EXPORT )?(?P<type>\w+)"
    r"|using (?P<alias>\w+) ="
    r"|(?:constexpr |inline )*[\w:<>,&\*. ]+?[ &\*](?P<function>\w+)\()")


def names(path):
    depth, hidden, out = 0, None, set()
    for line in path.read_text().split("\n"):
        code = re.sub(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|//.*', "", line)
        if code.startswith("#"):
            continue
        opens_hidden = re.match(r"\s*namespace (detail|caramel::inline CARAMEL_ABI::detail)\b", code)
        if opens_hidden and hidden is None:
            hidden = depth
        elif hidden is None and depth == 1:
            found = declared.match(code)
            if found and not code.startswith(("requires", "return", "namespace", "}")):
                out.add(found["type"] or found["alias"] or found["function"])
        depth += code.count("{") - code.count("}")
        if hidden is not None and depth <= hidden:
            hidden = None
    return out


root = pathlib.Path(__file__).resolve().parent.parent / "include" / "caramel"
found = set().union(*(names(p) for p in sorted(root.rglob("*.hpp"))))
found -= {"operator", "noexcept", "requires", "if", "for", "while", "static_assert"}
if len(sys.argv) == 3 and sys.argv[1] == "--missing":
    text = set(re.findall(r"\w+", pathlib.Path(sys.argv[2]).read_text()))
    found -= text
print("\n".join(sorted(found)))
sys.exit(1 if found and len(sys.argv) == 3 else 0)
