# SPDX-License-Identifier: BSD-3-Clause
"""How devices and arbiter find and trust each other: TLS modes, addresses, limits, privileges, reload."""

import pathlib

from lab import certs
from lab.wait import check, check_equal, now_ns, wait_for

from . import register, scenario

_ENDS_AT_ONCE_S = 10
_PEEK = pathlib.Path(certs.__file__).with_name("peek.py")


def _split_once(cluster):
    cluster.cut([1], [2])
    cluster.wait_quorate([1], not_quorate=[2])


def _tls_connects(server, device, active):
    def run(lab):
        arbiter = lab.arbiter(lab.flavour, ["-s", server])
        cluster = lab.cluster(tls=device)
        shown = {node["TLS active"] for node in arbiter.listing("alpha", "-v").values()}
        check_equal(shown, {active}, "TLS active")
        _split_once(cluster)
    return run


def _tls_refuses(server, device):
    def run(lab):
        lab.arbiter(lab.flavour, ["-s", server])
        cluster = lab.cluster(wait=False, tls=device)
        for node in cluster.nodes.values():
            _device_refuses(lab, node)
        cluster.wait_quorate([1, 2])
    return run


def _device_refuses(lab, node):
    """It finds that its TLS mode and the arbiter's do not go together. Ours says so and tries again, since the arbiter may be
    given another one; the packaged one ends."""
    if lab.device_flavour == "packaged":
        check_equal(node.device.wait(_ENDS_AT_ONCE_S), 1, f"exit status of the device of node {node.id}")
        return
    wait_for("a second attempt", lambda: node.device.text().count("quorum.device.net.tls is") > 1, _ENDS_AT_ONCE_S)
    check(node.device.running, f"the device of node {node.id} goes on trying")


for _server in ("off", "on", "req"):
    for _device in ("off", "on", "required"):
        if (_server, _device) in (("off", "required"), ("req", "off")):
            register(f"tls_{_server}_device_{_device}",
                     f"Arbiter -s {_server}, device tls {_device}: they do not agree; the packaged device ends, ours "
                     "says why and tries again.",
                     _tls_refuses(_server, _device))
        else:
            _active = "No" if "off" in (_server, _device) else "Yes (client certificate verified)"
            register(f"tls_{_server}_device_{_device}",
                     f"Arbiter -s {_server}, device tls {_device}: TLS active is {_active}, a split is decided.",
                     _tls_connects(_server, _device, _active))


@scenario()
def tls_no_client_certificates(lab):
    """Arbiter -s req -c off: TLS without asking for certificates."""
    arbiter = lab.arbiter(lab.flavour, ["-s", "req", "-c", "off"])
    cluster = lab.cluster()
    check_equal({node["TLS active"] for node in arbiter.listing("alpha", "-v").values()}, {"Yes"}, "TLS active")
    check_equal(arbiter.status()["TLS"], "Required", "TLS in status")
    _split_once(cluster)


def _served_at(options, address, **config):
    def run(lab):
        arbiter = lab.arbiter(lab.flavour, options)
        cluster = lab.cluster(**config)
        clients = {node["Client address"].rsplit(":", 1)[0] for node in arbiter.listing("alpha").values()}
        prefix = {"4": "10.2.0.", "6": "fd02::", "m": "::ffff:10.2.0."}[address]
        check(all(client.startswith(prefix) for client in clients), f"clients connect from {clients}")
        _split_once(cluster)
    return run


register("ipv4_only", "Arbiter -4: listens on IPv4 only; clients are shown with plain IPv4 addresses.",
         _served_at(["-4"], "4"))
register("ipv6_only", "Arbiter -6, device told an IPv6 address.", _served_at(["-6"], "6", family=6))
register("both_families", "No option: one socket serves IPv4 as well, shown as ::ffff:a.b.c.d.", _served_at([], "m"))
register("named_address_4", "Arbiter -l NAME where the name has an IPv4 address; the device uses the name too.",
         _served_at(["-l", "arbiter4"], "4", host="arbiter4"))
register("named_address_6", "Arbiter -l NAME where the name has an IPv6 address, cluster over IPv6.",
         _served_at(["-l", "arbiter6"], "6", host="arbiter6", family=6))
register("other_port", "Arbiter -p 6000.", _served_at(["-p", "6000"], "m", net={"port": 6000}))


@scenario()
def max_clients(lab):
    """Arbiter -m 1: the second device is closed at once and keeps trying; the first one keeps its place."""
    arbiter = lab.arbiter(lab.flavour, ["-m", "1"])
    cluster = lab.cluster(wait=False)
    cluster.wait_quorate([1, 2])
    wait_for("one client", lambda: len(arbiter.nodes_connected("alpha")) == 1, 10)
    first = arbiter.nodes_connected("alpha")
    cluster.hold("one client too many", [1, 2], 2)
    check_equal(arbiter.nodes_connected("alpha"), first, "the client that is served")
    check_equal(arbiter.status("-v")["Maximum allowed clients"], "1", "status")
    cluster.nodes[first[0]].kill_device()
    wait_for("the other one in", lambda: arbiter.nodes_connected("alpha") == [3 - first[0]], 10)


