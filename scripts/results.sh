#!/usr/bin/env bash
# Measures what docs/results.md claims: one line `result NAME VALUE` a figure, nothing hard-coded.
# usage: scripts/results.sh [GROUP]        groups: house, journey, tables, text, recommend, policy, trust, adopt (default: all there are)
# Speeds come from the JSON output of the Google Benchmark programs; figures that need real data are skipped, with a line
# that says so, where neither CARAMEL_SHARED nor ../shared has them.
. "$(dirname "$0")/common.sh"
group=${1:-all}
case $group in all | house | journey | tables | text | recommend | policy | trust | adopt) ;; *)
    echo "results.sh: unknown group '$group' (there are: house, journey, tables, text, recommend, policy, trust, adopt)" >&2
    exit 2
    ;;
esac
need_compiler
need "${library_packages[@]}" libbenchmark-dev python3
compiler=${CXX:-g++}
shared=${CARAMEL_SHARED:-$root/../shared}
log=$(mktemp)
trap 'rm -f "$log" "$log".*' EXIT

result() { echo "result $1 $2"; }
skipped() { echo "skipped $1: $2 is not on this machine (set CARAMEL_SHARED)"; }

cmake --preset release -DCARAMEL_BUILD_TESTS=OFF -DCARAMEL_BUILD_EXAMPLES=ON -DCARAMEL_BUILD_TOOLS=ON -DCARAMEL_BUILD_BENCHMARKS=ON >"$log"
targets=()
case $group in trust | adopt) targets=(--target machine_bench) ;; esac  # what else they measure they build themselves
cmake --build --preset release --parallel "$cores" "${targets[@]}" >>"$log" || { cat "$log" >&2; exit 1; }

# counter PROGRAM BENCHMARK COUNTER: the median of five repetitions of one counter of one benchmark.
counter() {
    "build/release/benchmarks/$1" --benchmark_filter="^$2\$" --benchmark_repetitions=5 --benchmark_format=json 2>/dev/null |
        python3 -c "import json, sys; print(next('%.4g' % b['$3'] for b in json.load(sys.stdin)['benchmarks'] if b.get('aggregate_name') == 'median'))"
}
machine() {
    result machine.gflops "$(counter machine_bench machine_gflops gflops)"
    result machine.read_gb_per_second "$(counter machine_bench machine_read gb_per_second)"
}

