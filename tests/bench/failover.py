#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""How fast a two-node cluster fails over, and for how long both halves believe in quorum: our arbiter and device beside the
packaged pair, over the same corosync, in the same run. Needs root. Prints a Markdown table.

Each case is measured on a fresh cluster in namespaces of its own (tests/integration/lab), at default timeouts, token 1000 ms,
two nodes, knet, ffsplit, TLS. The pairs take turns, so that the machine's mood hits them alike.
"""

import argparse
import os
import pathlib
import statistics
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))
sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
import side_by_side  # noqa: E402
from lab import isolate, runner  # noqa: E402
from lab.cluster import Lab  # noqa: E402
from lab.wait import now_ns, pause_ms, wait_for  # noqa: E402
from lab.watch import quorate_ms  # noqa: E402

RUN_TIMEOUT_S = 150
SETTLE_S = 60


def became_quorate_ns(cluster, node_id, members, after_ns):
    """When the node began to be quorate with exactly these members, waiting for it."""
    watch = cluster.nodes[node_id].watch

    def found():
        for belief in watch.update().beliefs:
            if belief.since_ns > after_ns and belief.quorate and belief.members == frozenset(members):
                return belief.since_ns
        return None
    return wait_for(f"node {node_id} quorate with {members}", found, SETTLE_S)


def both_quorate_ms(lab):
    """The longest time for which the halves contradicted each other (relapses of votequorum apart)."""
    return max((overlap.ms for overlap in lab.contradictions(relapses=False)), default=0.0)


def observe(lab):
    """Long enough to see whoever still believes give up: the packaged device takes 2 H."""
    pause_ms(3000 if lab.device_flavour == "ours" else 8000)
    return both_quorate_ms(lab)


def favourite_isolated(lab, cluster):
    """Favourite half loses LAN and arbiter: the other half quorate."""
    start = now_ns()
    cluster.cut_host(1)
    took = (became_quorate_ns(cluster, 2, [2], start) - start) / 1e6
    return took, observe(lab)


def favourite_killed(lab, cluster):
    """Agent and core of the favourite killed with -9: the survivor settled."""
    start = now_ns()
    cluster.nodes[1].kill()
    return (became_quorate_ns(cluster, 2, [2], start) - start) / 1e6, both_quorate_ms(lab)


def lan_cut(lab, cluster):
    """LAN cut: winner settled, beyond the core's own detection."""
    start = now_ns()
    cluster.cut([1], [2])
    settled = became_quorate_ns(cluster, 1, [1], start)
    ring = max(at for at, members in cluster.nodes[1].watch.rings if members == frozenset([1]) and at > start)
    return (settled - ring) / 1e6, both_quorate_ms(lab)


def lan_cut_short_hold(lab, cluster):
    """LAN cut with a core that does not hold the token for long when it is alone."""
    return lan_cut(lab, cluster)


def arbiter_restarted_under_last_node(lab, cluster):
    """Arbiter killed and back within 0.5 s while one node lives on its vote: time without quorum."""
    start = now_ns()
    cluster.nodes[2].stop()
    became_quorate_ns(cluster, 1, [1], start)
    cluster.wait_votes({1: "ACK"})
    pause_ms(1000)
    start = now_ns()
    lab.the_arbiter.kill()
    lab.the_arbiter.start()
    away = (now_ns() - start) / 1e6
    cluster.wait_votes({1: "ACK"}, SETTLE_S)
    pause_ms(1000)
    end = now_ns()
    lost = (end - start) / 1e6 - quorate_ms(cluster.nodes[1].watch.update(), start, end)
    return max(0.0, lost), away


def arbiter_restarted(lab, cluster):
    """Arbiter killed and restarted: votes back, from its return."""
    lab.the_arbiter.kill()
    pause_ms(2000)
    lab.the_arbiter.start()
    back = now_ns()
    cluster.wait_votes({1: "ACK", 2: "ACK"}, SETTLE_S)
    return (now_ns() - back) / 1e6, both_quorate_ms(lab)


