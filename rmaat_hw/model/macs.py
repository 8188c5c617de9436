"""Multiply-accumulates of an RMAAT from its shapes: an independent count beside the traced one.

Every term is the product of the dimensions of one matrix product of the model; element-wise work and
sums (φ, g, norms, the scan of R) are not multiply-accumulates of a matrix product and do not count.
"""

from __future__ import annotations

from rmaat_hw.model.config import RMAATConfig


def macs_by_hand(config: RMAATConfig, batch: int = 1, *, fused: bool | None = None) -> dict[str, int]:
    """Count multiply-accumulates of one forward by class.

    Per segment and layer, with N rows, width d = h·m and feed-forward width f: projections 3 N d²,
    feed-forward 2 N d f; astromorphic attention: write H N d m (twice that when φ(R)ᵀV is a product of
    its own), read φ(Q)H N d m, calcium φ(Q)gᵀ N d; linear attention the same with its normaliser in the
    place of calcium; softmax attention: QKᵀ and PV, N² d each. Once an example: the head. Once a program,
    for R of each layer: D = M_p (r M_pᵀ) and R = M_pᵀ D, N m² each.

    Args:
        config: the architecture.
        batch: examples B.
        fused: count the fused or the literal form of H; by default the one that ``config`` says.

    Returns:
        Exact integers: ``qkv``, ``output_projection``, ``state_write``, ``state_read``, ``calcium``,
        ``softmax_products``, ``ffn``, ``head``, ``setup`` (does not grow with batch or segments),
        ``forward`` (all but setup), ``total``, ``segment`` (one segment of one stream), and
        ``forward_fused`` and ``forward_literal`` for both forms of H.
    """
    d, m, rows = config.d_model, config.head_width, config.rows
    softmax = config.attention == "softmax"
    astrocyte = config.attention == "astromorphic" and config.astrocyte
    is_fused = (config.fuse_positional if fused is None else fused) or not astrocyte
    streams = batch * config.streams
    passes = streams * config.segments * config.layers  # a layer on a segment of a stream
    neuron = 0 if softmax else passes * rows * d * m
    if config.streams == 1:
        head = d * config.classes
    else:
        head = 4 * d * config.ffn_width + config.ffn_width * config.classes
    of_segments = {
        "qkv": passes * 3 * rows * d * d,
        "output_projection": passes * rows * d * d if config.output_projection else 0,
        "state_write": neuron if is_fused else 2 * neuron,
        "state_read": neuron,
        "calcium": 0 if softmax else passes * rows * d,
        "softmax_products": passes * 2 * rows * rows * d if softmax else 0,
        "ffn": passes * 2 * rows * d * config.ffn_width,
    }
    parts = of_segments | {"head": batch * head}
    forward = sum(parts.values())
    setup = config.layers * 2 * rows * m * m if astrocyte else 0
    fused_forward = forward - parts["state_write"] + neuron
    return parts | {
        "setup": setup,
        "forward": forward,
        "total": forward + setup,
        "segment": sum(of_segments.values()) // (streams * config.segments),
        "forward_fused": fused_forward,
        "forward_literal": fused_forward + (neuron if astrocyte else 0),
    }
