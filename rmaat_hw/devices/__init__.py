"""Single devices: what a pulse or a waveform does to them, and the fits behind their numbers."""

from cost_models.ferroelectric.waveform import Waveform
from rmaat_hw.devices.simulate import Simulation, simulate
from rmaat_hw.devices.waveforms import simulate_waveform

__all__ = ["Simulation", "Waveform", "simulate", "simulate_waveform"]