def arbiter_vanished(lab, cluster):
    """Arbiter host vanished for 20 s and back: votes back."""
    cluster.cut_arbiter(1, 2)
    pause_ms(20000)
    wait_for("the arbiter to have noticed", lambda: not lab.the_arbiter.nodes_connected("alpha"), SETTLE_S)
    cluster.heal_arbiter(1, 2)
    back = now_ns()
    cluster.wait_votes({1: "ACK", 2: "ACK"}, SETTLE_S)
    return (now_ns() - back) / 1e6, both_quorate_ms(lab)


CASES = {
    "favourite half loses LAN and arbiter: the other half quorate": favourite_isolated,
    "agent and core of the favourite killed with -9: the survivor settled": favourite_killed,
    "LAN cut: winner settled, beyond the core's own detection": lan_cut,
    "the same with totem.hold 30 ms instead of 180": lan_cut_short_hold,
    "arbiter killed and back at once, one node lives on its vote: time without quorum": arbiter_restarted_under_last_node,
    "arbiter killed and restarted 2 s later: votes back, from its return": arbiter_restarted,
    "arbiter's host vanished for 20 s and back: votes back": arbiter_vanished,
}


def measure_inside(index, flavour, scratch, far):
    """In the sandbox: one case, once; prints its two numbers. `far` is the line to the arbiter, if it has one."""
    isolate.enter()
    case = list(CASES.values())[index]
    with Lab(scratch / f"{index}-{flavour}-{os.getpid()}-{time.monotonic_ns()}", runner.certificates_path(scratch),
             device_flavour=flavour, watcher=runner.watcher_path(scratch), core_flavour=far.core) as lab:
        arbiter = lab.arbiter(flavour, quiet=True)
        arbiter.know_all()
        cluster = lab.cluster(start=False, timeout_ms=0, totem={"hold": 30} if case is lan_cut_short_hold else {})
        lines = cluster.bad_lines(far.delay_ms, (far.seed, far.seed + 1)) if far.delay_ms else {}
        cluster.start()
        cluster.wait_all()
        arbiter.wait_all_known()
        for line in lines.values():
            line.lose(far.loss_percent)
        print("measured %.1f %.1f" % case(lab, cluster))


def cell(values):
    if not values:
        return "not measured"
    return f"{statistics.median(values):,.0f} ms ({min(values):,.0f} to {max(values):,.0f})"


def table(results, runs):
    print(f"| case (median, least to most of {runs} runs) | ours with ours | packaged pair | both halves quorate at once, ours "
          "| packaged |")
    print("|---|---|---|---|---|")
    for index, name in enumerate(CASES):
        columns = []
        for which in (0, 1):
            for flavour in ("ours", "packaged"):
                values = [pair[which] for pair in results.get((index, flavour), [])]
                counts = which == 0 or CASES[name] is not arbiter_restarted_under_last_node
                columns.append(cell(values) if counts else "-")
        print(f"| {name} | " + " | ".join(columns) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5, help="of each case and pair (default %(default)s)")
    parser.add_argument("--only", default="", help="only cases containing this text")
    parser.add_argument("--flavour", choices=("ours", "packaged"), help="only this pair")
    parser.add_argument("--delay-ms", type=float, default=0, help="of the line to the arbiter, one way (default: a LAN)")
    parser.add_argument("--loss-percent", type=float, default=0, help="of that line, in each direction; needs --delay-ms")
    parser.add_argument("--seed", type=int, default=1, help="of the first run: which frames are lost")
    parser.add_argument("--core", choices=("ours", "packaged"), default="packaged", help="under both (default %(default)s)")
    parser.add_argument("--inside", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        measure_inside(int(arguments.inside[0]), arguments.inside[1], pathlib.Path(arguments.inside[2]), arguments)
        return 0

    def measure_one(index, flavour, scratch, run):
        return side_by_side.measure([__file__, "--inside", str(index), flavour, str(scratch), "--delay-ms", str(arguments.delay_ms),
                                     "--loss-percent", str(arguments.loss_percent), "--seed", str(arguments.seed + 2 * run),
                                     "--core", arguments.core], RUN_TIMEOUT_S)
    results = side_by_side.play(CASES, arguments, measure_one)
    if results is None:
        return 1
    table(results, arguments.runs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
