"""Merz, KAI and Lorentzian switching: values by hand, limits, gradients, namespaces."""

from __future__ import annotations

import math
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from tolerance import close

from cost_models.ferroelectric.kinetics import (
    kai_share,
    lorentzian_share,
    lorentzian_step_share,
    lorentzian_width,
    merz_time,
)

MV_PER_CM = 1e8


def test_merz_by_hand() -> None:
    # (2/1)^3 = 8: 10 ns·e^8 = 29.81 µs; the sign of the field does not matter
    merz = partial(merz_time, time_constant=10e-9, activation_field=2e8, exponent=3.0)
    assert merz(field=1e8) == pytest.approx(10e-9 * math.exp(8))
    assert merz(field=-1e8) == merz(field=1e8)


def test_merz_without_a_field_is_as_good_as_infinite_and_has_a_gradient() -> None:
    field = torch.tensor([0.0, 1e-30, 1e5, 1e8], dtype=torch.float64, requires_grad=True)
    scale = torch.tensor(2e8, dtype=torch.float64, requires_grad=True)
    tau = merz_time(field=field, time_constant=1e-9, activation_field=scale, exponent=3.4)
    assert (tau[:3] > 1e250).all()
    # d ln τ/dE = −α·(Ea/E)^α/E = −3.4·2^3.4/1e8
    (slope,) = torch.autograd.grad(tau[3].log() + (tau[:3] * 1e-260).sum(), field, retain_graph=True)
    assert slope[:3].tolist() == [0, 0, 0]
    assert slope[3].item() == close(-3.4 * 2**3.4 / 1e8)
    assert torch.isfinite(torch.autograd.grad(tau[:3].sum(), scale)[0])


def test_kai_by_hand_and_limits() -> None:
    # t = τ: 1 − 1/e whatever n; t = τ/2, n = 2: 1 − e^−0.25 = 0.2212
    assert kai_share(time=3.0, time_constant=3.0, exponent=np.asarray([1.0, 2.0, 3.0])) == pytest.approx(
        1 - math.exp(-1)
    )
    assert kai_share(time=0.5, time_constant=1.0, exponent=2.0) == pytest.approx(0.22119922)
    assert kai_share(time=np.asarray([0.0, 1e9]), time_constant=1.0, exponent=2.0).tolist() == [0, 1]
    # Far below τ all the digits stay: (1e-6)^2
    assert kai_share(time=1e-6, time_constant=1.0, exponent=2.0) == close(1e-12)


def test_lorentzian_step_by_hand() -> None:
    step = partial(lorentzian_step_share, center_time=1e-6, width=0.5)
    assert step(time=1e-6) == pytest.approx(0.5)
    # one half width above the median: ½ + arctan(1)/π = 0.75
    assert step(time=10**-5.5) == pytest.approx(0.75)
    assert step(time=0.0) == 0.0


def integral(time: float, center: float, width: float, exponent: float) -> float:
    """∫{1 − exp[−(t/τ)^n]}·F d log10 τ, by adaptive quadrature over 2000 decades and the tail below."""
    log_time, log_center = math.log10(time), math.log10(center)

    def density(decade: float) -> float:
        switched = -math.expm1(-(10.0 ** min(exponent * (log_time - decade), 2.9)))
        return switched * width / math.pi / ((decade - log_center) ** 2 + width**2)

    steps = [log_time + k / exponent for k in (-3, -1, 0, 1, 3, 20)]
    edges = sorted(
        [-1e3, -100.0, -30.0, log_center - 1, log_center, log_center + 1, *steps, 30.0, 100.0, 1e3]
    )
    inside = sum(quad(density, a, b, epsabs=1e-12)[0] for a, b in pairwise(edges))
    return inside + 0.5 + math.atan((-1e3 - log_center) / width) / math.pi


