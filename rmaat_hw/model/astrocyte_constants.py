"""Equations and numbers of the neuron-synapse-astrocyte model, each with its mark and source.

Marks: STATED (in the paper or a secondary source that quotes it), INFERRED (deduced from it),
RECOMMENDED (UNKNOWN; this project's choice). :mod:`rmaat_hw.model.astrocyte` integrates them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any

from device_params.errors import InputError

LEAST, MOST = 1e-9, 1e9
"""Range of a constant, in its unit; the solver follows any within it."""

SOURCES = {
    "paper": "arXiv 2601.00426, as quoted by secondary sources",
    "figure": "tutorial on the paper's Fig. 1, https://github.com/agifrontier/agifrontier.github.io",
    "reviews": "https://openreview.net/forum?id=sTkJdbVxsI; earlier version ?id=ikSrEv8FId",
    "NAAM": "Kozachkov, Slotine, Krotov, arXiv 2311.08135, doi 10.1073/pnas.2417788122",
    "project": "choice of this project; the paper's is UNKNOWN",
}


@dataclass(frozen=True)
class Equation:
    """One line of the model: what it describes, the form integrated here, its mark and source."""

    name: str
    form: str
    mark: str
    source: str


EQUATIONS = (
    Equation(
        "neuron",
        "τ_n dx_i/dt = -λ x_i + Σ_j g(s_ij) θ(x_j) + b(t)",
        "INFERRED from NAAM; RECOMMENDED: the sum runs over presynaptic j for postsynaptic i alone",
        "NAAM, reviews",
    ),
    Equation(
        "synapse",
        "τ_s ds_ij/dt = -β s_ij + θ(x_i) θ(x_j) + c ψ(p^s_ij)",
        "STATED up to factors; RECOMMENDED: equality, gain c",
        "figure",
    ),
    Equation(
        "short-term process",
        "τ_p^s dp^s_ij/dt = -γ^s p^s_ij + Σ_kl T_ijkl ψ(p^s_kl) + κ(s_ij) + d",
        "STATED: the term with T; INFERRED from NAAM: the rest",
        "reviews, NAAM",
    ),
    Equation(
        "long-term process",
        "τ_p^l dp^l_ij/dt = -γ^l p^l_ij + κ(s_ij)",
        "STATED up to factors; RECOMMENDED: equality",
        "figure",
    ),
    Equation(
        "coupling",
        "T_ijkl = a exp(-‖r_ij - r_kl‖ / ℓ), T_ijij = 0",
        "STATED: falls with distance; RECOMMENDED: form and numbers",
        "reviews, project",
    ),
    Equation(
        "nonlinearities",
        "θ = ψ = g = tanh, κ = max(tanh, 0)",
        "RECOMMENDED; tanh as in NAAM",
        "NAAM, project",
    ),
)


def _constant(default: float, symbol: str, unit: str, meaning: str, *, zero: bool = False) -> Any:
    """A field with its symbol, unit and meaning; ``zero`` says whether 0 is a value of it."""
    return field(default=default, metadata={"symbol": symbol, "unit": unit, "meaning": meaning, "zero": zero})


@dataclass(frozen=True)
class AstrocyteConstants:
    """Numbers of the model, all RECOMMENDED; only the scales of τ_p^s (seconds) and τ_p^l (tens of
    seconds or more) are STATED.

    Raises:
        InputError: a value that is no number from 1e-9 to 1e9 (0 may stand where a term can be absent).

    Example:
        >>> AstrocyteConstants().rate
        0.2
    """

    tau_neuron_s: float = _constant(0.05, "τ_n", "s", "time constant of a neuron")
    tau_synapse_s: float = _constant(0.2, "τ_s", "s", "time constant of a synapse")
    tau_short_s: float = _constant(
        1.0, "τ_p^s", "s", "time constant of the short-term process; seconds: STATED"
    )
    tau_long_s: float = _constant(
        25.0, "τ_p^l", "s", "time constant of the long-term process; tens of seconds: STATED"
    )
    leak_neuron: float = _constant(1.0, "λ", "1", "leak of a neuron")
    leak_synapse: float = _constant(1.0, "β", "1", "leak of a synapse")
    leak_short: float = _constant(1.0, "γ^s", "1", "leak of the short-term process")
    leak_long: float = _constant(1.0, "γ^l", "1", "leak of the long-term process")
    feedback: float = _constant(0.3, "c", "1", "gain of the short-term process on its synapse", zero=True)
    coupling: float = _constant(1 / 9, "a", "1", "coupling of synapses at no distance", zero=True)
    coupling_length: float = _constant(
        1.0, "ℓ", "1", "distance, in the unit of the positions, of a fall by e"
    )
    bias: float = _constant(0.0, "d", "1", "steady input of the short-term process", zero=True)
    drive: float = _constant(1.0, "b", "1", "input of every neuron while the drive is on")
    on_s: float = _constant(2.5, "τ_on", "s", "drive on, in every cycle first")
    off_s: float = _constant(2.5, "τ_off", "s", "drive off, the rest of the cycle")

    def __post_init__(self) -> None:
        for entry in fields(self):
            value, zero = getattr(self, entry.name), entry.metadata["zero"]
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not (LEAST <= value <= MOST or (zero and value == 0)):
                raise InputError(
                    f"bad value of {entry.name}",
                    where=f"astrocyte.{entry.name}",
                    value=value,
                    allowed=f"{'0, or ' if zero else ''}a number from {LEAST:g} to {MOST:g}",
                )

    @property
    def cycle_s(self) -> float:
        """Length of a cycle of the drive, τ_cycle [s]."""
        return self.on_s + self.off_s

    @property
    def rate(self) -> float:
        """Leak r = γ^l τ_cycle / τ_p^l of the long-term process over one cycle, without unit."""
        return self.leak_long * self.cycle_s / self.tau_long_s

    def with_rate(self, rate: float) -> AstrocyteConstants:
        """Return these constants with the τ_p^l that makes the leak over one cycle ``rate``."""
        return replace(self, tau_long_s=self.leak_long * self.cycle_s / rate)

    def described(self) -> list[dict[str, Any]]:
        """Name, symbol, value, unit, meaning, mark and source of every constant, as plain values."""
        return [
            {
                "name": entry.name,
                "symbol": entry.metadata["symbol"],
                "value": float(getattr(self, entry.name)),
                "unit": entry.metadata["unit"],
                "meaning": entry.metadata["meaning"],
                "mark": "RECOMMENDED",
                "source": SOURCES["project"],
            }
            for entry in fields(self)
        ]
