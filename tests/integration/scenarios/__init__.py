# SPDX-License-Identifier: BSD-3-Clause
"""The scenarios, by name.

A scenario is a function of a `Lab` that raises if what it shows is not so; its docstring says what it shows. It is
registered with `@scenario`, a family of them with `register`. After it has returned the runner asks for `lab.verdict()`,
so every scenario is a safety test too.

Each runs with our arbiter, the packaged device and our core, except that those named `device_...`, `core_...` and `hostile_...` bring
what they need themselves. Those of the modules in EITHER_DEVICE are about what a cluster makes of its arbiter, whoever made the
device: they also run with ours. Those of EITHER_CORE are about what becomes of votes while rings break and form: they also run over
the packaged core, which most users have (run.py says when).
"""

import dataclasses
import importlib
import pkgutil


EITHER_DEVICE = ("arbiter", "chaos", "cuts", "failures", "killpoints", "tools", "transport")
EITHER_CORE = ("arbiter", "cuts", "device_cuts", "device_lost", "device_processes", "device_stopped", "failures")
ONE_BUILD = ("certs_", "core_", "device_")


@dataclasses.dataclass(frozen=True)
class Scenario:
    """`ours_only`: states something the packaged arbiter does not do (a defect it has, or a feature it lacks).
    `either_device`, `either_core`: runs with our device as well as with the packaged one, over either core.
    `one_build`: of core, device or certificates; these run in one of the builds.
    `unsettled`: why it cannot pass yet, as long as that is so; it then runs only with --unsettled."""

    name: str
    function: object
    doc: str
    ours_only: bool
    either_device: bool
    either_core: bool
    one_build: bool
    unsettled: str


ALL = {}


def register(name, doc, function, ours_only=False, no_device=False, unsettled=""):
    """Add a scenario. `no_device`: no device takes part."""
    if name in ALL:
        raise ValueError(f"two scenarios named {name}")
    module = function.__module__.rsplit(".", 1)[-1]
    ALL[name] = Scenario(name, function, " ".join(doc.split()), ours_only,
                         either_device=module in EITHER_DEVICE and not no_device,
                         either_core=module in EITHER_CORE and not no_device,
                         one_build=module.startswith(ONE_BUILD), unsettled=unsettled)


def scenario(ours_only=False, no_device=False, unsettled=""):
    """Decorator: the function's name and docstring are the scenario's."""
    def add(function):
        register(function.__name__, function.__doc__, function, ours_only, no_device, unsettled)
        return function
    return add


def load():
    """Import all modules of this package; returns the scenarios by name."""
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
        importlib.import_module(f"{__name__}.{module.name}")
    return ALL
