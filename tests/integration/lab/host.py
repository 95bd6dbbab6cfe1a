# SPDX-License-Identifier: BSD-3-Clause
"""A host: network, mount and UTS namespace with the directories a cluster program writes to.

`Host(name, scratch)` makes the namespaces; `/etc/corosync`, `/var/lib`, `/var/log` are directories under
`scratch/<name>/` (also reachable from outside as `host.path("etc", ...)`), `/run` and `/dev/shm` are fresh tmpfs.
Everything else, programs above all, is the machine's own.

`host.start([...])` starts a program that keeps running and returns a `Process`; `host.run([...])` runs one to its end.
"""

import os
import pathlib
import signal
import subprocess

from . import isolate
from .wait import Failure, wait_for

_COMMAND_TIMEOUT_S = 30


class Process:
    """A program running on a host, in a process group of its own; its output goes to `log`."""

    def __init__(self, popen, name, log):
        self.popen = popen
        self.name = name
        self.log = pathlib.Path(log)

    @property
    def pid(self):
        return self.popen.pid

    @property
    def running(self):
        return self.popen.poll() is None

    def text(self):
        """All it has written so far."""
        return self.log.read_text(errors="replace")

    def signal(self, number):
        if self.running:
            self.popen.send_signal(number)

    def wait_asleep(self):
        """Wait until it waits for something to do. The packaged daemons work in their signal handlers: hit amid a call that takes a
        lock, they wait for themselves for ever."""
        stat = pathlib.Path(f"/proc/{self.pid}/stat")
        wait_for(f"{self.name} to have nothing to do",
                 lambda: not self.running or stat.read_text().rsplit(")", 1)[1].split()[0] == "S", 10)

    def kill(self):
        """SIGKILL; returns once it is gone. Returns the exit status."""
        self.signal(signal.SIGKILL)
        return self.wait(10)

    def stop(self, timeout_s=10):
        """SIGTERM; returns once it is gone. Returns the exit status."""
        self.signal(signal.SIGTERM)
        return self.wait(timeout_s)

    def wait(self, timeout_s):
        """Wait for its end; returns the exit status (negative: signal)."""
        try:
            return self.popen.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name} (pid {self.pid}) does not end within {timeout_s:g} s") from None

    def threads_in_user_s(self):
        """Processor time used so far, in seconds."""
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_kib(self):
        """Resident memory."""
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        return 0


class Result:
    """Outcome of `Host.run`: `status`, `out`, `err`."""

    def __init__(self, status, out, err):
        self.status = status
        self.out = out
        self.err = err

    def __repr__(self):
        return f"Result(status={self.status}, out={self.out!r}, err={self.err!r})"


class Host:
    """See the module. `close()` ends everything on it."""

    def __init__(self, name, scratch):
        self.name = name
        self.scratch = pathlib.Path(scratch) / name
        self.logs = self.scratch / "output"
        self.processes = []
        for part in ("etc", "lib/corosync", "log/corosync", "output"):
            (self.scratch / part).mkdir(parents=True, exist_ok=True)
        self.hosts_file = self.scratch / "hosts"
        self.hosts_file.write_text("127.0.0.1 localhost\n::1 localhost\n")
        self.pid = self._hold()
        self._log_count = {}

    def path(self, *parts):
        """A file of the host, seen from outside: path("etc", ...) is /etc/corosync, "lib" /var/lib, "log" /var/log."""
        return self.scratch.joinpath(*parts)

    def _hold(self):
        """Fork the process whose namespaces are the host's; returns its pid once all is mounted."""
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.close(reader)
                isolate.die_with_parent()
                isolate.unshare(isolate.CLONE_NEWNET | isolate.CLONE_NEWNS | isolate.CLONE_NEWUTS)
                for source, target in (("etc", "/etc/corosync"), ("lib", "/var/lib"), ("log", "/var/log")):
                    isolate.mount(self.scratch / source, target, None, isolate.MS_BIND)
                isolate.mount(self.hosts_file, "/etc/hosts", None, isolate.MS_BIND)
                isolate.mount("tmpfs", "/run", "tmpfs", 0, "mode=755")
                isolate.mount("tmpfs", "/dev/shm", "tmpfs", 0, "mode=1777")
                for directory in ("/run/corosync-qnetd", "/run/corosync-qdevice", "/run/lock"):
                    os.mkdir(directory, 0o770)
                with open("/proc/sys/kernel/hostname", "w", encoding="ascii") as file:
                    file.write(self.name)
                os.write(writer, b"k")
                os.close(writer)
                os.execv("/usr/bin/sleep", ["sleep", "infinity"])
            except BaseException as error:  # pylint: disable=broad-except
                os.write(2, f"host {self.name}: {error}\n".encode())
            finally:
                os._exit(1)
        os.close(writer)
        ready = os.read(reader, 1)
        os.close(reader)
        if ready != b"k":
            os.waitpid(pid, 0)
            raise Failure(f"cannot make host {self.name}")
        return pid

    def _command(self, argv):
        return ["/usr/bin/nsenter", f"--net=/proc/{self.pid}/ns/net", f"--mount=/proc/{self.pid}/ns/mnt",
                f"--uts=/proc/{self.pid}/ns/uts", "--", *map(str, argv)]

    def start(self, argv, log=None, env=None, **options):
        """Start a program; stdout and stderr go to output/<log>[.<n>] of the host. Returns a `Process`."""
        base = log or os.path.basename(str(argv[0]))
        number = self._log_count.get(base, 0)
        self._log_count[base] = number + 1
        path = self.logs / (base if number == 0 else f"{base}.{number}")
        with open(path, "wb") as output:
            popen = subprocess.Popen(self._command(argv), stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                     env=env, start_new_session=True, cwd="/", **options)
        process = Process(popen, f"{base} on {self.name}", path)
        self.processes.append(process)
        return process

    def run(self, argv, timeout_s=_COMMAND_TIMEOUT_S, env=None, stdin=None, ok=None):
        """Run a program to its end; with `ok=True` a status other than 0 is a `Failure`."""
        try:
            done = subprocess.run(self._command(argv), capture_output=True, text=True, errors="replace",
                                  timeout=timeout_s, env=env, cwd="/", check=False, start_new_session=True,
                                  **({"input": stdin} if stdin is not None else {"stdin": subprocess.DEVNULL}))
        except subprocess.TimeoutExpired:
            raise Failure(f"{argv[0]} on {self.name} does not end within {timeout_s:g} s") from None
        if ok and done.returncode != 0:
            raise Failure(f"{' '.join(map(str, argv))} on {self.name}: status {done.returncode}: "
                          f"{done.stderr}{done.stdout}")
        return Result(done.returncode, done.stdout, done.stderr)

    def close(self):
        """Kill whatever still runs here and drop the namespaces."""
        for process in self.processes:
            if process.running:
                process.kill()
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.pid = 0


def wait_gone(pid, deadline_s):
    """Wait until process `pid`, which need not be ours, has ended."""
    def gone():
        try:
            state = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except FileNotFoundError:
            return True
        return state == "Z"
    wait_for(f"end of process {pid}", gone, deadline_s)
