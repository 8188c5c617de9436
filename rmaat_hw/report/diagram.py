"""The operator graph as a picture: products as boxes, what lies between them merged, loops as frames.

A box is a matrix product or a run of neighbouring operators of another kind; the colour tells what
meets what. Boxes run from top to bottom in execution order by depth; dashed arrows on the right pass
from one iteration of a loop to the next.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rmaat_hw.report.figures import new_figure, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from cost_models.workload.graph import OperatorGraph
    from cost_models.workload.operators import Operator

CLASS_COLOURS: Mapping[str, str] = {
    "weight × activation": "#0072b2",
    "state × activation": "#d55e00",
    "activation × activation": "#cc79a7",
    "set-up, once": "#999999",
    "normalisation": "#009e73",
    "softmax": "#56b4e9",
    "between products": "#f0e442",
    "without a rule": "#000000",
}
_DARK = {"weight × activation", "state × activation", "without a rule", "normalisation", "set-up, once"}
MOST_BOXES = 160  # beyond that a picture says nothing; the table does
_ROW, _BOX_HEIGHT, _BOX_WIDTH, _GAP = 0.68, 0.42, 1.72, 0.18  # inches
_MARGIN, _LANE = 0.52, 0.14  # of the outermost frame; between lanes of edges


@dataclass
class Box:
    """One box of the picture: a product alone, or a run of other operators of one module."""

    group: str
    operators: list[Operator]
    depth: int = 0
    x: float = 0.0
    y: float = 0.0
    inputs: set[int] = field(default_factory=set)

    @property
    def loops(self) -> tuple[str, ...]:
        """Loops around the box, outermost first."""
        return self.operators[0].loops

    @property
    def title(self) -> str:
        """The last words of the module's name, and what is done there."""
        parts = self.operators[0].module.split(".")[-2:]
        if parts[0].isdigit():  # the number of a layer says nothing in a folded graph
            parts = parts[1:]
        module = ".".join(parts) or "model"
        if len(module) > 24:
            module = "…" + module[-23:]
        return module

    @property
    def detail(self) -> str:
        """Shape of the product, or the names of the merged operators."""
        first = self.operators[0]
        if first.matmul is not None:
            m = first.matmul
            batch = f"{m.batch} × " if m.batch > 1 else ""
            return f"{batch}[{m.rows} × {m.contraction}]·[{m.contraction} × {m.cols}]"
        names = list(dict.fromkeys(_short(operator.op) for operator in self.operators))
        text = ", ".join(names)
        return text if len(text) <= 30 else f"{text[:27].rstrip(', ')} …"


def _short(op: str) -> str:
    return op.split("::")[-1].removeprefix("aten.").split(".")[0]


def _group(operator: Operator) -> str:
    if str(operator.phase) == "setup":
        return "set-up, once"
    name = operator.work
    return name if name in CLASS_COLOURS else "between products"


def boxes_of(graph: OperatorGraph) -> tuple[list[Box], list[tuple[int, int]]]:
    """Merge neighbours in execution order; return boxes and carried edges between boxes.

    Only operators that follow one another, share module and loops and are no product are merged: an
    interval of a topological order, so the merged graph has no cycle.
    """
    boxes: list[Box] = []
    owner: dict[str, int] = {}
    for operator in graph.operators:
        group = _group(operator)
        last = boxes[-1] if boxes else None
        merge = (
            last is not None
            and (operator.matmul is None or group == "set-up, once")
            and last.group == group
            and (last.operators[0].matmul is None or group == "set-up, once")
            and last.loops == operator.loops
            and (last.operators[0].module == operator.module or group == "set-up, once")
        )
        if merge and last is not None:
            last.operators.append(operator)
        else:
            boxes.append(Box(group, [operator]))
        owner[operator.id] = len(boxes) - 1
    carried: dict[tuple[int, int], None] = {}
    for edge in graph.edges:
        source, target = owner[edge.source], owner[edge.target]
        if edge.carried:
            carried[source, target] = None
        elif source != target:
            boxes[target].inputs.add(source)
    return boxes, list(carried)


def _place(boxes: Sequence[Box]) -> float:
    """Give every box its depth and place; return the width of the widest row, in inches.

    A box stands one row below the deepest that it reads, and never above a box of an earlier loop
    nest, so that a loop's frame holds its own boxes and no others.
    """
    floor = 0
    previous: tuple[str, ...] | None = None
    for box in boxes:
        if previous is not None and box.loops != previous:
            floor = 1 + max(b.depth for b in boxes if b.y == 1.0)
        previous = box.loops
        box.depth = max([floor, *(boxes[source].depth + 1 for source in box.inputs)])
        box.y = 1.0  # placed; the real y follows
    rows: dict[int, list[Box]] = {}
    for box in boxes:
        rows.setdefault(box.depth, []).append(box)
    order = {depth: number for number, depth in enumerate(sorted(rows))}
    widest = max(len(row) for row in rows.values())
    width = widest * (_BOX_WIDTH + _GAP)
    for depth, row in sorted(rows.items()):
        row.sort(key=lambda b: _mean_x(b, boxes))
        start = (width - len(row) * (_BOX_WIDTH + _GAP)) / 2 + (_BOX_WIDTH + _GAP) / 2
        for number, box in enumerate(row):
            box.x = start + number * (_BOX_WIDTH + _GAP)
            box.y = order[depth] * _ROW
    return width


