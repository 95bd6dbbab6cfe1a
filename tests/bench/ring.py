#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Our core beside the packaged one in the same run: CPG throughput and latency, new memberships, and an idle node. Needs
root. Prints a Markdown table.

Each case is measured on a fresh cluster in namespaces of its own (tests/integration/lab), token 1000 ms, without a quorum
device, with Debian's libcpg in the clients (cpg_load.c). The cores take turns, so that the machine's mood hits them alike;
both run at real-time priority, as they do by default, and the clients at the lowest one, so that other programs do not count.
"""

import argparse
import json
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

RUN_TIMEOUT_S = 120
SETTLE_S = 30
MEASURE_S = 4
IDLE_S = 10
TICKS = os.sysconf("SC_CLK_TCK")
LOAD = pathlib.Path(os.environ.get("Q_BUILD", "build")).resolve() / "tests/bench/cpg_load"


def start(lab, nodes, transport, crypto):
    """A quorate cluster without device."""
    totem = {"crypto_cipher": "aes256", "crypto_hash": "sha256"} if crypto else {}
    if transport == "knet" and not crypto:
        totem = {"crypto_cipher": "none", "crypto_hash": "none"}
    cluster = lab.cluster(start=False, device=False, real_time=True, nodes=nodes, transport=transport, totem=totem)
    for node in cluster.nodes.values():
        key = node.host.path("etc", "authkey")
        key.write_bytes(b"quorate benchmark key " * 12)
        key.chmod(0o400)
    cluster.start()
    cluster.wait_all()
    return cluster


def loads(cluster, modes, size):
    """Runs a load on each node; what each has printed, by node id."""
    processes = {i: node.host.start(["chrt", "-r", "1", str(LOAD), modes[i], str(size), str(MEASURE_S), str(len(cluster.nodes))], log="load")
                 for i, node in cluster.nodes.items()}
    for i, process in processes.items():
        process.wait(RUN_TIMEOUT_S / 2)
    for i, process in processes.items():
        if not process.text().endswith("}\n"):
            raise RuntimeError(f"the load of node {i} says {process.text()!r}; its core: {cluster.nodes[i].corosync.text()[-1500:]}")
    return {i: json.loads(process.text().splitlines()[-1]) for i, process in processes.items()}


def throughput(size, transport="knet", crypto=False, nodes=2, megabytes=False):
    def case(lab):
        cluster = start(lab, nodes, transport, crypto)
        found = loads(cluster, {i: "flood" for i in cluster.nodes}, size)
        if megabytes:
            return min(one["bytes_per_s"] for one in found.values()) / 1e6
        return min(one["delivered_per_s"] for one in found.values())
    return case


def latency(transport):
    def case(lab):
        cluster = start(lab, 2, transport, False)
        return loads(cluster, {1: "lone", 2: "listen"}, 64)[1]["p50_us"]
    return case


def ring_of(cluster, node_id, members, after_ns):
    """When the node told its clients of exactly these members, waiting for it."""
    def found():
        for at_ns, seen in cluster.nodes[node_id].watch.update().rings:
            if at_ns > after_ns and seen == frozenset(members):
                return at_ns
        return None
    return wait_for(f"node {node_id} in a ring of {members}", found, SETTLE_S)


def killed(lab):
    cluster = start(lab, 2, "knet", False)
    began = now_ns()
    cluster.nodes[2].kill_corosync()
    return (ring_of(cluster, 1, [1], began) - began) / 1e6


def healed(nodes):
    def case(lab):
        cluster = start(lab, nodes, "knet", False)
        half = list(cluster.nodes)[:nodes // 2]
        rest = list(cluster.nodes)[nodes // 2:]
        began = now_ns()
        cluster.cut(half, rest)
        for i in cluster.nodes:
            ring_of(cluster, i, half if i in half else rest, began)
        pause_ms(3000)
        began = now_ns()
        cluster.heal()
        return (max(ring_of(cluster, i, list(cluster.nodes), began) for i in cluster.nodes) - began) / 1e6
    return case


def cpu_s(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def idle_cpu(lab):
    cluster = start(lab, 2, "knet", False)
    pause_ms(3000)
    pid = cluster.nodes[2].corosync.pid
    before, began = cpu_s(pid), time.monotonic()
    pause_ms(1000 * IDLE_S)
    return 1000 * (cpu_s(pid) - before) / (time.monotonic() - began)


def idle_memory(lab):
    cluster = start(lab, 2, "knet", False)
    pause_ms(1000)
    return cluster.nodes[2].corosync.rss_kib() / 1024


# Name: case, unit, whether more is better, the bar as a ratio of ours to the packaged one (None: see the text).
CASES = {
    "64 B, knet": (throughput(64), "/s", True, 1.5),
    "1 KB, knet": (throughput(1024), "/s", True, 1.5),
    "60 KB, knet": (throughput(60000, megabytes=True), "MB/s", True, 1.2),
    "64 B, knet aes256/sha256": (throughput(64, crypto=True), "/s", True, 1.2),
    "1 KB, knet aes256/sha256": (throughput(1024, crypto=True), "/s", True, 1.2),
    "60 KB, knet aes256/sha256": (throughput(60000, crypto=True, megabytes=True), "MB/s", True, 1.2),
    "64 B, udpu": (throughput(64, "udpu"), "/s", True, 1.2),
    "1 KB, udpu": (throughput(1024, "udpu"), "/s", True, 1.2),
    "60 KB, udpu": (throughput(60000, "udpu", megabytes=True), "MB/s", True, 1.2),
    "60 KB, four nodes, knet": (throughput(60000, nodes=4, megabytes=True), "MB/s", True, 5),
    "60 KB, four nodes, udpu": (throughput(60000, "udpu", nodes=4, megabytes=True), "MB/s", True, 5),
    "lone sender's own message back, p50, knet": (latency("knet"), "us", False, 0.7),
    "lone sender's own message back, p50, udpu": (latency("udpu"), "us", False, 0.7),
    "new membership after kill -9": (killed, "ms", False, None),
    "heal of a cut, two nodes": (healed(2), "ms", False, 1),
    "heal of a cut, four nodes": (healed(4), "ms", False, 1),
    "idle node, CPU": (idle_cpu, "ms/s", False, 0.5),
    "idle node, memory": (idle_memory, "MiB", False, 0.5),
}


def measure_inside(index, flavour, scratch):
    """In the sandbox: one case, once; prints its number."""
    isolate.enter()
    with Lab(scratch / f"{index}-{flavour}-{os.getpid()}-{time.monotonic_ns()}", runner.certificates_path(scratch),
             core_flavour=flavour, watcher=runner.watcher_path(scratch)) as lab:
        print("measured %.3f" % list(CASES.values())[index][0](lab))


def cell(values, unit):
    if not values:
        return "not measured"
    digits = 0 if statistics.median(values) >= 100 else 1
    return (f"{statistics.median(values):,.{digits}f} {unit} ({min(values):,.{digits}f} to {max(values):,.{digits}f})")


def table(results, runs, only):
    print(f"| figure (median, least to most of {runs} runs) | ours | packaged | ratio | asked for |")
    print("|---|---|---|---|---|")
    for index, (name, (_, unit, more, bar)) in enumerate(CASES.items()):
        if only not in name:
            continue
        ours, packaged = ([numbers[0] for numbers in results.get((index, flavour), [])] for flavour in side_by_side.FLAVOURS)
        ratio = f"{statistics.median(ours) / statistics.median(packaged):.2f}" if ours and packaged else "-"
        asked = "-" if bar is None else f"at {'least' if more else 'most'} {bar}"
        print(f"| {name} | {cell(ours, unit)} | {cell(packaged, unit)} | {ratio} | {asked} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3, help="of each case and core (default %(default)s)")
    parser.add_argument("--only", default="", help="only cases containing this text")
    parser.add_argument("--flavour", choices=("ours", "packaged"), help="only this core")
    parser.add_argument("--inside", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        measure_inside(int(arguments.inside[0]), arguments.inside[1], pathlib.Path(arguments.inside[2]))
        return 0

    def measure_one(index, flavour, scratch, _run):
        return side_by_side.measure([__file__, "--inside", str(index), flavour, str(scratch)], RUN_TIMEOUT_S)
    results = side_by_side.play(CASES, arguments, measure_one)
    if results is None:
        return 1
    table(results, arguments.runs, arguments.only)
    return 0


if __name__ == "__main__":
    sys.exit(main())
