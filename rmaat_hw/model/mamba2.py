"""The modern linear-time baseline: Mamba-2 (arXiv 2405.21060) from the package transformers."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from device_params.errors import InputError
from rmaat_hw.model.segment import PAD
from rmaat_hw.model.variants import Mamba2Config


class Mamba2Classifier(nn.Module):
    """Token ids in, one score a class out: embedding, Mamba-2 layers, mean over real tokens, one product.

    The layers are those of transformers, in its PyTorch implementation where the kernels of mamba_ssm are
    not installed. Pads (id 0) are masked in every layer.

    Raises:
        InputError: transformers is not installed.
    """

    def __init__(self, config: Mamba2Config) -> None:
        super().__init__()
        try:
            import transformers
        except ImportError:
            raise InputError(
                "the model mamba2 needs the package transformers",
                where="--model",
                value="mamba2",
                remedy="pip install 'rmaat-hw[baselines]'",
            ) from None
        self.config = config
        inner = config.expand * config.d_model
        head_width = min(config.head_width, inner)
        self.layers: Any = transformers.Mamba2Model(
            transformers.Mamba2Config(
                vocab_size=config.vocabulary,
                hidden_size=config.d_model,
                num_hidden_layers=config.layers,
                expand=config.expand,
                head_dim=head_width,
                num_heads=inner // head_width,
                state_size=config.state_width,
                n_groups=1,
                chunk_size=config.chunk,
                pad_token_id=PAD,
                use_cache=False,
            )
        )
        self.head = nn.Linear(config.d_model, config.classes)

    def forward(self, tokens: Tensor) -> Tensor:
        """Scores before the softmax, [B, classes], of int64 tokens [B, L], right-aligned, id 0 in front."""
        if tokens.dim() != 2 or tokens.shape[1] != self.config.sequence_length or tokens.dtype != torch.int64:
            raise InputError(
                "tokens of another shape or dtype than the model takes",
                where="Mamba2Classifier.forward",
                value=f"{tokens.dtype} {list(tokens.shape)}",
                allowed=f"torch.int64 [batch, {self.config.sequence_length}]",
            )
        real = tokens != PAD
        states = self.layers(input_ids=tokens, attention_mask=real).last_hidden_state
        weight = real.to(states.dtype).unsqueeze(2)
        scores: Tensor = self.head((states * weight).sum(dim=1) / weight.sum(dim=1))
        return scores
