#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The figures of docs/performance.md: our arbiter, the packaged one and bare OpenSSL, in one run on this machine.

Makes certificates in a temporary directory, starts each server on loopback with its own files, lets bench-load play the
clusters, and prints Markdown. Progress goes to stderr. All is bounded in time: about ten minutes, --quick under one.
"""

import argparse
import contextlib
import json
import os
import pathlib
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import report

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("Q_BUILD", HERE.parent.parent / "build"))
PACKAGED = "/usr/bin/corosync-qnetd"
START_LIMIT_S = 10
STOP_LIMIT_S = 20
FDS = 40000


def log(text):
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def raise_fd_limit():
    """As many descriptors as the largest fleet needs; only root may go beyond the hard limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, FDS), max(hard, FDS)))
        return
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def make_credentials(directory, clusters):
    log(f"certificates for {clusters} clusters")
    subprocess.run([BUILD / "tests/bench/bench-credentials", directory, str(clusters)], check=True)
    nssdb = directory / "nssdb"
    nssdb.mkdir()
    for command in (
        ["certutil", "-N", "-d", nssdb, "--empty-password"],
        ["certutil", "-A", "-d", nssdb, "-n", "QNet CA", "-t", "CT,,", "-i", directory / "ca.pem"],
        ["pk12util", "-i", directory / "server.p12", "-d", nssdb, "-W", "", "-K", ""],
    ):
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


class Server:
    """A server under test: how it is started. `name` is its column in the tables."""

    def __init__(self, name, credentials, command):
        self.name = name
        self.credentials = credentials
        self.command = command  # (port, directory for its files) -> argv

    @contextlib.contextmanager
    def running(self):
        port = free_port()
        with tempfile.TemporaryDirectory(prefix="run-", dir=self.credentials) as files:
            with open(os.path.join(files, "output"), "wb") as output:
                process = subprocess.Popen(self.command(port, files), stdout=output, stderr=output)
            try:
                self.wait_until_up(process, port, output.name)
                yield process.pid, port
            finally:
                process.terminate()
                try:
                    process.wait(STOP_LIMIT_S)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()

    def wait_until_up(self, process, port, output):
        end = time.monotonic() + START_LIMIT_S
        while process.poll() is None and time.monotonic() < end:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return
            time.sleep(0.05)
        raise SystemExit(f"{self.name} does not listen:\n{pathlib.Path(output).read_text(errors='replace')}")

    def measure(self, clients, phases, connect_s=240, echo_s=10, split_s=60):
        """One fresh server, one fleet; the phases' results in order."""
        log(f"{self.name}: {clients} clients, {' '.join(phases)}")
        with self.running() as (pid, port):
            command = [
                BUILD / "tests/bench/bench-load",
                *("-p", port, "-s", pid, "-c", clients // 2, "-d", self.credentials),
                *("-T", connect_s, "-e", echo_s, "-t", split_s),
                *(["-b"] if self.name == report.BARE else []),
                *phases,
            ]
            done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, text=True, check=False)
        results = [json.loads(line) for line in done.stdout.splitlines()]
        if done.returncode != 0:
            log(f"{self.name}: stopped after {len(results)} of {len(phases)} phases")
        return [dict(result, server=self.name) for result in results]


def arbiter_command(program, **own_files):
    """Everything the arbiter writes goes into `files`; own_files: settings that only ours knows."""

    def command(port, files):
        settings = {
            "nss_db_dir": f"{files}/../nssdb",
            "lock_file": f"{files}/lock",
            "local_socket_file": f"{files}/socket",
            "listen_backlog": 4096,
            **{setting: f"{files}/{name}" for setting, name in own_files.items()},
        }
        joined = ",".join(f"{key}={value}" for key, value in settings.items())
        return [program, "-f", "-4", "-l", "127.0.0.1", "-p", str(port), "-s", "req", "-S", joined]

    return command


def servers(args, credentials):
    known = {
        report.BARE: lambda port, _: [BUILD / "tests/bench/bench-tls-reference", str(port), credentials],
        report.OURS: arbiter_command(args.ours, state_dir="state"),
        report.PACKAGED: arbiter_command(PACKAGED),
    }
    programs = {report.BARE: BUILD / "tests/bench/bench-tls-reference", report.OURS: args.ours, report.PACKAGED: PACKAGED}
    found = {}
    for name, command in known.items():
        if args.only and name not in args.only:
            continue
        if shutil.which(programs[name]):
            found[name] = Server(name, credentials, command)
        else:
            log(f"{name}: {programs[name]} is not there, left out")
    return found


def measure_quick(found):
    results = []
    for name, server in found.items():
        phases = ["connect", "echo=500"]
        if name != report.BARE:
            phases += ["split=50", "storm"]
        results += server.measure(200, phases, connect_s=20, echo_s=2, split_s=10)
    return results


def measure_all(found):
    """Sizes are measured next to one another, so that a busy spell of the machine hits all servers alike."""
    results = []
    rates = [f"echo={rate}" for rate in report.ECHO_RATES]
    for clients in report.SIZES:
        largest = clients == report.SIZES[-1]
        for _ in range(report.ROUNDS[clients] - 1):
            for server in found.values():
                if server.name != report.PACKAGED:
                    results += server.measure(clients, ["connect"])
        for name, server in found.items():
            if name == report.PACKAGED:
                results += measure_packaged(server, clients)
            elif name == report.OURS and largest:
                results += server.measure(clients, ["connect", *rates, f"split={report.SPLITS}", "storm"])
            else:
                results += server.measure(clients, ["connect", *rates])
    return results


def measure_packaged(server, clients):
    """As far as it gets: with the smallest fleet all phases, then until it is saturated."""
    echo = f"echo={report.ECHO_RATES[0]}"
    if clients == report.SIZES[0]:
        return server.measure(clients, ["connect", echo, "split=200", "storm"])
    if clients < report.SIZES[-1]:
        return server.measure(clients, ["connect", echo], connect_s=150)
    return server.measure(clients, ["connect"], connect_s=60)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="200 clients only, under a minute")
    parser.add_argument("--only", action="append", choices=report.SERVERS, help="these servers only; may be repeated")
    parser.add_argument("--ours", default=str(BUILD / "corosync-qnetd"), help="our arbiter (%(default)s)")
    parser.add_argument("--json", type=pathlib.Path, help="write what was measured, unrounded, to this file")
    parser.add_argument("--update", type=pathlib.Path, help="put the tables into this Markdown file")
    args = parser.parse_args()

    raise_fd_limit()
    begin = time.monotonic()
    # Grants are kept in /run in life, which is memory; here in what is memory as well.
    in_memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="quorate-bench-", dir=in_memory) as directory:
        credentials = pathlib.Path(directory)
        make_credentials(credentials, 100 if args.quick else report.SIZES[-1] // 2)
        found = servers(args, credentials)
        results = measure_quick(found) if args.quick else measure_all(found)
    log(f"done in {time.monotonic() - begin:.0f} s")
    if args.json:
        args.json.write_text(json.dumps(results, indent=1) + "\n")
    tables = report.tables(results)
    print(tables)
    if args.update:
        report.update(args.update, tables)


if __name__ == "__main__":
    main()
