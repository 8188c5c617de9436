"""What a charge can tell: electrons, noise and effective bits of a read that collects charge."""

from __future__ import annotations

from cost_models.constants import BOLTZMANN, ELEMENTARY_CHARGE
from cost_models.namespace import Array, namespace_of

#: Decibels of a sine of full scale above its own quantisation noise: 6.02·N + 1.76 for N bits
#: (IEEE Std 1241, effective number of bits).
DECIBELS_PER_BIT = 6.02
DECIBELS_OF_A_SINE = 1.76


def signal_to_noise_for(enob: Array) -> Array:
    """Signal over noise (of amplitudes) that ``enob`` effective bits need: 10^[(6.02·ENOB + 1.76)/20]."""
    return 10.0 ** ((DECIBELS_PER_BIT * enob + DECIBELS_OF_A_SINE) / 20.0)


def enob_of(signal_to_noise: Array) -> Array:
    """Effective bits of a signal over its noise: (20·log10 SNR − 1.76)/6.02; negative below 1.22."""
    xp = namespace_of(signal_to_noise)
    return (20.0 * xp.log10(signal_to_noise) - DECIBELS_OF_A_SINE) / DECIBELS_PER_BIT


def electrons_for(enob: Array) -> Array:
    """Electrons of full scale that shot noise alone asks of ``enob`` effective bits.

    n independent electrons fluctuate by √n, so that SNR = √n and ENOB = (20·log10 √n − 1.76)/6.02:
    n = 10^[(6.02·ENOB + 1.76)/10]. Three bits need 96 electrons, eight need 98 thousand.
    """
    return signal_to_noise_for(enob) ** 2


def electrons_of(charge: Array) -> Array:
    """Number of electrons in ``charge`` [C]."""
    return charge / ELEMENTARY_CHARGE


def thermal_charge(*, capacitance: Array, temperature: Array = 300.0) -> Array:
    """Standard deviation [C] of the charge that a switch leaves on ``capacitance`` [F]: √(kTC)."""
    return (BOLTZMANN * temperature * capacitance) ** 0.5


def shot_charge(charge: Array) -> Array:
    """Standard deviation [C] of a charge [C] of independent electrons: √(q·Q)."""
    return (ELEMENTARY_CHARGE * charge) ** 0.5
