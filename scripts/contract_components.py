#!/usr/bin/env python3
"""Checks that every public recipe of the library goes through the common contract (docs/contract.md).

usage: scripts/contract_components.py [--headers DIR]

A recipe is a type of namespace caramel, outside `detail`, that has a public member `fit` which takes `fit_options`, or an alias
of such a type. It is registered when an adapter in tests/contract/ names it in its `recipe()` or in its base class, or a line with `check_component`
names it. `made_by` says by which function a recipe is made that nobody names. Exceptions stand below with their reasons; one
that is not needed fails, too. --headers looks for recipes in another folder (that is how the check itself is tested)."""
import pathlib
import re
import sys

made_by = {
    "pipeline": "|",
    "concatenation": "concat",
    "network_recipe": "network",
    "network_regressor_recipe": "network_regressor",
    "network_ranker_recipe": "network_ranker",
    "stacked_recipe": "stacked",
    "monitored_recipe": "monitored",
    "calibrated_recipe": "calibrated",
    "searched": "best_of",
    "factors_of_recipe": "factors_of",
    "bought_text_recipe": "bought_text",
    "drop_columns_recipe": "drop_columns",
    "rename_columns_recipe": "rename_columns",
    "trending_recipe": "trending",
    "blend_recipe": "blend",
}
exceptions = {
    "recommender_search": "the result of a search: its `best` is one of the recipes above, which `fit` fits; it is no stage of a chain",
    "rolling_search": "the result of a search, as recommender_search",
}

root = pathlib.Path(__file__).resolve().parent.parent
headers = root / "include" / "caramel"
if len(sys.argv) == 3 and sys.argv[1] == "--headers":
    headers = pathlib.Path(sys.argv[2])


def code_lines(path):
    for line in path.read_text().split("\n"):
        yield re.sub(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|//.*', "", line)


def recipes_of(path):
    """Types with a member `fit`, by their braces: the headers are written in one style, which this reads."""
    depth, hidden, current, found, aliases, private = 0, None, None, set(), {}, False
    for code in code_lines(path):
        if code.startswith("#"):
            continue
        if re.match(r"\s*namespace (detail|caramel::inline CARAMEL_ABI::detail)\b", code) and hidden is None:
            hidden = depth
        if hidden is None and depth == 1:
            opened = re.match(r"(?:struct|class) (?:CARAMEL_EXPORT )?(\w+)[^;]*$", code)
            if opened:
                current, private = opened[1], code.startswith("class")
            alias = re.match(r"using (\w+) = (\w+)<", code)
            if alias:
                aliases[alias[1]] = alias[2]
        elif hidden is None and depth == 2 and current:
            if re.match(r"\s*(public|private|protected):", code):
                private = "public" not in code
            elif not private and re.match(r"    (?!return|static).*[ >]fit\(.*\bfit_options", code):
                found.add(current)
        depth += code.count("{") - code.count("}")
        if hidden is not None and depth <= hidden:
            hidden = None
    return found, aliases


recipes, aliases = set(), {}
for path in sorted(headers.rglob("*.hpp")):
    found, more = recipes_of(path)
    recipes |= found
    aliases |= more
recipes |= {name for name, of in aliases.items() if of in recipes}

named = set()
for path in sorted((root / "tests" / "contract").glob("*_test.cpp")):
    text = "\n".join(code_lines(path))
    bodies = re.findall(r"auto recipe\(\) const \{(?:[^\n]*\}\n|.*?\n    \}\n)", text, re.S)
    for body in bodies + re.findall(r"check_component[^\n]*|struct \w+ : \w+<[^\n]*", text):
        named |= set(re.findall(r"\w+", body))
        if "|" in body:
            named.add("|")

missing = sorted(r for r in recipes if r not in exceptions and r not in named and made_by.get(r) not in named)
needless = sorted(e for e in exceptions if e not in recipes) if headers == root / "include" / "caramel" else []
for name in missing:
    print(f"{name}: a public recipe without an adapter in tests/contract/")
for name in needless:
    print(f"{name}: an exception that nothing needs")
print(f"contract: {len(recipes)} public recipes, {len(recipes) - len(missing) - sum(e in recipes for e in exceptions)} registered, "
      f"{sum(e in recipes for e in exceptions)} exceptions, {len(missing)} missing")
sys.exit(1 if missing or needless or not recipes else 0)
