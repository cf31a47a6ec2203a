"""Finds what the tool cannot have written in a capture, without an engine.

A capture belongs to its snippet, and has exactly the facts that follow from its layers and outputs. Whether a run
would really produce these, only a run can tell (`proof check`), or a person who reads the table of changes. The seal
proves nothing here: it has no key, so anyone who edits a capture can compute it again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from proof.captures import derived, displayed_sizes, fingerprint, normalise, provenance
from proof.captures.engine_output import DISPLAYS
from proof.captures.model import Capture, CapturedFact
from proof.snippets.base_images import Bases
from proof.snippets.model import Snippet

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_LAYERS = 128  # the most that Docker allows: see the snippet layers_depth
_LONGEST = 100_000  # characters of an instruction, or of a text in the configuration


def from_elsewhere(capture: Capture, snippet: Snippet, origin: str, known: Bases) -> Iterator[str]:
    """Every reason not to accept a capture that another machine made, of the snippet and bases as they are here."""
    if capture.tampered:
        yield f"{', '.join(capture.tampered)} was changed after it was written"
    yield from of(capture, snippet, origin, known)
    keys = {name: known.key(name) for name in snippet.bases}
    for change in fingerprint.without_engine(snippet, capture, keys):
        if change.invalidates:
            yield f"{snippet.name} was measured with other inputs than those here: {change}"
    if fingerprint.ENGINE not in capture.inputs or capture.inputs.get(fingerprint.RULES) != str(normalise.VERSION):
        yield "it was measured by another version of this tool"


def of(capture: Capture, snippet: Snippet, origin: str, known: Bases) -> Iterator[str]:
    """What the tool cannot have written in a capture of the snippet as it is here.

    `origin` is that of its bases, by its directory. A capture whose inputs have changed is not one of the snippet here.
    """
    if capture.snippet != snippet.name or capture.environment.bases != origin:
        yield f"it is of {capture.snippet} on {capture.environment}"
    hosts = {step.name: step.hosts for step in snippet.steps}
    if any(each.host not in hosts.get(each.step, ()) or each.bytes < 0 for each in capture.fetched):
        yield "it fetched from a host that its step does not name"
    raw, snippet = snippet, snippet.on(capture.engine)
    declared = [(step.name, step.text, step.inside, step.exit) for step in snippet.steps]
    if [(step.name, step.command, step.inside, step.exit) for step in capture.steps] != declared:
        yield f"its steps are not those of {snippet.where}"
        return
    for step, done in zip(snippet.steps, capture.steps, strict=True):
        if step.expect not in done.output:
            yield f"{step} did not print '{step.expect}'"
    if (objection := _layer_objection(capture, snippet)) is not None:
        yield objection
    else:
        yield from _facts(capture, snippet)
        yield from displayed_sizes.contradictions(capture, snippet)
    yield from _origin(capture, raw, origin, known)


def _layer_objection(capture: Capture, snippet: Snippet) -> str | None:
    """What is wrong with the layers, if anything."""
    if len(capture.layers) > _LAYERS:
        return f"it has {len(capture.layers)} layers, but an image has at most {_LAYERS}"
    if bool(capture.layers) is not bool(snippet.image):
        return f"it has {len(capture.layers)} layers, but its snippet measures {snippet.image or 'no image'}"
    for number, layer in enumerate(capture.layers, start=1):
        possible = min(layer.size, layer.files) >= 0 and len(layer.instruction) <= _LONGEST
        if not possible or not _DIGEST.fullmatch(layer.digest):
            return f"its layer {number} is not one that the tool measured"
        if bool(layer.contents) is not (snippet.contents is not None):
            return (
                f"its layer {number} has {'' if layer.contents else 'no '}contents, unlike what the manifest asks for"
            )
    whose = [layer.from_base for layer in capture.layers]
    return None if whose == sorted(whose, reverse=True) else "a layer of its base lies above one of its own"


def _facts(capture: Capture, snippet: Snippet) -> Iterator[str]:
    """Facts that are missing, and facts that do not follow from the layers and outputs."""
    wanted = dict(_given(capture, snippet)) | derived.of_image(snippet, capture.layers)
    for step, done in zip(snippet.steps, capture.steps, strict=True):
        for rule in step.facts.values():
            try:
                if (fact := derived.of_output(step, rule, done.output)) is not None:
                    wanted[rule.name] = fact
                elif step.command.verb not in DISPLAYS:  # another engine may have other words
                    yield f"{step} did not print the fact {rule.name!r}"
            except ValueError as error:
                yield f"the fact {rule.name!r}: {error}"
    for name in dict.fromkeys([*wanted, *capture.facts]):
        if name not in wanted:
            yield f"{snippet.name} has no fact {name!r:.110}"
        elif capture.facts.get(name) != wanted[name]:
            yield f"its fact {name!r} is not what its layers and outputs say"


def _given(capture: Capture, snippet: Snippet) -> Iterator[tuple[str, CapturedFact]]:
    """The facts that do not follow from layers or outputs: they keep the capture's values, if these are plausible."""
    if not snippet.image:
        return
    yield from derived.of_configuration(derived.possible_texts(capture.facts))
    if snippet.transfer:
        base, own = (_size(capture.facts.get(name)) for name in ("base_transfer_size", "own_transfer_size"))
        yield from derived.of_transfer(base + own, base, own)

    if capture.facts.keys() >= derived.DISPLAYED:
        yield from derived.of_display(*(_size(capture.facts[name]) for name in ("disk_usage", "content_size")))


def _size(fact: CapturedFact | None) -> int:
    value = fact.value if fact else -1
    return value if isinstance(value, int) and value >= 0 else -1


def _origin(capture: Capture, snippet: Snippet, origin: str, known: Bases) -> Iterator[str]:
    """What is wrong with its provenance, and with the inputs and environment that it was measured with."""
    if capture.engine.wording is None:
        yield f"the words of {capture.provenance.engine} are not kept"
    for name, value in provenance.implausible(capture, snippet):
        yield f"its provenance is not what the tool writes: {name} {value!r:.110}"
    # Captures also name the bases of stages that weren't built, if they were made while these needed an entry.
    if not set(snippet.bases) <= set(capture.provenance.bases) <= set(known.images):
        yield f"its provenance names other bases than {snippet.where}"
        return
    for name, image in capture.provenance.bases.items():
        if origin == "rebuilt" and image != known.made_of(name):
            yield f"its base {name} is not made of the packages in {known.path.name}"
        if origin == "registry":
            digest = capture.inputs.get(f"{fingerprint.BASE}{name}")
            if image != f"{known.images[name].registry}@{digest}" or not _DIGEST.fullmatch(digest or ""):
                yield f"its base {name} has no digest, or not the digest of the image that it was measured on"
