"""Downloads the pinned packages of rebuilt base images, into the tool's cache."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

from proof.core.errors import CannotMeasureError, PackageError, Where, command
from proof.engines.failures import MAKE_ROOM, is_full
from proof.snippets.base_images import Package
from proof.system import process, temp_folders


def fetch(package: Package, cache: Path) -> Path:
    """The file of the package, downloaded if it is not in the cache. Its SHA-256 is checked every time.

    pip downloads it, which respects a mirror or proxy in the user's pip configuration.
    Raises PackageError if it cannot be downloaded or is not the pinned file.
    """
    path = cache / "packages" / package.wheel
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        interpreter, abi, platform = package.wheel.removesuffix(".whl").rsplit("-", 3)[1:]
        with temp_folders.folder("package", path.parent) as folder:
            requirement = folder / "requirement.txt"
            requirement.write_text(f"{package.project}=={package.version} --hash=sha256:{package.sha256}\n")
            done = process.run(
                [
                    # -P: or else `pip.py` in the working directory, which a stranger may have written, would be run.
                    *(sys.executable, "-P", "-m", "pip", "--disable-pip-version-check", "download", "--quiet"),
                    *("--no-deps", "--only-binary=:all:", "--require-hashes", "--dest", str(folder)),
                    *("--platform", platform, "--implementation", interpreter[:2], "--abi", abi),
                    *("-r", str(requirement)),
                ],
                env=os.environ,  # for pip's own settings; snippets never see this environment
                deadline=900,
            )
            if done.exit != 0 and is_full(done.last_lines()):
                raise CannotMeasureError("the disk is full", where=Where(path.parent), hint=MAKE_ROOM)
            if done.exit != 0 or not (folder / package.wheel).exists():
                raise PackageError(
                    f"the package {package} could not be downloaded",
                    where=package.where,
                    evidence=done.last_lines(),
                    hint=f"check the network, or put {package.wheel} into {path.parent}",
                )
            (folder / package.wheel).replace(path)
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != package.sha256:
        raise PackageError(
            f"{path} is not the pinned file of {package}",
            where=package.where,
            evidence=f"pinned {package.sha256}\nfound  {found}",
            hint=command("rm", path),
        )
    return path