@pytest.mark.parametrize("exponent", [1.0, 2.0, 30.0])
@pytest.mark.parametrize("time", [1e-8, 1e-6, 3e-4])
def test_lorentzian_integral_against_quadrature(time: float, exponent: float) -> None:
    share = lorentzian_share(time=time, center_time=1e-6, width=0.7, exponent=exponent)
    assert share == pytest.approx(integral(time, 1e-6, 0.7, exponent), abs=1e-10)


def test_the_closed_form_is_the_limit_of_a_large_exponent() -> None:
    time = np.geomspace(1e-9, 1e-3, 13)
    limit = lorentzian_step_share(time=time, center_time=1e-6, width=0.7)
    errors = [
        np.abs(lorentzian_share(time=time, center_time=1e-6, width=0.7, exponent=n) - limit).max()
        for n in (2.0, 20.0, 200.0)
    ]
    assert errors[0] > 0.03
    assert errors[2] < errors[1] / 9 < errors[0] / 81 * 1.5


def test_lorentzian_fit_of_the_film_of_8_nm() -> None:
    """The fit deviates by 5.7 µC/cm² at most from the film (doi 10.1109/VLSITechnology18217.2020.9265014)."""
    measured = {
        0.8: (-22.48, -21.55, -11.94),
        1.0: (-22.48, -10.77, 8.16),
        1.2: (-21.69, 6.78, 18.75),
        1.5: (-18.95, 19.63, 22.18),
        1.8: (-14.04, 22.08, 23.06),
    }
    field = np.asarray(list(measured))[:, None] / 0.83 * MV_PER_CM
    center = merz_time(field=field, time_constant=10**-6.56, activation_field=2.01e8, exponent=3.43)
    width = lorentzian_width(field=field, constant=0.01, slope=1.31e16)
    time = np.asarray([0.3e-6, 11.5e-6, 0.97e-3])
    found = 25.7 * (2 * lorentzian_step_share(time=time, center_time=center, width=width) - 1)
    worst = np.abs(found - np.asarray(list(measured.values()))).max()
    assert worst == pytest.approx(5.7, abs=0.05)


@settings(max_examples=40)
@given(st.floats(-9, 3), st.floats(-9, 3), st.floats(0.05, 3), st.floats(1, 4))
def test_shares_lie_between_none_and_all_and_grow(
    start: float, center: float, width: float, n: float
) -> None:
    time = 10.0 ** (start + np.linspace(0, 6, 7))
    for share in (
        kai_share(time=time, time_constant=10.0**center, exponent=n),
        lorentzian_step_share(time=time, center_time=10.0**center, width=width),
        lorentzian_share(time=time, center_time=10.0**center, width=width, exponent=n),
    ):
        assert share.min() >= 0 and share.max() <= 1 + 1e-12
        assert np.diff(share).min() >= -1e-12


def switched(field: object, time: object) -> object:
    tau = merz_time(field=field, time_constant=54e-9, activation_field=2e8, exponent=3.2)
    width = lorentzian_width(field=field, constant=0.1, slope=1e16)
    return kai_share(time=time, time_constant=tau, exponent=2.0) + lorentzian_share(
        time=time, center_time=tau, width=width, exponent=2.0
    )


def test_float_numpy_and_torch_agree_and_broadcast() -> None:
    field, time = np.asarray([[1.0], [1.5], [2.0]]) * MV_PER_CM, np.asarray([1e-7, 1e-6, 1e-5, 1e-4])
    block = np.asarray(switched(field, time))
    assert block.shape == (3, 4)
    assert block[1, 2] == pytest.approx(switched(1.5e8, 1e-5), rel=1e-14)
    tensor = switched(torch.from_numpy(field), torch.from_numpy(time))
    assert np.allclose(np.asarray(tensor), block, rtol=1e-13)


def test_gradients_against_differences() -> None:
    field = torch.tensor([1.0, 1.4, 2.2], dtype=torch.float64, requires_grad=True)
    time = torch.tensor([10.0, 1.0, 0.1], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda f, t: switched(f * MV_PER_CM, t * 1e-6), (field, time), atol=1e-7)
