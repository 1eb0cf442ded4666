#!/usr/bin/env python3
"""Checks every relative link and anchor: in all Markdown files, and in the site where it is built.

usage: scripts/links.py [SITE]        SITE: a folder of HTML, such as build/site

Prints `links: N checked, M dead`, and each dead one with its file and line. Addresses of other servers are not asked.
"""
import html
import pathlib
import re
import sys
import urllib.parse

root = pathlib.Path(__file__).resolve().parent.parent
skipped = {"build", ".git", "node_modules"}
checked, dead = 0, []


def prose(text):
    """The text without code (blanked, so that lines stay) and comments."""
    def blank(found):
        return re.sub(r"[^\n]", " ", found[0])
    text = re.sub(r"^( *)(`{3,}|~{3,}).*?^ *\2 *$", blank, text, flags=re.M | re.S)
    text = re.sub(r"<!--.*?-->", blank, text, flags=re.S)
    return re.sub(r"(`+)(?!`).+?(?<!`)\1(?!`)", blank, text, flags=re.S)


def slug(heading):
    """The anchor that GitHub gives a heading."""
    heading = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    heading = re.sub(r"[*`]|(?<!\w)_|_(?!\w)", "", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", heading).replace(" ", "-")


def anchors(path, seen={}):
    if path not in seen:
        text, counts, found = path.read_text(), {}, set()
        without_code = re.sub(r"^( *)(`{3,}|~{3,}).*?^ *\2 *$", "", text, flags=re.M | re.S)
        for heading in re.findall(r"^#{1,6} +(.*?) *#*$", without_code, re.M):
            name = slug(heading)
            counts[name] = counts.get(name, -1) + 1
            found.add(name if counts[name] == 0 else f"{name}-{counts[name]}")
        found |= set(re.findall(r"<[^>]* (?:id|name)=\"([^\"]+)\"", text))
        seen[path] = found
    return seen[path]


def elsewhere(target):
    return re.match(r"[a-zA-Z][a-zA-Z+.-]*:|//", target)


def check_markdown(path):
    global checked
    text = prose(path.read_text())
    places = [(m.start(), m[1]) for m in re.finditer(r"\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)", text)]
    places += [(m.start(), m[1]) for m in re.finditer(r"^ {0,3}\[[^\]]+\]:\s*(\S+)", text, re.M)]
    places += [(m.start(), m[1]) for m in re.finditer(r"<(?:a|img|source)\b[^>]*\b(?:href|src|srcset)=\"([^\"]+)\"", text)]
    for at, target in places:
        if elsewhere(target):
            continue
        checked += 1
        name, _, anchor = target.partition("#")
        other = (path.parent / urllib.parse.unquote(name)).resolve() if name else path
        if not other.exists():
            why = "there is no such file"
        elif anchor and other.suffix == ".md" and urllib.parse.unquote(anchor) not in anchors(other):
            why = "there is no such heading"
        else:
            continue
        dead.append(f"{path.relative_to(root)}:{text.count(chr(10), 0, at) + 1}: {target}: {why}")


def check_site(site):
    global checked
    pages = {page: page.read_text(errors="replace") for page in sorted(site.rglob("*.html"))}
    if not pages:
        sys.exit(f"links.py: no pages in {site}")
    ids = {page: set(re.findall(r"\b(?:id|name)=\"([^\"]+)\"", text)) for page, text in pages.items()}
    for page, text in pages.items():
        text = re.sub(r"<!--.*?-->|<script\b.*?</script>", "", text, flags=re.S)
        for target in dict.fromkeys(re.findall(r"<[^>]*?\s(?:href|src)=\"([^\"]*)\"", text)):
            target = html.unescape(target)
            if not target or elsewhere(target):
                continue
            checked += 1
            name, _, anchor = target.partition("#")
            other = (page.parent / urllib.parse.unquote(name.partition("?")[0])).resolve() if name else page
            if not other.exists():
                dead.append(f"{page.relative_to(site)}: {target}: there is no such file")
            elif anchor and other in ids and html.unescape(urllib.parse.unquote(anchor)) not in ids[other] and anchor not in ids[other]:
                dead.append(f"{page.relative_to(site)}: {target}: there is no such anchor")


for path in sorted(root.rglob("*.md")):
    if not skipped.intersection(path.relative_to(root).parts):
        check_markdown(path)
if len(sys.argv) > 1:
    check_site(pathlib.Path(sys.argv[1]).resolve())
for one in dead:
    print(one, file=sys.stderr)
print(f"links: {checked} checked, {len(dead)} dead")
sys.exit(1 if dead else 0)
