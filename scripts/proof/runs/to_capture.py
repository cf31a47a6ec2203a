"""Turns a run into a capture: its steps, layers and facts, with their units and sources."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import astuple, replace

from proof.captures import derived
from proof.captures.diff import Difference
from proof.captures.engine_output import DISPLAYS
from proof.captures.model import (
    Capture,
    CapturedEntry,
    CapturedFact,
    CapturedFetch,
    CapturedLayer,
    CapturedStep,
    Environment,
    Provenance,
)
from proof.core.errors import ManifestError
from proof.engines.fetched import Fetched
from proof.runs import execute, failure
from proof.runs.execute import Run
from proof.runs.failure import NotAsDeclaredError

_LONGEST = 1_000  # characters of a line in a message


def capture_of(
    run: Run, *, environment: Environment, inputs: dict[str, str], provenance: Provenance, known_words: bool = True
) -> Capture:
    """The run as a capture. Raises NotAsDeclaredError if a step did not do what its manifest declares.

    Unless `known_words`, a fact may be missing in what the engine says in its own words.
    """
    snippet = run.snippet
    if (wrong := run.unexpected) is not None:
        expected = f"exit {wrong.step.exit}" + (f", printing '{wrong.step.expect}'" if wrong.step.expect else "")
        found = f"{execute.ends_unexpectedly(wrong)}\n{failure.why(wrong)}"
        raise NotAsDeclaredError(Difference(wrong.step.where, str(wrong.step), expected, found), wrong)
    base = run.base_layers
    layers = tuple(
        CapturedLayer(
            *(layer.instruction, layer.size, layer.files, layer.digest, i < base),
            tuple(CapturedEntry(*row) for row in layer.contents),
        )
        for i, layer in enumerate(run.image.layers if run.image else ())
    )
    return Capture(
        snippet=snippet.name,
        environment=environment,
        inputs=inputs,
        steps=tuple(
            CapturedStep(s.step.name, s.step.text, s.step.inside, s.exit, round(s.seconds, 1), s.output)
            for s in run.steps
        ),
        facts=dict(_facts(run, layers, known_words=known_words)),
        layers=layers,
        provenance=replace(
            provenance,
            bases={name: provenance.bases[name] for name in snippet.bases},
        ),
        fetched=tuple(CapturedFetch(s.step.name, *astuple(each)) for s in run.steps for each in _sorted(s.fetched)),
    )


def _sorted(fetched: Sequence[Fetched]) -> list[Fetched]:
    """In an order that doesn't depend on which of several requests was answered first."""
    return sorted(fetched, key=lambda each: (each.host, each.scheme, each.path, each.bytes))


def _facts(run: Run, layers: Sequence[CapturedLayer], *, known_words: bool) -> Iterator[tuple[str, CapturedFact]]:
    if (image := run.image) is not None:
        yield from derived.of_layers(run.snippet, layers)
        if run.snippet.transfer:
            sent = [layer.compressed or 0 for layer in image.layers]
            yield from derived.of_transfer(sum(sent), sum(sent[: run.base_layers]), sum(sent[run.base_layers :]))
        if run.displayed:
            yield from derived.of_display(*run.displayed)
        yield from derived.of_each_layer(run.snippet, layers)
        found = dict(derived.of_contents(run.snippet, layers))
        for name, path in (run.snippet.contents or {}).items():
            if name not in found:
                expected = f"{path} in the image"
                raise NotAsDeclaredError(
                    Difference(run.snippet.where, f"{run.snippet}.{name}", expected, "no such path")
                )
        yield from found.items()
        yield from derived.of_configuration({name: getattr(image, name) for name in derived.TEXTS})
    for done in run.steps:
        for rule in done.step.facts.values():
            try:
                fact = derived.of_output(done.step, rule, done.output)
            except ValueError as error:
                raise ManifestError(str(error), where=rule.where) from error
            if fact is None and not known_words and done.step.command.verb in DISPLAYS:
                continue
            if fact is None:
                shown = "\n".join(line[:_LONGEST] for line in done.output.splitlines()[:8]) or "(nothing)"
                name = f"{run.snippet.name}.{rule.name}"
                raise NotAsDeclaredError(Difference(rule.where, name, f"a value: {rule.match.pattern}", shown))
            yield rule.name, fact
