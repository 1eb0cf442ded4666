#!/usr/bin/env python3
"""Prepares what Doxygen reads for the site (scripts/site.sh).

usage: scripts/site_input.py pages FOLDER SITE    writes the Markdown files as pages into FOLDER, files that they link to into SITE/files
       scripts/site_input.py filter HEADER        prints a header as Doxygen is to see it (its INPUT_FILTER)

Pages are written for GitHub. Doxygen 1.9 reads Markdown a little otherwise: it has no anchors like GitHub's, breaks tables at
each `|`, and takes @ and \\ for commands. So headings get their anchors, links become references, tables become HTML."""
import html
import pathlib
import re
import shutil
import sys

root = pathlib.Path(__file__).resolve().parent.parent
# In the order of the navigation; those that are not there are left out, other pages of docs/ come after them.
order = ["README.md", "docs/install.md", "docs/guide.md", "docs/cookbook.md", "docs/hosts.md", "docs/recommend.md", "docs/policy.md", "docs/privacy.md",
         "docs/messages.md", "docs/results.md", "docs/compile_time.md", "docs/trust.md", "docs/numbers.md", "docs/design.md", "docs/contract.md",
         "docs/format.md", "docs/adding_a_component.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "README.zh-CN.md"]
families = {
    "pipeline": ("Pipelines", "Recipes, models, chains: `fit`, `|`, `any_model`, `apply`."),
    "data": ("Data", "Tables, CSV, transactions, interactions, splits, generated data."),
    "features": ("Features", "Tables, columns and histories to numbers."),
    "text": ("Text", "Cleaning, tokens, n-grams, word vectors."),
    "linear": ("Linear models", "Logistic regression, ridge, support vectors, dense and sparse."),
    "trees": ("Trees", "Boosted trees."),
    "nn": ("Networks", "Layers, losses, optimizers, networks."),
    "recommend": ("Recommenders", "From purchases and ratings to ranked lists."),
    "policy": ("Policies", "Processes, states, learners, bandits, limits, off-policy evaluation."),
    "recipes": ("Ready-made recipes", "Chains that were put together already."),
    "evaluate": ("Evaluation", "Metrics, cross-validation, search, calibration, intervals, drift."),
    "explain": ("Explanations", "Why this prediction, and which columns matter."),
    "privacy": ("Privacy", "Pseudonyms, redaction, anonymity, noise."),
    "report": ("Reports", "Pages with charts and tables, in one HTML file."),
    "io": ("Files", "Saved models, safetensors, JSON."),
    "core": ("Core", "Errors, matrices, random numbers, threads, workspaces."),
}


def page_id(path):
    name = str(path.relative_to(root)).removesuffix(".md").removeprefix("docs/")
    return "index" if name == "README" else re.sub(r"[^a-z0-9]+", "_", name.lower())


def slug(heading):
    heading = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    heading = re.sub(r"[*`]|(?<!\w)_|_(?!\w)", "", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", heading).replace(" ", "-")


def anchor(path, name):
    return page_id(path) + "_" + re.sub(r"\W+", "_", name)


def code_element(text):
    """Code as Doxygen takes it for text: no commands, no links."""
    return "<code>" + re.sub(r"([\\@#$%~\"])", r"\\\1", html.escape(text, quote=False)).replace("::", "\\::").replace(". ", ".&nbsp;").replace("--", "\\--") + "</code>"


class Page:
    def __init__(self, path, known, site, parents):
        self.path, self.known, self.site, self.parents = path, known, site, parents

    def target(self, address):
        """What a link leads to on the site: ("ref", id) or ("url", address)."""
        if re.match(r"[a-zA-Z][a-zA-Z+.-]*:|//", address):
            return "url", address
        name, _, mark = address.partition("#")
        other = (self.path.parent / name).resolve() if name else self.path
        if other in self.known:
            return "ref", anchor(other, mark) if mark else page_id(other)
        inside = other.relative_to(root)
        if other.is_dir():
            return "url", ""
        copy = self.site / "files" / inside
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(other, copy)
        return "url", f"files/{inside}"

    def inline(self, text, in_table=False):
        """A line or cell: code spans kept apart, links turned, the rest freed of what Doxygen would take for commands."""
        kept = []

        def keep(piece):
            kept.append(piece)
            return f"\0{len(kept) - 1}\0"

        def code(found):
            inner = found[2].strip() if len(found[1]) > 1 else found[2]
            if in_table:
                inner = inner.replace("\\|", "|")
            return keep(code_element(inner))

        def image(found):
            kind, where = self.target(found[2])
            return keep(f'<img src="{where}" alt="{html.escape(found[1])}" style="max-width: 100%"/>')

        def link(found):
            kind, where = self.target(found[2])
            words = self.unescaped(found[1])
            if kind == "ref" and in_table:
                plain = re.sub("\0(\\d+)\0", lambda m: re.sub("<[^>]*>", "", kept[int(m[1])]), words)
                return keep(f'\\ref {where} "{plain}"')
            if kind == "ref":
                return keep(f"[{words}](@ref {where})") if "\0" in words else keep(f'\\ref {where} "{words}"')
            return keep(f'<a href="{where}">{words}</a>') if where else words

        text = re.sub(r"(`+)(?!`)(.+?)(?<!`)\1(?!`)", code, text)
        text = re.sub(r"<(?:img|a|/a|br|p|/p|b|/b|picture|/picture|source|div|/div|kbd|/kbd|sub|sup|details|/details|summary|/summary)\b[^>]*>", lambda m: keep(self.raw(m[0])), text)
        text = re.sub(r"!\[([^\]]*)\]\(([^)\s]+)\)", image, text)
        text = re.sub(r"\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)", link, text)
        text = self.unescaped(text)
        if in_table:
            text = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", text).replace("\\|", "|")
            text = re.sub(r"(?<![\w*])\*([^*\s][^*]*)\*(?![\w*])", r"<em>\1</em>", text)
        while "\0" in text:
            text = re.sub("\0(\\d+)\0", lambda m: kept[int(m[1])], text)
        return text

    def raw(self, tag):
        return re.sub(r"\b(src|href|srcset)=\"([^\"]+)\"", lambda m: f'{m[1]}="{self.target(m[2])[1] if self.target(m[2])[0] == "url" else self.target(m[2])[1] + ".html"}"', tag)

    @staticmethod
    def unescaped(text):
        text = re.sub(r"(?<![\\\w])[@](?=\w)|(?<=\w)@(?=\w)", r"\\@", text)
        text = re.sub(r"\\(?=[a-zA-Z])", r"\\\\", text)
        text = re.sub(r"%(?=\w)", r"\\%", text.replace('"', "&quot;"))
        return re.sub(r"(?<!\w)#(?=\w)", r"\\#", text)

    def table(self, rows):
        def cells(row):
            inner = row.strip().removeprefix("|").removesuffix("|")
            return [cell.strip() for cell in re.split(r"(?<!\\)\|", self.guard(inner))]

        def row(tag, texts):
            return "<tr>" + "".join(f"<{tag}>{self.inline(text.replace(chr(1), chr(92) + '|'), True) or '&nbsp;'}</{tag}>" for text in texts) + "</tr>"
        return ["<table class=\"markdownTable\">", row("th", cells(rows[0])), *(row("td", cells(r)) for r in rows[2:]), "</table>"]

    @staticmethod
    def guard(text):
        return text.replace("\\|", "\1")

    def lines(self):
        text = re.sub(r"<!--.*?-->\n?", "", self.path.read_text(), flags=re.S)
        out, fence, table, marks, first, paragraph = [], None, [], {}, True, []

        def flush_table():
            if table:
                out.extend(self.table(table))
                out.append("")
                table.clear()

        def flush():
            if paragraph:
                # A code span or a link may go on in the next line, so a paragraph is turned as a whole.
                out.extend(self.inline("\n".join(paragraph)).split("\n"))
                paragraph.clear()

        for line in text.split("\n"):
            opened = re.match(r"( *)(`{3,}|~{3,}) *([\w+]*)", line)
            if fence is None and opened:
                flush(), flush_table()
                fence = opened[2]
                language = {"cpp": "{.cpp}", "c++": "{.cpp}", "python": "{.py}", "cmake": "{.unparsed}"}.get(opened[3], "{.unparsed}")
                out.append(f"{opened[1]}```{language}")
                continue
            if fence is not None:
                out.append(line if not line.strip().startswith(fence) else re.match(" *", line)[0] + "```")
                if line.strip().startswith(fence):
                    fence = None
                continue
            if line.startswith("|"):
                flush()
                table.append(line)
                continue
            flush_table()
            heading = re.match(r"(#{1,6}) +(.*?) *#*$", line)
            if heading:
                flush()
                name = slug(heading[2])
                marks[name] = marks.get(name, -1) + 1
                name = name if marks[name] == 0 else f"{name}-{marks[name]}"
                title = re.sub(r"[`*]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading[2]))
                if first:
                    # The page itself. Doxygen has no heading of a page and an anchor to it apart.
                    out.append(f"# {title} {{#{'mainpage' if page_id(self.path) == 'index' else page_id(self.path)}}}")
                    first = False
                else:
                    out.append(f"{heading[1]} {self.unescaped(title)} {{#{anchor(self.path, name)}}}")
                continue
            if not line.strip():
                flush()
                out.append("")
            else:
                if re.match(r" *([-*+]|\d+\.) ", line):
                    flush()
                paragraph.append(line)
        flush(), flush_table()
        return out


def write_pages(folder, site):
    known = [root / name for name in order if (root / name).exists()]
    known += sorted(path for path in (root / "docs").rglob("*.md") if path not in known)
    for number, path in enumerate(known):
        text = "\n".join(Page(path, known, site, {}).lines()) + "\n"
        if path == root / "docs/guide.md":  # its pages stand below it in the navigation
            text = re.sub(r"\\ref (guide_\w+) ", r"\\subpage \1 ", text)
        (folder / f"{number:02}_{page_id(path)}.md").write_text(text)
    groups = "".join(f"/** \\defgroup family_{name} {title}\n * \\brief {re.sub(chr(96) + '([^`]*)' + chr(96), r'<code>' + chr(92) + '1</code>', brief)}\n */\n"
                     for name, (title, brief) in families.items())
    (folder / "families.dox").write_text(groups + "/** \\namespace caramel\n * \\brief Everything of the library. */\n")


# What a reader of the reference has no use for: comparison with oneself, what saving needs, names taken over from a base.
dropped = re.compile(r"\s*(friend\b|.*\bfields\(\) const|.*\bfield_names\b|using stage_concept\b|using [\w:<>, ]+::\w+(\(\))?;)")


def comment_text(found):
    """A run of comment lines: code spans apart, since words in them are neither commands nor tags."""
    parts = re.split(r"`([^`\n]*)`", found[0])
    for n in range(0, len(parts), 2):
        parts[n] = re.sub(r"\\(?=\w)", r"\\\\", parts[n])
        parts[n] = re.sub(r"(?<![\w&])#(?=\w)", r"\\#", re.sub(r"<(?=[a-z/])", "&lt;", parts[n].replace("///<", "///\0").replace("&#", "&amp;#").replace('"', "&quot;"))).replace("///\0", "///<")
        parts[n] = re.sub(r" (\.+) ", r" \1&nbsp;", parts[n])  # ". " would end the brief description
    for n in range(1, len(parts), 2):
        parts[n] = code_element(parts[n])
    return "".join(parts).replace("`", "")


def filter_header(path):
    path = pathlib.Path(path).resolve()
    inside = path.relative_to(root / "include" / "caramel")
    family = inside.parts[0] if len(inside.parts) > 1 else "pipeline"
    text = re.sub(r"(^ *///.*\n)+|///<.*\n", comment_text, path.read_text(), flags=re.M)
    out, depth, dropping = [], 0, False
    for line in text.split("\n"):
        if not dropping and dropped.match(line):
            dropping, depth = True, 0
            while out and out[-1].lstrip().startswith("///"):
                out.pop()
        if dropping:
            depth += line.count("{") - line.count("}")
            dropping = depth > 0 or not re.search(r"[;}]\s*(//.*)?$", line)
            out.append("")
            continue
        line = re.sub(r"\[\[(nodiscard|noreturn|maybe_unused|likely|unlikely)\]\] ?", "", line)
        if line.startswith("namespace caramel::inline CARAMEL_ABI::detail"):
            line = line.replace("inline CARAMEL_ABI::", "")
        elif line.startswith("namespace caramel::inline CARAMEL_ABI {"):
            line = f"namespace caramel {{\n/** \\addtogroup family_{family}\n * @{{ */"
        elif line.startswith("}  // namespace caramel::inline CARAMEL_ABI") and "detail" not in line:
            line = "/** @} */\n}"
        out.append(line)
    print("\n".join(out))


if len(sys.argv) == 4 and sys.argv[1] == "pages":
    write_pages(pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]).resolve())
elif len(sys.argv) == 3 and sys.argv[1] == "filter":
    filter_header(sys.argv[2])
else:
    sys.exit(__doc__)
