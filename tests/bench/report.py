# SPDX-License-Identifier: BSD-3-Clause
"""Tables in Markdown from what bench-load measured; also the sizes and rates that are measured, and the targets."""

import os
import platform
import statistics
import subprocess
import time

BARE, OURS, PACKAGED = "openssl", "quorate", "packaged"
SERVERS = (BARE, OURS, PACKAGED)
TITLES = {BARE: "bare OpenSSL", OURS: "Quorate", PACKAGED: "packaged"}

SIZES = (200, 2000, 18000)  # clients
ROUNDS = {200: 5, 2000: 2, 18000: 1}  # of the connect phase; the median counts
ECHO_RATES = (500, 2250)  # per second; 2250 is what 18,000 devices send at the default heartbeat of 8 s
SPLITS = 500

BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def pick(results, phase, server, **wanted):
    return [
        r
        for r in results
        if r["phase"] == phase and r["server"] == server and all(r[key] == value for key, value in wanted.items())
    ]


# -- connect ----------------------------------------------------------------------------------------


def connect_ms(results, server, clients):
    """CPU of one client from connect to ACK, the median of all rounds; None if not all got there."""
    rounds = pick(results, "connect", server, clients=clients)
    if not rounds or any(r["ready"] < clients for r in rounds):
        return None
    return statistics.median(r["cpu_s"] / r["ready"] * 1e3 for r in rounds)


def connect_cell(results, server, clients):
    value = connect_ms(results, server, clients)
    if value is None:
        rounds = pick(results, "connect", server, clients=clients)
        if not rounds:
            return "–"
        last = rounds[-1]
        each = last["cpu_s"] / max(last["ready"], 1) * 1e3
        return f"only {last['ready']:,} in {last['wall_s']:.0f} s, {each:.1f} ms each"
    bare = connect_ms(results, BARE, clients)
    if server == BARE or not bare:
        return f"{value:.2f} ms"
    return f"{value:.2f} ms, **{value / bare:.2f}x**"


def connect_table(results, sizes):
    rows = [[f"{n:,}"] + [connect_cell(results, server, n) for server in SERVERS] for n in sizes]
    return table(["clients"] + [TITLES[server] for server in SERVERS], rows)


# -- echo -------------------------------------------------------------------------------------------


def echo_us(result):
    return result["cpu_s"] / max(result["answered"], 1) * 1e6


def echo_cell(results, server, clients, rate):
    found = pick(results, "echo", server, clients=clients, rate=rate)
    if not found:
        return "–"
    last = found[-1]
    text = f"{echo_us(last):.1f} µs (answer p50 {last['p50_ms']:.2f} ms, p99 {last['p99_ms']:.1f} ms)"
    if last["answered"] < last["rate"] * last["wall_s"] * 0.9 or last["cpu_s"] > last["wall_s"] * 0.95:
        text += f"; only {last['answered'] / last['wall_s']:,.0f}/s came through"
    return text


def echo_table(results, sizes):
    rates = sorted({r["rate"] for r in results if r["phase"] == "echo"})
    rows = [
        [f"{rate:,}/s", f"{n:,}"] + [echo_cell(results, server, n, rate) for server in SERVERS]
        for rate in rates
        for n in sizes
    ]
    return table(["echoes", "clients"] + [TITLES[server] for server in SERVERS], rows)


# -- splits -----------------------------------------------------------------------------------------


def split_table(results):
    rows = []
    for server in (OURS, PACKAGED):
        for r in pick(results, "split", server):
            rows.append(
                [TITLES[server], f"{r['clusters']:,}", f"{r['decided']} of {r['tried']}", f"{r['p50_ms']:.2f} ms"]
                + [f"{r['p99_ms']:.2f} ms", f"{r['max_ms']:.2f} ms", str(r["wrong"] + r["early"])]
            )
    return table(["", "clusters connected", "decided", "p50", "p99", "longest", "wrong or early"], rows)


def storm_table(results):
    rows = []
    for phase in ("storm", "merge"):
        for server in (OURS, PACKAGED):
            for r in pick(results, phase, server):
                rows.append(
                    ["split" if phase == "storm" else "merge", TITLES[server], f"{r['clusters']:,}", f"{r['decided']:,}"]
                    + [f"{r['reported_s']:.2f} s", f"{r['all_s']:.2f} s", f"{r['cpu_s']:.2f} s"]
                    + [str(r["wrong"] + r["early"])]
                )
    head = ["", "", "clusters", "decided", "all reports sent after", "all decided after", "server CPU", "wrong or early"]
    return table(head, rows)


# -- memory -----------------------------------------------------------------------------------------


def memory_cell(results, server, clients):
    rounds = [r for r in pick(results, "connect", server, clients=clients) if r["ready"]]
    if not rounds:
        return "–"
    each = statistics.median((r["rss_after"] - r["rss_before"]) / r["ready"] / 1024 for r in rounds)
    return f"{each:.1f} KB"


def memory_table(results, sizes):
    rows = [[f"{n:,}"] + [memory_cell(results, server, n) for server in SERVERS] for n in sizes]
    return table(["clients"] + [TITLES[server] for server in SERVERS], rows)


# -- all --------------------------------------------------------------------------------------------


def output_of(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def machine():
    model = "unknown CPU"
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as cpuinfo:
        for line in cpuinfo:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    versions = output_of("dpkg-query", "-W", "-f", "${Package} ${Version}, ", "corosync-qnetd", "libssl3", "libnss3")
    return (
        f"Measured on {time.strftime('%Y-%m-%d')}: {os.cpu_count()} CPUs ({model}), Linux {platform.release()}, "
        f"{versions.rstrip(', ')}; load average at the end {os.getloadavg()[0]:.1f}."
    )


def tables(results):
    sizes = sorted({r["clients"] for r in results if r["phase"] == "connect"})
    parts = [
        machine(),
        "### One client from connect to ACK: server CPU, and how many times the bare handshake",
        connect_table(results, sizes),
        "### One echo: server CPU",
        echo_table(results, sizes),
        "### One split decided, one cluster at a time: last report to the winner's ACK",
        split_table(results),
        "### All clusters at once",
        storm_table(results),
        "### Resident memory per idle TLS client",
        memory_table(results, sizes),
    ]
    return "\n\n".join(parts)


def update(path, text):
    """Replaces what is between the two markers of a document."""
    head, rest = path.read_text(encoding="utf-8").split(BEGIN, 1)
    tail = rest.split(END, 1)[1]
    path.write_text(f"{head}{BEGIN}\n{text}\n{END}{tail}", encoding="utf-8")
