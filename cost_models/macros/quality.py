"""What the outputs of a macro are worth: bits, signal over noise, IR drop. Nothing here changes a cost."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cost_models.arrays.ir_drop import LINES_PER_COLUMN, IrDrop, conductances, gated_ir_drop, passive_ir_drop
from cost_models.arrays.snr import ColumnSum, Word, charge_noise, current_noise, output_snr
from cost_models.cells.cell import Cell
from cost_models.circuits.comparator import SHORTEST_GATE
from cost_models.circuits.elementary import larger
from cost_models.circuits.technology import MODERATE_INVERSION, Technology
from cost_models.macros.analog import Reading
from cost_models.macros.cells import cell_area, input_line, sum_line
from cost_models.macros.configuration import Macro, macro_of
from cost_models.macros.parameters import parameters_of
from cost_models.macros.step import Activity
from cost_models.namespace import Array, as_array, namespace_of
from device_params.chip_vocabulary import SettingValue
from device_params.nodes import technology_at

#: Distance that the densities of bits keep from 0 and 1, where moments are 0/0.
_EDGE = 1e-6


def quality_of(
    configuration: Mapping[str, SettingValue], activity: Mapping[str, float]
) -> dict[str, float | None]:
    """`macro_quality` of a case at nominal parameters; None for what is not finite.

    ``configuration``, ``activity``: keys of a case file, SI (``docs/cases.md``). Raises InputError where the
    configuration lies outside the model.
    """
    technology = technology_at(float(configuration["node"]))
    macro = macro_of(configuration, technology.parameters["supply_voltage"].value)
    found = macro_quality(macro, activity, parameters_of(macro, technology).nominal())
    numbers = {name: float(value) for name, value in found.items()}
    return {name: value if math.isfinite(value) else None for name, value in numbers.items()}


def macro_quality(macro: Macro, activity: Mapping[str, float], p: Mapping[str, Array]) -> dict[str, Array]:
    """Bits, signal over noise and IR drop of a sum over the active rows, numbers or arrays [points].

    Args:
        macro: its converter is taken to span all values of a sum.
        activity: densities of a case; bits are independent and equally dense. In a differential pair one side
            holds the magnitude, with ``weight_density`` of its bits one, and the other nothing.
        p: parameters by slot and name (``parameters.parameters_of``).

    Returns:
        ``adc_bits_used``; ``adc_bits_required``, which lose nothing; ``adc_bits_needed``, beyond which
        quantisation is 6 dB below all other noise (offsets of comparators apart, which are made to fit the
        converter). Of a digital macro: bits kept of its sums, and the full width twice.
        ``snr_dB`` of an output after shift and add: inf where the sum is exact, -inf where inputs and weights
        do not vary, so that there is no signal.
        ``noise_*``: standard deviation of each term and of the ``total`` in an output [steps].
        ``ir_drop_mean``, ``_worst``, ``_flagged``, ``_infeasible`` (`IrDrop`) where cells conduct.

    Range: as docs/circuits/snr.md. Noise of a comparator, drift and read noise of cells are not in it.
    """
    data = Activity.of(activity)
    digits = _Digits.of(macro)
    column = digits.column(macro, data)
    drop = None
    if macro.style == "digital":
        found = output_snr(
            column=column, used_bits=_kept_bits(macro, column.bits_required), word=digits.after
        )
        needed = found["bits_needed"]
    else:
        technology = Technology.of(p)
        if macro.style == "charge":
            terms = _charge_noise(macro, column, technology, p)
        else:
            terms, drop = _current_noise(macro, data, column, technology, p)
        analog = {name: sigma * digits.before.gain(name, column) ** 0.5 for name, sigma in terms.items()}
        sums = digits.converted(column)
        needed = output_snr(column=sums, used_bits=macro.converter_bits, analog=analog)["bits_needed"]
        if macro.converter_law == "flash":
            step = 2.0 ** (sums.bits_required - macro.converter_bits)
            analog["comparator"] = step / p["comparator.offset_sigmas"]
        found = output_snr(column=sums, used_bits=macro.converter_bits, analog=analog, word=digits.after)
        # Slices of a differential weight have one sign, which sums that are converted apart do not know.
        ratio = digits.whole.signal(column) / digits.after.signal(sums)
        found["snr_dB"] = found["snr_dB"] + 10.0 * math.log10(ratio)
    noise = (*(name for name in _TERMS if name in found), "total")
    snr = found["snr_dB"]
    quality = {
        "adc_bits_used": found["bits_used"],
        "adc_bits_required": found["bits_required"],
        "adc_bits_needed": needed,
        "snr_dB": snr if _varies(macro, data) else -math.inf + 0.0 * found["total"],
        **{f"noise_{name}": found[name] for name in noise},
    }
    if drop is not None:
        shown = ("mean", "worst", "flagged", "infeasible")
        quality |= {f"ir_drop_{name}": getattr(drop, name) for name in shown}
    return quality


_TERMS = (
    "shot",
    "thermal",
    "variation",
    "off_current",
    "ir_drop",
    "mismatch",
    "comparator",
    "quantisation",
)


@dataclass(frozen=True)
class _Digits:
    """How inputs and weights are split.

    A cell multiplies a digit of ``input_levels`` by one of ``cell_levels``. ``before``: digits joined and
    sides subtracted before conversion; ``after``: digits joined after it; ``whole``: all of them.
    """

    input_levels: float
    cell_levels: float
    before: Word
    after: Word
    whole: Word

    @classmethod
    def of(cls, macro: Macro) -> _Digits:
        """Digits of a macro: the bits of a weight in as few of its cells as hold them."""
        plane_bits = macro.input_bits_per_cycle
        planes: float = macro.planes
        signed = plane_bits == 1 and planes > 1
        if macro.style == "digital":
            # Exact sums: all that counts is how they end.
            whole = Word()
            return cls(2.0**macro.input_bits, 2.0**macro.weight_bits, whole, whole, whole)
        sides = 2.0 if macro.differential else 1.0
        stored = max(1.0, macro.weight_bits - sides + 1.0)
        cells = max(1.0, math.ceil(macro.cells_per_weight / sides))
        slices = min(cells, math.ceil(stored / macro.bits_per_cell))
        slice_bits = max(min(macro.bits_per_cell, stored), math.ceil(stored / slices))
        pulsed = macro.input_encoding in ("pulse_width", "pulse_count")
        levels = macro.pulse_steps if pulsed else 2.0**plane_bits

        def word(planes: float, slices: float, differential: bool) -> Word:
            return Word(
                planes=planes,
                plane_bits=plane_bits,
                slices=slices,
                slice_bits=slice_bits,
                differential=differential,
                signed_input=signed and planes > 1,
            )

        joined = (planes if macro.analog_inputs else 1.0, slices if macro.analog_weights else 1.0)
        return cls(
            input_levels=levels,
            cell_levels=2.0**slice_bits,
            before=word(*joined, macro.differential),
            after=word(planes / joined[0], slices / joined[1], False),
            whole=word(planes, slices, macro.differential),
        )

    def column(self, macro: Macro, data: Activity) -> ColumnSum:
        """Sum of the products of one digit each over the active rows, one side of a pair."""
        share = 0.5 if macro.differential else 1.0
        level, density = (min(max(bits, _EDGE), 1.0 - _EDGE) for bits in (data.level, data.input_density))
        inputs = ColumnSum.of_bits(
            rows=1.0, input_density=1.0, levels=self.input_levels, level_fraction=density
        )
        weights = ColumnSum.of_bits(
            rows=1.0,
            input_density=1.0,
            levels=self.cell_levels,
            level_fraction=share * level,
            used_share=share,
        )
        return ColumnSum(
            rows=macro.rows_active,
            input_mean=inputs.weight_mean,
            input_square=inputs.weight_square,
            input_max=inputs.weight_max,
            weight_mean=weights.weight_mean,
            weight_square=weights.weight_square,
            weight_max=weights.weight_max,
        )

    def converted(self, column: ColumnSum) -> ColumnSum:
        """The sums that are converted, from those of one ``column``."""
        mean, square = self.before.input_moments(column)
        weight = 0.0 if self.before.differential else column.weight_mean * self.before.slice_sum
        signal = self.before.signal(column) / column.rows
        return ColumnSum(
            rows=column.rows,
            input_mean=mean,
            input_square=square,
            weight_mean=weight,
            weight_square=(signal + (mean * weight) ** 2) / square,
            weight_max=self.before.maximum(column) / column.rows,
        )


def _varies(macro: Macro, data: Activity) -> bool:
    """Whether outputs vary with inputs or weights; a pair of cells has a sign besides."""
    some = data.input_density > 0.0 and data.level > 0.0
    return some and (macro.differential or min(data.input_density, data.level) < 1.0)


def _kept_bits(macro: Macro, required: Array) -> Array:
    """Bits that a digital macro keeps of its sums."""
    return required if macro.output_bits is None else min(macro.output_bits, required)


def _charge_noise(
    macro: Macro, column: ColumnSum, technology: Technology, p: Mapping[str, Array]
) -> dict[str, Array]:
    """Standard deviations of one column of capacitors [steps]; those of idle rows load it."""
    unit = p["macro.unit_capacitance"] if macro.unit_capacitance is None else macro.unit_capacitance
    line = sum_line(macro, technology, p, cell_area(macro, technology, p))
    noise = charge_noise(
        column=column,
        unit_capacitance=unit,
        parasitic_capacitance=line.capacitance + (macro.rows - macro.rows_active) * unit,
        supply_voltage=technology.supply_voltage,
        mismatch=(p["sampling.mismatch_capacitance"] / unit) ** 0.5,
    )
    return {name: noise[name] for name in ("mismatch", "thermal")}


def _current_noise(
    macro: Macro, data: Activity, column: ColumnSum, technology: Technology, p: Mapping[str, Array]
) -> tuple[dict[str, Array], IrDrop | None]:
    """Standard deviations of one column of conducting cells [steps], and its IR drop.

    What a static cell takes from its bit line is a share of the swing, with or without resistance of the
    line; the wires of resistive cells lose voltage.
    """
    read = Reading.of(macro, data, technology, p)
    cell, steps = read.cell, column.input_max * column.weight_max
    duration = read.pulses * cell.read_time
    step = (cell.on_current - cell.off_current) * duration / steps
    drop = None
    if macro.circuit == "capacitive":
        sigma = discharge_sigma(technology, cell.read_gate_voltage, p)
        capacitance = sum_line(macro, technology, p, cell.area).capacitance
    else:
        own = f"macro.current_sigma.{macro.memory}"
        sigma = p["device.on_current_sigma"] if "device.on_current_sigma" in p else p[own]
        # The converter's capacitor holds the charge of the largest sum at the supply.
        capacitance = step * column.maximum / technology.supply_voltage
        drop = _line_drop(macro, column, cell, technology, p)
    noise = current_noise(
        column=column,
        step_charge=step,
        off_ratio=cell.off_current * duration / column.input_max / step,
        current_sigma=sigma,
        capacitance=capacitance,
        ir_drop_spread=0.0 if drop is None else drop.spread,
    )
    return noise, drop


def discharge_sigma(technology: Technology, gate_voltage: Array, p: Mapping[str, Array]) -> Array:
    """Relative spread of the current of a read transistor, α·σ(V_t)/(V − V_t).

    σ(V_t) = A_VT/√(W·L) (Pelgrom, Duinmaijer & Welbers, IEEE J. Solid-State Circuits 24, 1433 (1989)) of an
    access transistor of least length; current of the alpha-power law with the overdrive continued through the
    threshold, as in `Technology.slowdown`: d ln I/dV_t = α·s(x)/(2nφ·ln(1 + eˣ)), x = (V − V_t)/2nφ,
    s(x) = 1/(1 + e⁻ˣ).
    """
    gate = p["macro.access_width"] * technology.node * larger(technology.node, SHORTEST_GATE)
    above = (gate_voltage - technology.threshold_voltage) / MODERATE_INVERSION
    xp = namespace_of(above, gate)
    x = as_array(above, xp)
    overdrive = MODERATE_INVERSION * xp.log1p(xp.exp(x)) * (1.0 + xp.exp(-x))
    sigma = technology.threshold_mismatch / gate**0.5
    return technology.velocity_saturation_exponent * sigma / overdrive


def _line_drop(
    macro: Macro, column: ColumnSum, cell: Cell, technology: Technology, p: Mapping[str, Array]
) -> IrDrop:
    """IR drop along the bit lines; with inputs on source lines also along these, whose rows are all open."""
    mean, square, largest = conductances(cell, column)
    segment = technology.wire_resistance * sum_line(macro, technology, p, cell.area).pitch
    share = macro.rows_driven / macro.rows * column.input_mean / column.input_max
    shape: dict[str, Any] = {"rows": macro.rows, "cols": macro.columns, "density": share}
    if macro.inputs_on_source_lines:
        return passive_ir_drop(
            **shape,
            word_line_resistance=technology.wire_resistance
            * input_line(macro, technology, p, cell.area).pitch,
            bit_line_resistance=segment,
            conductance_mean=mean,
            conductance_square=square,
        )
    return gated_ir_drop(
        **shape,
        line_resistance=LINES_PER_COLUMN * segment,
        conductance_mean=mean,
        conductance_square=square,
        conductance_max=largest,
    )