def _mean_x(box: Box, boxes: Sequence[Box]) -> float:
    xs = [boxes[source].x for source in box.inputs]
    return sum(xs) / len(xs) if xs else 0.0


def operator_graph(graph: OperatorGraph) -> Figure | None:
    """Draw the graph; None where it has more boxes than a reader can follow."""
    boxes, carried = boxes_of(graph)
    if not boxes or len(boxes) > MOST_BOXES:
        return None
    width = _place(boxes)
    bottom = max(box.y for box in boxes)
    paths = [_inner_path(boxes[source], box, boxes) for box in boxes for source in sorted(box.inputs)]
    paths = _spread(paths)
    left = min([0.0, *(x for path in paths for x, _ in path)])
    lanes = width + _MARGIN + 0.12
    carried.sort(key=lambda pair: boxes[pair[0]].y - boxes[pair[1]].y)
    sources = list(dict.fromkeys(source for source, _ in carried))  # one lane each
    with style():
        right = lanes + _LANE * len(sources) + 0.1
        figure = new_figure(right - left + _MARGIN + 0.3, bottom + 1.6)
        axes = figure.add_subplot()
        axes.set_axis_off()
        axes.set_xlim(left - _MARGIN - 0.1, right)
        axes.set_ylim(bottom + 1.0, -0.55)
        axes.set_aspect("equal")
        _frames(axes, boxes, paths, graph)
        for path in paths:
            _draw_path(axes, path, "#555555", 0.8, "-")
        for source, target in carried:
            lane = lanes + _LANE * sources.index(source)
            path = _carried_path(boxes[source], boxes[target], boxes, lane)
            _draw_path(axes, path, "#d55e00", 1.1, (0, (4, 2)))
        for box in boxes:
            _draw(axes, box)
        _legend(axes, boxes, bool(carried), bottom + 0.6, width)
    return figure


Path = list[tuple[float, float]]


def _inner_path(source: Box, target: Box, boxes: Sequence[Box]) -> Path:
    """Straight from below the source to above the target, or down a lane left of what stands between."""
    start = (source.x, source.y + _BOX_HEIGHT / 2)
    end = (target.x, target.y - _BOX_HEIGHT / 2)
    between = [box for box in boxes if source.depth < box.depth < target.depth]

    def blocked(box: Box) -> bool:
        x = start[0] + (end[0] - start[0]) * (box.y - start[1]) / (end[1] - start[1])
        return abs(box.x - x) < _BOX_WIDTH / 2 + 0.08

    if not any(blocked(box) for box in between):
        return [start, end]
    lane = min(box.x for box in (source, target, *between)) - _BOX_WIDTH / 2 - 0.12
    out: Path = [(source.x - _BOX_WIDTH / 2, source.y)]
    if any(box.depth == source.depth and box.x < source.x for box in boxes):
        x, y = source.x - 0.3 * _BOX_WIDTH, source.y + _BOX_HEIGHT / 2
        out = [(x, y), (x, y + 0.09)]
    into: Path = [(target.x - _BOX_WIDTH / 2, target.y)]
    if any(box.depth == target.depth and box.x < target.x for box in boxes):
        x, y = target.x - 0.3 * _BOX_WIDTH, target.y - _BOX_HEIGHT / 2
        into = [(x, y - 0.09), (x, y)]
    return [*out, (lane, out[-1][1]), (lane, into[0][1]), *into]


def _spread(paths: list[Path]) -> list[Path]:
    """Move lanes that would lie on one another apart, the shortest innermost."""
    taken: list[tuple[float, float, float]] = []
    spread = {}
    for index in sorted(range(len(paths)), key=lambda i: abs(paths[i][-1][1] - paths[i][0][1])):
        path = paths[index]
        if len(path) > 2:
            x = min(x for x, _ in path)
            top, end = (y for u, y in path if u == x)
            lane = x
            while any(abs(lane - u) < _LANE / 2 and top <= f and end >= e for u, e, f in taken):
                lane -= _LANE
            taken.append((lane, top, end))
            path = [(lane if u == x else u, y) for u, y in path]
        spread[index] = path
    return [spread[index] for index in range(len(paths))]


