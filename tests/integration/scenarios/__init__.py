# SPDX-License-Identifier: BSD-3-Clause
"""The scenarios, by name.

A scenario is a function of a `Lab` that raises if what it shows is not so; its docstring says what it shows. It is
registered with `@scenario`, a family of them with `register`. After it has returned the runner asks for `lab.verdict()`,
so every scenario is a safety test too.
"""

import dataclasses
import importlib
import pkgutil


@dataclasses.dataclass(frozen=True)
class Scenario:
    """`ours_only`: states something the packaged arbiter does not do (a defect it has, or a feature it lacks).
    `unsettled`: why it cannot pass yet, as long as that is so; it then runs only with --unsettled."""

    name: str
    function: object
    doc: str
    ours_only: bool
    unsettled: str


ALL = {}


def register(name, doc, function, ours_only=False, unsettled=""):
    """Add a scenario."""
    if name in ALL:
        raise ValueError(f"two scenarios named {name}")
    ALL[name] = Scenario(name, function, " ".join(doc.split()), ours_only, unsettled)


def scenario(ours_only=False, unsettled=""):
    """Decorator: the function's name and docstring are the scenario's."""
    def add(function):
        register(function.__name__, function.__doc__, function, ours_only, unsettled)
        return function
    return add


def load():
    """Import all modules of this package; returns the scenarios by name."""
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
        importlib.import_module(f"{__name__}.{module.name}")
    return ALL
