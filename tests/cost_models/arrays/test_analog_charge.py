"""Array that adds charge: by hand, linear in what it counts, other namespaces."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
from tolerance import close

from cost_models.arrays.analog_charge import ChargeArray
from cost_models.circuits.lines import Line

LINE = Line(cells=10.0, pitch=1e-6, cell_capacitance=0.4e-15, wire_capacitance=200e-12, wire_resistance=1e6)
ARRAY = ChargeArray(
    rows=6.0, cols=10.0, cell_area=2e-12, unit_capacitance=1.2e-15, supply_voltage=0.8, word_line=LINE
)


def test_step_by_hand() -> None:
    energy = ARRAY.step_energy(rows=4.0, input_level=0.5, product_level=0.125)
    # 4*10 cells, an eighth of them charged: 5*1.2 fF*(0.8 V)^2 = 3.84 fJ.
    assert energy["cell"] == close(3.84e-15)
    # Line 10*(0.4 fF + 1 um*0.2 fF/um) = 6 fF; half of 4 lines rise, drivers add a third:
    # 4/3*2*6 fF*0.64 V^2 = 10.24 fJ.
    assert energy["word_line_driver"] == close(10.24e-15)


def test_area_is_that_of_all_cells() -> None:
    assert ARRAY.area == close(6 * 10 * 2e-12)


def test_nothing_in_nothing_out() -> None:
    energy = ARRAY.step_energy(rows=4.0, input_level=0.0, product_level=0.0)
    assert energy == {"cell": 0.0, "word_line_driver": 0.0}
    zero_weights = ARRAY.step_energy(rows=4.0, input_level=0.5, product_level=0.0)
    assert zero_weights["cell"] == 0.0 and zero_weights["word_line_driver"] > 0.0


def test_energy_goes_with_rows_capacitor_and_square_of_the_supply() -> None:
    once = ARRAY.step_energy(rows=2.0, input_level=0.5, product_level=0.25)
    twice = ARRAY.step_energy(rows=4.0, input_level=0.5, product_level=0.25)
    assert twice == {name: close(2 * value) for name, value in once.items()}
    volts = dataclasses.replace(ARRAY, supply_voltage=1.6)
    assert volts.step_energy(rows=2.0, input_level=0.5, product_level=0.25) == {
        name: close(4 * value) for name, value in once.items()
    }
    larger = dataclasses.replace(ARRAY, unit_capacitance=2.4e-15)
    charged = larger.step_energy(rows=2.0, input_level=0.5, product_level=0.25)
    assert charged["cell"] == close(2 * once["cell"])
    assert charged["word_line_driver"] == close(once["word_line_driver"])


def test_numbers_blocks_and_tensors_agree() -> None:
    volts = [0.6, 0.8, 1.0]

    def cost(supply: object) -> dict[str, object]:
        return dataclasses.replace(ARRAY, supply_voltage=supply).step_energy(
            rows=4.0, input_level=0.5, product_level=0.25
        )

    tensor = torch.tensor(volts, dtype=torch.float64, requires_grad=True)
    for name in ("cell", "word_line_driver"):
        single = [cost(value)[name] for value in volts]
        np.testing.assert_allclose(cost(np.array(volts))[name], single, rtol=1e-12)
        traced = cost(tensor)[name]
        assert isinstance(traced, torch.Tensor)
        np.testing.assert_allclose(traced.detach().numpy(), single, rtol=1e-12)
        (gradient,) = torch.autograd.grad(traced.sum(), tensor)
        assert (gradient > 0).all()
