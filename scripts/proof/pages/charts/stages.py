"""The stages of a Dockerfile and their dependencies. Stages that a captured build skipped are dim.

The only setting is the `step`, like "single/build". Its command names the Dockerfile, and its captured output shows
which stages ran. An arrow means "is needed by".
"""

from __future__ import annotations

from proof.captures import buildkit_log
from proof.captures.staleness import NeverCapturedError
from proof.core.errors import ProofError
from proof.pages.charts import graph
from proof.pages.charts.graph import Arrow, Box
from proof.pages.charts.spec import Spec
from proof.pages.charts.svg import Drawing, Label, plain


def draw(spec: Spec) -> Drawing:
    """Draw a chart of kind `stages`."""
    spec.table.allow("kind", "title", "step")
    name = spec.table.text("step", required=True)
    snippet_name, _, step_name = name.partition("/")
    try:
        snippet = spec.page.snippet(snippet_name)
    except ProofError as error:
        raise spec.table.error("step", error.what, error.hint) from error
    if spec.page.book.lacks(snippet_name):
        raise NeverCapturedError.of(snippet_name, spec.table.where("step"))
    capture = spec.page.book.captures.get(snippet_name)
    step = capture.step(step_name) if capture else None
    if step_name not in snippet.dockerfiles or step is None:
        builds = ", ".join(f"{snippet_name}/{known}" for known in snippet.dockerfiles)
        raise spec.table.error("step", f"'{name}' is not a captured `docker build`", f"use one of: {builds}")
    spec.page.snippets.add(snippet_name)
    dockerfile = snippet.dockerfiles[step_name]
    ran = buildkit_log.stages(step.output)
    if not ran:
        raise spec.table.error("step", f"no stages in the output of '{name}'", "use a build with two or more stages")
    boxes = [_box(stage.alias, (stage.alias or f"stage-{stage.index}").lower() in ran) for stage in dockerfile.stages]
    arrows = [Arrow(start, end) for end, starts in sorted(dockerfile.needs.items()) for start in sorted(starts)]
    marks, height = graph.picture(boxes, arrows)
    onward = [", ".join(str(boxes[a.end].name) for a in arrows if a.start == i) for i in range(len(boxes))]
    table = [(box.name, box.lines[0], needed or "nothing") for box, needed in zip(boxes, onward, strict=True)]
    return Drawing(
        marks,
        height,
        [f"{name}: {state}; needed by {needed}." for name, state, needed in table],
        ["Stage", "In this build", "Is needed by"],
        table,
    )


def _box(alias: str | None, ran: bool) -> Box:  # noqa: FBT001 - private, and clear where it is called
    name = Label(((alias, True),)) if alias else plain("last stage")
    return Box(name, [plain("built" if ran else "skipped")], dim=not ran)
