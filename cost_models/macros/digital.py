"""One step of a macro that adds with gates."""

from __future__ import annotations

from collections.abc import Mapping

from cost_models.arrays.digital_cim import AdderTreeArray, RippleColumnArray
from cost_models.circuits.technology import Technology
from cost_models.macros.cells import cell_area, input_line
from cost_models.macros.configuration import Macro
from cost_models.macros.step import Activity, Step
from cost_models.namespace import Array, namespace_of

#: Adders between two registers of a column where neither registers nor a clock are stated.
_DEPTH = 8.0


def digital_step(macro: Macro, activity: Activity, technology: Technology, p: Mapping[str, Array]) -> Step:
    """One step of a digital macro: ``input_bits_per_cycle`` bits of ``rows_active`` inputs, all outputs."""
    area = cell_area(macro, technology, p)
    line = input_line(macro, technology, p, area)
    array: AdderTreeArray | RippleColumnArray
    if macro.accumulator == "ripple_column":
        array = RippleColumnArray(
            technology=technology,
            rows=macro.rows_active,
            outputs=macro.outputs,
            weight_bits=macro.weight_bits,
            sum_bits=macro.sum_bits,
            depth=_depth(macro, technology),
            input_line=line,
            input_toggle=activity.input_toggle,
            weight_density=activity.weight_density,
            surviving=p["macro.chain_glitch_share"],
        )
    else:
        array = AdderTreeArray(
            technology=technology,
            rows=macro.rows_active,
            outputs=macro.outputs,
            weight_bits=macro.weight_bits,
            input_bits=macro.input_bits_per_cycle,
            sum_bits=macro.result_bits,
            input_line=line,
            input_toggle=activity.input_toggle,
            weight_density=activity.weight_density,
            glitches=p["macro.glitch_ratio"],
            pipelined=macro.pipeline_registers is not None,
        )
    return Step(
        energy=array.step_energy(),
        area={"cell": macro.rows * macro.cols * area} | array.area,
        time=array.step_time,
        turns=1.0,
    )


def _depth(macro: Macro, technology: Technology) -> Array:
    """Adders between two registers: by the registers, else as many as a clock period holds."""
    if macro.pipeline_registers is not None:
        return macro.rows_active / macro.pipeline_registers
    if macro.clock is None:
        return _DEPTH
    xp = namespace_of(technology.supply_voltage, technology.gate_delay)
    fitting = 1.0 / macro.clock / (technology.xor_delay_ratio * technology.delay)
    return xp.clip(xp.asarray(fitting), 1.0, macro.rows_active)
