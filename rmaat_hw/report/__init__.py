"""Reports: the folder of an estimate, its page, and the page again from a saved folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from device_params.errors import InputError
from rmaat_hw import runs

if TYPE_CHECKING:
    from cost_models.workload.graph import OperatorGraph
    from rmaat_hw.estimate import Estimate

__all__ = ["load_run", "report", "save_estimate"]

_DAMAGE = (KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError)
PAGE, DOCUMENT, GRAPH = "report.html", "estimate.json", "graph.json"
BREAKDOWN, ACTIVITY = "breakdown.parquet", "activity.json"


def save_estimate(
    estimate: Estimate, *, out: Path | str | None = None, options: Mapping[str, Any] | None = None
) -> Path:
    """Write the run folder of an estimate and return it.

    ``out`` is a new or an empty folder; by default ``runs/<time>-estimate-<hash>``. ``options`` are
    those of the command, kept in the manifest.
    """
    import io

    from rmaat_hw.report.html import render_page

    asked = json.dumps({**(options or {}), "graph": estimate.graph.digest()}, sort_keys=True, default=str)
    with runs.run_folder("estimate", asked, out) as folder:
        folder.write(DOCUMENT, runs.to_json_text(estimate.document))
        folder.write(GRAPH, runs.to_json_text(estimate.graph.to_json()))
        table = io.BytesIO()
        estimate.to_pandas().to_parquet(table, index=False)
        folder.write(BREAKDOWN, table.getvalue())
        if estimate.mapped.activity is not None:
            folder.write(ACTIVITY, runs.to_json_text(estimate.mapped.activity.to_json()))
        folder.write(PAGE, render_page(estimate.document, estimate.graph))
        folder.write_manifest(
            command="estimate",
            options=options or {},
            seeds={"seed": int(estimate.document["seed"])},
            inputs=[Path(file) for file in (*estimate.design.files, *estimate.mapped.subject.source_files)],
            facts={
                "sequences_sha256": estimate.document["activity"].get("sequences_sha256"),
                "graph_sha256": estimate.graph.digest(),
            },
        )
    return folder.path


def load_run(run: Path | str) -> tuple[dict[str, Any], OperatorGraph]:
    """Read the document and the graph of a saved estimate."""
    from cost_models.workload.graph import GraphError, OperatorGraph

    document = runs.read_run(run, DOCUMENT)
    if document.get("command") != "estimate" or document.get("schema_version") != 1:
        raise InputError(
            "this is not an estimate that this version reads",
            where=str(Path(run) / DOCUMENT),
            value=f"{document.get('command')!r}, schema_version {document.get('schema_version')!r}",
            allowed="command 'estimate', schema_version 1",
        )
    try:
        graph = OperatorGraph.from_json(runs.read_run(run, GRAPH))
    except (GraphError, *_DAMAGE) as error:
        raise _damaged(Path(run) / GRAPH, error) from error
    return document, graph


def _damaged(path: Path, error: Exception) -> InputError:
    """What a file that is JSON, but not of our shape, amounts to for its reader."""
    if isinstance(error, InputError):
        return error
    told = f"no key {error}" if isinstance(error, KeyError) else " ".join(str(error).split())[:200]
    return InputError(
        f"the file is damaged or comes from another version of rmaat-hw ({told})",
        where=str(path),
        remedy="run the estimate again, as the manifest.json beside it says",
    )


def report(run: Path | str) -> Path:
    """Render the page of a saved run again and return where it stands."""
    from rmaat_hw.report.html import render_page

    document, graph = load_run(run)
    try:
        page = render_page(document, graph)
    except _DAMAGE as error:
        raise _damaged(Path(run) / DOCUMENT, error) from error
    path = Path(run) / PAGE
    runs.write_atomically(path, page.encode())
    return path
