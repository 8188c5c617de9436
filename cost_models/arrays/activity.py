"""How often the nodes of an adder tree toggle when the products at its inputs do."""

from __future__ import annotations

from cost_models.namespace import Array, namespace_of

#: Levels of the deepest tree that is summed term by term: 2¹⁶ inputs.
_DEEPEST = 16


def product_transitions(*, input_toggle: Array, weight_density: Array) -> Array:
    """Transitions of a one-bit product a cycle, up and down: the input toggles and the weight is one."""
    return input_toggle * weight_density


def tree_transitions(*, products: Array, inputs: Array, width: Array) -> Array:
    """Mean transitions of an adder of a tree a cycle, without glitches.

    The lowest sum bit of level ℓ is the parity of 2^ℓ products: with independent transitions of probability t
    it toggles with (1 − (1 − 2t)^(2^ℓ))/2. Level ℓ has inputs/2^ℓ adders of width + ℓ − 1 bits; the mean is
    over all of them. Upper bits carry rarer events and toggle less, so this errs high for sparse inputs.
    Above t = ½ parities would toggle less again, while the bits above them do not: t is taken as ½ at most.

    ``products``: transitions of one product, 0 … 1; ``inputs``: of the tree, 1 (no adder: the transitions of
    the product itself) … 2¹⁶; ``width``: bits of an input.
    """
    xp = namespace_of(products, inputs, width)
    products = xp.where(xp.asarray(products < 0.5), products, 0.5)
    weighted: Array = 0.0
    adders: Array = 0.0
    alone = xp.where(xp.asarray(inputs > 1.0), 0.0, 1.0)
    for level in range(1, _DEEPEST + 1):
        members = 2.0**level
        present = xp.where(xp.asarray(members / 2.0 < inputs), 1.0, 0.0)
        bits = present * (width + level - 1.0) * inputs / members
        weighted = weighted + bits * (1.0 - (1.0 - 2.0 * products) ** members) / 2.0
        adders = adders + bits
    return (weighted + alone * products) / (adders + alone)


def chain_transitions(*, products: Array, depth: Array, surviving: Array) -> Array:
    """Mean transitions of an adder in a chain of ``depth`` adders between registers, with its glitches.

    All products arrive at once and the sums ripple: adder k sees a change from each toggling input before it,
    k·t transitions, of which one at most is useful. ``surviving`` is the share of the others that is not
    filtered by the inertia of the gates. Mean over the chain of min(½, k·t) + surviving·(k·t − min(½, k·t)),
    with k·t taken at its mean (depth + 1)·t/2.
    """
    xp = namespace_of(products, depth, surviving)
    seen = products * (depth + 1.0) / 2.0
    useful = xp.where(xp.asarray(seen < 0.5), seen, 0.5)
    return useful + surviving * (seen - useful)
