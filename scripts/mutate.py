#!/usr/bin/env python3
"""Would the tests notice? Makes small mistakes in the arithmetic of the headers, one at a time, and counts how many the tests catch.

usage: scripts/mutate.py [N] [SEED] [--only PART] [--log FILE] [--minutes M] [--list]
       N mutants (default 200) of the mistakes that SEED (default 1) picks, spread evenly over the headers that hold arithmetic;
       --only PART  those of the same run whose header has PART in its path; --list shows them without running anything;
       --log FILE   writes every mutant and what became of it, and takes from it which ones were caught before: they are not run
                    again (docs/mutants.tsv is the log of the run that the docs quote; without FILE every mutant is run);
       --minutes M  takes no new mutants after half of that time, and stops after it with what there is by then.

A mutant is a change of one token: a sign, + - * /, < for <=, && for ||, min for max, a constant 0, 1 or 2 off by one, a lost `!`.
It is made in a copy of include/, never in the tree. First the quick cases of the nearest test run without optimization, with one
precompiled header. Whoever survives meets those of the two next nearest, and then all but the slow cases of the nearest under the
address and undefined-behaviour sanitizers, as in CI. Caught is a test that fails, crashes or does not end; at the end every test
that did is run once without any mistake and must pass. What does not compile is no mutant, and another is drawn.
Mutants that change nothing anyone can see (tests/data/equivalent_mutants.tsv says why, each) count neither way.
Needs clang++-14 (or the compiler that CXX names, if it is clang) and lld; one process, 5 to 10 seconds a mutant.
"""
import argparse, itertools, os, pathlib, random, re, resource, shutil, subprocess, sys, time

root = pathlib.Path(__file__).resolve().parent.parent
work = root / "build" / "mutants"
compiler = os.environ.get("CXX", "clang++-14")

# Headers that hold arithmetic: whole families, and of text and data those that count, sum or draw.
FAMILIES = "core linear nn recommend policy features evaluate trees explain".split()
AND = """text/analogies text/bpe_training text/embedding text/encoding text/near_duplicates text/nb_ratios text/ngrams text/phrases text/pool
text/row_sums text/subword text/tfidf text/vocabulary text/weighted_bag text/word2vec text/word2vec_step text/word2vec_training text/wordpiece_fit
data/clean data/histories data/interaction_splits data/interactions data/split data/synthetic data/synthetic_subscribers data/transactions""".split()
WITHOUT = "core/callback core/chain_errors core/composite core/error core/large_pages core/platform core/progress core/utf8 core/workspace".split()
FEWEST_PLACES = 5  # a header with fewer places to change holds no arithmetic to speak of

TOKEN = re.compile(r"""
    (?P<skip>//[^\n]*|/\*.*?\*/|\#(?:[^\n]*\\\n)*[^\n]*|R"(?P<raw>[^(]*)\(.*?\)(?P=raw)"|"(?:[^"\\\n]|\\.)*"|(?<![0-9a-fA-F])'(?:[^'\\\n]|\\.)+')
  | (?P<number>0[xX][0-9a-fA-F'.]+(?:[pP][+-]?\d+)?[uUlLzZ]*|(?:\d[\d']*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[uUlLfFzZ]*)
  | (?P<name>[A-Za-z_]\w*)
  | (?P<op><<=|>>=|<=>|->\*|\.\.\.|::|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|[-+*/%<>=!&|^~?:;,.(){}\[\]])
""", re.X | re.S)
SWAPS = {"+": ["-"], "-": ["+"], "*": ["/"], "/": ["*"], "<": ["<="], "<=": ["<"], ">": [">="], ">=": [">"], "&&": ["||"], "||": ["&&"],
         "+=": ["-="], "-=": ["+="], "*=": ["/="], "/=": ["*="]}
