"""The command line. Heavy packages are imported inside the commands that need them.

Each module adds its commands to ``app`` as it is imported; ``--help`` lists them in this order.
"""

from __future__ import annotations

# isort: off
from rmaat_hw.cli.shell import (
    BAD_INPUT,
    INCOMPLETE,
    INTERNAL,
    INTERRUPTED,
    TRACEBACK_VARIABLE,
    app,
    main,
    run,
    with_json_value,
)
from rmaat_hw.cli import estimates, training, astrocyte, machine, catalogues, devices, physics, validation
# isort: on

__all__ = [
    "BAD_INPUT",
    "INCOMPLETE",
    "INTERNAL",
    "INTERRUPTED",
    "TRACEBACK_VARIABLE",
    "app",
    "astrocyte",
    "catalogues",
    "devices",
    "estimates",
    "machine",
    "main",
    "physics",
    "run",
    "training",
    "validation",
    "with_json_value",
]
