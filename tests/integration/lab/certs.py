# SPDX-License-Identifier: BSD-3-Clause
"""Certificates, made once per run with the certificate tools, ours or the packaged ones, as an administrator makes them.

`make(directory, scratch, tools)` needs the sandbox; it fills `directory` with
    qnetd/nssdb               database of the arbiter (CA "QNet CA", server certificate "QNetd Cert")
    qnetd-renewed/nssdb       the same CA with another server certificate, for reloads
    qnetd-password/nssdb      the first one with a password, which is in `password.txt` beside the database
    qnetd-pem/                the first one's certificate, key and CA as PEM files: cert.pem, key.pem, ca.pem
    device/<cluster>/nssdb    database of a node of that cluster (`CLUSTERS`)
    probe/<who>.pem           certificate and key for the probes of hostile scenarios (`PROBES`)
`install_arbiter(host, directory)` and `install_device(host, directory, cluster)` copy them to where the daemons look.
Keys are slow to make, so runs share one directory (`run.py` makes it before the first scenario starts).
"""

import contextlib
import secrets
import shutil
import typing

from .host import Host

CLUSTERS = ("alpha", "beta")
PROBES = {
    "alpha": ("CN=alpha", 0, 12),
    "beta": ("CN=beta", 0, 12),
    "expired": ("CN=alpha", -24, 12),
    "not-yet-valid": ("CN=alpha", 12, 12),
    "foreign": ("CN=alpha", 0, 12),
}
"""Subject, months from now until it becomes valid, months it is valid. All of the arbiter's CA except "foreign"."""

_NOISE = "/etc/corosync/noise.txt"
"""What certutil is given to make keys of; only the packaged tools leave one behind."""


class Tools(typing.NamedTuple):
    """Paths of the two certificate tools."""
    arbiter: str
    device: str


def make(directory, scratch, tools):
    """Make everything, working on throw-away hosts under `scratch`."""
    arbiter = Host("ca", scratch)
    try:
        arbiter.path("etc", "qnetd").mkdir()
        arbiter.path("etc", "noise.txt").write_text(secrets.token_hex(64), encoding="ascii")
        arbiter.run([tools.arbiter, "-i"], ok=True)
        for cluster in CLUSTERS:
            with contextlib.closing(Host(f"node-{cluster}", scratch)) as node:
                _make_cluster(directory / "device" / cluster, tools, arbiter, node, cluster)
        shutil.copytree(arbiter.path("etc", "qnetd"), directory / "qnetd")
        _export_pem(arbiter, directory / "qnetd-pem")
        _set_password(arbiter)
        shutil.copytree(arbiter.path("etc", "qnetd"), directory / "qnetd-password")
        install_arbiter(arbiter, directory)
        _renew(arbiter)
        shutil.copytree(arbiter.path("etc", "qnetd"), directory / "qnetd-renewed")
        _make_probes(arbiter, directory)
    finally:
        arbiter.close()


def _make_cluster(target, tools, arbiter, node, cluster):
    nssdb = node.path("etc", "qdevice", "net", "nssdb")
    nssdb.parent.mkdir(parents=True)
    shutil.copy(arbiter.path("etc", "qnetd", "nssdb", "qnetd-cacert.crt"), node.path("etc", "ca.crt"))
    node.run([tools.device, "-i", "-c", "/etc/corosync/ca.crt"], ok=True)
    node.run([tools.device, "-r", "-n", cluster], ok=True)
    shutil.copy(nssdb / "qdevice-net-node.crq", arbiter.path("etc", f"{cluster}.crq"))
    arbiter.run([tools.arbiter, "-s", "-c", f"/etc/corosync/{cluster}.crq", "-n", cluster], ok=True)
    shutil.copy(arbiter.path("etc", "qnetd", "nssdb", f"cluster-{cluster}.crt"), node.path("etc", "signed.crt"))
    node.run([tools.device, "-M", "-c", "/etc/corosync/signed.crt"], ok=True)
    shutil.copytree(nssdb, target / "nssdb")


