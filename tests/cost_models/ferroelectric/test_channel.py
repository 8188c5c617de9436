"""Channel: limits of the current, and what a resistor in series makes of it."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from tolerance import close

from cost_models.ferroelectric.channel import (
    clipped_current,
    conductances,
    drain_current,
    gate_steps,
    thermal_voltage,
)
from device_params.errors import InputError

UNIT = thermal_voltage(300.0)
CELL = {"factor": 1e-4, "slope_factor": 1.2}
THRESHOLDS = np.asarray([0.2, 0.6, 1.0, 1.4])  # the four states of a 2-bit cell (Soliman 2023)


def test_square_law_by_hand() -> None:
    # Saturation, 1 V above threshold: β/(2n)·1² = 1e-4/2.4 = 41.67 µA; triode at 0.1 V:
    # β·(1·0.1 − 1.2·0.01/2) = 9.4 µA
    strong = drain_current(gate_voltage=1.5, threshold=0.5, drain_voltage=2.0, **CELL)
    assert strong == close(41.67e-6, rel=1e-3)
    triode = drain_current(gate_voltage=1.5, threshold=0.5, drain_voltage=0.1, **CELL)
    assert triode == close(9.4e-6, rel=1e-3)


def test_at_threshold_by_hand() -> None:
    # kT/q = 25.852 mV; 2·1.2·1e-4·(25.852e-3)²·ln²2 = 1.60399e-7·0.480453 = 77.06 nA in saturation
    assert close(25.852e-3, rel=1e-4) == UNIT
    assert drain_current(gate_voltage=0.5, threshold=0.5, drain_voltage=2.0, **CELL) == close(
        77.06e-9, rel=1e-3
    )


def test_weak_inversion_falls_by_a_decade_in_n_kt_ln_10() -> None:
    slope = 1.2 * UNIT * math.log(10)
    low, high = (
        drain_current(gate_voltage=v, threshold=0.5, drain_voltage=1.0, **CELL) for v in (-0.1, -0.1 + slope)
    )
    assert high / low == close(10.0, rel=1e-3)
    # and saturates with 1 − exp(−VD/Vt) of the drain voltage
    near = drain_current(gate_voltage=-0.1, threshold=0.5, drain_voltage=UNIT, **CELL)
    assert near / low == close(1 - math.exp(-1), rel=1e-4)


def test_no_overflow_and_no_loss_of_digits() -> None:
    assert drain_current(gate_voltage=500.0, threshold=0.0, drain_voltage=1.0, **CELL) == close(
        1e-4 * (500 - 0.6)
    )
    assert drain_current(gate_voltage=-500.0, threshold=0.0, drain_voltage=1.0, **CELL) == 0.0
    small = drain_current(gate_voltage=1.5, threshold=0.5, drain_voltage=1e-12, **CELL)
    assert small == close(1e-4 * 1e-12, rel=1e-3)


@settings(max_examples=50, deadline=None)
@given(gate=st.floats(-1, 3), source=st.floats(0, 1), drain=st.floats(0, 2), slope=st.floats(1, 2))
def test_exchange_of_source_and_drain_turns_the_current(
    gate: float, source: float, drain: float, slope: float
) -> None:
    shape = {"gate_voltage": gate, "threshold": 0.4, "factor": 1e-4, "slope_factor": slope}
    forward = drain_current(source_voltage=source, drain_voltage=drain, **shape)
    assert forward == -drain_current(source_voltage=drain, drain_voltage=source, **shape)
    assert forward * (drain - source) >= 0


def test_conductances_are_the_derivatives() -> None:
    voltages = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (0.9, 0.05, 0.3)]
    shape = {"gate_voltage": voltages[0], "source_voltage": voltages[1], "drain_voltage": voltages[2]}
    current = drain_current(threshold=0.5, **shape, **CELL)
    gate, source, drain = torch.autograd.grad(current, voltages)
    given_gate, given_source, given_drain = conductances(threshold=0.5, **shape, **CELL)
    assert float(gate) == close(float(given_gate.detach()), rel=1e-12)
    assert float(source) == close(-float(given_source.detach()), rel=1e-12)
    assert float(drain) == close(float(given_drain.detach()), rel=1e-12)


def test_the_supply_over_the_resistor_bounds_the_current() -> None:
    # 0.8 V over 5 MΩ is 160 nA.
    for factor in (1e-6, 1e-5, 1e-3, 1.0):
        for side in ("source_resistance", "drain_resistance"):
            current = clipped_current(
                gate_voltage=1.2,
                threshold=THRESHOLDS,
                drain_voltage=0.8,
                factor=factor,
                slope_factor=1.2,
                **{side: 5e6},
            )
            assert np.all((current >= 0) & (current <= 160e-9))


def test_the_pair_of_resistors_and_currents() -> None:
    # 80 nA behind 5 MΩ leaves 0.4 V for the channel, 100 nA behind 3 MΩ 0.5 V: a channel of 5 MΩ both times.
    # One volt above threshold the factor that gives the first gives the second within 6.5 per cent with the
    # resistor on either side of the channel, and within 2 per cent with half of it on each.
    def current(factor: float, resistance: float, at_source: float) -> float:
        return float(
            clipped_current(
                gate_voltage=1.2,
                threshold=0.2,
                drain_voltage=0.8,
                factor=factor,
                slope_factor=1.0,
                source_resistance=at_source * resistance,
                drain_resistance=(1 - at_source) * resistance,
            )
        )

    for at_source, expected_factor, within in (
        (0.0, 0.25e-6, 0.06),
        (1.0, 0.50e-6, 0.065),
        (0.5, 0.33e-6, 0.02),
    ):
        factor = 10 ** brentq(lambda x, s=at_source: current(10**x, 5e6, s) - 80e-9, -8, -4)
        assert factor == close(expected_factor, rel=0.03)
        assert current(factor, 3e6, at_source) == close(100e-9, rel=within)


def test_a_resistor_at_the_drain_clips_and_one_at_the_source_follows() -> None:
    gates = np.asarray(gate_steps(highest=1.2, reads=3))[:, None]
    cell = {"gate_voltage": gates, "threshold": THRESHOLDS, "drain_voltage": 0.8, **CELL}
    clipped = clipped_current(drain_resistance=5e6, **cell)
    conducts = gates > THRESHOLDS
    # Every conducting state gives the same current within one per cent at each gate step above its threshold,
    # the others less than 0.2 per cent of it: the number of steps that conduct tells the level.
    assert np.ptp(clipped[conducts]) < 0.01 * 160e-9
    assert np.all(clipped[~conducts] < 0.002 * 160e-9)
    np.testing.assert_array_equal(np.sum(clipped > 80e-9, axis=0), [3, 2, 1, 0])
    # At the source the same resistor lets the current follow the gate: (VG − Vth)/(n·R), up to VD/R.
    follows = clipped_current(source_resistance=5e6, **cell)
    assert follows[2, 2] == close(0.2 / 1.2 / 5e6, rel=0.2)
    assert follows[2, 1] == close(0.6 / 1.2 / 5e6, rel=0.05)
    assert follows[2, 0] > 150e-9


def test_a_state_independent_current_is_the_supply_over_the_resistor() -> None:
    # A channel that leaves 80 nA of 160 nA is no clip: the current then depends on the state.
    def currents(factor: float) -> np.ndarray:
        return clipped_current(
            gate_voltage=1.2,
            threshold=THRESHOLDS[:3],
            drain_voltage=0.8,
            factor=factor,
            slope_factor=1.2,
            drain_resistance=5e6,
        )

    half = 10 ** brentq(lambda x: float(np.mean(currents(10**x))) - 80e-9, -8, -4)
    assert np.ptp(currents(half)) > 0.5 * 80e-9
    assert np.ptp(currents(2e-5)) < 0.06 * 160e-9
    assert np.min(currents(2e-5)) > 150e-9


@settings(max_examples=60, deadline=None)
@given(
    gate=st.floats(-1, 3),
    drain=st.floats(0, 2),
    logarithm=st.floats(-9, 0),
    at_source=st.floats(0, 1),
    resistance=st.sampled_from([0.0, 1e3, 5e6, 1e10]),
)
def test_the_solution_satisfies_the_equation(
    gate: float, drain: float, logarithm: float, at_source: float, resistance: float
) -> None:
    cell = {"gate_voltage": gate, "threshold": 0.4, "factor": 10**logarithm, "slope_factor": 1.2}
    source_side, drain_side = at_source * resistance, (1 - at_source) * resistance
    current = float(
        clipped_current(
            drain_voltage=drain, source_resistance=source_side, drain_resistance=drain_side, **cell
        )
    )
    node = {"source_voltage": current * source_side, "drain_voltage": drain - current * drain_side}
    excess = current - float(drain_current(**cell, **node))
    _, source, sink = conductances(**cell, **node)
    # As a distance in current: what one more Newton step would change.
    change = abs(excess) / (1 + float(source) * source_side + float(sink) * drain_side)
    assert change <= 1e-9 * current + 1e-25


def test_no_resistor_is_no_change() -> None:
    cell = {"gate_voltage": 0.9, "threshold": THRESHOLDS, "drain_voltage": 0.8, **CELL}
    np.testing.assert_allclose(clipped_current(**cell), drain_current(**cell), rtol=1e-14)


def test_more_gate_more_current_and_more_resistance_less() -> None:
    gate = np.linspace(0, 2, 50)
    rising = clipped_current(
        gate_voltage=gate,
        threshold=0.5,
        drain_voltage=0.8,
        source_resistance=2e6,
        drain_resistance=1e6,
        **CELL,
    )
    assert np.all(np.diff(rising) > 0)
    falling = clipped_current(
        gate_voltage=1.0, threshold=0.5, drain_voltage=0.8, drain_resistance=np.logspace(3, 9, 20), **CELL
    )
    assert np.all(np.diff(falling) < 0)


@pytest.mark.parametrize("threshold", [0.2, 0.9, 1.4])
def test_gradients_are_those_of_the_solution(threshold: float) -> None:
    def current(
        gate: torch.Tensor, level: torch.Tensor, size: torch.Tensor, ohms: torch.Tensor
    ) -> torch.Tensor:
        return torch.log(
            clipped_current(
                gate_voltage=gate,
                threshold=level,
                drain_voltage=0.8,
                factor=size * 1e-5,
                slope_factor=1.2,
                source_resistance=ohms * 1e6,
                drain_resistance=4e6,
            )
        )

    inputs = tuple(
        torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (1.2, threshold, 1.0, 1.0)
    )
    assert torch.autograd.gradcheck(current, inputs, eps=1e-6, rtol=1e-6, atol=1e-8)


def test_float_numpy_and_torch_agree() -> None:
    cell = {"gate_voltage": 1.0, "drain_voltage": 0.8, "drain_resistance": 5e6, **CELL}
    array = clipped_current(threshold=THRESHOLDS, **cell)
    np.testing.assert_allclose(
        [float(clipped_current(threshold=float(t), **cell)) for t in THRESHOLDS], array
    )
    tensor = clipped_current(threshold=torch.tensor(THRESHOLDS), **cell)
    np.testing.assert_allclose(tensor.numpy(), array, rtol=1e-12)


def test_gate_steps() -> None:
    assert gate_steps(highest=1.2, reads=3) == close((0.4, 0.8, 1.2))
    assert gate_steps(highest=0.9, reads=1) == (0.9,)


def test_impossible_channels_are_refused() -> None:
    with pytest.raises(InputError, match="temperature is not a positive number; got 0"):
        drain_current(gate_voltage=1.0, threshold=0.5, drain_voltage=1.0, temperature=0.0, **CELL)
    with pytest.raises(InputError, match=r"drain_voltage is negative; got -0\.8"):
        clipped_current(gate_voltage=1.0, threshold=0.5, drain_voltage=-0.8, **CELL)
    with pytest.raises(InputError, match="reads is not a positive number"):
        gate_steps(highest=1.2, reads=0)