# CPU seconds to compile a file that only includes HEADER..., at -O0: the median of five, after one to warm up.
include_seconds() {
    local source=$log.cpp
    printf '#include <%s>\n' "$@" >"$source"
    python3 - "$source" $compiler -std=c++20 -O0 -I include -isystem /usr/include/eigen3 <<'PYTHON'
import resource, subprocess, sys
source, compiler, *flags = sys.argv[1:]
seconds = []
for _ in range(6):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([compiler, *flags, "-c", source, "-o", "/dev/null"], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
print("%.3f" % sorted(seconds[1:])[2])
PYTHON
}

house() {
    local log_file=$shared/data/online_retail_ii/online_retail_2009_2010.csv
    if [ -f "$log_file" ]; then
        build/release/examples/customer_journey --data "$log_file" | grep -E '^result clean\.(rows|customers) '
    else
        skipped clean.rows "$log_file"
        skipped clean.customers "$log_file"
    fi
    result pipeline.lines "$(cat include/caramel/pipeline.hpp include/caramel/any_model.hpp | wc -l)"
    result pipeline.include_seconds "$(include_seconds caramel/pipeline.hpp caramel/any_model.hpp)"
    result umbrella.include_seconds "$(include_seconds caramel/caramel.hpp)"
}

# The main job on a year of a real shop, once for each of five seeds. Times are medians over the runs.
journey() {
    local log_file=$shared/data/online_retail_ii/online_retail_2009_2010.csv seed
    if [ ! -f "$log_file" ]; then
        skipped journey "$log_file"
        return
    fi
    for seed in 0 1 2 3 4; do build/release/examples/customer_journey --data "$log_file" --seed $seed >"$log.journey.$seed"; done
    python3 - "$log".journey.* <<'PYTHON'
import statistics, sys
runs = []
for name in sys.argv[1:]:
    runs.append({f[1]: float(f[2]) for f in (line.split() for line in open(name)) if len(f) == 3 and f[0] == "result"})
def show(name, value):
    print("result %s %.4g" % (name, value))
for name in runs[0]:
    values = [run[name] for run in runs]
    if name.startswith("clean.") or name == "recommend.customers":
        continue
    if name.startswith("serve.") or name.endswith("seconds"):
        show(name, statistics.median(values))
    else:
        print("result %s %.6g" % (name, statistics.mean(values)))
        show(name + ".sd", statistics.stdev(values))
        if name == "policy.learned_over_optimal":
            print("result %s.min %.6g" % (name, min(values)))
PYTHON
}

# Classifiers of tables on real data, every choice made on training rows; speeds beside libtorch and pandas, where those are.
tables() {
    local name file target positive log_file
    while read -r name file target positive; do
        log_file=$shared/data/$file
        if [ -f "$log_file" ]; then
            build/release/examples/churn --data "$log_file" --target "$target" --positive "$positive" | sed -nE "s/^result churn\.(auc|log_loss|calibration_error|row_us|logistic.*)/result $name.\1/p"
        else
            skipped "$name.auc" "$log_file"
        fi
    done <<'SETS'
telco telco_churn_ibm/wa_churn.csv churn Yes
mlc mlc_churn/mlc_churn.csv churn yes
SETS
    log_file=$shared/data/bank_marketing/bank_additional_full.csv
    if [ -f "$log_file" ]; then
        build/release/examples/lead_scoring --data "$log_file" --target y --positive yes --drop duration | sed -nE 's/^result leads\.(auc|log_loss|top_lift|calibration_error|logistic.*)/result bank.\1/p'
    else
        skipped bank.auc "$log_file"
    fi
    # What is for g++ stands for both where there is one figure.
    bash benchmarks/compare/mlp.sh | sed -E 's/^(result mlp\.(train\.rows_per_second|row_us|static_row_us|batch256_over_libtorch))\.gcc /\1 /'
    bash benchmarks/compare/csv.sh
}

# Texts: exactness and speed beside Hugging Face's tokenizers, jieba, gensim and fastText, where those are; classifiers on public data.
text() {
    if [ -d "$shared/data/waimai_10k" ]; then
        build/release/tools/text_figures "$shared/data"
        build/release/tools/segment sighan "$shared/data/sighan2005"
    else
        skipped waimai.accuracy "$shared/data/waimai_10k"
        skipped sighan.pku.f1 "$shared/data/sighan2005"
    fi
    result embedding.bandwidth_share "$(counter embedding_bench embedding_gather/300 bandwidth_share)"
    result embedding.rows_share "$(counter embedding_bench embedding_gather/300 rows_share)"
    bash benchmarks/compare/tokenizers.sh
    bash benchmarks/compare/jieba.sh
    bash benchmarks/compare/word2vec.sh
}

# Recommenders: exact figures and quality on public data; speeds on made tables, beside faiss and scipy where those are.
recommend() {
    local file=$shared/data/online_retail_ii/online_retail_2009_2010.csv
    if [ -d "$shared/data/ml100k" ]; then
        build/release/tools/rating_figures "$shared/data"
        build/release/tools/ncf_figures "$shared/data/ml1m_ncf" | grep '^result'
    else
        skipped ml100k.baseline.rmse "$shared/data/ml100k"
        skipped ncf.als.hr@10 "$shared/data/ml1m_ncf"
    fi
    if [ -f "$file" ]; then
        build/release/tools/retail_figures "$file" --regularization 300 | grep '^result retail.ease'
        build/release/tools/retail_figures "$file" | grep -E '^result retail.(best|popularity)'
    else
        skipped retail.ease.recall@20 "$file"
    fi
    build/release/benchmarks/als_bench --benchmark_filter=epoch --benchmark_format=json 2>/dev/null >"$log.als"
    python3 - "$log.als" <<'PYTHON'
import json, sys
runs = {b["name"].split("/iterations")[0]: b for b in json.load(open(sys.argv[1]))["benchmarks"]}
def run(table, cg, threads):
    return runs["als_epoch/set:%d/cg:%d/threads:%d" % (table, cg, threads)]
for table, name in enumerate("ab"):
    for cg, solver in enumerate(("exact", "pcg")):
        print("result als.%s.%s.cpu_seconds %.3g" % (name, solver, run(table, cg, 1)["cpu_seconds"]))
speedups = [run(table, cg, 1)["wall_seconds"] / run(table, cg, 2)["wall_seconds"] for table in (0, 1) for cg in (0, 1)]
print("result als.two_thread_speedup %.3g" % min(speedups))
PYTHON
    result sgd.updates_per_second "$(counter sgd_bench 'sgd_epochs/1/.*' updates_per_second)"
    result bpr.samples_per_second "$(counter bpr_bench 'bpr_epoch/64/.*' samples_per_second)"
    bash benchmarks/compare/faiss.sh
    bash benchmarks/compare/items.sh
}

policy() {
    build/release/tools/policy_figures | grep '^result'
    result q.batch.over_plain_loop "$(counter q_bench 'q_batch/.*' over_plain_loop)"
    result q.online_ns "$(counter q_bench 'q_online<true>' online_ns)"
    result decide_ns "$(counter q_bench q_decide decide_ns)"
    result value_iteration.bandwidth_share "$(counter value_iteration_bench 'value_iteration_sweeps/anywhere:1/.*' bandwidth_share)"
    result value_iteration.lattice.bandwidth_share "$(counter value_iteration_bench 'value_iteration_sweeps/anywhere:0/.*' bandwidth_share)"
    result linucb_us "$(counter bandit_bench 'linear_decide_and_learn<linucb>' linucb_us)"
}

# Coverage, contract and corpus from a build of the tests with clang's counters, made now; fuzz runs and mutants, which take hours, from
# their logs, which scripts/fuzz.sh --runs and scripts/mutate.py wrote: each says when and of which revision.
trust() {
    need catch2 python3-numpy clang-14 libclang-rt-14-dev llvm-14
    # Of what `scripts/test.sh --full` built and ran, where that is of the present source; else of a build of its own.
    local built=(build/asan)
    [ -s build/asan/coverage/contract.profraw ] && [ -z "$(find include tests -name '*.[ch]pp' -newer build/asan/tests/caramel_contract_tests -print -quit)" ] || built=()
    scripts/coverage.sh "${built[@]}" >"$log.coverage" || { tail -40 "$log.coverage" >&2; exit 1; }
    sed -nE 's/^(coverage\.(lines|branches)) +([0-9.]+).*/result \1 \3/p' "$log.coverage"
    local tests=${built[0]:-build/coverage}/tests said
    said=$(LLVM_PROFILE_FILE=/dev/null "$tests/caramel_contract_tests" | grep '^contract: [0-9]')
    read -r _ components _ checks _ _ skipped _ failures _ <<<"$said"
    result contract.components "$components"
    result contract.checks "$checks"
    result contract.failures "$failures"
    said=$(LLVM_PROFILE_FILE=/dev/null "$tests/caramel_io_tests" '[corpus]~[slow]' | grep '^corpus: [0-9]' || true)
    if [ -n "$said" ]; then
        read -r _ files _ failures _ <<<"$said"
        result corpus.files "$files"
        result corpus.failures "$failures"
    else
        skipped corpus.files "$shared/corpus"
        skipped corpus.failures "$shared/corpus"
    fi
    scripts/fuzz.sh --totals | sed -nE 's/^fuzz: .* ([0-9]+) executions, ([0-9]+) findings.*/result fuzz.executions \1\nresult fuzz.findings \2/p'
    sed -nE '1s/.*caught ([0-9]+) of ([0-9]+).*/\1 \2/p' docs/mutants.tsv | awk '{printf "result mutants.caught_share %.3f\n", $1 / $2}'
}

# What a newcomer pays and meets: seconds to compile, code and links of the documentation and of the site, ways to get the library.
adopt() {
    need pkg-config python3
    scripts/compile_time.sh | grep '^result'
    # Programs are also run, and compared with what the page says that they print; failures go to the screen.
    scripts/snippets.py --run "$compiler" -I include -isystem /usr/include/eigen3 >"$log.snippets" || grep -v '^snippets:' "$log.snippets" >&2
    sed -nE 's/^snippets: ([0-9]+) compiled, ([0-9]+) failed.*/result docs.snippets \1\nresult docs.snippets_failed \2/p' "$log.snippets"
    scripts/site.sh >"$log.site" || grep -v '^links:' "$log.site" >&2
    sed -nE 's/^links: [0-9]+ checked, ([0-9]+) dead.*/result docs.dead_links \1/p' "$log.site"
    bash tests/build/ways.sh --all >"$log.ways" || grep -v '^ways:' "$log.ways" >&2
    sed -nE 's/^ways: ([0-9]+) tried, ([0-9]+) failed.*/result ways.tried \1\nresult ways.failed \2/p' "$log.ways"
}

machine
for one in house journey tables text recommend policy trust adopt; do
    case $group in all | "$one") $one ;; esac
done
