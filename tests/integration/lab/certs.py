# SPDX-License-Identifier: BSD-3-Clause
"""Certificates, made once per run with the packaged certificate tools, as an administrator makes them.

`make(directory)` needs the sandbox; it fills `directory` with
    qnetd/nssdb               database of the arbiter (CA "QNet CA", server certificate "QNetd Cert")
    qnetd-renewed/nssdb       the same CA with another server certificate, for reloads
    qnetd-password/nssdb      the first one with a password, which is in `password.txt` beside the database
    qnetd-pem/                the first one's certificate, key and CA as PEM files: cert.pem, key.pem, ca.pem
    device/<cluster>/nssdb    database of a node of that cluster (`CLUSTERS`)
`install_arbiter(host, directory)` and `install_device(host, directory, cluster)` copy them to where the daemons look.
Keys are slow to make, so runs share one directory (`run.py` makes it before the first scenario starts).
"""

import shutil

from .host import Host

CLUSTERS = ("alpha", "beta")
_QNETD_CERTUTIL = "/usr/bin/corosync-qnetd-certutil"
_DEVICE_CERTUTIL = "/usr/sbin/corosync-qdevice-net-certutil"


def make(directory, scratch):
    """Make everything, working on throw-away hosts under `scratch`."""
    arbiter = Host("ca", scratch)
    try:
        arbiter.path("etc", "qnetd").mkdir()
        arbiter.run([_QNETD_CERTUTIL, "-i"], ok=True)
        for cluster in CLUSTERS:
            _make_cluster(directory, scratch, arbiter, cluster)
        shutil.copytree(arbiter.path("etc", "qnetd"), directory / "qnetd")
        _export_pem(arbiter, directory / "qnetd-pem")
        _set_password(arbiter)
        shutil.copytree(arbiter.path("etc", "qnetd"), directory / "qnetd-password")
        install_arbiter(arbiter, directory)
        _renew(arbiter)
        shutil.copytree(arbiter.path("etc", "qnetd"), directory / "qnetd-renewed")
    finally:
        arbiter.close()


def _make_cluster(directory, scratch, arbiter, cluster):
    node = Host(f"node-{cluster}", scratch)
    try:
        nssdb = node.path("etc", "qdevice", "net", "nssdb")
        nssdb.parent.mkdir(parents=True)
        shutil.copy(arbiter.path("etc", "qnetd", "nssdb", "qnetd-cacert.crt"), node.path("etc", "ca.crt"))
        node.run([_DEVICE_CERTUTIL, "-i", "-c", "/etc/corosync/ca.crt"], ok=True)
        node.run([_DEVICE_CERTUTIL, "-r", "-n", cluster], ok=True)
        shutil.copy(nssdb / "qdevice-net-node.crq", arbiter.path("etc", f"{cluster}.crq"))
        arbiter.run([_QNETD_CERTUTIL, "-s", "-c", f"/etc/corosync/{cluster}.crq", "-n", cluster], ok=True)
        shutil.copy(arbiter.path("etc", "qnetd", "nssdb", f"cluster-{cluster}.crt"), node.path("etc", "signed.crt"))
        node.run([_DEVICE_CERTUTIL, "-M", "-c", "/etc/corosync/signed.crt"], ok=True)
        shutil.copytree(nssdb, directory / "device" / cluster / "nssdb")
    finally:
        node.close()


def _export_pem(arbiter, target):
    target.mkdir()
    arbiter.run(["/usr/bin/pk12util", "-o", "/etc/corosync/server.p12", "-n", "QNetd Cert", "-W", "", "-K", "",
                 "-d", "/etc/corosync/qnetd/nssdb"], ok=True)
    for name, options in (("cert.pem", ["-clcerts", "-nokeys"]), ("key.pem", ["-nocerts", "-nodes"])):
        text = arbiter.run(["/usr/bin/openssl", "pkcs12", "-in", "/etc/corosync/server.p12", "-passin", "pass:",
                            *options], ok=True).out
        (target / name).write_text(text, encoding="ascii")
    exported = arbiter.path("etc", "qnetd", "nssdb", "qnetd-cacert.crt").read_text()
    (target / "ca.pem").write_text(exported[exported.index("-----BEGIN"):], encoding="ascii")


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
    arbiter.run(["/usr/bin/certutil", "-S", *database, "-z", "/etc/corosync/qnetd/nssdb/noise.txt", "-n", "QNetd Cert",
                 "-s", "CN=Qnetd Server", "-c", "QNet CA", "-t", "u,u,u", "-m", "500", "-v", "12"], ok=True)


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
