"""What ``--model`` takes, and the one sentence that says what is wrong with the rest."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from device_params.errors import InputError
from rmaat_hw import programs
from rmaat_hw.model import RMAATConfig

SOURCE = """
import torch
from torch import nn

def two(): return nn.Linear(4, 2), (torch.zeros(3, 4),)
def three(): return nn.Linear(4, 2), [torch.zeros(3, 4)], {"extra": 1}
def bare(): return nn.Linear(4, 2), torch.zeros(3, 4)
def sized(segments=1, batch=1): return nn.Linear(4, 2), (torch.zeros(batch, segments, 4),)
def recurrent(segments, batch=1): return nn.Linear(4, 2), (torch.zeros(batch, 12 * segments, 4),)
def stuck(segments=1): return nn.Linear(4, 2), (torch.zeros(1, 12, 4),)
def lengthless(segments=1): return nn.Linear(4, 2), (torch.zeros(4),)
def lazy(): return nn.Sequential(nn.LazyLinear(2)), (torch.zeros(3, 4),)
def batched(*, batch): return nn.Linear(4, 2), (torch.zeros(batch, 4),)
def needy(width): return nn.Linear(width, 2), ()
def wrong(): return "no program"
def broken(): raise RuntimeError("first line\\nsecond line")
class Maker:
    @staticmethod
    def make(): return two()
