# SPDX-License-Identifier: BSD-3-Clause
"""Names by a name server: a host that no longer finds its names in /etc/hosts but asks a server of its own, which can fail.

    names = Names(node.host, "10.2.0.254")     every name has this address from here on
    names.say("silent")                        or "unknown", or another address
    names.asked("silent")                      how often it was asked since it says so
"""

import pathlib

from .wait import wait_for

_SCRIPT = pathlib.Path(__file__).with_name("name_server.py")


class Names:
    """See the module."""

    def __init__(self, host, address):
        self.file = host.path("names")
        resolver = host.path("resolv.conf")
        resolver.write_text("nameserver 127.0.0.1\n", encoding="ascii")
        host.run(["/usr/bin/mount", "--bind", resolver, "/etc/resolv.conf"], ok=True)
        host.hosts_file.write_text("127.0.0.1 localhost\n", encoding="ascii")
        self.say(address)
        self.server = host.start(["/usr/bin/python3", _SCRIPT, self.file], log="names")
        wait_for("the name server", lambda: "ready" in self.server.text(), 10)

    def say(self, what):
        """From now on this is its answer, at once for all questions to come."""
        new = self.file.with_suffix(".new")
        new.write_text(what, encoding="ascii")
        new.rename(self.file)

    def asked(self, what):
        """How many questions were answered, or not answered, in this way."""
        return self.server.text().count(f"asked: {what}\n")