def _export_pem(arbiter, target):
    target.mkdir()
    _export(arbiter, "QNetd Cert", {target / "cert.pem": ["-clcerts", "-nokeys"],
                                    target / "key.pem": ["-nocerts", "-nodes"]})
    exported = arbiter.path("etc", "qnetd", "nssdb", "qnetd-cacert.crt").read_text()
    (target / "ca.pem").write_text(exported[exported.index("-----BEGIN"):], encoding="ascii")


def _export(arbiter, nickname, targets):
    """Write a certificate and its key, each target as `openssl pkcs12` does with these options."""
    password = [] if nickname == "QNetd Cert" else ["-k", "/etc/corosync/qnetd/nssdb/pwdfile.txt"]
    arbiter.run(["/usr/bin/pk12util", "-o", "/etc/corosync/out.p12", "-n", nickname, "-W", "", *(password or ["-K", ""]),
                 "-d", "/etc/corosync/qnetd/nssdb"], ok=True)
    for path, options in targets.items():
        path.write_text(arbiter.run(["/usr/bin/openssl", "pkcs12", "-in", "/etc/corosync/out.p12", "-passin", "pass:",
                                     *options], ok=True).out, encoding="ascii")


def _set_password(arbiter):
    """Protect the database by a password."""
    nssdb = arbiter.path("etc", "qnetd", "nssdb")
    nssdb.joinpath("password.txt").write_text("Correct-Horse-7\n", encoding="ascii")
    # An empty line, not an empty file, is what certutil takes for the empty password here.
    nssdb.joinpath("no-password.txt").write_text("\n", encoding="ascii")
    arbiter.run(["/usr/bin/certutil", "-W", "-d", "/etc/corosync/qnetd/nssdb", "-f",
                 "/etc/corosync/qnetd/nssdb/no-password.txt", "-@", "/etc/corosync/qnetd/nssdb/password.txt"], ok=True)


def _renew(arbiter):
    """Replace the server certificate by a new one of the same CA, valid for a year."""
    database = ["-d", "/etc/corosync/qnetd/nssdb", "-f", "/etc/corosync/qnetd/nssdb/pwdfile.txt"]
    arbiter.run(["/usr/bin/certutil", "-F", *database, "-n", "QNetd Cert"], ok=True)
    arbiter.run(["/usr/bin/certutil", "-S", *database, "-z", _NOISE, "-n", "QNetd Cert",
                 "-s", "CN=Qnetd Server", "-c", "QNet CA", "-t", "u,u,u", "-m", "500", "-v", "12"], ok=True)


def _make_probes(arbiter, directory):
    database = ["-d", "/etc/corosync/qnetd/nssdb", "-f", "/etc/corosync/qnetd/nssdb/pwdfile.txt"]
    make = ["/usr/bin/certutil", "-S", *database, "-z", _NOISE, "-k", "ec", "-q", "nistp256"]
    arbiter.run([*make, "-n", "Foreign CA", "-s", "CN=QNet CA", "-x", "-t", "C,C,C", "-m", "900", "-v", "12"], ok=True)
    (directory / "probe").mkdir()
    for number, (who, (subject, start, months)) in enumerate(PROBES.items(), 901):
        arbiter.run([*make, "-n", who, "-s", subject, "-c", "Foreign CA" if who == "foreign" else "QNet CA", "-t", "u,u,u",
                     "-m", str(number), "-w", str(start), "-v", str(months)], ok=True)
        _export(arbiter, who, {directory / "probe" / f"{who}.pem": ["-clcerts", "-nodes"]})


def install_arbiter(host, directory, which="qnetd"):
    """Give the arbiter's host its database (`which`: name of a directory above), replacing an earlier one."""
    target = host.path("etc", "qnetd")
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(directory / which, target)


def install_device(host, directory, cluster):
    """Give a node the certificates of its cluster."""
    target = host.path("etc", "qdevice", "net")
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    shutil.copytree(directory / "device" / cluster / "nssdb", target / "nssdb")
