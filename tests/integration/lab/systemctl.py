#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Stands in for systemctl on a lab's host, where no systemd runs: mounted over /usr/bin/systemctl by pcs_trial.py.

Does what pcs asks for, with the machine's own unit files and those in /run/systemd/system: start, stop, kill, enable, disable, is-active, is-enabled,
list-unit-files. Of a unit it heeds ExecStart, ExecStop, EnvironmentFile, Type=notify (start returns when the daemon says that
it is ready), User, RuntimeDirectory and Requires, the last both ways. What is enabled, and who runs, is under /run/units.
"""

import os
import pathlib
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time

STATE = pathlib.Path("/run/units")
UNITS = (pathlib.Path("/run/systemd/system"), pathlib.Path("/lib/systemd/system"))
READY_S = 60
STOP_S = 10


def unit_files():
    """Of all services."""
    return sorted(path for directory in UNITS for path in directory.glob("*.service"))


class Unit:
    """A service by its name without ".service"."""

    def __init__(self, name):
        self.name = name.removesuffix(".service")
        self.options = {}
        path = next((path for path in unit_files() if path.stem == self.name), None)
        if not path:
            sys.exit(f"Unit {self.name}.service could not be found.")
        for line in path.read_text().splitlines():
            key, equals, value = line.partition("=")
            if equals and not line.startswith("#"):
                self.options.setdefault(key, []).append(value)
        self.pid_file = STATE / f"{self.name}.pid"

    def one(self, key, default=""):
        return self.options.get(key, [default])[-1]

    def required(self):
        """Names of the services it requires."""
        return [word.removesuffix(".service") for value in self.options.get("Requires", []) for word in value.split()
                if word.endswith(".service")]

    def pid(self):
        """Of its process, 0 if there is none."""
        try:
            pid = int(self.pid_file.read_text())
            state = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return 0
        return 0 if state == "Z" else pid

    def environment(self):
        values = {"PATH": "/usr/sbin:/usr/bin", "LC_ALL": "C"}
        for name in self.options.get("EnvironmentFile", []):
            path = pathlib.Path(name.removeprefix("-"))
            if not path.exists():
                continue
            for line in path.read_text().splitlines():
                if line.strip() and not line.startswith("#"):
                    key, _, value = line.partition("=")
                    values[key] = " ".join(shlex.split(value))
        return values

    def command(self, key, values):
        """Its command line; a variable that is not set is nothing, a set one its words."""
        words = []
        for word in self.one(key).split():
            words += values.get(word[1:], "").split() if word.startswith("$") else [word]
        return words

    def start(self):
        if self.pid():
            return
        for name in self.required():
            Unit(name).start()
        values = self.environment()
        user = self.one("User") or None
        for name in self.one("RuntimeDirectory").split():
            directory = pathlib.Path("/run", name)
            directory.mkdir(exist_ok=True)
            directory.chmod(int(self.one("RuntimeDirectoryMode", "755"), 8))
            shutil.chown(directory, user or "root", user or "root")
        address = str(STATE / f"{self.name}.notify")
        pathlib.Path(address).unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify, open(STATE / f"{self.name}.log", "ab") as log:
            notify.bind(address)
            os.chmod(address, 0o666)
            if self.one("Type") == "notify":
                values["NOTIFY_SOCKET"] = address
            who = {"user": user, "group": user, "extra_groups": []} if user else {}
            child = subprocess.Popen(self.command("ExecStart", values), env=values, cwd="/", start_new_session=True,
                                     stdin=subprocess.DEVNULL, stdout=log, stderr=log, **who)
            self.pid_file.write_text(str(child.pid))
            if self.one("Type") == "notify":
                self._wait_ready(notify, child)

    def _wait_ready(self, notify, child):
        notify.settimeout(0.1)
        end = time.monotonic() + READY_S
        while time.monotonic() < end and child.poll() is None:
            try:
                if b"READY=1" in notify.recv(4096).split(b"\n"):
                    return
            except TimeoutError:
                pass
        sys.exit(f"Job for {self.name}.service failed because the control process exited with error code.")

    def stop(self):
        for path in STATE.glob("*.pid"):
            other = Unit(path.stem)
            if self.name in other.required():
                other.stop()
        pid = self.pid()
        if not pid:
            return
        if "ExecStop" in self.options:
            values = self.environment()
            subprocess.run(self.command("ExecStop", values), env=values, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, check=False)
        for number in (signal.SIGTERM, signal.SIGKILL):
            end = time.monotonic() + STOP_S
            if self.pid():
                os.kill(pid, number)
            while self.pid() and time.monotonic() < end:
                time.sleep(0.02)
        self.pid_file.unlink(missing_ok=True)


def main(verb, *names):
    STATE.mkdir(exist_ok=True)
    names = [name for name in names if not name.startswith("-")]
    if verb == "list-unit-files":
        for path in unit_files():
            print(f"{path.name:<50} {'enabled' if (STATE / (path.stem + '.enabled')).exists() else 'disabled'}")
        return 0
    for unit in map(Unit, names):
        marker = STATE / f"{unit.name}.enabled"
        if verb == "start":
            unit.start()
        elif verb == "stop":
            unit.stop()
        elif verb == "kill":
            if unit.pid():
                os.kill(unit.pid(), signal.SIGTERM)
        elif verb == "enable":
            marker.touch()
        elif verb == "disable":
            marker.unlink(missing_ok=True)
        elif verb == "is-enabled":
            print("enabled" if marker.exists() else "disabled")
            return 0 if marker.exists() else 1
        elif verb == "is-active":
            print("active" if unit.pid() else "inactive")
            return 0 if unit.pid() else 3
        else:
            sys.exit(f"Unknown command verb {verb}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
