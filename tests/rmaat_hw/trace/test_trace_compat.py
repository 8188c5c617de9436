"""One test for every private torch name: a torch that changed one fails here, by name."""

from __future__ import annotations

import gc

import pytest
import torch
from torch import nn

from rmaat_hw.trace import compat
from rmaat_hw.trace.surroundings import collection_paused


def test_reparametrize_runs_with_other_tensors_and_puts_the_own_ones_back() -> None:
    layer = nn.Linear(2, 2)
    weight = layer.weight
    with compat.reparametrize(layer, {"weight": torch.zeros(2, 2), "bias": torch.ones(2)}):
        assert layer(torch.ones(1, 2)).tolist() == [[1.0, 1.0]]
    assert layer.weight is weight


def test_fake_mode_makes_shapes_without_data_and_remembers_what_it_made() -> None:
    mode = compat.FakeTensorMode(allow_non_fake_inputs=True)
    real = torch.randn(3, 4)
    fake = mode.from_tensor(real)
    assert isinstance(fake, compat.FakeTensor)
    assert mode.from_tensor(real) is fake
    with mode:
        assert (fake @ real.t()).shape == (3, 3)


def test_storage_key_is_shared_by_views_only() -> None:
    x = torch.zeros(4)
    assert compat.storage_key(x).cdata == compat.storage_key(x[1:]).cdata
    assert compat.storage_key(x).cdata != compat.storage_key(x.clone()).cdata


def test_storage_key_is_not_reused_while_it_lives() -> None:
    keys = [compat.storage_key(torch.zeros(4)) for _ in range(50)]
    assert len({key.cdata for key in keys}) == 50


def test_schema_facts() -> None:
    assert compat.decomposes(torch.ops.aten.linear.default)
    assert not compat.decomposes(torch.ops.aten.mm.default)
    assert compat.is_random(torch.ops.aten.bernoulli.default)
    assert not compat.is_random(torch.ops.aten.add.Tensor)
    assert compat.written_arguments(torch.ops.aten.add_.Tensor) == ((0, "self"),)
    assert compat.written_arguments(torch.ops.aten.add.Tensor) == ()
    assert compat.written_arguments(torch.ops.aten.add.out) == ((3, "out"),)


def test_plain_kernels_set_three_switches_and_put_them_back() -> None:
    torch.backends.mha.set_fastpath_enabled(True)
    onednn = torch._C._get_mkldnn_enabled()
    with pytest.raises(RuntimeError, match="stop"), compat.plain_kernels():
        assert not torch.backends.mha.get_fastpath_enabled()
        assert not torch._C._get_mkldnn_enabled()
        assert not torch.backends.cuda.flash_sdp_enabled()
        assert torch.backends.cuda.math_sdp_enabled()
        raise RuntimeError("stop")
    assert torch.backends.mha.get_fastpath_enabled()
    assert torch._C._get_mkldnn_enabled() == onednn
    assert torch.backends.cuda.flash_sdp_enabled()


def test_fresh_fakes_share_one_new_storage_beneath_all_modes() -> None:
    mode = compat.FakeTensorMode()
    views = [((2, 3), (3, 1), 0), ((2,), (3,), 1)]
    with mode:
        whole, part = compat.fresh_fake(mode, 6, views, torch.float16, torch.device("cpu"))
        assert (part + 1).shape == (2,)
    assert isinstance(whole, compat.FakeTensor)
    assert (whole.shape, whole.dtype, whole.device.type) == ((2, 3), torch.float16, "cpu")
    assert (part.stride(), part.storage_offset()) == ((3,), 1)
    assert compat.storage_key(whole).cdata == compat.storage_key(part).cdata
    assert whole.untyped_storage().nbytes() == 12


def test_trees_and_weak_keys() -> None:
    leaves, spec = compat.tree_flatten({"a": [1, (2, None)]})
    assert leaves == [1, 2, None]
    assert compat.tree_unflatten(leaves, spec) == {"a": [1, (2, None)]}
    assert compat.tree_map_only(int, lambda n: n + 1, [1, "x"]) == [2, "x"]
    keyed = compat.WeakTensorKeyDictionary()
    tensor = torch.zeros(1)
    keyed[tensor] = "name"
    assert keyed[tensor] == "name"
    del tensor
    gc.collect()
    assert len(keyed) == 0


def test_flop_registry_lacks_what_we_count_ourselves() -> None:
    assert torch.ops.aten.mm in compat.flop_registry
    assert torch.ops.aten.mv not in compat.flop_registry


def test_collection_pause_is_undone() -> None:
    assert gc.isenabled()
    with pytest.raises(RuntimeError, match="stop"), collection_paused():
        assert not gc.isenabled()
        raise RuntimeError("stop")
    assert gc.isenabled()


def test_sequence_numbers_tell_the_node_at_work() -> None:
    weight = nn.Parameter(torch.ones(2))
    assert compat.current_sequence_number() is None
    first = compat.next_sequence_number()
    product = weight * 2.0
    assert compat.next_sequence_number() == first + 1
    seen: list[int | None] = []

    class Watch(compat.TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
            seen.append(compat.current_sequence_number())
            return func(*args, **(kwargs or {}))

    with Watch():
        product.backward(torch.ones(2))
    # the product's node, and the delivery to the parameter, which has no number
    assert first in seen
    assert set(seen) <= {first, None}


def test_own_function_takes_one_number_before_it_runs() -> None:
    inside: list[int] = []

    class Own(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):  # type: ignore[no-untyped-def]
            inside.append(compat.next_sequence_number())
            return x * 2.0

        @staticmethod
        def backward(ctx, gradient):  # type: ignore[no-untyped-def]
            return gradient * 2.0

    first = compat.next_sequence_number()
    Own.apply(nn.Parameter(torch.ones(2)))
    assert inside == [first + 1]


@pytest.mark.parametrize("fake", [False, True])
def test_memory_is_watched_until_the_last_view_is_gone(fake: bool) -> None:
    mode = compat.FakeTensorMode()
    x = mode.from_tensor(torch.zeros(4)) if fake else torch.zeros(4)
    gone: list[object] = []
    reference = compat.watched((y := x + 1).untyped_storage(), gone.append)
    address = compat.address(y.untyped_storage())
    view = y[1:]
    del y
    assert gone == []
    assert compat.address(view.untyped_storage()) == address
    del view
    assert gone == [reference]


def test_attention_may_stay_whole() -> None:
    with compat.plain_kernels(attention=False):
        assert torch.backends.cuda.flash_sdp_enabled()
        assert not torch.backends.mha.get_fastpath_enabled()
