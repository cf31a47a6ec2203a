"""Factories for files, steps, layers and captures."""

import io
import json
import tarfile
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from proof.captures.model import Capture, CapturedFact, CapturedLayer, CapturedStep, Environment, Provenance
from proof.core import declared
from proof.core.toml_table import Table
from proof.snippets.model import Snippet, Step

ALPINE = "sha256:" + "a" * 64


def write(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write every file below `folder`, and return that."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def toml(text: str) -> str:
    """A TOML string in which everything but plain ASCII is escaped."""
    plain = (c if " " <= c <= "~" and c not in '"\\' else f"\\U{ord(c):08X}" for c in text)
    return f'"{"".join(plain)}"'


def step(command: str = "docker build -t example .", *lines: str) -> Step:
    """A step as `steps` reads it, with more `lines` of TOML where they matter."""
    text = "\n".join(["[[step]]", 'name = "one"', f"command = {json.dumps(command)}", *lines])
    (table,) = Table(Path("snippet.toml"), text, tomllib.loads(text)).tables("step")
    return declared.read(Step, table, snippet="single")


def placed(folder: Path, variant: str = "") -> Snippet:
    """A snippet of which nothing but its place matters."""
    return Snippet(folder=folder, variant=variant, title="", steps=(), dockerfiles={}, bases={})


def member(name: str, content: bytes = b"", **fields: Any) -> tuple[tarfile.TarInfo, bytes]:
    """One entry of a tar archive; `fields` are those of `tarfile.TarInfo`."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in fields.items():
        setattr(info, key, value)
    return info, content


def tar(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    """A tar archive of these entries."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def capture(**fields: Any) -> Capture:
    """A small, complete capture."""
    defaults: dict[str, Any] = {
        "snippet": "single",
        "environment": Environment("linux/amd64", "docker", "rebuilt"),
        "inputs": {"snippet.toml": "sha256:" + "0" * 64},
        "steps": (
            CapturedStep("run", "docker run example", None, 0, 0.25, "hello wörld\n"),
            CapturedStep("go_run", "go run main.go", "golang:1.27-alpine", 0, 1.5, ""),
        ),
        "facts": {
            "size": CapturedFact(269_642_189, "B", "sum of files"),
            "layers": CapturedFact(8, "count", "manifest"),
            "du_src": CapturedFact(166_092.8, "KiB", "du"),
            "command": CapturedFact('["app"]', "text", "config"),
        },
        "layers": (CapturedLayer("ADD rootfs /", 7_000_000, 80, ALPINE, from_base=True),),
        "provenance": Provenance(
            date="2026-11-23T22:00:00Z",
            engine="docker 26.1.5",
            builder="buildx 0.13.1",
            image_store="overlay2",
            filesystem="extfs",
            private=True,
            bases={"alpine:3.22": "Alpine 3.22.1"},
            revision="0123456789ab",
        ),
    }
    return Capture(**defaults | fields)


def by_engine(found: Capture, engine: str) -> Capture:
    """The capture as if this engine had made it, Docker 29 with containerd's store."""
    kind, major = engine.partition(".")[0].split(" ")
    containerd = kind == "docker" and int(major) >= 29
    named = f"{kind} with containerd's store" if containerd else kind
    source = replace(found.provenance, engine=engine, image_store="containerd" if containerd else "overlay2")
    inputs = found.inputs | {"the engine": f"{kind} {major}"}
    return replace(found, environment=replace(found.environment, engine=named), provenance=source, inputs=inputs)
