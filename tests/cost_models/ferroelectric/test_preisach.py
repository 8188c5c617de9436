"""Preisach loops: identities of the major loop, memory, congruency, hysterons one by one, work and loss."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cost_models.ferroelectric.preisach import EverettPreisach, Preisach, Start, TanhLoop
from cost_models.ferroelectric.waveform import Floats, Response, Waveform, triangle
from device_params.errors import InputError

MV_PER_CM = 1e8
MODELS = (Preisach, EverettPreisach)
#: Card of the FeFET model of Ni et al. (VLSI 2018): 41.2 and 23.9 µC/cm², 1.1048 MV/cm.
CARD = {"saturation_polarization": 0.412, "remanent_polarization": 0.239, "coercive_field": 1.1048e8}
#: A square loop: Pr/Ps = 0.9925.
SQUARE = {"saturation_polarization": 0.1466, "remanent_polarization": 0.1455, "coercive_field": 1.4e8}
#: Antiferroelectric ZrO2 of the Antiferroelectric-FET-Model.
AFE = {
    "saturation_polarization": 0.064,
    "remanent_polarization": 0.0634,
    "coercive_field": 1.12e8,
    "antiferroelectric_shift": 2.39e8,
}

both = pytest.mark.parametrize("model", MODELS)
FIELDS = st.lists(st.floats(-4, 4), min_size=2, max_size=14)
STARTS = st.sampled_from(["negative", "positive", "virgin"])


def through(loop: TanhLoop, fields: Sequence[float], start: Start = "negative") -> Floats:
    """Polarization at fields [MV/cm], one after the other."""
    return loop.follow(np.asarray(fields, dtype=float) * MV_PER_CM, start=start)[0]


def wave(fields: Sequence[float]) -> Waveform:
    return Waveform(np.arange(len(fields), dtype=float), np.asarray(fields, dtype=float) * MV_PER_CM)


def closed(answer: Response, first: float, last: float) -> tuple[float, float]:
    """Work by trapezoids and loss between two times [J/m³]."""
    piece = slice(int(np.searchsorted(answer.time, first)), int(np.searchsorted(answer.time, last)) + 1)
    part = Response(*(v[piece] for v in (answer.time, answer.field, answer.polarization, answer.dissipated)))
    return part.work(), float(part.dissipated[-1] - part.dissipated[0])


# -- the major loop -----------------------------------------------------------------------------------


@both
def test_width_of_the_card_by_hand(model: type[TanhLoop]) -> None:
    # ln[(1 + 0.58010)/(1 − 0.58010)] = ln 3.76301 = 1.32522; 1.1048/1.32522 = 0.83368 MV/cm
    assert model(**CARD).width / MV_PER_CM == pytest.approx(0.8337, abs=5e-5)


@both
@pytest.mark.parametrize("card", [CARD, SQUARE])
def test_the_saturated_loop_passes_through_pr_and_ec(model: type[TanhLoop], card: dict[str, float]) -> None:
    loop = model(**card)
    pr, ec = card["remanent_polarization"], card["coercive_field"] / MV_PER_CM
    assert loop.saturated_branch(0.0, -1) == pytest.approx(pr, abs=1e-12)
    assert through(loop, [-60 * ec, 0, ec]) == pytest.approx([-loop.bound, -pr, 0], abs=1e-12)
    assert through(loop, [9 * ec, 0, -ec], "positive")[1:] == pytest.approx([pr, 0], abs=1e-12)
    assert through(loop, [60 * ec, 0, -ec])[1:] == pytest.approx([pr, 0], abs=1e-12)


@both
def test_samples_on_the_major_loop_are_the_tanh(model: type[TanhLoop]) -> None:
    loop = model(**CARD)
    fields = np.linspace(-12, 12, 241)
    assert through(loop, fields) == pytest.approx(loop.saturated_branch(fields * 1e8, 1), abs=1e-12)
    falling = through(loop, fields[::-1], start="positive")
    assert falling == pytest.approx(loop.saturated_branch(fields[::-1] * 1e8, -1), abs=1e-12)


@both
def test_a_built_in_field_shifts_the_loop(model: type[TanhLoop]) -> None:
    plain, shifted = model(**CARD), model(**CARD, offset_field=0.3e8)
    fields = np.asarray([-3.0, 1.0, -0.5, 2.0])
    assert through(shifted, fields + 0.3) == pytest.approx(through(plain, fields), abs=1e-14)


# -- branches between turning points ------------------------------------------------------------------


def scaled(loop: Preisach, point: float, last: tuple[float, float], before: tuple[float, float]) -> float:
    """P = m·P± + b through the last two turning points, literally; fields in MV/cm."""
    direction = 1 if point > last[0] else -1
    f = [float(loop.saturated_branch(field * MV_PER_CM, direction)) for field in (point, last[0], before[0])]
    m = (last[1] - before[1]) / (f[1] - f[2])
    b = (before[1] * f[1] - last[1] * f[2]) / (f[1] - f[2])
    return m * f[0] + b


def test_branches_are_scaled_major_branches() -> None:
    loop = Preisach(**CARD)
    fields = [1.3, -0.7, 0.9, -0.2, 0.4]
    found = through(loop, fields)
    turns = [(-1e3, -CARD["saturation_polarization"]), *zip(fields, found.tolist(), strict=True)]
    # The first branch falls from the ascending major branch towards −saturation.
    assert found[1] == pytest.approx(scaled(loop, fields[1], turns[1], turns[0]), abs=1e-12)
    for k in (2, 3, 4):
        inside = (fields[k - 1] + fields[k]) / 2
        for place in (inside, fields[k]):
            value = through(loop, [*fields[:k], place])[-1]
            assert value == pytest.approx(scaled(loop, place, turns[k], turns[k - 1]), abs=1e-12)


@both
def test_turning_points_deep_in_saturation_do_no_harm(model: type[TanhLoop]) -> None:
    loop = model(**SQUARE)
    deep = through(loop, [60, 55, 60, -70, -65, -66, 80, 0])
    assert deep[:3] == pytest.approx([0.1466] * 3, abs=1e-12)
    assert deep[3:6] == pytest.approx([-0.1466] * 3, abs=1e-12)
    assert deep[-1] == pytest.approx(0.1455, abs=1e-12)


@both
@settings(max_examples=60)
@given(fields=FIELDS, start=STARTS, card=st.sampled_from([CARD, SQUARE]))
def test_branches_are_monotone_and_bounded(
    model: type[TanhLoop], fields: list[float], start: Start, card: dict[str, float]
) -> None:
    loop = model(**card)
    answer = loop.response(wave(fields), start=start, largest_step=0.2e8)
    assert np.abs(answer.polarization).max() <= loop.bound
    assert (np.diff(answer.field) * np.diff(answer.polarization)).min() >= -1e-16 * np.abs(fields).max() * 1e8


def outermost(fields: list[float]) -> list[float]:
    """The extremes that a memory of turning points keeps, by definition: largest, smallest after it, …"""
    kept: list[float] = []
    rest, highest = fields, max(fields) >= -min(fields)
    while rest:
        extreme = max(rest) if highest else min(rest)
        kept.append(extreme)
        rest = rest[len(rest) - rest[::-1].index(extreme) :]
        highest = not highest
    return kept


@both
@settings(max_examples=60)
@given(fields=FIELDS)
def test_wiping_out(model: type[TanhLoop], fields: list[float]) -> None:
    """Of any history from the virgin state, the outermost extremes alone decide."""
    loop = model(**CARD)
    assert through(loop, fields, "virgin")[-1] == pytest.approx(
        through(loop, outermost(fields), "virgin")[-1], abs=1e-12
    )


@both
@settings(max_examples=60)
@given(
    history=FIELDS,
    inside=st.lists(st.floats(0, 1), min_size=1, max_size=8),
    start=STARTS,
)
def test_return_point_memory(
    model: type[TanhLoop], history: list[float], inside: list[float], start: Start
) -> None:
    """Whatever happens between two turning points, the way back leads through the later one and on."""
    low, high = min(history) - 0.5, max(history) + 0.5
    excursion = [low + (high - low) * share for share in inside]
    loop = model(**CARD)
    plain = through(loop, [*history, low, high, low, (low + high) / 2], start)
    detour = through(loop, [*history, low, high, *excursion, high, low, (low + high) / 2], start)
    assert detour[-3] == pytest.approx(plain[-3], abs=1e-12)
    assert detour[-2:] == pytest.approx(plain[-2:], abs=1e-12)


HISTORIES = ([-9.0], [9.0], [-9.0, 1.5], [9.0, -1.5], [-9.0, 2.0, -1.6], [9.0, -1.4, 1.3], [0.0])


@both
@pytest.mark.parametrize("card", [CARD, SQUARE])
@pytest.mark.parametrize(("low", "high"), [(-0.5, 0.5), (0.0, 1.0), (0.3, 0.9), (-1.1, 1.2)])
def test_congruency(model: type[TanhLoop], card: dict[str, float], low: float, high: float) -> None:
    """Loops between the same two fields are the same after any history.

    3 % is claimed of scaled branches; they are exact, because they are an Everett function as well.
    """
    loop = model(**card)
    rise, fall = np.linspace(low, high, 31), np.linspace(high, low, 31)
    loops, heights = [], []
    for history in HISTORIES:
        starts: tuple[Start, ...] = ("virgin",) if history == [0.0] else ("negative", "positive")
        for start in starts:
            p = through(loop, [*history, high, low, *rise[1:], *fall[1:]], start)[len(history) + 1 :]
            loops.append(p - p[0])
            heights.append(p[0])
    assert np.ptp(heights) > 0.05 * card["saturation_polarization"]  # the histories do differ
    assert np.ptp(np.asarray(loops), axis=0).max() <= 1e-12


def test_scaled_branches_leave_a_turning_point_with_a_slope_and_hysterons_do_not() -> None:
    slopes = {}
    for model in MODELS:
        loop = model(**CARD)
        start, step = through(loop, [-9, 1, 1 - 1e-6])[1:]
        slopes[model] = (start - step) / 1e-6
    # ∂𝓔/∂α at α = β: (2Ps/δ)·σ[(E − Ec)/δ]·σ[−(E + Ec)/δ]; at 1 MV/cm with δ = 0.83367 MV/cm
    # 0.98840·σ(−0.12571)·σ(−2.52474) = 0.98840·0.46861·0.07415 = 0.03434 C/m² per MV/cm
    assert slopes[Preisach] == pytest.approx(0.03434, rel=1e-3)
    assert slopes[EverettPreisach] < 1e-5 * slopes[Preisach]


@pytest.mark.parametrize(("card", "share"), [(CARD, 0.2014), (SQUARE, 1.6e-4)])
def test_share_without_hysteresis_of_scaled_branches(card: dict[str, float], share: float) -> None:
    """All little steps back from the ascending branch, over 2·Ps."""
    loop = Preisach(**card)
    field, step = np.linspace(-30, 30, 6001) * loop.width, 1e-4 * loop.width
    slopes = loop.everett(field, field - step) / step
    assert np.trapezoid(slopes, field) / (2 * loop.bound) == pytest.approx(share, rel=0.02)


# -- hysterons one by one -----------------------------------------------------------------------------


def factorised(card: dict[str, float], edges: Floats) -> Floats:
    """∫∫f·g over the cells of a grid of (α, β), from f = −F', g = G' as derived for `EverettPreisach`."""
    ps, ec = card["saturation_polarization"], card["coercive_field"]
    c = math.log((ps + card["remanent_polarization"]) / (ps - card["remanent_polarization"]))
    y = (edges + ec) / (2 * ec / c)
    above = ps * math.sinh(c) * np.exp(-y / math.tanh(c)) / np.cosh(y - c) / 2
    below = np.exp(y / math.tanh(c)) / np.cosh(y)
    return np.outer(-np.diff(above), np.diff(below))


def logistic(card: dict[str, float], edges: Floats) -> Floats:
    """The same for `Preisach`: two logistic densities, without the hysterons of no width."""
    ps, ec = card["saturation_polarization"], card["coercive_field"]
    c = math.log((ps + card["remanent_polarization"]) / (ps - card["remanent_polarization"]))
    up, down = ((1 + np.tanh((edges - sign * ec) * c / (2 * ec))) / 2 for sign in (1, -1))
    return ps * (1 - math.exp(-2 * c)) * np.outer(np.diff(up), np.diff(down))


def relays(weights: Floats, edges: Floats, fields: Floats) -> tuple[Floats, Floats]:
    """Switch every hysteron of a grid by its own two fields: change of P and heat p·(α − β) a switching."""
    middle = (edges[1:] + edges[:-1]) / 2
    up_field, down_field = middle[:, None], middle[None, :]
    weights = np.where(up_field > down_field, weights, np.where(up_field == down_field, weights / 2, 0.0))
    up = np.zeros(weights.shape, dtype=bool)
    polarization, heat = [float(-weights.sum())], [0.0]
    for field in fields:
        new = (up | (up_field < field)) & ~(down_field > field)
        heat.append(heat[-1] + float((weights * np.abs(up_field - down_field))[new != up].sum()))
        up = new
        polarization.append(float((weights * np.where(up, 1.0, -1.0)).sum()))
    return np.asarray(polarization[1:]), np.asarray(heat[1:])


PATH = np.asarray([-6.0, 1.2, -0.8, 0.9, -0.3, 2.0, -1.4, 0.0, -6.0])


def test_everett_form_against_a_population_of_hysterons() -> None:
    edges = np.linspace(-10, 10, 801) * MV_PER_CM  # every field of the path is an edge
    polarization, heat = relays(factorised(CARD, edges), edges, PATH * MV_PER_CM)
    own, loss = EverettPreisach(**CARD).follow(PATH * MV_PER_CM)
    assert np.abs(own - polarization).max() < 1e-3 * CARD["saturation_polarization"]
    assert np.diff(loss) == pytest.approx(np.diff(heat), rel=2e-3)


def test_scaled_form_against_its_hysterons() -> None:
    """Heat is that of the hysterons; what they lack in P is without hysteresis, one function of the field."""
    edges = np.linspace(-10, 10, 801) * MV_PER_CM
    polarization, heat = relays(logistic(CARD, edges), edges, PATH * MV_PER_CM)
    loop = Preisach(**CARD)
    own, loss = loop.follow(PATH * MV_PER_CM)
    assert np.diff(loss) == pytest.approx(np.diff(heat), rel=2e-3)
    again, other = np.asarray([-6.0, 0.0, 6.0, 0.0]), slice(1, 4, 2)
    left = loop.follow(again * 1e8)[0] - relays(logistic(CARD, edges), edges, again * 1e8)[0]
    assert np.ptp(left[other]) < 2e-3 * CARD["saturation_polarization"]
    # at zero field, after another history still
    assert own[7] - polarization[7] == pytest.approx(left[1], abs=2e-3 * CARD["saturation_polarization"])


# -- work and loss ------------------------------------------------------------------------------------


@both
def test_trapezoids_of_a_closed_loop_converge_to_the_loss(model: type[TanhLoop]) -> None:
    loop, drive = model(**CARD), triangle(3 * MV_PER_CM, 1e3, cycles=2)
    errors, losses = [], []
    for parts in (8, 16, 32):
        answer = loop.response(drive, largest_step=loop.width / parts)
        work, loss = closed(answer, 1e-3, 2e-3)
        errors.append(abs(work / loss - 1))
        losses.append(loss)
    assert np.ptp(losses) < 1e-12 * losses[0]  # the account does not depend on the samples
    assert errors[1] < 1e-4
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.05)
    assert errors[1] / errors[2] == pytest.approx(4, rel=0.05)


@both
def test_saturated_loop_area_by_hand(model: type[TanhLoop]) -> None:
    """∫(P− − P+)dE = Ps·2δ·[ln cosh]: for a loop swept to saturation 4·Ps·Ec."""
    loop = model(**CARD)
    answer = loop.response(wave([-40, 40, -40]))
    assert answer.dissipated[-1] == pytest.approx(4 * 0.412 * 1.1048e8, rel=1e-12)


@both
@settings(max_examples=40)
@given(fields=FIELDS, start=STARTS, card=st.sampled_from([CARD, SQUARE, AFE]))
def test_loss_never_falls_and_closed_loops_do_work(
    model: type[TanhLoop], fields: list[float], start: Start, card: dict[str, float]
) -> None:
    loop = model(**card)
    # After one period the state is periodic.
    answer = loop.response(wave([*fields, *fields, fields[0]]), start=start)
    work, loss = closed(answer, len(fields), 2 * len(fields))
    scale = loop.bound * loop.coercive_field
    assert np.diff(answer.dissipated).min() >= -1e-12 * scale
    assert work >= -1e-12 * scale
    assert work == pytest.approx(loss, abs=1e-3 * scale, rel=2e-3)
    assert np.abs(answer.polarization).max() <= loop.bound


@both
def test_two_ways_into_one_state_store_the_same(model: type[TanhLoop]) -> None:
    """Virgin to −E directly, and by way of +E: the work differs by the difference of the losses."""
    loop = model(**CARD)
    short, long = (
        loop.response(wave(path), start="virgin", largest_step=loop.width / 128)
        for path in ([0, -1.3], [0, 1.3, -1.3])
    )
    assert short.polarization[-1] == pytest.approx(long.polarization[-1], abs=1e-15)
    stored = [answer.work() - answer.dissipated[-1] for answer in (short, long)]
    assert stored[0] == pytest.approx(stored[1], rel=1e-4)
    assert long.dissipated[-1] == pytest.approx(3 * short.dissipated[-1], rel=1e-12)


def test_rest_changes_nothing() -> None:
    loop = EverettPreisach(**CARD)
    plain, rested = loop.response(wave([0, 1, -1])), loop.response(wave([0, 0, 1, 1, 1, -1]))
    assert rested.polarization[-1] == plain.polarization[-1]
    assert rested.dissipated[-1] == pytest.approx(plain.dissipated[-1], rel=1e-12)


# -- antiferroelectric films --------------------------------------------------------------------------


def test_antiferroelectric_double_loop_is_that_of_sign_selected_half_loops() -> None:
    """P = sgn·Ps·{tanh[w(|E| − Eshift ∓ Ec)] + tanh[w(Eshift ± Ec)]} in each half, within 0.5 % of Ps."""
    loop = Preisach(**AFE)
    w, ec, shift = 1 / (2 * loop.width), AFE["coercive_field"], AFE["antiferroelectric_shift"]
    field = np.linspace(0, 6, 61) * MV_PER_CM
    for direction in (1, -1):
        half = np.tanh(w * (field - shift - direction * ec)) + np.tanh(w * (shift + direction * ec))
        assert loop.saturated_branch(field, direction) == pytest.approx(0.064 * half, abs=0.005 * 0.064)
    assert loop.bound == 0.128


@both
def test_antiferroelectric_film_keeps_nothing_and_has_no_virgin_remanence(model: type[TanhLoop]) -> None:
    loop = model(**AFE)
    assert through(loop, [6, 0])[-1] == pytest.approx(0, abs=0.01 * 0.064)
    assert through(loop, [0], "virgin")[0] == pytest.approx(0, abs=1e-15)
    # A ferroelectric film of the same card keeps Pr.
    plain = {name: value for name, value in AFE.items() if name != "antiferroelectric_shift"}
    assert through(model(**plain), [6, 0])[-1] == pytest.approx(0.0634, rel=1e-3)


# -- pulses, arrays, gradients ------------------------------------------------------------------------


@both
@pytest.mark.parametrize("card", [CARD, AFE])
def test_pulse_is_the_response_to_it(model: type[TanhLoop], card: dict[str, float]) -> None:
    loop = model(**card, offset_field=0.1e8)
    fields = np.asarray([-2.0, 0.0, 0.6, 1.1, 2.5, 30.0])
    followed = [through(loop, [0.0, field, 0.0])[-1] for field in fields]
    assert loop.pulse(fields * MV_PER_CM) == pytest.approx(followed, abs=1e-14)


def test_a_stronger_pulse_switches_more_up_to_pr() -> None:
    for model in MODELS:
        left = model(**CARD).pulse(np.linspace(0, 20, 101) * MV_PER_CM)
        assert np.diff(left).min() >= 0
        assert left[[0, -1]] == pytest.approx([-0.239, 0.239], abs=1e-9)


@both
def test_arrays_of_cards_float_numpy_and_torch_agree(model: type[TanhLoop]) -> None:
    ratio = np.asarray([[0.3], [0.6], [0.9]])
    fields = np.asarray([0.4, 1.0, 1.7, 3.0]) * MV_PER_CM
    block = model(0.4, 0.4 * ratio, 1.1e8).pulse(fields)
    assert block.shape == (3, 4)
    assert block[1, 2] == pytest.approx(model(0.4, 0.4 * 0.6, 1.1e8).pulse(1.7e8), rel=1e-13)
    tensors = model(0.4, 0.4 * torch.from_numpy(ratio), 1.1e8).pulse(torch.from_numpy(fields))
    assert np.allclose(np.asarray(tensors), block, rtol=1e-13)


@both
def test_gradients_against_differences(model: type[TanhLoop]) -> None:
    def left(ps: torch.Tensor, pr: torch.Tensor, ec: torch.Tensor, field: torch.Tensor) -> torch.Tensor:
        return model(ps, pr, ec * MV_PER_CM, offset_field=1e7).pulse(field * MV_PER_CM)

    values = [
        torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (0.412, 0.239, 1.1, [0.5, 1.2, 2.5])
    ]
    assert torch.autograd.gradcheck(left, values, atol=1e-8)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"remanent_polarization": 0.5}, "out of range"),
        ({"remanent_polarization": 0.0}, "out of range"),
        ({"coercive_field": 0.0}, "coercive_field is not positive"),
        ({"antiferroelectric_shift": -1.0}, "antiferroelectric_shift is negative"),
    ],
)
def test_impossible_loops_are_refused(change: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Preisach(**(CARD | change))


def test_an_unknown_start_is_refused() -> None:
    start = cast(Start, "sideways")
    with pytest.raises(InputError, match="unknown state at the start"):
        Preisach(**CARD).response(wave([0, 1]), start=start)
