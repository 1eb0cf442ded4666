#!/usr/bin/env bash
# Builds the site (guide, cookbook, reference) into build/site, and checks every link in it.
# usage: scripts/site.sh [--open]      --open: shows it in the browser
# Prints `site: N pages, M warnings` and the line of scripts/links.py; fails where a reference or a link leads nowhere.
. "$(dirname "$0")/common.sh"
need doxygen doxygen-awesome-css python3
site=$root/build/site input=$root/build/site_input
theme=/usr/share/doxygen-awesome-css
[ -f $theme/doxygen-awesome.css ] || { echo "site.sh: needs doxygen-awesome-css (Debian's package, or its files in $theme)" >&2; exit 1; }
rm -rf "$site" "$input"
mkdir -p "$site" "$input/pages"
python3 scripts/site_input.py pages "$input/pages" "$site"

# Doxygen's own header with the script that lets a reader choose between light and dark; its own navigation, in our words.
(cd "$input" && doxygen -w html header.html footer.html style.css 2>/dev/null && doxygen -l layout.xml 2>/dev/null)
sed -i 's|</head>|<meta name="color-scheme" content="light dark"/>\n<script type="text/javascript" src="$relpath^doxygen-awesome-darkmode-toggle.js"></script>\n<script type="text/javascript" src="$relpath^doxygen-awesome-fragment-copy-button.js"></script>\n<script type="text/javascript">DoxygenAwesomeDarkModeToggle.init(); DoxygenAwesomeFragmentCopyButton.init();</script>\n</head>|' "$input/header.html"
python3 - "$input/layout.xml" <<'PYTHON'
import re, sys
text = open(sys.argv[1]).read()
def tab(kind, change):
    global text
    text = re.sub(rf'<tab type="{kind}" visible="yes" title=""', f'<tab type="{kind}" {change}', text, count=1)
tab("mainpage", 'visible="yes" title="Caramel"')
tab("pages", 'visible="yes" title="Guide and more"')
tab("modules", 'visible="yes" title="Reference"')
for kind in ("namespaces", "concepts", "interfaces", "classes", "structs", "exceptions", "files", "examples"):
    tab(kind, 'visible="no" title=""')
open(sys.argv[1], "w").write(text)
PYTHON
{
    cat docs/site/Doxyfile
    version=$(sed -n 's/^#define CARAMEL_VERSION_\(MAJOR\|MINOR\|PATCH\) *//p' include/caramel/version.hpp | paste -sd.)
    echo "PROJECT_NUMBER = $version"
    echo "INPUT = $input/pages include/caramel"
    echo "OUTPUT_DIRECTORY = $site"
    echo "LAYOUT_FILE = $input/layout.xml"
    echo "HTML_HEADER = $input/header.html"
    echo "HTML_EXTRA_STYLESHEET = $theme/doxygen-awesome.css $theme/doxygen-awesome-sidebar-only.css $theme/doxygen-awesome-sidebar-only-darkmode-toggle.css docs/site/site.css"
    echo "HTML_EXTRA_FILES = $theme/doxygen-awesome-darkmode-toggle.js $theme/doxygen-awesome-fragment-copy-button.js"
    echo "WARN_LOGFILE = $input/warnings"
} >"$input/Doxyfile"
doxygen "$input/Doxyfile" >"$input/log"
# Doxygen's summaries offer "Classes" also where those within a class are hidden; and in code it takes a variable for a member of
# the same name somewhere: links stay where they lead to a type of that name, or to a function of the namespace.
python3 - "$site" <<'PYTHON'
import pathlib, re, sys
for page in pathlib.Path(sys.argv[1]).glob("*.html"):
    text = before = page.read_text()
    if 'name="nested-classes"' not in text:
        text = re.sub(r'<a href="#nested-classes">[^<]*</a>( &#124;)?\s*', "", text)
    def link(found):
        target, words = found[1], found[2]
        kind = re.fullmatch(r"(?:class|struct)caramel_1_1(\w+)\.html", target)
        name = re.sub(r"&lt;.*", "", words).removeprefix("caramel::")
        right = (kind and kind[1].replace("__", "_") == name) or target.startswith("group__family") or target == "namespacecaramel.html"
        return found[0] if right else words
    text = re.sub(r'<a class="code[^"]*" href="([^"]*)">(.*?)</a>', link, text)
    if text != before:
        page.write_text(text)
PYTHON
warnings=$(grep -c 'warning\|error' "$input/warnings" || true)
[ "$warnings" = 0 ] || cat "$input/warnings" >&2
echo "site: $(find "$site" -name '*.html' | wc -l) pages, $warnings warnings, in build/site/index.html"
python3 scripts/links.py build/site
[ "$warnings" = 0 ]
[ "${1:-}" != --open ] || xdg-open "$site/index.html"
