"""The main job: from a program to joules, square millimetres and seconds, beside a measured run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cost_models.cost import Breakdown, Priced
from cost_models.mapping.precision import Precision
from cost_models.targets.crossbar_chip import BOUNDARY, price
from cost_models.uncertainty import sample
from cost_models.workload.graph import OperatorGraph
from device_params import Design, load_design
from device_params.errors import InputError, nearest_name
from rmaat_hw.mapped import Clock, Mapped, Progress, map_program
from rmaat_hw.subject import load_subject

if TYPE_CHECKING:
    import pandas as pd

    from rmaat_hw.measure.record import Measurement

#: Joint samples behind every interval. Between six seeds the ends of the intervals of energy, latency and
#: area scatter by 0.3 to 2.3 % (standard deviation, RMAAT on ListOps); by 1.0 to 3.9 % with 1024 samples.
SAMPLES = 4096

#: Wall time that measuring may take [s], so that the whole job stays under a minute.
MEASURE_SECONDS = 15.0


@dataclass(frozen=True)
class Estimate:
    """A finished estimate.

    ``document`` is what ``estimate.json`` holds; ``breakdown`` the bill of the nominal design;
    ``mapped`` what it was priced from (for sweeps); ``measurement`` the run beside it, or None.
    """

    document: dict[str, Any]
    breakdown: Breakdown
    mapped: Mapped
    design: Design
    measurement: Measurement | None

    @property
    def graph(self) -> OperatorGraph:
        """The operator graph that was priced."""
        return self.mapped.graph

    @property
    def incomplete(self) -> bool:
        """True when an operator of the program has no rule, so that the bill leaves it out."""
        return bool(self.graph.unruled)

    def to_pandas(self) -> pd.DataFrame:
        """The leaves of the bill, one row each."""
        return self.breakdown.to_pandas()


def estimate(
    task: str = "listops",
    *,
    model: str | None = None,
    batch: int = 1,
    precision: str = "w8a8",
    seq_len: int | None = None,
    design: str = "fefet_crossbar_28nm",
    set: Iterable[str] = (),
    seed: int = 0,
    measure: bool = True,
    allow_extrapolation: bool = False,
    progress: Progress | None = None,
) -> Estimate:
    """Estimate what one pass of a program costs on a design, and measure the program here.

    Args:
        task: name of a task; its generator gives the sequences, its configuration the model.
        model: instead of the task's model a YAML file with an RMAAT configuration, or
            ``package.module:callable``.
        batch: sequences in one pass.
        precision: ``w<bits>a<bits>``, weights and activations.
        seq_len: padded length [tokens], a multiple of the segment.
        design: name of a design or a path to a design file.
        set: overrides ``name=value``; a value may carry a unit, a bare number is SI.
        seed: of weights, sequences and samples of the intervals.
        measure: also run the program on this machine.
        allow_extrapolation: take values outside the range of their source, and mark the result.
        progress: called with one sentence as each step begins.

    Raises:
        InputError: anything asked for that cannot be; one sentence that says how to mend it.
    """
    tell = progress or (lambda sentence: None)
    clock = Clock()
    bits = Precision.parse(precision)
    overrides = tuple(set)
    chosen = load_design(design).replace_all(overrides, allow_extrapolation=allow_extrapolation)
    subject = load_subject(task, model=model, batch=batch, seq_len=seq_len, seed=seed)
    mapped = map_program(subject, bits, tell, clock)

    tell("pricing the nominal design and the joint distribution of its parameters")
    nominal = price(mapped.workload, mapped.plan, chosen.parameters.nominal(), chosen.families)
    extrapolated = _extrapolated(nominal, chosen)
    if extrapolated and not allow_extrapolation:
        raise InputError(
            extrapolated[0],
            where=f"design {chosen.name}",
            remedy="--allow-extrapolation takes it and marks the result",
        )
    _check_overrides(overrides, nominal, chosen)
    drawn = sample(chosen.parameters, SAMPLES, seed)
    spread = price(mapped.workload, mapped.plan, drawn, chosen.families)
    clock.stop("price_s")

    measurement = None
    if measure:
        from rmaat_hw.measure import measure as run

        tell("measuring the same program on this machine")
        known = {"batch": subject.batch, "task": subject.task, "seq_len": subject.sequence_length}
        measurement = run(
            subject.module,
            subject.args,
            subject.kwargs,
            seconds_budget=MEASURE_SECONDS,
            progress=progress,
        ).with_context(
            model={"name": subject.name, "config": dict(subject.config)},
            workload={name: value for name, value in known.items() if value is not None},
            macs={"forward": mapped.graph.macs},
            graph_hash=mapped.graph.digest(),
        )
        clock.stop("measure_s")
    breakdown = Breakdown.of(
        nominal,
        point=0,
        boundary=BOUNDARY,
        activity=mapped.activity.description if mapped.activity else "assumed",
        technology=chosen.components["technology"],
    )
    from rmaat_hw.document import compose

    document = compose(
        mapped=mapped,
        design=chosen,
        nominal=nominal,
        spread=spread,
        breakdown=breakdown,
        measurement=measurement,
        extrapolated=extrapolated,
        timing=clock.times,
        seed=seed,
    )
    return Estimate(document, breakdown, mapped, chosen, measurement)


def _check_overrides(overrides: Iterable[str], priced: Priced, design: Design) -> None:
    """Refuse an override that the bill never reads: it would be taken for an effect of zero."""
    for override in overrides:
        name = override.partition("=")[0].strip()
        if name not in priced.parameters_used:
            raise InputError(
                "this parameter has no part in the bill of this design",
                where="--set",
                value=name,
                nearest="" if name in design.parameters else nearest_name(name, priced.parameters_used),
                remedy=f"`rmaat-hw designs show {design.name}` lists what it is for",
            )


def _extrapolated(priced: Priced, design: Design) -> list[str]:
    """What the bill uses outside the range of its source or model, one clause each."""
    parameters = design.parameters
    found = [
        f"{name} = {q.written()} lies outside the range of its source"
        for name, q in parameters.items()
        if q.extrapolated and name in priced.parameters_used
    ]
    low, high = (parameters[f"adc.{name}_bits"].value for name in ("minimum", "maximum"))
    used = float(np.asarray(priced.facts["adc_bits_used"]).reshape(-1)[0])
    if not low <= used <= high:
        found.append(f"{used:.0f} bits lie outside the {low:.0f} to {high:.0f} bits of the converter's model")
    return found
