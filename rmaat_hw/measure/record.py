"""One measurement as plain data, with the rule that nothing is null without a reason."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Literal

from device_params.errors import InputError

if TYPE_CHECKING:
    from pandas import DataFrame

SCHEMA_VERSION = 1
_GROUPS = (
    *("host", "device", "clocks", "software", "model", "workload", "latency", "throughput", "memory"),
    *("energy", "macs", "profile", "provenance", "kernels", "modules"),
)


@dataclass(frozen=True)
class Measurement:
    """What was measured on one machine for one program; every figure is of one call of the program.

    The groups are mappings whose keys carry their unit (``p50_s``, ``max_allocated_B``). A group that
    holds a null also holds a ``reason``. ``kernels`` has one row per operator and module
    (``name, module, phase, calls, total_s, self_s, device_s, share``), ``modules`` one per module; see
    ``measure`` for how each run was made. A record kept as data is replayed with ``from_json``.
    """

    id: str
    created_utc: str
    host: Mapping[str, Any]
    device: Mapping[str, Any]
    software: Mapping[str, Any]
    model: Mapping[str, Any]
    workload: Mapping[str, Any]
    latency: Mapping[str, Any]
    memory: Mapping[str, Any]
    energy: Mapping[str, Any]
    profile: Mapping[str, Any]
    kernels: tuple[Mapping[str, Any], ...] = ()
    modules: tuple[Mapping[str, Any], ...] = ()
    throughput: Mapping[str, Any] = field(default_factory=dict)
    clocks: Mapping[str, Any] = field(default_factory=dict)
    macs: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    graph_hash: str = ""
    source: str = "measured"

    def __post_init__(self) -> None:
        for group in _GROUPS:
            for path, holder in _null_holders(getattr(self, group), group):
                if not holder.get("reason"):
                    raise InputError(
                        "a null in a measurement needs a reason beside it",
                        where=path,
                        remedy="add the key 'reason' with one sentence",
                    )

    @property
    def p50_s(self) -> float:
        """Median latency of one call, in seconds."""
        return float(self.latency["p50_s"])

    @property
    def energy_J(self) -> float | None:
        """Gross energy of one call in joules, None when no counter could be read."""
        value = self.energy["value"]
        return None if value is None else float(value)

    def with_context(
        self,
        *,
        model: Mapping[str, Any] | None = None,
        workload: Mapping[str, Any] | None = None,
        macs: Mapping[str, Any] | None = None,
        graph_hash: str = "",
    ) -> Measurement:
        """Add what only the caller knows; ``batch`` and ``seq_len`` of the workload give throughputs."""
        merged = {**self.workload, **(workload or {})}
        throughput = dict(self.throughput)
        if "batch" in merged:
            throughput["samples_per_s"] = merged["batch"] / self.p50_s
            if "seq_len" in merged:
                throughput["tokens_per_s"] = merged["batch"] * merged["seq_len"] / self.p50_s
        return replace(
            self,
            model={**self.model, **(model or {})},
            workload=merged,
            macs={**self.macs, **(macs or {})},
            throughput=throughput,
            graph_hash=graph_hash or self.graph_hash,
        )

    def to_pandas(self, by: Literal["operator", "module", "kernel"] = "operator") -> DataFrame:
        """Return the measured times as a table, dearest first; one row an operator by default.

        Columns ``calls, total_s, self_s, device_s, share`` are of one call of the program. ``total_s``
        includes callees, ``self_s`` does not and sums to ``profile.operators_self_s``.
        """
        from pandas import DataFrame

        if by == "module":
            return DataFrame(list(self.modules))
        table = DataFrame(list(self.kernels))
        if by == "kernel" or table.empty:
            return table
        sums = ["calls", "total_s", "self_s", "device_s", "share"]
        return table.groupby("name")[sums].sum().sort_values("share", ascending=False).reset_index()

    def to_json(self) -> dict[str, Any]:
        """Return a document of plain JSON types; ``from_json`` gives back an equal measurement."""
        document: dict[str, Any] = {"schema_version": SCHEMA_VERSION}
        for item in fields(self):
            document[item.name] = getattr(self, item.name)
        return dict(json.loads(json.dumps(document, allow_nan=False)))

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Measurement:
        """Read a recorded measurement: the replay that stands in for a machine that is not here."""
        version = document.get("schema_version")
        if version != SCHEMA_VERSION:
            raise InputError(
                "cannot read this measurement",
                where="schema_version",
                value=version,
                allowed=str(SCHEMA_VERSION),
            )
        names = {item.name for item in fields(cls)}
        missing = sorted({"id", "latency", "memory", "energy", "device"} - document.keys())
        unknown = sorted(document.keys() - names - {"schema_version"})
        if missing or unknown:
            raise InputError(
                f"measurement with missing keys {missing} and unknown keys {unknown}", where="measurement"
            )
        values = {name: document[name] for name in names & document.keys()}
        for name in ("kernels", "modules"):
            values[name] = tuple(values.get(name, ()))
        return cls(**values)


def _null_holders(value: Any, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield every mapping in ``value`` that holds a null, with its dotted path."""
    if isinstance(value, Mapping):
        if any(entry is None for entry in value.values()):
            yield path, value
        for key, entry in value.items():
            yield from _null_holders(entry, f"{path}.{key}")
    elif isinstance(value, list | tuple):
        for number, entry in enumerate(value):
            yield from _null_holders(entry, f"{path}[{number}]")