NAMES = {"min": "max", "max": "min", "minCoeff": "maxCoeff", "maxCoeff": "minCoeff", "cwiseMin": "cwiseMax", "cwiseMax": "cwiseMin",
         "min_element": "max_element", "max_element": "min_element", "lower_bound": "upper_bound", "upper_bound": "lower_bound"}
NO_OPERAND = set("return const constexpr case else operator co_return new delete throw typename class auto".split())


class Token:
    def __init__(self, kind, text, begin):
        self.kind, self.text, self.begin, self.end = kind, text, begin, begin + len(text)


def tokens_of(source):
    out, at = [], 0
    while at < len(source):
        found = TOKEN.match(source, at)
        if not found:
            at += 1
            continue
        if not found.group("skip"):
            out.append(Token(found.lastgroup if found.lastgroup != "raw" else "skip", found.group(0), at))
        at = found.end()
    return out


def closing(tokens, at):
    """The place of the bracket that closes the one at `at`."""
    pairs = {"(": ")", "[": "]", "{": "}"}
    depth = 0
    for i in range(at, len(tokens)):
        if tokens[i].text in pairs:
            depth += 1
        elif tokens[i].text in pairs.values():
            depth -= 1
            if depth == 0:
                return i
    return len(tokens) - 1


def left_out(source, tokens):
    """Which tokens are not arithmetic: static_asserts, messages of errors, template parameters, declarations, hints of capacity."""
    out = [False] * len(tokens)

    def leave(first, last):
        for i in range(first, min(last + 1, len(tokens))):
            out[i] = True

    def until(at, *ends):
        while at < len(tokens) and tokens[at].text not in ends:
            at += 1
        return at

    for i, t in enumerate(tokens):
        following = tokens[i + 1] if i + 1 < len(tokens) else None
        call = following is not None and following.text == "("
        if t.text in ("static_assert", "fail", "reserve", "noexcept", "alignas", "sizeof", "decltype", "assume_aligned", "prefetch", "__builtin_prefetch") and call:
            leave(i, closing(tokens, i + 1))
        elif t.text.startswith("require") and t.text != "requires" and call:  # its condition counts, the message does not
            end, depth = closing(tokens, i + 1), 0
            for j in range(i + 1, end):
                if tokens[j].text in "([{":
                    depth += 1
                elif tokens[j].text in ")]}":
                    depth -= 1
                elif tokens[j].text == "," and depth == 1:
                    leave(j, end)
                    break
        elif t.text == "constexpr" and i > 0 and tokens[i - 1].text == "if" and call:
            leave(i, closing(tokens, i + 1))
        elif t.text in ("throw", "using", "friend", "enum"):
            leave(i, until(i, ";", "{"))
        elif t.text == "concept":
            end = i
            while end < len(tokens) and tokens[end].text != ";":
                end = closing(tokens, end) + 1 if tokens[end].text in "([{" else end + 1
            leave(i, end)
        elif t.text == "requires":
            body = closing(tokens, i + 1) + 1 if call else i + 1
            if tokens[body].text == "{" and tokens[i - 1].text != ")":  # an expression, not a clause of a function
                leave(i, closing(tokens, body))
            line_end = source.find("\n", t.begin)
            for j in range(i, len(tokens)):
                if tokens[j].begin > line_end:
                    break
                out[j] = True
        elif t.text == "operator":
            leave(i, i + 1)
        elif t.text == "<" and (tokens[i - 1].text == "template" or tokens[i - 1].end == t.begin):
            depth = 0
            for j in range(i, len(tokens)):
                depth += {"<": 1, ">": -1, ">>": -2}.get(tokens[j].text, 0)
                if depth <= 0 or tokens[j].text == ";":
                    leave(i, j)
                    break
    return out


