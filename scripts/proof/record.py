"""A raw run → a capture: the facts that it is worth, with their units and sources."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from proof import builtin, execute, facts
from proof import capture as captures
from proof.capture import Basis, Capture, CapturedFact, CapturedLayer, CapturedStep, Provenance
from proof.compare import Difference
from proof.errors import ManifestError, ProofError
from proof.execute import Run


class NotAsDeclaredError(ProofError):
    """A step did not do what its manifest declares: exit so, or print what a fact is read from. Nothing is accepted."""

    def __init__(self, difference: Difference) -> None:
        self.difference = difference
        super().__init__(difference.what)


def capture_of(run: Run, *, basis: Basis, inputs: dict[str, str], provenance: Provenance) -> Capture:
    """A run as a capture; NotAsDeclaredError where a step did not do what its manifest declares."""
    snippet = run.snippet
    if (wrong := run.unexpected) is not None:
        tail = "\n".join(wrong.output.rstrip().splitlines()[-12:])
        expected = f"exit {wrong.step.exit}" + (f", printing '{wrong.step.expect}'" if wrong.step.expect else "")
        raise NotAsDeclaredError(
            Difference(wrong.step.where, str(wrong.step), expected, f"{execute.ends_unexpectedly(wrong)}\n{tail}")
        )
    return Capture(
        snippet=snippet.name,
        basis=basis,
        inputs=inputs,
        steps=tuple(
            CapturedStep(s.step.name, s.step.text, s.step.inside, s.exit, round(s.seconds, 1), s.output)
            for s in run.steps
        ),
        facts=dict(_facts(run)),
        layers=tuple(
            CapturedLayer(layer.instruction, layer.size, layer.files, layer.digest, i < run.base_layers)
            for i, layer in enumerate(run.image.layers if run.image else ())
        ),
        provenance=replace(
            provenance,
            bases={name: provenance.bases[name] for name in snippet.bases},
        ),
    )


def _facts(run: Run) -> Iterator[tuple[str, CapturedFact]]:
    saved = "the files in the layers of `docker image save`"
    if (image := run.image) is not None:
        base, own = image.layers[: run.base_layers], image.layers[run.base_layers :]
        noise = run.snippet.noise
        yield _measured("size", image.size, f"the sum of {saved}", noise)
        yield _measured("base_size", sum(layer.size for layer in base), f"the base's part of {saved}")
        own_size = sum(layer.size for layer in own)
        yield _measured("own_size", own_size, f"the part of {saved} that is not the base's", noise)
        yield _measured("layers", len(image.layers), "the manifest in `docker image save`")
        yield _measured("base_layers", len(base), "the layers that the image shares with its base")
        yield _measured("own_layers", len(own), "the layers that its base does not have")
        if run.snippet.transfer:
            for name, layers in (
                ("transfer_size", image.layers),
                ("base_transfer_size", base),
                ("own_transfer_size", own),
            ):
                size = sum(layer.compressed or 0 for layer in layers)
                yield name, CapturedFact(size, _unit(name), f"{saved}, each layer gzipped (level 6)", tolerance=0.01)
        for number, layer in enumerate(image.layers, start=1):
            slack = noise if number > len(base) and layer.size > noise else 0
            yield _measured(f"layer_{number}", layer.size, f"layer {number}: {layer.instruction}", slack)
        configuration = "the configuration in `docker image save`"
        yield _measured("command", image.command, configuration)
        yield _measured("user", image.user or "root", configuration)
        yield _measured("platform", image.platform, configuration)
    for done in run.steps:
        for rule in done.step.facts:
            found = rule.match.search(done.output)
            if found is None:
                shown = "\n".join(done.output.splitlines()[:8]) or "(nothing)"
                name = f"{run.snippet.name}.{rule.name}"
                raise NotAsDeclaredError(Difference(rule.where, name, f"a value: {rule.match.pattern}", shown))
            try:
                value = _read(found[1], rule.unit)
            except ValueError as error:
                raise ManifestError(f"'{found[1]}' cannot be read as {rule.unit}", where=rule.where) from error
            source = f"the output of `{done.step.text}`"
            yield rule.name, CapturedFact(value, rule.unit, source, rule.tolerance, rule.volatile)


def _measured(name: str, value: int | str, source: str, noise: int = 0) -> tuple[str, CapturedFact]:
    """A fact of the image; `noise` bytes more or less are the same size."""
    tolerance = round(noise / value, 9) if noise and isinstance(value, int) and value else 0.0
    return name, CapturedFact(value, _unit(name), source, tolerance=tolerance)


def _unit(name: str) -> str:
    unit = builtin.unit_of(name)
    assert unit is not None
    return unit


def _read(text: str, unit: str) -> captures.Scalar:
    match unit:
        case "text":
            return text
        case "count":
            return int(text.replace(",", ""))
        case "KiB":
            return round(facts.parse_binary(text), 3)
        case "B":
            return int(text.replace(",", ""))
        case _:
            return float(text)