def _carried_path(source: Box, target: Box, boxes: Sequence[Box], lane: float) -> Path:
    """From the source up a lane on the right to the target; over and under boxes that stand in the way."""
    out: Path = [(source.x + _BOX_WIDTH / 2, source.y)]
    if any(box.depth == source.depth and box.x > source.x for box in boxes):
        x, y = source.x + 0.3 * _BOX_WIDTH, source.y + _BOX_HEIGHT / 2
        out = [(x, y), (x, y + 0.07)]
    into: Path = [(target.x + _BOX_WIDTH / 2, target.y)]
    if any(box.depth == target.depth and box.x > target.x for box in boxes):
        x, y = target.x + 0.3 * _BOX_WIDTH, target.y - _BOX_HEIGHT / 2
        into = [(x, y - 0.09), (x, y)]
    return [*out, (lane, out[-1][1]), (lane, into[0][1]), *into]


def _draw_path(axes: Axes, path: Path, paint: str, line: float, dashes: Any) -> None:
    xs, ys = zip(*path, strict=True)
    axes.plot(xs, ys, color=paint, linewidth=line, linestyle=dashes, zorder=3, solid_joinstyle="round")
    (x0, y0), (x1, y1) = path[-2:]
    length = math.hypot(x1 - x0, y1 - y0) or 1.0
    axes.annotate(
        "",
        (x1, y1),
        (x1 - 0.05 * (x1 - x0) / length, y1 - 0.05 * (y1 - y0) / length),
        arrowprops={
            "arrowstyle": "-|>,head_width=0.14,head_length=0.28",
            "color": paint,
            "linewidth": line,
            "shrinkA": 0,
            "shrinkB": 0,
        },
        zorder=3,
    )


def _draw(axes: Axes, box: Box) -> None:
    from matplotlib.patches import FancyBboxPatch

    dark = box.group in _DARK
    axes.add_patch(
        FancyBboxPatch(
            (box.x - _BOX_WIDTH / 2, box.y - _BOX_HEIGHT / 2),
            _BOX_WIDTH,
            _BOX_HEIGHT,
            boxstyle="round,pad=0,rounding_size=0.06",
            facecolor=CLASS_COLOURS[box.group],
            edgecolor="#333333",
            linewidth=0.6,
            alpha=1.0,
            zorder=4,
        )
    )
    paint = "white" if dark else "black"
    axes.text(
        box.x,
        box.y - 0.09,
        box.title,
        ha="center",
        va="center",
        fontsize=7.5,
        color=paint,
        zorder=5,
        weight="bold",
    )
    axes.text(box.x, box.y + 0.1, box.detail, ha="center", va="center", fontsize=6.3, color=paint, zorder=5)


def _frames(axes: Axes, boxes: Sequence[Box], paths: Sequence[Path], graph: OperatorGraph) -> None:
    from matplotlib.patches import FancyBboxPatch

    for name, loop in graph.loops.items():
        inside = [box for box in boxes if name in box.loops]
        if not inside:
            continue
        depth = next(box.loops.index(name) for box in inside)
        margin = _MARGIN - 0.22 * min(depth, 2)
        ys = [box.y for box in inside]
        lanes = [
            min(x for x, _ in path)
            for path in paths
            if len(path) > 2 and path[0][1] <= max(ys) and path[-1][1] >= min(ys)
        ]
        left = min([*(box.x - _BOX_WIDTH / 2 for box in inside), *lanes]) - margin
        right = max(box.x for box in inside) + _BOX_WIDTH / 2 + margin
        top = min(ys) - _BOX_HEIGHT / 2 - 0.16 * margin
        end = max(ys) + _BOX_HEIGHT / 2 + 0.16 * margin
        axes.add_patch(
            FancyBboxPatch(
                (left, top),
                right - left,
                end - top,
                boxstyle="round,pad=0,rounding_size=0.1",
                facecolor=("#eef3f8", "#dfe9f2", "#cfdeeb")[min(depth, 2)],
                edgecolor="#5b7c99",
                linewidth=0.8,
                zorder=depth * 0.1,
            )
        )
        axes.text(
            left + 0.03,
            (top + end) / 2,
            f"{loop.axis} × {loop.count}",
            rotation=90,
            ha="left",
            va="center",
            fontsize=8,
            color="#33536e",
            zorder=1,
        )


def _legend(axes: Axes, boxes: Sequence[Box], carried: bool, y: float, width: float) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    used = {box.group for box in boxes}
    handles: list[Patch | Line2D] = [
        Patch(facecolor=paint, edgecolor="#333333", linewidth=0.6, label=name)
        for name, paint in CLASS_COLOURS.items()
        if name in used
    ]
    if carried:
        handles.append(
            Line2D(
                [], [], color="#d55e00", linewidth=1.1, linestyle=(0, (4, 2)), label="to the next iteration"
            )
        )
    axes.legend(
        handles=handles,
        loc="upper center",
        bbox_to_anchor=(width / 2, y),
        bbox_transform=axes.transData,
        ncols=3,
        frameon=False,
        fontsize=8,
    )
