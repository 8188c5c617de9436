"""Physical constants, SI, as scipy.constants gives them (CODATA)."""

from __future__ import annotations

from typing import Final

from scipy import constants as codata

#: Elementary charge [C], exact.
ELEMENTARY_CHARGE: Final[float] = codata.elementary_charge

#: Boltzmann constant [J/K], exact.
BOLTZMANN: Final[float] = codata.Boltzmann

#: Planck constant [J·s], exact.
PLANCK: Final[float] = codata.Planck

#: Permittivity of vacuum [F/m], measured.
VACUUM_PERMITTIVITY: Final[float] = codata.epsilon_0

#: Mass of a free electron [kg], measured.
ELECTRON_MASS: Final[float] = codata.electron_mass
