#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Runs the fuzz targets: tests/fuzz/run.sh MINUTES [TARGET...], one after the other, each for that many minutes of CPU
# time (at the lowest priority, so that on a busy machine this may take much longer).
# Q_BUILD is a build made with --enable-fuzzing (default: build-fuzz). `make fuzz MINUTES=10` calls this.
#
# A target works in $Q_BUILD/fuzz/TARGET: corpus/ grows from run to run; findings/ keeps what crashed. With
# MINIMISE=1 what the run adds to coverage is put, minimised, into tests/fuzz/corpus/TARGET, for `make check`.
set -euo pipefail

src=${Q_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
build=${Q_BUILD:-$src/build-fuzz}
minutes=${1:?usage: tests/fuzz/run.sh MINUTES [TARGET...]}
shift
targets=("$@")
if ((${#targets[@]} == 0)); then
    for program in "$build"/tests/fuzz/fuzz_*; do
        [[ -x $program && $program != *.* ]] && targets+=("$(basename "$program")")
    done
fi

export ASAN_OPTIONS=${ASAN_OPTIONS:-allocator_may_return_null=1}
seeds=$build/fuzz/seeds
"$src/tests/fuzz/seeds.py" "$seeds"
failed=0

for target in "${targets[@]}"; do
    name=${target#fuzz_}
    work=$build/fuzz/$name
    corpus=$src/tests/fuzz/corpus/$name
    mkdir -p "$work/corpus" "$work/findings" "$corpus" "$seeds/$name"
    echo "== fuzz_$name: $minutes CPU min; corpus in ${work#"$src"/}, findings in ${work#"$src"/}/findings"
    status=0
    nice -n 19 "$build/tests/fuzz/fuzz_$name" -timeout=60 -rss_limit_mb=1024 \
        -max_len=4096 -print_final_stats=1 -artifact_prefix="$work/findings/" -verbosity=1 \
        "$work/corpus" "$corpus" "$seeds/$name" >"$work/log" 2>&1 &
    pid=$!
    trap 'kill $pid 2>/dev/null || true' EXIT
    cpu_s=0
    while { ((cpu_s < minutes * 60)) || ! grep -qa INITED "$work/log"; } && kill -0 $pid 2>/dev/null; do
        sleep 2
        cpu_s=$(awk '{ print int(($14 + $15) / 100) }' /proc/$pid/stat 2>/dev/null || echo "$cpu_s")
        last=$(grep -aE '^#[0-9]' "$work/log" | tail -n 1 || true)
        [[ -t 1 ]] && printf '\r\e[K%s s  %s' "$cpu_s" "$last"
    done
    kill -USR1 $pid 2>/dev/null || true # libFuzzer finishes in good order
    [[ -t 1 ]] && echo
    wait $pid || status=$?
    trap - EXIT
    grep -aE '^#[0-9]' "$work/log" | tail -n 1 || true
    if ((status)); then
        grep -aE 'ERROR|SUMMARY|runtime error|Assertion|Test unit written' "$work/log" || tail -n 20 "$work/log"
        echo "fuzz_$name: FINDING (exit status $status); replay: ${build#"$src"/}/tests/fuzz/fuzz_$name FILE"
        failed=1
    else
        echo "fuzz_$name: $(grep -a number_of_executed_units "$work/log" | grep -oE '[0-9]+' || echo 0) inputs in $cpu_s s of CPU time, no finding"
    fi
    if [[ ${MINIMISE:-} == 1 && $status == 0 ]]; then
        # By lines reached alone, not by how often, and as few as cover them: enough for `make check`.
        rm -rf "$work/minimal" && mkdir "$work/minimal"
        "$build/tests/fuzz/fuzz_$name" -set_cover_merge=1 -use_counters=0 -max_len=4096 "$work/minimal" "$corpus" "$seeds/$name" \
            "$work/corpus" >"$work/merge.log" 2>&1
        find "$corpus" -type f ! -name 'mutation-*' -delete
        cp "$work"/minimal/* "$corpus"/
        echo "fuzz_$name: $(find "$corpus" -type f | wc -l) files kept in tests/fuzz/corpus/$name"
    fi
done
exit $failed
