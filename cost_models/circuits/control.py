"""Sequencer, clock tree and power switches."""

from __future__ import annotations

from dataclasses import dataclass

from cost_models.circuits.elementary import larger, log2, smaller
from cost_models.circuits.inverter import area_per_width, leakage_per_width
from cost_models.circuits.lines import TAPER_OVERHEAD
from cost_models.circuits.logic import RANDOM_ACTIVITY, RegisterBank
from cost_models.circuits.technology import Technology
from cost_models.circuits.wires import HTree
from cost_models.cost import Cost
from cost_models.namespace import Array, as_array, namespace_of

#: Next-state and output logic of a state machine, unit gates a state. Assumed, 5 to 20.
GATES_PER_STATE = 10.0

#: Flip-flops behind one leaf buffer of a clock tree. Assumed, 16 to 64.
FLIP_FLOPS_PER_LEAF = 32.0

#: Length of the shortest wires that join n points strewn over an area A, over √(n·A): the constant of random
#: minimum spanning trees, known from simulation.
RANDOM_TREE = 0.65

#: Share of the supply that a power switch may drop at full current, and leakage of its high-threshold
#: transistor over that of a standard one. Assumed: 0.02 to 0.1; 0.03 to 0.3.
SWITCH_DROP = 0.05
SWITCH_LEAKAGE_RATIO = 0.1


@dataclass(frozen=True)
class Sequencer:
    """State machine of ``states`` states, counters of ``counter_bits`` bits, ``outputs`` output registers."""

    technology: Technology
    states: Array
    counter_bits: Array
    outputs: Array
    activity: Array = RANDOM_ACTIVITY

    @property
    def registers(self) -> RegisterBank:
        """State, counters and outputs."""
        bits = log2(self.states) + self.counter_bits + self.outputs
        return RegisterBank(self.technology, bits, self.activity)

    @property
    def gates(self) -> Array:
        """Unit gates: next state and outputs; a half adder (an XOR2 and a gate, about 2.5) a counter bit."""
        return self.states * GATES_PER_STATE + 2.5 * self.counter_bits

    def step(self) -> Cost:
        """One clock."""
        tech, load = self.technology, self.registers.load()
        return Cost(
            load.energy + self.activity * self.gates * tech.gate_energy, load.latency + 4.0 * tech.delay
        )

    @property
    def area(self) -> Array:
        """Registers and gates [m²]."""
        return self.registers.area + self.gates * self.technology.gate_area

    @property
    def leakage_power(self) -> Array:
        """Registers and gates [W]."""
        return self.registers.leakage_power + self.gates * self.technology.leakage


@dataclass(frozen=True)
class ClockTree:
    """Wires and buffers that carry a clock to ``flip_flops`` flip-flops strewn over a square of ``side`` [m].

    An H-tree to leaves of 32 flip-flops, then the shortest wires inside each leaf; buffers add a third. The
    clock pins are in `logic.RegisterBank`. ``enabled``: share of leaves whose clock is not gated; the trunk
    runs on.
    """

    technology: Technology
    flip_flops: Array
    side: Array
    enabled: Array = 1.0

    @property
    def trunk_length(self) -> Array:
        """Edge to centre and the H-tree [m]; below 32 flip-flops the way to the centre alone."""
        leaves = larger(self.flip_flops / FLIP_FLOPS_PER_LEAF, 1.0)
        return self.side / 2.0 + HTree(self.technology, self.side, leaves, 1.0).total_length

    @property
    def leaf_length(self) -> Array:
        """All wires inside the leaves [m]."""
        return RANDOM_TREE * self.flip_flops**0.5 * self.side

    def cycle(self) -> Cost:
        """One period: every wire rises once."""
        tech = self.technology
        length = self.trunk_length + self.enabled * self.leaf_length
        capacitance = (1.0 + TAPER_OVERHEAD) * length * tech.wire_capacitance
        return Cost(capacitance * tech.supply_voltage**2)

    @property
    def _buffers(self) -> Array:
        """Unit gates of the buffers: a third of the load, as gates."""
        length = self.trunk_length + self.leaf_length
        return TAPER_OVERHEAD * length * self.technology.wire_capacitance / self.technology.gate_capacitance

    @property
    def area(self) -> Array:
        """Buffers [m²]."""
        return self._buffers * self.technology.gate_area

    @property
    def leakage_power(self) -> Array:
        """Buffers [W]."""
        return self._buffers * self.technology.leakage


@dataclass(frozen=True)
class PowerSwitch:
    """Header transistor between the supply and a block: what idling costs with and without it.

    ``block_leakage`` [W], ``block_capacitance`` [F] on the switched rail, which is charged again at waking,
    ``peak_current`` [A] of the block. The switch is as wide as R_on·W·I/(5 % of the supply) asks.
    """

    technology: Technology
    block_leakage: Array
    block_capacitance: Array
    peak_current: Array

    @property
    def width(self) -> Array:
        """Width of the switch [m]; a pMOS has about twice the resistance of an nMOS."""
        tech = self.technology
        resistance = 2.0 * tech.transistor_on_resistance_width * tech.slowdown
        return resistance * self.peak_current / (SWITCH_DROP * tech.supply_voltage)

    def wake(self) -> Cost:
        """Charge the rail, drive the switch off and on again; the rail at full current takes C·V/I."""
        tech, supply = self.technology, self.technology.supply_voltage
        gate = self.width * tech.transistor_gate_capacitance_per_width * (1.0 + TAPER_OVERHEAD)
        energy = (self.block_capacitance + gate) * supply**2
        return Cost(energy, self.block_capacitance * supply / self.peak_current)

    @property
    def leakage_power(self) -> Array:
        """What flows through the closed switch [W], at most what the block leaks."""
        leak = SWITCH_LEAKAGE_RATIO * self.width * leakage_per_width(self.technology)
        return smaller(leak, self.block_leakage)

    @property
    def break_even_time(self) -> Array:
        """Idle time from which gating pays [s]: E_wake/(P_block − P_switch); inf where nothing is saved."""
        xp = namespace_of(self.block_leakage, self.wake().energy)
        saved = as_array(self.block_leakage - self.leakage_power, xp)
        possible = saved > 0.0
        return xp.where(possible, self.wake().energy / xp.where(possible, saved, xp.ones_like(saved)), xp.inf)

    def idle(self, duration: Array) -> Cost:
        """Idle time of ``duration`` [s], known beforehand: gated where that costs less, then with waking."""
        stay, wake = self.block_leakage * duration, self.wake()
        gated = wake.energy + self.leakage_power * duration
        xp = namespace_of(stay, gated)
        gate = gated < stay
        return Cost(
            xp.where(gate, as_array(gated, xp), as_array(stay, xp)),
            xp.where(gate, as_array(wake.latency, xp), as_array(0.0, xp)),
        )

    @property
    def area(self) -> Array:
        """The switch [m²]."""
        return self.width * area_per_width(self.technology)
