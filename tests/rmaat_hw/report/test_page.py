"""The page is whole, self-contained and safe; the figures show what the tables say; the screen fits."""

from __future__ import annotations

import io
import re
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import pytest
from estimate_sample import sample_document, sample_graph
from rich.console import Console

from cost_models.workload.graph import OperatorGraph
from rmaat_hw.report import diagram, figures
from rmaat_hw.report.html import render_page
from rmaat_hw.report.screen import render_estimate


@pytest.fixture(name="graph", scope="module")
def _graph() -> OperatorGraph:
    return sample_graph()


@pytest.fixture(name="page", scope="module")
def _page(graph: OperatorGraph) -> str:
    return render_page(sample_document(graph), graph)


class _Links(HTMLParser):
    """Everything that a browser would fetch, the ids of the page, and its unclosed elements."""

    VOID = frozenset({"meta", "br", "link", "img", "input", "hr"})

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.anchors: list[str] = []
        self.ids: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            elif name in ("href", "src", "xlink:href", "data", "action"):
                (self.anchors if (value or "").startswith("#") else self.fetched).append(value or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_fetches_nothing_and_its_links_arrive(page: str) -> None:
    links = _Links()
    links.feed(page)
    assert links.fetched == []
    assert links.open == []
    assert {anchor[1:] for anchor in links.anchors} <= set(links.ids)
    assert "@import" not in page
    assert "<script" not in page
    assert re.findall(r"url\((?!#)", page) == []


def test_the_page_is_small_and_has_every_part(page: str) -> None:
    assert len(page.encode()) < 1_000_000
    assert page.count("<svg") == 5
    for words in ("Totals", "Measured beside modelled", "cell.on_current", "Boundary: chip", "w8a8", "90 %"):
        assert words in page
    assert "<h3>Programming, once</h3>" in page
    assert "wait before a read" in page


def test_text_from_files_is_escaped(page: str) -> None:
    assert "Table &lt;1&gt; &amp; more" in page
    assert "Table <1>" not in page


def test_a_page_without_measurement_graph_and_padding(graph: OperatorGraph) -> None:
    document = sample_document(graph, measured=False)
    document |= {"padding": None, "per_real_token": None, "notes": [], "programming": None, "trace": None}
    page = render_page(document, None)
    assert "Not measured: --no-measure." in page
    assert "Programming, once" not in page
    assert page.count("<svg") == 3


def test_equal_runs_give_equal_pages(page: str, graph: OperatorGraph) -> None:
    assert render_page(sample_document(graph), graph) == page


def _texts(svg: str) -> str:
    return " ".join(
        "".join(node.itertext()) for node in ElementTree.fromstring(svg).iter() if "text" in node.tag
    )


def test_the_energy_figure_shows_value_interval_and_unit(graph: OperatorGraph) -> None:
    document = sample_document(graph)
    texts = _texts(figures.to_svg(figures.energy(document, graph), "energy & <more>"))
    for words in (
        "[mJ]",
        "1.14 mJ",
        "0.629",
        "2.06",
        "90 % interval",
        "weight × activation",
        "930 µJ",
        "ADC",
        "others",
    ):
        assert words in texts


@pytest.mark.parametrize("components", [1, 3, 30])
def test_the_energy_figure_takes_any_number_of_components(components: int) -> None:
    document = sample_document()
    document["breakdown"] = [
        {"component": f"c{i}", "operator": "shared", "energy_J": 1e-6, "latency_s": 0.0, "area_m2": 0.0}
        for i in range(components)
    ]
    document["totals"]["energy_J"] = {"value": components * 1e-6, "low": None, "high": None}
    axes = figures.energy(document, None).axes[1]
    length = sum(bar.get_width() for container in axes.containers for bar in container[:1])
    factor = 1e-6
    assert length * factor == pytest.approx(components * 1e-6)


def test_figures_of_nothing_do_not_fail() -> None:
    document: dict[str, Any] = sample_document()
    document["breakdown"] = []
    document["totals"]["latency_s"] = None
    for figure in (figures.latency(document, None), figures.area(document)):
        assert figures.to_svg(figure, "empty").startswith("<svg")


def test_the_diagram_has_loops_carried_edges_and_products(graph: OperatorGraph) -> None:
    drawing = diagram.operator_graph(graph)
    assert drawing is not None
    texts = _texts(figures.to_svg(drawing, "graph"))
    for words in ("segment × 4", "layer × 4", "attention.query", "[528 × 512]·[512 × 512]", "next iteration"):
        assert words in texts


def test_boxes_hold_every_operator_once_and_have_no_cycle(graph: OperatorGraph) -> None:
    boxes, carried = diagram.boxes_of(graph)
    assert [o.id for box in boxes for o in box.operators] == [o.id for o in graph.operators]
    assert all(source < index for index, box in enumerate(boxes) for source in box.inputs)
    assert len(carried) == 2
    assert all(len(box.operators) == 1 for box in boxes if box.operators[0].matmul is not None)


def test_boxes_do_not_overlap(graph: OperatorGraph) -> None:
    boxes, _ = diagram.boxes_of(graph)
    diagram._place(boxes)
    places = [(round(box.x, 3), round(box.y, 3)) for box in boxes]
    assert len(set(places)) == len(places)
    for one in boxes:
        for other in boxes:
            if one is not other and one.y == other.y:
                assert abs(one.x - other.x) >= diagram._BOX_WIDTH


def test_a_graph_too_large_for_a_picture_is_left_to_the_table(
    graph: OperatorGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diagram, "MOST_BOXES", 3)
    assert diagram.operator_graph(graph) is None
    assert "more boxes than a picture can show" in render_page(sample_document(graph), graph)


@pytest.mark.parametrize("width", [80, 100, 140])
def test_the_screen_fits_and_says_the_essentials(graph: OperatorGraph, width: int) -> None:
    stream = io.StringIO()
    console = Console(file=stream, width=width)
    console.print(render_estimate(sample_document(graph), graph, "runs/x"))
    text = stream.getvalue()
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    if width == 100:
        assert len(text.splitlines()) <= 52
        for words in (
            "1.14 mJ",
            "0.629 to 2.06 mJ",
            "1.10 µJ",
            "28.1 TOPS/W",
            "MAC = 2 operations",
            "no wear",
        ):
            assert words in text
        assert "ADC bits: 9 required for lossless sums, 8 used" in text
        assert "runs/x/report.html" in text
