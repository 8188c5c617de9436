"""Two-gate FeFET: coupling of the back gate, modulation of a stored weight, its linear range."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tolerance import close

from cost_models.constants import VACUUM_PERMITTIVITY
from cost_models.ferroelectric.channel import thermal_voltage
from cost_models.ferroelectric.double_gate import (
    DoubleGateFefet,
    back_capacitance,
    back_gate_coupling,
    back_gate_energy,
    front_capacitance,
)
from device_params.errors import InputError

DEVICE = DoubleGateFefet(coupling=0.1, factor=1e-4, slope_factor=1.2, largest_back_gate=2.0)
REGIONS = {
    "triode": {"gate_voltage": 1.5, "stored_threshold": 0.5, "drain_voltage": 0.05},
    "saturation": {"gate_voltage": 1.5, "stored_threshold": 0.5, "drain_voltage": 1.5},
    "weak": {"gate_voltage": 0.0, "stored_threshold": 0.5, "drain_voltage": 0.5},
}


def test_coupling_by_hand() -> None:
    # 7 nm film: 11.9·8.8542e-12/7e-9 = 15.052 mF/m²; 20 nm buried oxide: 3.9·8.8542e-12/20e-9 = 1.7266 mF/m²;
    # in series 1.5489 mF/m². Front, 10 nm of 30 and 1 nm of 3.9: 8.8542e-12/0.58974e-9 = 15.014 mF/m².
    # γ = 1.5489/15.014 = 0.10316
    front = front_capacitance(film_thickness=10e-9, relative_permittivity=30.0, interlayer_thickness=1e-9)
    assert front == close(15.014e-3, rel=1e-4)
    assert back_capacitance(channel_thickness=7e-9, buried_oxide_thickness=20e-9) == close(
        1.5489e-3, rel=1e-4
    )
    assert back_gate_coupling(
        channel_thickness=7e-9, buried_oxide_thickness=20e-9, front_capacitance=front
    ) == close(0.10316, rel=1e-4)


def test_coupling_of_a_film_without_thickness_is_the_ratio_of_the_oxides() -> None:
    # γ → C_box/C_front for a thin film, and it falls with the thickness of film and buried oxide.
    thin = back_gate_coupling(
        channel_thickness=1e-15,
        buried_oxide_thickness=20e-9,
        front_capacitance=3.9 * VACUUM_PERMITTIVITY / 2e-9,
    )
    assert thin == close(0.1, rel=1e-6)
    for name in ("channel_thickness", "buried_oxide_thickness"):
        sizes = {
            "channel_thickness": 7e-9,
            "buried_oxide_thickness": 20e-9,
            name: np.asarray([5e-9, 1e-8, 2e-8]),
        }
        assert np.all(np.diff(back_gate_coupling(front_capacitance=0.015, **sizes)) < 0)


def test_the_back_gate_is_a_shift_of_the_threshold() -> None:
    # −0.1·1 V: the same current as a threshold lower by 0.1 V
    shifted = DEVICE.modulated_current(
        gate_voltage=1.0, stored_threshold=0.5, back_gate_voltage=1.0, drain_voltage=0.5
    )
    lower = DEVICE.modulated_current(
        gate_voltage=1.0, stored_threshold=0.4, back_gate_voltage=0.0, drain_voltage=0.5
    )
    assert shifted == close(lower, rel=1e-12)
    assert DEVICE.modulated_threshold(0.5, -1.0) == close(0.6)


def test_gain_by_hand() -> None:
    # Triode: γ·β·VD = 0.1·1e-4·0.05 = 0.5 µA/V; saturation: γ·β·(VG − Vth)/n = 0.1·1e-4·1/1.2 = 8.33 µA/V
    assert DEVICE.gain(**REGIONS["triode"]) == close(0.5e-6, rel=1e-3)
    assert DEVICE.gain(**REGIONS["saturation"]) == close(8.333e-6, rel=1e-3)
    # Weak inversion: γ·I/(n·kT/q)
    current = DEVICE.modulated_current(back_gate_voltage=0.0, **REGIONS["weak"])
    expected = 0.1 * current / (1.2 * thermal_voltage(300.0))
    assert DEVICE.gain(**REGIONS["weak"]) == close(expected, rel=1e-3)


def test_linear_range_by_hand() -> None:
    # Saturation, square law: deviation γ·V/(2·overdrive) = 5 per cent at V = 2·0.05·1/0.1 = 1 V
    assert DEVICE.linear_range(tolerance=0.05, **REGIONS["saturation"]) == close(1.0, rel=1e-3)
    # Weak inversion: (eˣ − 1)/x − 1 = 0.05 at x = γ·V/(n·kT/q) = 0.09691: V = 0.09691·31.02 mV/0.1 = 30.06 mV
    assert DEVICE.linear_range(tolerance=0.05, **REGIONS["weak"]) == close(30.06e-3, rel=1e-3)
    # Triode: linear up to all that the back gate may take
    assert DEVICE.linear_range(tolerance=0.05, **REGIONS["triode"]) == 2.0


@settings(max_examples=30, deadline=None)
@given(
    gate=st.floats(-0.2, 2.0),
    drain=st.floats(0.02, 1.5),
    tolerance=st.floats(0.005, 0.3),
    coupling=st.floats(0.02, 0.5),
)
def test_within_its_range_the_gain_is_linear_and_beyond_it_is_not(
    gate: float, drain: float, tolerance: float, coupling: float
) -> None:
    device = dataclasses.replace(DEVICE, coupling=coupling)
    point = {"gate_voltage": gate, "stored_threshold": 0.5, "drain_voltage": drain}
    end = float(device.linear_range(tolerance=tolerance, **point))
    assert 0 < end <= 2.0
    voltages = np.concatenate([s * end * np.linspace(0.1, 1 - 1e-6, 9) for s in (-1, 1)])
    assert np.all(np.abs(device.deviation(back_gate_voltage=voltages, **point)) <= tolerance)
    if end < 1.9:
        beyond = device.deviation(back_gate_voltage=np.asarray([-end, end]) * 1.01, **point)
        assert np.max(np.abs(beyond)) > tolerance


def test_the_sign_of_the_deviation_is_that_of_the_voltage() -> None:
    # The current is convex in the back-gate voltage.
    for name in ("saturation", "weak"):
        deviation = DEVICE.deviation(back_gate_voltage=np.asarray([-0.5, 0.5]), **REGIONS[name])
        assert deviation[0] < 0 < deviation[1]


def test_what_multiplies_what() -> None:
    # Weak inversion: the change is the stored current times γ·V_BG/(n·kT/q); saturation: the stored overdrive
    # times γ·V_BG·β/n; triode: neither, the gain of all stored thresholds is the same.
    stored = np.asarray([0.3, 0.5, 0.6])
    weak = dict(REGIONS["weak"], stored_threshold=stored)
    current = DEVICE.modulated_current(back_gate_voltage=0.0, **weak)
    np.testing.assert_allclose(DEVICE.gain(**weak) / current, 0.1 / (1.2 * thermal_voltage(300.0)), rtol=5e-3)
    saturation = dict(REGIONS["saturation"], stored_threshold=stored)
    np.testing.assert_allclose(DEVICE.gain(**saturation), 0.1 * 1e-4 / 1.2 * (1.5 - stored), rtol=1e-3)
    triode = dict(REGIONS["triode"], stored_threshold=stored)
    np.testing.assert_allclose(DEVICE.gain(**triode), 0.1 * 1e-4 * 0.05, rtol=1e-3)


def test_input_times_back_gate_in_triode() -> None:
    drains, backs = np.asarray([0.01, 0.02, 0.04]), np.asarray([[-1.0], [0.5]])
    point = {"gate_voltage": 1.5, "stored_threshold": 0.5, "drain_voltage": drains}
    change = DEVICE.modulated_current(back_gate_voltage=backs, **point) - DEVICE.modulated_current(
        back_gate_voltage=0.0, **point
    )
    assert change.shape == (2, 3)
    np.testing.assert_allclose(change, 0.1 * 1e-4 * drains * backs, rtol=2e-3)


def test_energy_of_the_line_by_hand() -> None:
    # 64 cells of 0.01 µm² and 1.5489 mF/m² and 10 fF of wire: (0.991 + 10) fF·1 V²
    line = 10e-15 + 64 * 1e-14 * back_capacitance(channel_thickness=7e-9, buried_oxide_thickness=20e-9)
    assert back_gate_energy(line_capacitance=line, back_gate_voltage=-1.0) == close(10.991e-15, rel=1e-4)


def test_float_numpy_and_torch_agree() -> None:
    gates = [0.1, 0.7, 1.6]
    shared = {"stored_threshold": 0.5, "drain_voltage": 0.5}
    for method, extra in (
        ("modulated_current", {"back_gate_voltage": 0.7}),
        ("linear_range", {"tolerance": 0.02}),
    ):
        formula = getattr(DEVICE, method)
        array = formula(gate_voltage=np.asarray(gates), **shared, **extra)
        assert array.shape == (3,)
        np.testing.assert_allclose([float(formula(gate_voltage=g, **shared, **extra)) for g in gates], array)
        tensor = formula(gate_voltage=torch.tensor(gates, dtype=torch.float64), **shared, **extra)
        np.testing.assert_allclose(tensor.numpy(), array, rtol=1e-12)


@pytest.mark.parametrize("region", ["saturation", "weak"])
def test_gradients(region: str) -> None:
    def figures(
        coupling: torch.Tensor, threshold: torch.Tensor, tolerance: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        device = dataclasses.replace(DEVICE, coupling=coupling)
        point = dict(REGIONS[region], stored_threshold=threshold)
        current = device.modulated_current(back_gate_voltage=0.5, **point)
        return torch.log(current), device.linear_range(tolerance=tolerance, **point)

    inputs = tuple(torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (0.1, 0.5, 0.05))
    assert torch.autograd.gradcheck(figures, inputs, eps=1e-6, rtol=1e-5, atol=1e-7)


def test_out_of_range_is_refused() -> None:
    with pytest.raises(InputError, match=r"beyond what modulates the channel; got -2\.5"):
        DEVICE.modulated_current(
            gate_voltage=1.0,
            stored_threshold=0.5,
            back_gate_voltage=np.asarray([1.0, -2.5]),
            drain_voltage=0.5,
        )
    with pytest.raises(InputError, match="does not couple more weakly"):
        dataclasses.replace(DEVICE, coupling=1.2)
    with pytest.raises(InputError, match="channel_thickness is not a positive number"):
        back_gate_coupling(channel_thickness=0.0, buried_oxide_thickness=20e-9, front_capacitance=0.015)