@scenario()
def pid_lock(lab):
    """A second arbiter on the same host ends with status 1 and does not disturb the first."""
    arbiter = lab.arbiter(lab.flavour)
    cluster = lab.cluster()
    second = arbiter.start_another(["-p", "6000"])
    check_equal(second.wait(_ENDS_AT_ONCE_S), 1, "exit status of the second arbiter")
    check("nother" in second.text(), f"it says why: {second.text()}")
    pid = arbiter.host.run(["/usr/bin/cat", "/run/corosync-qnetd/corosync-qnetd.pid"], ok=True).out
    check_equal(pid, f"{arbiter.process.pid}\n", "PID file")
    _split_once(cluster)


@scenario()
def unprivileged_user(lab):
    """The arbiter runs as user coroqnetd with the ownership the package sets up."""
    arbiter = lab.arbiter(lab.flavour, start=False)
    arbiter.host.run(["/usr/bin/chown", "coroqnetd:coroqnetd", "/run/corosync-qnetd"], ok=True)
    arbiter.host.run(["/usr/bin/chgrp", "-R", "coroqnetd", "/etc/corosync/qnetd"], ok=True)
    arbiter.host.run(["/usr/bin/chmod", "-R", "g+rX,o=", "/etc/corosync/qnetd"], ok=True)
    arbiter.wrapper = ["/usr/bin/setpriv", "--reuid=coroqnetd", "--regid=coroqnetd", "--clear-groups",
                       "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs"]
    arbiter.start()
    status = pathlib.Path(f"/proc/{arbiter.process.pid}/status").read_text()
    check("\nUid:\t0\t" not in status, "it runs as root")
    cluster = lab.cluster()
    _split_once(cluster)


def _server_certificate(arbiter):
    """Fingerprint of the certificate that a new connection is shown."""
    return arbiter.host.run(["/usr/bin/python3", _PEEK, "127.0.0.1", "alpha"], ok=True).out.strip()


@scenario(ours_only=True)
def certificates_reloaded(lab):
    """SIGHUP after the server certificate was renewed: new connections see the new one, no client is dropped, no vote
    is lost, in a split and outside one."""
    arbiter = lab.arbiter(lab.flavour, ["-s", "req"])
    cluster = lab.cluster()
    _split_once(cluster)
    old = _server_certificate(arbiter)
    clients = arbiter.client_addresses("alpha")
    start = now_ns()
    certs.install_arbiter(arbiter.host, lab.certificates, "qnetd-renewed")
    arbiter.reload()
    wait_for("the new certificate", lambda: _server_certificate(arbiter) != old, 5)
    cluster.hold("certificates were renewed", [1], 2.5)
    cluster.check_quorate_since([1], start)
    check_equal(arbiter.client_addresses("alpha"), clients, "connections")
    cluster.heal()
    cluster.wait_all()


@scenario(ours_only=True)
def unreadable_certificates_refused(lab):
    """SIGHUP while the database is missing: the old certificate stays in use and the log says so."""
    arbiter = lab.arbiter(lab.flavour, ["-s", "req"])
    cluster = lab.cluster()
    old = _server_certificate(arbiter)
    start = now_ns()
    nssdb = arbiter.host.path("etc", "qnetd", "nssdb")
    nssdb.rename(nssdb.with_name("moved-away"))
    before = len(arbiter.log)
    arbiter.reload()
    wait_for("a word about it in the log", lambda: " err" in arbiter.log[before:], 5)
    check_equal(_server_certificate(arbiter), old, "certificate")
    _split_once(cluster)
    cluster.check_quorate_since([1], start)


_PEM = ",".join(f"tls_{name}_file=/etc/corosync/qnetd/{name}.pem" for name in ("cert", "key", "ca"))


@scenario(ours_only=True)
def pem_credentials(lab):
    """Certificate, key and CA from PEM files, no NSS database at all; devices with their NSS databases."""
    arbiter = lab.arbiter(lab.flavour, ["-s", "req", "-S", _PEM], start=False)
    certs.install_arbiter(arbiter.host, lab.certificates, "qnetd-pem")
    arbiter.start()
    cluster = lab.cluster()
    check_equal({node["TLS active"] for node in arbiter.listing("alpha", "-v").values()},
                {"Yes (client certificate verified)"}, "TLS active")
    _split_once(cluster)


@scenario(ours_only=True)
def from_database_to_pem_files(lab):
    """The arbiter moves from the NSS database to PEM files of the same CA and back, without anybody noticing."""
    arbiter = lab.arbiter(lab.flavour, ["-s", "req"])
    cluster = lab.cluster()
    for credentials, options in (("qnetd-pem", ["-s", "req", "-S", _PEM]), ("qnetd", ["-s", "req"])):
        start = now_ns()
        arbiter.stop()
        certs.install_arbiter(arbiter.host, lab.certificates, credentials)
        arbiter.start(options=options)
        cluster.wait_all()
        cluster.check_quorate_since([1, 2], start)
    _split_once(cluster)


@scenario(ours_only=True)
def password_protected_database(lab):
    """An NSS database with a password, given in a file; without the file the arbiter ends with status 1 and says why."""
    settings = "nss_pwd_file=/etc/corosync/qnetd/nssdb/password.txt"
    arbiter = lab.arbiter(lab.flavour, ["-s", "req", "-S", settings], start=False)
    certs.install_arbiter(arbiter.host, lab.certificates, "qnetd-password")
    without = arbiter.start_another([])
    check_equal(without.wait(_ENDS_AT_ONCE_S), 1, "exit status without the password")
    check("password" in without.text(), f"it says why: {without.text()}")
    arbiter.start()
    _split_once(lab.cluster())
