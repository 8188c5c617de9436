"""Technologies for tests of circuits: built-in files, at another supply, as arrays of another namespace."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import torch

from cost_models.circuits.technology import Technology
from device_params.nodes import technology_at


def technology(node: float = 28.0, **changes: float) -> Technology:
    """The built-in technology of a node [nm], some attributes changed (SI)."""
    parameters = technology_at(node * 1e-9).parameters
    values = {f"technology.{name}": parameter.value for name, parameter in parameters.items()}
    return dataclasses.replace(Technology.of(values), **changes)


def floats_and_arrays_agree(figure: Any, slope: str = "gate_capacitance", rel: float = 1e-12) -> None:
    """``figure(technology)`` at two supplies: one by one, as NumPy block, as torch tensor.

    The tensor has a gradient by the attribute ``slope``, which must arrive and must not vanish.
    """
    volts = [0.8, 0.9]
    single = [float(figure(technology(supply_voltage=value))) for value in volts]
    block = figure(dataclasses.replace(technology(), supply_voltage=np.array(volts)))
    np.testing.assert_allclose(np.broadcast_to(np.asarray(block), (2,)), single, rtol=rel)
    by = torch.tensor([getattr(technology(), slope)] * 2, dtype=torch.float64, requires_grad=True)
    supply = torch.tensor(volts, dtype=torch.float64)
    traced = figure(dataclasses.replace(technology(), supply_voltage=supply, **{slope: by}))
    assert isinstance(traced, torch.Tensor)
    np.testing.assert_allclose(np.broadcast_to(traced.detach().numpy(), (2,)), single, rtol=rel)
    (gradient,) = torch.autograd.grad(traced.sum(), by)
    assert torch.isfinite(gradient).all() and (gradient != 0).all()
