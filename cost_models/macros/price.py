"""Price one matrix-vector product of a macro: array, converters, registers, control, leakage, floorplan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from cost_models.circuits.logic import Decoder, RegisterBank
from cost_models.circuits.sram import CELL_LEAKAGE_RATIO
from cost_models.circuits.technology import Technology
from cost_models.macros.analog import charge_step, current_step
from cost_models.macros.configuration import STATIC_MEMORIES, Macro
from cost_models.macros.digital import digital_step
from cost_models.macros.metrics import MacroCost
from cost_models.macros.parameters import calibration_name, model_form_name
from cost_models.macros.step import Activity, Step
from cost_models.macros.surroundings import surroundings
from cost_models.namespace import Array
from device_params.chip_vocabulary import BOUNDARIES
from device_params.errors import InputError, nearest_name

#: Components of an analog array itself.
_ARRAY = ("cell", "word_line_driver", "bit_line_driver", "dac", "adc", "multiplexer")

#: Components whose area does not leak as gates: cells and buffers have a leakage of their own, that of a
#: converter is in its conversions, and thick-oxide drivers are off while a macro computes.
_NOT_LEAKING = ("cell", "buffer", "adc", "write_path")

_STEPS = {"current": current_step, "charge": charge_step, "digital": digital_step}


def price(macro: Macro, activity: Mapping[str, float], boundary: str, p: Mapping[str, Array]) -> MacroCost:
    """One product of all rows of ``macro`` with an input vector, arrays side by side.

    ``p``: parameters by slot and name (``parameters.parameters_of``), numbers or arrays [points].
    Raises InputError for a boundary that is not array, macro, core or chip.
    """
    if boundary not in BOUNDARIES:
        raise InputError(
            "unknown boundary",
            where="boundary",
            value=boundary,
            allowed=", ".join(BOUNDARIES),
            nearest=nearest_name(boundary, BOUNDARIES),
        )
    technology = Technology.of(p)
    step = _STEPS[macro.style](macro, Activity.of(activity), technology, p)
    return _Bill(macro, boundary, technology, p, step).cost()


@dataclass(frozen=True)
class _Bill:
    macro: Macro
    boundary: str
    technology: Technology
    p: Mapping[str, Array]
    step: Step

    @property
    def _array(self) -> tuple[str, ...]:
        """Components inside the boundary ``array``; the adders of a digital one belong to it."""
        return (*_ARRAY, "accumulation", "register") if self.macro.style == "digital" else _ARRAY

    @property
    def steps(self) -> float:
        """Steps of one product: bits of the inputs by groups of rows."""
        return self.macro.planes * self.macro.groups

    @property
    def conversions(self) -> float:
        """Steps of one product after which sums are converted."""
        return self.macro.converted_planes * self.macro.groups

    @cached_property
    def cycle_time(self) -> Array:
        """Time of one step [s]: the clock's where it is set, else that of the circuits."""
        if self.macro.clock is not None:
            return 1.0 / self.macro.clock + 0.0 * self.step.time
        return self.step.time + self.step.conversion_time

    @cached_property
    def time(self) -> Array:
        """Time of one product [s]."""
        if self.macro.mvm_time is not None:
            return self.macro.mvm_time + 0.0 * self.step.time
        if self.macro.clock is not None:
            return self.steps * self.cycle_time
        return self.steps * self.step.time + self.conversions * self.step.conversion_time

    def _registers(self) -> RegisterBank:
        """Inputs and outputs of one product, each stored once."""
        macro = self.macro
        bits = macro.rows * macro.input_bits + macro.outputs * macro.result_bits
        return RegisterBank(self.technology, bits)

    def _sequencer(self) -> RegisterBank:
        return RegisterBank(self.technology, self.p["macro.sequencer_flip_flops"])

    def _decoder(self) -> Decoder:
        """Selects the group of rows that is active."""
        return Decoder(technology=self.technology, lines=max(2.0, self.macro.rows))

    def energy(self) -> dict[str, Array]:
        """Energy of one array for one product [J], without leakage."""
        macro, p = self.macro, self.p
        parts = {name: self.steps * value for name, value in self.step.energy.items()}
        for name, value in self.step.conversion_energy.items():
            parts[name] = parts.get(name, 0.0) + self.conversions * value
        if self.boundary == "array":
            return {name: value for name, value in parts.items() if name in self._array}
        registers = parts.pop("register", 0.0)
        selecting = self.steps * self._decoder().select().energy if macro.groups > 1 else 0.0
        # A clock for every step, and one more for every turn of the converters after its first.
        turns = self.steps + self.conversions * (self.step.turns - 1.0)
        ticks = turns * self._sequencer().load().energy
        operations = macro.near_memory_operations * macro.outputs
        operation = 0.5 * (p["technology.multiply_energy"] + p["technology.add_energy"])
        voltage = (macro.supply_voltage / p["technology.arithmetic_voltage"]) ** 2
        parts |= {
            "register": registers + self._registers().load().energy,
            "decoder": selecting,
            "special_function": operations * operation * voltage,
        }
        switched = sum(value for name, value in parts.items() if name != "cell")
        return parts | {"control": ticks + p["macro.control_fraction"] * switched}

    def area(self) -> dict[str, Array]:
        """Area of one array with its periphery [m²]; cells are placed densely, all else with overhead."""
        macro, p = self.macro, self.p
        overhead = p["macro.layout_overhead"]
        parts = {
            name: value if name == "cell" else overhead * value for name, value in self.step.area.items()
        }
        if self.boundary == "array":
            return {name: value for name, value in parts.items() if name in self._array}
        registers = parts.pop("register", 0.0)
        logic = {
            "register": registers + overhead * self._registers().area,
            "decoder": overhead * self._decoder().area,
            "special_function": overhead
            * (p["technology.special_function_area"] if macro.near_memory_operations else 0.0),
        }
        parts |= logic
        periphery = sum(value for name, value in parts.items() if name != "cell")
        return parts | {
            "control": overhead * self._sequencer().area + p["macro.control_fraction"] * periphery
        }

    def cost(self) -> MacroCost:
        """Put the bill together, with calibration and the doubt about the model."""
        macro, p, tech = self.macro, self.p, self.technology
        energy = {name: macro.arrays * value for name, value in self.energy().items()}
        area = {name: macro.arrays * value for name, value in self.area().items()}
        stored: Array = 0.0
        if self.boundary in ("core", "chip"):
            more = surroundings(macro, tech, p, boundary=self.boundary, area=sum(area.values()))
            energy |= more.energy
            area |= more.area
            stored = more.leakage_power
        logic = sum(value for name, value in area.items() if name not in _NOT_LEAKING)
        static = stored + logic / p["macro.layout_overhead"] / tech.gate_area * tech.leakage
        if macro.memory in STATIC_MEMORIES:
            static = static + area["cell"] / tech.sram_cell_area * tech.leakage * CELL_LEAKAGE_RATIO
        energy["leakage"] = static * self.time

        factors = {
            kind: p[calibration_name(macro, kind)] * p[model_form_name(macro, kind)]
            for kind in ("energy", "time", "area")
        }
        return MacroCost(
            macro=macro,
            energy={name: factors["energy"] * value for name, value in energy.items()},
            area={name: factors["area"] * value for name, value in area.items()},
            cycle_time=self._timed(self.cycle_time, factors["time"], macro.clock),
            mvm_time=self._timed(self.time, factors["time"], macro.mvm_time or macro.clock),
        )

    @staticmethod
    def _timed(time: Array, factor: Array, given: float | None) -> Array:
        """A time that was given is not the model's to correct."""
        return time if given is not None else factor * time
