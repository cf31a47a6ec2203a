"""Commands and instructions in code spans: which are taken for one, and which text has them."""

from __future__ import annotations

import pytest

from proof.pages.lint.commands import contains, is_command


@pytest.mark.parametrize(
    "code",
    [
        *("COPY --chmod=0644 company.crt /etc/ssl/certs/", "COPY . .", "USER nobody", "FROM golang", "RUN apk add git"),
        *("docker run example", "docker build --pull .", "docker image ls example", "docker builder prune x"),
        *("go mod download x", "go build ./...", "apk add tzdata", "chmod a+r company.crt", "docker run … sh"),
    ],
)
def test_a_command(code: str) -> None:
    """It has something that it works on."""
    assert is_command(code)


@pytest.mark.parametrize(
    "code",
    [
        *(
            "COPY",
            "RUN",
            "docker",
            "go build",
            "docker image ls",
            "go mod tidy",
            "docker run --init",
            "df -i",
            "go vet -v",
        ),
        *("COPY --link", "docker run …", "", "…", "from here", "hello world", "exec format error", "x509: unknown"),
    ],
)
def test_no_command(code: str) -> None:
    """A name, with or without an option, and any other text."""
    assert not is_command(code)


@pytest.mark.parametrize(
    ("code", "text", "has"),
    [
        ("COPY . .", "FROM a\nCOPY . .\n", True),
        ("COPY --from=a /x /y", "COPY --from=a \\\n    /x /y", True),  # continued
        ("go build .", "RUN CGO_ENABLED=0 go build -trimpath -o /app .", True),  # with more
        ("go build ./x", 'sh -c "go build ./x"', True),
        ("RUN head … > /x", "RUN head -c 5 /dev/zero > /x", True),
        ("docker run example sh", "docker run example\nsh", False),  # on two lines
        ("docker run sh example", "docker run example sh", False),  # in another order
        ("COPY --chmod=0644 a /b/", "COPY a /b/", False),
        ("go build .", "go build ./x", False),
        ("COPY . .", "COPY .", False),
    ],
)
def test_a_text_with_a_command(code: str, text: str, *, has: bool) -> None:
    """A line has all its words, in their order."""
    assert contains(code, text) == has