def places(source):
    """Every change of one token as (begin, end, text to put there)."""
    tokens = tokens_of(source)
    out = left_out(source, tokens)
    found = []
    for i in range(1, len(tokens) - 1):
        if out[i]:
            continue
        t, before, after = tokens[i], tokens[i - 1], tokens[i + 1]
        apart = source[t.begin - 1].isspace() and source[t.end].isspace()
        operand = before.kind in ("number", "name") and before.text not in NO_OPERAND or before.text in (")", "]")
        if t.kind == "number":
            if re.fullmatch(r"[012](\.0*)?[uUlLfFzZ]*", t.text):
                for step in (1, -1):
                    if int(t.text[0]) + step >= 0:
                        found.append((t.begin, t.end, str(int(t.text[0]) + step) + t.text[1:]))
        elif t.text in SWAPS and apart and operand and after.text not in (")", ",", ">", "..."):
            found += [(t.begin, t.end, text) for text in SWAPS[t.text]]
        elif t.text == "-" and not operand and after.begin == t.end:
            found.append((t.begin, t.end, ""))
        elif t.text == "!" and before.kind != "name" and after.begin == t.end:
            found.append((t.begin, t.end, ""))
        elif t.text in NAMES and after.text == "(" and before.text in ("::", "."):
            of_numbers = before.text == "::" and tokens[i - 2].text in ("std", "ranges")
            if of_numbers or t.text.endswith("Coeff") or t.text.startswith("cwise"):
                found.append((t.begin, t.end, NAMES[t.text]))
    return found


class Mutant:
    def __init__(self, header, source, place):
        begin, end, text = place
        self.header, self.source = header, source[:begin] + text + source[end:]
        self.line = source.count("\n", 0, begin) + 1
        self.before = source.split("\n")[self.line - 1].strip()
        self.after = self.source.split("\n")[self.line - 1].strip()
        first = source.rfind("\n", 0, begin) + 1
        lead = source[first:begin].lstrip()
        self.change = f"{source[begin:end]} -> {text or 'nothing'}"
        self.column = begin - first + 1
        self.shown = f"{lead}[{self.change}]{source[end:source.find(chr(10), end)]}"

    def name(self):
        return f"include/caramel/{self.header}:{self.line}:{self.column}"


def headers():
    found = []
    for path in sorted((root / "include" / "caramel").rglob("*.hpp")):
        name = path.relative_to(root / "include" / "caramel").as_posix()
        stem = name[:-4]
        if (stem.split("/")[0] in FAMILIES and "/" in stem and stem not in WITHOUT) or stem in AND:
            source = path.read_text()
            if len(places(source)) >= FEWEST_PLACES:
                found.append(name)
    return found


