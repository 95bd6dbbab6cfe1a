#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""How often our device takes a line that is merely bad for a dead arbiter, and how close it came to that. Needs root. Prints a
Markdown table of one row.

Two nodes, times by default, each with its own line to our arbiter (tests/integration/lab/bad_line.py), which takes its time and
loses frames; the LAN is cut, so that one node lives on the arbiter's vote, and loses it to the other by a false alarm.
"""

import argparse
import os
import pathlib
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))
sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
from lab import isolate, runner  # noqa: E402
from lab.cluster import Lab  # noqa: E402
from lab.our_device import leases_ended, leases_left_ms, reconnections, split, wan, watch_lease  # noqa: E402
from lab.wait import now_ns, pause_ms  # noqa: E402
from lab.watch import quorate_ms  # noqa: E402

LEFT_MS = (1900, 1500, 1000, 500)
"""What was left of the lease: the share of all samples below each of these."""


def observe(lab, arguments):
    """One row of the table."""
    _, cluster, lines = wan(lab, delay_ms=arguments.delay_ms, seeds=(arguments.seed, arguments.seed + 1))
    split(cluster, 1, 2)
    for line in lines.values():
        line.lose(arguments.loss_percent)
    before = sum(line.carried for line in lines.values())
    watching = [watch_lease(node) for node in cluster.nodes.values()]
    start = now_ns()
    pause_ms(arguments.minutes * 60000)
    end = now_ns()
    left_ms = [left for one in watching for left in leases_left_ms(one)]
    below = [f"{100 * sum(left < limit for left in left_ms) / len(left_ms):.2g} %" for limit in LEFT_MS]
    nodes = cluster.nodes.values()
    without_ms = max(0.0, (end - start) / 1e6 - sum(quorate_ms(node.watch.update(), start, end) for node in nodes))
    lost, carried = sum(line.lost for line in lines.values()), sum(line.carried for line in lines.values()) - before
    return [f"{2 * arguments.delay_ms:g} ms", f"{arguments.loss_percent:g} %", f"{arguments.minutes:g} min",
            f"{lost:,} of {lost + carried:,}", f"{min(left_ms):,} ms", *below, str(sum(map(leases_ended, nodes))),
            str(sum(map(reconnections, nodes))), f"{without_ms:,.0f} ms"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--loss-percent", type=float, default=2, help="in each direction (default %(default)s)")
    parser.add_argument("--delay-ms", type=float, default=25, help="one way (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    lacking = runner.missing() or ("" if "Q_BUILD" in os.environ else "Q_BUILD, the directory of our build")
    if lacking:
        print(f"false_alarms.py needs {lacking}", file=sys.stderr)
        return 1
    isolate.enter()
    scratch = runner.make_scratch()
    try:
        runner.prepare(scratch)
        with Lab(scratch / "lab", runner.certificates_path(scratch), device_flavour="ours", core_flavour="packaged",
                 watcher=runner.watcher_path(scratch)) as lab:
            row = observe(lab, arguments)
        columns = ["round trip", "loss each way", "time", "frames lost", "least of the lease left",
                   *[f"below {limit / 1000:g} s" for limit in LEFT_MS], "leases ended", "reconnections", "nobody quorate"]
        for line in (columns, ["---"] * len(columns), row):
            print(f"| {' | '.join(line)} |")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