number = 3
"""


@pytest.fixture(autouse=True)
def _module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "my_programs.py").write_text(SOURCE)
    (tmp_path / "needs_more.py").write_text("import a_package_that_is_not_there\n")
    (tmp_path / "does_not_compile.py").write_text("def f(:\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p != str(tmp_path)])
    yield
    sys.modules.pop("my_programs", None)


def test_a_callable_of_the_current_folder() -> None:
    program = programs.load_factory("my_programs:two")(segments=3, batch=1)
    assert program.name == "Linear"
    assert [tuple(a.shape) for a in program.args] == [(3, 4)]
    assert program.kwargs == {}


@pytest.mark.parametrize(
    ("name", "tokens", "shape"), [("recurrent", 60, (2, 60, 4)), ("sized", 7, (2, 7, 4))]
)
def test_a_length_becomes_segments(name: str, tokens: int, shape: tuple[int, ...]) -> None:
    program = programs.load_factory(f"my_programs:{name}").of_length(tokens, batch=2)
    assert tuple(program.args[0].shape) == shape


@pytest.mark.parametrize(
    ("name", "tokens", "told"),
    [
        ("recurrent", 61, "not a multiple of the segment of 12 tokens; got 61; allowed: 60 or 72"),
        ("recurrent", 5, "allowed: 12"),
        ("recurrent", 0, "allowed: 12"),
        ("recurrent", -30, "allowed: 12"),
        ("two", 12, "takes no `segments`"),
        ("stuck", 24, "another length; got '12 tokens'"),
        ("lengthless", 24, "do not tell their number of tokens"),
    ],
)
def test_a_length_that_the_callable_cannot_have(name: str, tokens: int, told: str) -> None:
    with pytest.raises(InputError, match=told):
        programs.load_factory(f"my_programs:{name}").of_length(tokens, batch=1)


@pytest.mark.parametrize(
    ("name", "options", "told"),
    [
        ("recurrent", {"batch": 1}, "needs a number of segments; give --seq-len"),
        ("two", {"batch": 2}, "takes no `batch`"),
        ("lazy", {}, "no shape yet"),
    ],
)
def test_a_callable_that_cannot_be_called_so(name: str, options: dict[str, int], told: str) -> None:
    with pytest.raises(InputError, match=told):
        programs.load_factory(f"my_programs:{name}")(**options)


def test_keyword_arguments_and_a_bare_tensor() -> None:
    assert programs.load_factory("my_programs:three")().kwargs == {"extra": 1}
    assert len(programs.load_factory("my_programs:bare")().args) == 1


def test_a_method_of_a_class() -> None:
    assert programs.load_factory("my_programs:Maker.make")().name == "Linear"


def test_only_what_the_signature_takes_is_passed() -> None:
    sized = programs.load_factory("my_programs:sized")
    assert sized.takes == {"segments", "batch"}
    assert sized(segments=5, batch=2).args[0].shape == (2, 5, 4)
    assert sized().args[0].shape == (1, 1, 4)
    batched = programs.load_factory("my_programs:batched")
    assert batched.takes == {"batch"}
    assert batched(segments=5, batch=2).args[0].shape == (2, 4)


def test_the_source_file_is_known() -> None:
    source = programs.load_factory("my_programs:two").source
    assert source is not None
    assert source.name == "my_programs.py"


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("my_programs:tow", "my_programs has no 'tow'; did you mean 'two'"),
        ("my_programz:two", "there is no module 'my_programz'"),
        ("needs_more:two", "the module needs 'a_package_that_is_not_there'"),
        ("does_not_compile:f", "importing the module failed with SyntaxError"),
        ("my_programs:number", "not a callable; got 'int'"),
        ("my_programs:needy", "needs arguments that are not offered; got 'width'"),
        ("model.yml", "names no program"),
        ("my programs:two", "names no program"),
    ],
)
def test_a_wrong_callable_is_refused_in_one_sentence(spec: str, sentence: str) -> None:
    with pytest.raises(InputError) as refusal:
        programs.load_factory(spec)
    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_callable_that_fails_or_returns_something_else() -> None:
    with pytest.raises(InputError, match="failed with RuntimeError: first line second line"):
        programs.load_factory("my_programs:broken")()
    with pytest.raises(InputError, match="returned something else than a program; got 'str'"):
        programs.load_factory("my_programs:wrong")()


@pytest.mark.parametrize(
    ("model", "is_callable"),
    [("a.b:c", True), ("a:b.c", True), ("a.yaml", False), ("folder/a:b.yaml", False), ("c:/a.yaml", False)],
)
def test_specifications_are_told_from_files(model: str, is_callable: bool) -> None:
    assert programs.is_callable_spec(model) is is_callable


BASE = RMAATConfig(vocabulary=18, classes=10)


def test_a_file_changes_what_it_names_and_keeps_the_rest() -> None:
    Path("model.yaml").write_text("layers: 2\nretention_rate: 1e-1\n")
    config = programs.read_config("model.yaml", BASE)
    assert (config.layers, config.retention_rate) == (2, 0.1)  # YAML 1.2 reads 1e-1 as a number
    assert config.vocabulary == 18
    assert config.d_model == BASE.d_model


def test_a_file_may_stand_alone() -> None:
    Path("model.yaml").write_text("vocabulary: 18\nclasses: 10\nheads: 4\n")
    assert programs.read_config("model.yaml").heads == 4


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("laiers: 2\n", "did you mean 'layers'"),
        ("heads: 0\n", "heads; got 0"),
        ("heads: many\n", "heads; got 'many'"),
        ("dropout: .nan\n", "dropout; got nan"),
        ("- 1\n", "must hold fields of RMAATConfig"),
        ("", "must hold fields of RMAATConfig"),
        ("a: [\n", "not YAML"),
        ("heads: 2\nheads: 4\n", "not YAML"),
    ],
)
def test_a_wrong_file_is_refused_with_its_name(content: str, sentence: str) -> None:
    Path("model.yaml").write_text(content)
    with pytest.raises(InputError) as refusal:
        programs.read_config("model.yaml", BASE)
    assert str(refusal.value).startswith("model.yaml")
    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_file_that_is_not_there_or_not_text() -> None:
    Path("model.yaml").write_text("heads: 2\n")
    with pytest.raises(InputError, match=r"no such file; got 'modle\.yaml'; did you mean 'model\.yaml'"):
        programs.read_config("modle.yaml")
    Path("binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not UTF-8 text"):
        programs.read_config("binary.yaml")
    with pytest.raises(InputError, match="cannot be read"):
        programs.read_config(".")