def equivalents():
    path = root / "tests" / "data" / "equivalent_mutants.tsv"
    if not path.exists():
        return set()
    rows = [line.split("\t") for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return {(row[0], row[1]) for row in rows}


def draws(header, seed, known):
    """The mutants of a header in the order of the seed, without what is known to change nothing."""
    source = (root / "include" / "caramel" / header).read_text()
    order = places(source)
    random.Random(f"{seed} {header}").shuffle(order)
    seen = set()
    for place in order:
        if place[0] in seen:  # one change a place
            continue
        seen.add(place[0])
        mutant = Mutant(header, source, place)
        if (header, mutant.after) not in known:
            yield mutant


class Tests:
    """Which tests are near a header: the one of its name, then those that include it, or a header that does, and so on, by how many
    of its names stand in them, those that few headers know above all."""

    def __init__(self):
        inclusion, word = re.compile(r"#include <caramel/([^>]+)>"), re.compile(r"[a-z]\w{4,}")
        self.includers, self.in_tests, self.words, self.of_headers = {}, {}, {}, {}
        count = {}
        for path in sorted((root / "include" / "caramel").rglob("*.hpp")):
            name, source = path.relative_to(root / "include" / "caramel").as_posix(), path.read_text()
            code = {t.text for t in tokens_of(source) if t.kind == "name" and word.fullmatch(t.text)}
            self.of_headers[name] = code
            for w in code:
                count[w] = count.get(w, 0) + 1
            if "/" in name and name.split("/")[0] != "recipes" or name in ("pipeline.hpp", "apply.hpp"):
                for other in inclusion.findall(source):
                    self.includers.setdefault(other, []).append(name)
        for name, code in self.of_headers.items():
            self.of_headers[name] = {w: 1 / count[w] for w in code if count[w] <= 30}
        for path in sorted((root / "tests").rglob("*_test.cpp")):
            name = path.relative_to(root / "tests").as_posix()
            if name.split("/")[0] in ("contract", "build", "must_not_compile", "recipes"):
                continue
            source = path.read_text()
            self.words[name] = set(word.findall(source))
            for other in inclusion.findall(source):
                self.in_tests.setdefault(other, []).append(name)

    def near(self, header, most):
        floor, seen, found = [header], {header}, {}
        for depth in range(4):
            for h in floor:
                for test in self.in_tests.get(h, []):
                    found.setdefault(test, depth)
            floor = [i for h in floor for i in self.includers.get(h, []) if i not in seen and not seen.add(i)]
        alike = {t: round(sum(share for w, share in self.of_headers[header].items() if w in self.words[t]), 9) for t in found}
        family = header.split("/")[0] + "/"
        return sorted(found, key=lambda t: (t != header[:-4] + "_test.cpp", found[t], not t.startswith(family), -alike[t], len(self.words[t])))[:most]


class Build:
    """Compiles and runs a test against the copy of include/. Knows how long each takes without a mistake."""

    def __init__(self, name, flags, enough_seconds):
        self.folder, self.enough, self.clean = work / name, enough_seconds, {}
        self.folder.mkdir(parents=True, exist_ok=True)
        self.sanitized = any("sanitize" in f for f in flags)
        shared = os.environ.get("CARAMEL_SHARED", str(root.parent / "shared"))
        self.flags = ["-std=gnu++20", "-w", "-D_GLIBCXX_ASSERTIONS", "-DCATCH_CONFIG_FAST_COMPILE", "-DCARAMEL_TESTS_ONE_SCALAR=double",
                      "-isystem", "/usr/include/eigen3", "-I", str(root / "tests"), "-I", str(work / "include"),
                      f'-DCARAMEL_TESTS_DIR="{root / "tests"}"', f'-DCARAMEL_SHARED_DIR="{shared}"'] + flags
        other = ["algorithm", "array", "chrono", "cmath", "filesystem", "fstream", "functional", "map", "numeric", "optional", "set", "span", "sstream", "string",
                 "string_view", "thread", "tuple", "variant", "vector", "Eigen/Core", "Eigen/Cholesky", "Eigen/LU", "Eigen/QR", "Eigen/SparseCore",
                 "xtensor/xtensor.hpp", "xtensor/xadapt.hpp", "nlohmann/json.hpp", "catch2/catch.hpp"]  # other people's headers only
        (self.folder / "headers.hpp").write_text("".join(f"#include <{o}>\n" for o in other))
        self.call(["-x", "c++-header", "-fpch-instantiate-templates", str(self.folder / "headers.hpp"), "-o", str(self.folder / "headers.hpp.pch")], check=True)
        self.call(["-c", str(root / "tests/support/main.cpp"), "-o", str(self.folder / "main.o")], check=True)

    def call(self, arguments, check=False):
        try:
            done = subprocess.run([compiler] + self.flags + arguments, capture_output=True, text=True, timeout=900)
        except subprocess.TimeoutExpired:
            return False
        if check and done.returncode:
            sys.exit(done.stderr)
        return done.returncode == 0

    def compile(self, test):
        return self.call(["-include-pch", str(self.folder / "headers.hpp.pch"), "-c", str(root / "tests" / test), "-o", str(self.folder / "test.o")]) and \
            self.call(["-fuse-ld=lld", str(self.folder / "test.o"), str(self.folder / "main.o"), "-o", str(self.folder / "test")])

    def run(self, cases, seconds):
        """'passes', 'fails' or 'no end', and the output."""
        def limits():
            resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, int(seconds) + 2))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            if not self.sanitized:
                resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
        environment = dict(os.environ, ASAN_OPTIONS="detect_leaks=0:hard_rss_limit_mb=4000:allocator_may_return_null=0", UBSAN_OPTIONS="halt_on_error=1")
        try:
            done = subprocess.run([str(self.folder / "test"), "--abort", "-d", "yes"] + cases, capture_output=True, text=True, errors="replace",
                                  timeout=60 + 30 * seconds, preexec_fn=limits, env=environment, cwd=self.folder)
        except subprocess.TimeoutExpired:
            return "no end", ""
        return "passes" if done.returncode == 0 else "no end" if done.returncode in (-24, -9) else "fails", done.stdout

    def learn(self, test):
        """The quick cases of a test and the seconds they take when nothing is wrong; None where it cannot be used."""
        if test in self.clean:
            return self.clean[test]
        cases, seconds = None, 0.0
        if self.compile(test):
            how, shown = self.run(["~[slow]"], 60)
            times = [(float(s), name) for s, name in re.findall(r"^(\d+\.\d+) s: (.+)$", shown, re.M)]
            chosen = []
            for s, name in sorted(times):
                if seconds + s <= self.enough:
                    seconds += s
                    chosen.append(name)
            if how != "fails" and chosen:
                cases = ["~[slow]"]
                if how == "no end" or len(chosen) < len(times):  # too long in all: the quick ones of those that ended
                    names = self.folder / (test.replace("/", "_") + ".cases")
                    names.write_text("".join(f"{name}\n" for name in chosen))
                    cases = ["-f", str(names)]
        self.clean[test] = None if cases is None else (cases, seconds)
        return self.clean[test]

    def verdict(self, header, source, test):
        """'passes', 'fails' or 'no mutant' with this source of the header; None where the test is of no use without a mistake either."""
        copy = work / "include" / "caramel" / header
        clean = copy.read_text()
        try:
            copy.write_text(source)
            if not self.compile(test):
                return "no mutant"
            cases, seconds = self.clean.get(test) or (["~[slow]"], 2 * self.enough)
            how, _ = self.run(cases, 10 + 5 * seconds if test in self.clean else seconds)
            if how == "no end" and test not in self.clean:  # because of the mistake, or is it always so slow?
                copy.write_text(clean)
                if self.learn(test) is None:
                    return None
                copy.write_text(source)
                self.compile(test)
                how, _ = self.run(self.clean[test][0], 10 + 5 * self.clean[test][1])
            return "fails" if how == "no end" else how
        finally:
            copy.write_text(clean)


