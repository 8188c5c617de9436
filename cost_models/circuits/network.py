"""A mesh of routers: what a bit costs from tile to tile."""

from __future__ import annotations

from dataclasses import dataclass

from cost_models.circuits.inverter import fanout_of_four
from cost_models.circuits.logic import RANDOM_ACTIVITY, RegisterBank
from cost_models.circuits.technology import Technology
from cost_models.circuits.wires import RepeatedWire
from cost_models.cost import Cost
from cost_models.namespace import Array

#: Pitch of crossbar wires over the feature size: semi-global wires (CACTI 7, tech_params/*.dat: 4 F).
CROSSBAR_PITCH = 4.0

#: Gates of the arbiter for each pair of ports: request mask, grant, priority. Assumed, 5 to 20.
ARBITER_GATES = 10.0

#: Load of one switch on a crossbar wire, in unit gates (which hold their own fan-out). Assumed.
SWITCH_GATES = 0.5


@dataclass(frozen=True)
class Router:
    """Router of ``ports`` ports, ``width`` bits a flit, a queue of ``depth`` flits at each input.

    A flit is written to its queue, read through a multiplexer, crosses a switch matrix and is latched at the
    output: Wang, Peh & Malik, MICRO 2003 (Orion), in gates of this technology. No virtual channels.
    """

    technology: Technology
    ports: Array
    width: Array
    depth: Array = 4.0
    activity: Array = RANDOM_ACTIVITY

    @property
    def crossbar_side(self) -> Array:
        """Length of a crossbar wire [m]: all wires of all ports side by side."""
        return self.ports * self.width * CROSSBAR_PITCH * self.technology.node

    def forward(self) -> Cost:
        """One flit through the router: queue, crossbar and output, each a stage of 15 inverter delays."""
        tech = self.technology
        latches = RegisterBank(tech, 2.0 * self.width, self.activity).load().energy
        gates = self.width * (self.depth - 1.0) + 2.0 * self.width * self.ports * SWITCH_GATES
        arbiter = self.ports**2 * ARBITER_GATES
        wires = self.width * 2.0 * self.crossbar_side * tech.wire_capacitance * tech.supply_voltage**2
        energy = latches + self.activity * ((gates + arbiter) * tech.gate_energy + wires)
        return Cost(energy, 3.0 * 15.0 * fanout_of_four(tech))

    @property
    def _latches(self) -> RegisterBank:
        return RegisterBank(self.technology, self.ports * self.width * (self.depth + 1.0), self.activity)

    @property
    def _gates(self) -> Array:
        return self.ports * self.width * self.depth + self.ports**2 * ARBITER_GATES

    @property
    def area(self) -> Array:
        """Queues and output latches, multiplexers and arbiter, crossbar [m²]."""
        return self._latches.area + self._gates * self.technology.gate_area + self.crossbar_side**2

    @property
    def leakage_power(self) -> Array:
        """Queues, output latches, multiplexers, arbiter [W]."""
        return self._latches.leakage_power + self._gates * self.technology.leakage


@dataclass(frozen=True)
class Mesh:
    """Square mesh of ``tiles`` tiles ``pitch`` [m] apart, one `Router` each.

    Between tiles drawn at random, sender itself included, a flit takes 2/3·(√tiles − 1/√tiles) hops (mean of
    |i − j| over a side of k is (k − 1/k)/3; Dally & Towles, Principles and Practices of Interconnection
    Networks, §3.2).
    """

    router: Router
    tiles: Array
    pitch: Array

    @property
    def link(self) -> RepeatedWire:
        """One wire from router to router."""
        return RepeatedWire(self.router.technology, self.pitch, self.router.activity)

    @property
    def mean_hops(self) -> Array:
        """Hops under uniform random traffic."""
        return 2.0 / 3.0 * (self.tiles**0.5 - self.tiles**-0.5)

    def hop(self) -> Cost:
        """One flit through a router and over a link."""
        return self.router.forward() + self.link.transfer(self.router.width)

    def send(self, bits: Array, hops: Array) -> Cost:
        """``bits`` bits over ``hops`` hops; the flits follow one another a stage of the router apart."""
        hop, flits = self.hop(), bits / self.router.width
        return Cost(flits * hops * hop.energy, hops * hop.latency + flits * hop.latency / 3.0)

    @property
    def area(self) -> Array:
        """Routers and repeaters of all links, one each way between neighbours [m²]."""
        links = 4.0 * (self.tiles - self.tiles**0.5) * self.router.width
        return self.tiles * self.router.area + links * self.link.area

    @property
    def leakage_power(self) -> Array:
        """Routers and repeaters [W]."""
        links = 4.0 * (self.tiles - self.tiles**0.5) * self.router.width
        return self.tiles * self.router.leakage_power + links * self.link.leakage_power