def main():
    options = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1])
    options.add_argument("n", nargs="?", type=int, default=200)
    options.add_argument("seed", nargs="?", type=int, default=1)
    options.add_argument("--only", default="")
    options.add_argument("--log", type=pathlib.Path)
    options.add_argument("--minutes", type=float, default=1e9)
    options.add_argument("--list", action="store_true")
    o = options.parse_args()

    names, known, tests = headers(), equivalents(), Tests()
    random.Random(o.seed).shuffle(names)
    share = {name: o.n // len(names) + (k < o.n % len(names)) for k, name in enumerate(names)}  # mutants of each header
    names = [name for name in names if share[name] and o.only in name]
    if o.list:
        for name in names:
            for mutant in itertools.islice(draws(name, o.seed, known), share[name]):
                print(f"{mutant.name()}\t{mutant.shown}\t{' '.join(tests.near(name, 2))}")
        return

    before = {}
    if o.log and o.log.exists():
        for row in o.log.read_text().splitlines():
            if row.startswith(("caught\t", "to be verified\t")):
                verdict, place, shown, by = row.split("\t")
                before[(place.split(":")[0], shown)] = (verdict, by)
    waiting = dict(before)  # rows of the log whose turn has not come

    shutil.rmtree(work / "include", ignore_errors=True)
    work.mkdir(parents=True, exist_ok=True)
    shutil.copytree(root / "include", work / "include")
    began, results = time.time(), {}

    def out_of_time(share=1.0):
        return time.time() - began > o.minutes * 60 * share

    def summary():
        count = {v: sum(r[0] == v for r in results.values()) for v in ("caught", "to be verified")}
        open_ = f" ({count['to be verified']} more failed in tests that were not yet run without a mistake)" if count["to be verified"] else ""
        return f"caught {count['caught']} of {len(results)}{open_}"

    def note(mutant, verdict, by, loud=True):
        results[mutant.name()] = (verdict, mutant, by)
        waiting.pop((mutant.name().split(":")[0], mutant.shown), None)
        if loud:
            print(f"{verdict}: {mutant.name()}: {mutant.shown}  ({by})", flush=True)
        if o.log:
            rows = sorted([f"{v}\t{m.name()}\t{m.shown}\t{b}" for v, m, b in results.values()] +
                          [f"{v}\t{file}:0\t{shown}\t{by}" for (file, shown), (v, by) in waiting.items()])
            o.log.write_text(f"# scripts/mutate.py {o.n} {o.seed}{' --only ' + o.only if o.only else ''}, {time.strftime('%Y-%m-%d')}: {summary()}; "
                             f"{len(known)} known to change nothing are left out\nverdict\tplace\tchange\ttest\n" + "\n".join(rows) + "\n")

    builds = {}

    def build(name):
        if name not in builds:
            builds[name] = Build(name, ["-O0"], 8) if name == "quick" else Build(name, ["-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"], 60)
        return builds[name]

    def verify(name):
        """Do the tests that failed pass without a mistake?"""
        mark = " (sanitizers)" if name == "thorough" else ""
        for test in sorted({by for v, _, by in results.values() if v == "to be verified"}):
            if out_of_time() or (name == "thorough") != test.endswith("(sanitizers)"):
                continue
            good = build(name).learn(test.removesuffix(mark)) is not None
            for verdict, mutant, by in list(results.values()):
                if verdict == "to be verified" and by == test:
                    note(mutant, "caught" if good else "not caught", by, loud=not good)

    survivors = []
    for name in names:
        near, found = tests.near(name, 2), 0
        for mutant in draws(name, o.seed, known):
            if found == share[name] or out_of_time(0.5):
                break
            old = before.get((f"include/caramel/{name}", mutant.shown))
            if old:
                note(mutant, *old, loud=False)
                found += 1
                continue
            verdict, by = None, "no test near it"
            for by in near:
                verdict = build("quick").verdict(name, mutant.source, by)
                if verdict is not None:
                    break
            if verdict == "no mutant":
                continue
            found += 1
            note(mutant, "to be verified" if verdict == "fails" else "not caught", by)
            if verdict != "fails":
                survivors.append(mutant)
    waiting.clear()
    print(f"== the nearest test alone: {sum(v != 'not caught' for v, _, _ in results.values())} of {len(results)} failed", flush=True)
    verify("quick")
    for mutant in survivors:
        near = tests.near(mutant.header, 3)
        for name, test in [("quick", test) for test in near[1:]] + [("thorough", test) for test in near[:1]]:
            if not out_of_time() and build(name).verdict(mutant.header, mutant.source, test) == "fails":
                note(mutant, "to be verified", test + (" (sanitizers)" if name == "thorough" else ""))
                break
    verify("quick")
    verify("thorough")
    print("== survivors:")
    for verdict, mutant, by in results.values():
        if verdict != "caught":
            print(f"{verdict}: {mutant.name()}: {mutant.shown}  ({by})")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"mutants: {summary()}  (seed {o.seed}, {used.ru_utime + used.ru_stime:.0f} CPU seconds, {time.time() - began:.0f} seconds)")


if __name__ == "__main__":
    main()
