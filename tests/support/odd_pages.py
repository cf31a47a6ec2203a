"""Makes up pages: allowed elements in malformed shapes, hostile ones, and mutations of tests/data/corpus/markup.toml.

Each is made from a seed and its number alone, so it can be repeated.
"""

import json
import random
import re
import tomllib
from collections.abc import Callable

from tests.support.helpers import REPOSITORY

CORPUS: dict[str, list[str]] = tomllib.loads((REPOSITORY / "tests/data/corpus/markup.toml").read_text("utf-8"))
VECTORS = [vector for vectors in CORPUS.values() for vector in vectors]

_ALLOWED = (
    "article aside div footer header main nav section h1 h2 h3 h4 h5 h6 p ol ul li dl dt dd blockquote figure "
    "figcaption details summary table caption colgroup thead tbody tfoot tr th td a abbr b cite code data del dfn em i "
    "ins kbd mark pre q s samp small span strong sub sup time u var button form label option output select svg g title "
    "desc circle ellipse line path polygon polyline rect text tspan"
).split()
_TABLE = "table caption colgroup col thead tbody tfoot tr th td".split()
_FORMATTING = "a b code em i s small strong u".split()
_SVG = "svg g title desc text tspan path a".split()
_VOID = "br hr wbr img input col".split()
_DROPPED = "html head body frame".split()  # a start tag that a parser drops where it is, or takes attributes from
_FORBIDDEN = (
    "script style iframe object embed template noscript textarea xmp noembed noframes plaintext listing frameset frame "
    "isindex image math mi mtext mglyph malignmark annotation-xml foreignObject animate set use font nobr ruby rt rp "
    "optgroup base link meta keygen selectedcontent marquee applet area map video source dialog slot x-y center menu"
).split()
_ATTRIBUTES = "alt class colspan datetime dir height href id lang name role start title type value width x y".split()
_FORBIDDEN_ATTRIBUTES = (
    "onerror onload onclick onfocus ontoggle style action formaction srcset srcdoc ping background xlink:href "
    "http-equiv encoding shadowrootmode color face size is slot nonce integrity"
).split()
_VALUES = [
    *("x", "", "a b", "#x", "1", "hidden", "text/html", "https://example.com/", "mailto:a@b", "&", "a&b=c", "<", ">"),
    *("<b>", "</p>", "<!--", "-->", "`", "</title>", "]]>", "&quot;", "&#34;", "&lt;script&gt;", "&amp;lt;", "x y=z"),
    *("\u00a0", "&nbsp;", "\n", "\r\n", "&#10;", "&#13;", "\t", "\0", "\ufeff", "\u2028", "é", "\U0001f600", "/", "=x"),
]
_FORBIDDEN_VALUES = ["CANARY", "javascript:CANARY", "ELSEWHERE", "/canary.js", "data:text/html,<script>CANARY</script>"]
_TEXTS = [
    *("x", " ", "\n", "a b", "&amp;", "&lt;b&gt;", "&nbsp", "&notit;", "&#0;", "&#x80;", "&#xD800;", "&#13;", "&#10;"),
    *("\0", "\u00a0", "\u000b", "\u000c", "\r\n", "\r", "\u2028", "\ufeff", "\ufffe", "]]>", "-->", ">", "/>", '"'),
    *("<", "< ", "<>", "</", "</>", "</ x>", "<3", "<=", "&", "&#", "&#x;", "<!>", "<?>", "<!x>", "<?x?>", "</#>"),
]
_COMMENTS = [
    *("<!---->", "<!-->", "<!--->", "<!-- x -->", "<!--x--!>", "<!--x--x-->", "<!-- <!-- -->", "<!--<b>-->"),
    "<!--\0-->",
    *("<!-", "<!--x", "<!doctype html>", "<!DOCTYPE x SYSTEM 'y'>", "<?xml x?>", "<![CDATA[x]]>", "<![CDATA[<b>]]>"),
    *("<![CDATA[", "<![CDATA[]]]]>", "<!ELEMENT br EMPTY>"),
]
_BLANKS = [" ", " ", " ", "\n", "\t", "\f", "/", "  ", "\r\n", " / "]
_MISTAKEN_BLANKS = ["\u00a0", "\u2028", "\u000b", "\0", "\u3000", "\ufeff", "\u0085"]
_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="description" content="{description}">{head}</head>
<body><main><p title="{double}">1</p><p title='{single}'>2</p><p title={bare}>3</p>{body}<p>4</p></main></body></html>
"""
_PLACES = [*["body"] * 14, "double", "single", "bare", "title", "description", "head"]
# Where Markdown and front matter take a text, which {} stands for.
_CONTEXTS = [
    *("{}", "x {} y", "# {}", "{}\n===", "- {}\n- x", "1. x\n\n    {}", "> {}", "*{}* **{}** ~~{}~~", "    {}"),
    *("| a | b |\n|---|---|\n| {} | x |", "[{}](x)", "[x]({})", "[x](<{}>)", '[x](y "{}")', "[x](y '{}')"),
    *("![{}](a.png)", "![x]({})", '![x](a.png "{}")', "[x][y]\n\n[y]: {}", '[x][y]\n\n[y]: z "{}"', "[{}]: x\n\n[{}]"),
    *("<{}>", "<https://{}>", "`{}`", "``{}``", "```\n{}\n```", "``` {}\nx\n```", '``` go title="{}"\nx\n```'),
    *("``` { .go {} }\nx\n```", '``` go hl_lines="{}"\nx\n```', "# x {: {} }", '# x {: title="{}" }', "# x { #{} }"),
    *("x\n{: class='{}' }", "[x](y){: {} }", '!!! note "{}"\n    x', "!!! {}\n    x", '??? note "{}"\n    x'),
    *("&{};", "term\n:   {}", "{{ {} }}", "{{ claim: {} }}", "{{ waiver: {} }}\n\n    x", '--8<-- "{}"'),
    *("---\ntitle: {quoted}\n---\n# x", "---\ntitle: {quoted}\n---\nx", "---\ndescription: {quoted}\n---\n# x"),
    *("---\ntags: [x, {quoted}]\ndate: 2026-01-01\n---\n# x", "---\nauthor: {quoted}\n---\n# x"),
    *("---\ndate: {quoted}\n---\n# x", "---\n{}\n---\n# x", "---\nhide: [{quoted}]\n---\n# x", "title: {}\n\n# x"),
]
# What Markdown reads as its own, and what it puts in place of a part that is finished.
_MARKS = [
    *("`", "``", "*", "**", "_", "[", "]", "](", "][", "](x", "!", "\\", "\\<", "{: ", "}", "{: #x }", "|", "\n\n"),
    *("\n", "    ", "# ", "> ", "- ", "1. ", "```\n", "~~~\n", "\n===\n", "[x]: ", "\t", "  \n", "{{ ", " }}"),
    *("!!! note\n    ", ": ", "<!-- x -->", "&lt;", "&amp;lt;", "&quot;", "&#60;", "<https://", "<a@b>", "---\n"),
    *("...\n", "'", '"', "$", "~~", "^^", "==", "--", "\\\n", "*[x]: ", "[^1]", "\n[^1]: ", "\x02", "\x03"),
    "wzxhzdk:0",
    *("\x02wzxhzdk:0\x03", "\x02klzzwxh:0000\x03", "\x02amp\x03", "&#2;wzxhzdk:0&#3;"),
]
_STRAY_ENDS = [*_ALLOWED, *_VOID, *_DROPPED, "script", "template", "math", "style", "textarea"]


def page(seed: int, number: int) -> str:
    """An HTML page with something odd at one place."""
    return filled(**{random.Random(f"page {seed} {number}").choice(_PLACES): _html(seed, number)})


def filled(**texts: str) -> str:
    """An HTML page with these texts at these places."""
    return re.sub(r"\{(\w+)\}", lambda place: texts.get(place[1], ""), _PAGE)


def markdown(seed: int, number: int) -> str:
    """A page in Markdown with something odd at one place."""
    dice = random.Random(f"markdown {seed} {number}")
    text = _html(seed, number)
    for mark in dice.choices(_MARKS, k=dice.choice([0, 0, 1, 2, 4])):
        at = dice.randint(0, len(text))
        text = text[:at] + mark + text[at:]
    if dice.random() < 0.5:  # what stands there often has to be one line
        text = " ".join(text.split())
    return dice.choice(_CONTEXTS).replace("{}", text).replace("{quoted}", json.dumps(text))


def with_canaries(text: str, elsewhere: str) -> str:
    """A text with a script and an address that are noticed in place of CANARY and ELSEWHERE."""
    return text.replace("CANARY", "canary()").replace("ELSEWHERE", elsewhere)


def _html(seed: int, number: int) -> str:
    """Of ten, six have only allowed elements, two may have any, and two are mutated vectors."""
    dice = random.Random(f"{seed}/{number}")
    kind = number % 10
    return _Soup(dice, hostile=kind >= 6).text() if kind < 8 else _mutated(dice)


class _Soup:
    """Tags, texts and comments in an order that no author would choose."""

    def __init__(self, dice: random.Random, *, hostile: bool) -> None:
        self._dice, self._hostile = dice, hostile
        self._open: list[str] = []
        # Most inputs are about one thing, so that their elements meet each other.
        self._names = dice.choice([_ALLOWED, _ALLOWED, _TABLE + _FORMATTING, _SVG + _FORMATTING, _TABLE + _SVG])
        self._odd = dice.random() < 0.3

    def text(self) -> str:
        """The whole input."""
        parts: list[Callable[[], str]] = [self._start, self._end, self._words, self._comment, self._rare]
        count = self._dice.choice([2, 3, 5, 8, 13, 30])
        return "".join(part() for part in self._dice.choices(parts, [40, 28, 25, 6, 1], k=count))

    def _start(self) -> str:
        dice = self._dice
        names = dice.choices([self._names, _VOID, _DROPPED, _FORBIDDEN], [40, 6, 1, 12 * self._hostile])[0]
        name = dice.choice(names)
        if names is self._names:
            self._open.append(name)
        if dice.random() < 0.1:
            name = name.upper() if dice.random() < 0.5 else name.title()
        if self._hostile and dice.random() < 0.03:
            name += dice.choice(_MISTAKEN_BLANKS)
        count = dice.choices([0, 1, 2, 4], [60, 25, 12, 3])[0]
        attributes = "".join(dice.choice(_BLANKS) + self._attribute() for _ in range(count))
        return f"<{name}{attributes}{dice.choices(['>', ' >', '/>', ''], [80, 5, 10, 1])[0]}"

    def _attribute(self) -> str:
        dice = self._dice
        name = dice.choice(_FORBIDDEN_ATTRIBUTES if self._hostile and dice.random() < 0.3 else _ATTRIBUTES)
        if dice.random() < 0.1:
            name = name.upper()
        if dice.random() < 0.1:
            return name
        values = _FORBIDDEN_VALUES if self._hostile and dice.random() < 0.3 else _VALUES
        value = "".join(dice.choices(values, k=dice.choice([1, 1, 2, 3])))
        quote = dice.choices(['"', "'", ""], [50, 30, 20])[0]
        if quote or not self._odd:
            quote = quote or '"'
            value = value.replace(quote, "")
        equals = "="
        if self._odd:
            equals = dice.choice(["=", " = ", "=\n", "\t=", *(["=" + dice.choice(_MISTAKEN_BLANKS)])])
        return f"{name}{equals}{quote}{value}{quote}"

    def _end(self) -> str:
        dice = self._dice
        if self._open and dice.random() < 0.75:
            # Mostly the last: else one that was opened before, and what is in it stays open.
            name = self._open.pop(-1 if dice.random() < 0.6 else dice.randrange(len(self._open)))
        else:
            name = dice.choice([*self._names, *_STRAY_ENDS])
        return f"</{name}{dice.choices(['>', ' >', ' x=y>', '/>'], [90, 4, 3, 3])[0]}"

    def _words(self) -> str:
        return "".join(self._dice.choices(["x", "y z ", *_TEXTS], k=self._dice.choice([1, 1, 2, 4])))

    def _comment(self) -> str:
        return self._dice.choice(_COMMENTS)

    def _rare(self) -> str:
        """Something deep or long. Of some depth on, browsers make siblings of what is nested."""
        dice = self._dice
        deep = [f"<{dice.choice(self._names)}>", "<b>", "<div><p>", "<svg><g>", "<table><tr><td>", "<ul><li>"]
        return dice.choice(
            [
                dice.choice(deep) * dice.choice([20, 260, 600]),
                dice.choice(_TEXTS) * dice.choice([4_000, 33_000, 70_000]),
                f"<p title='{dice.choice(_VALUES) * 5000}'>".replace("'", '"'),
                "".join(f"<p id={number} class=x>" for number in range(500)),
            ]
        )


def _mutated(dice: random.Random) -> str:
    """A vector of which pieces are taken out, doubled, swapped, or replaced by those of another."""
    pieces = _pieces(dice.choice(VECTORS))
    for _ in range(dice.choice([0, 1, 1, 2, 3, 5])):
        at = dice.randrange(len(pieces) + 1)
        match dice.randrange(6):
            case 0:
                del pieces[at : at + dice.randint(1, 3)]
            case 1:
                pieces[at:at] = pieces[at : at + dice.randint(1, 4)]
            case 2 if len(pieces) > 1:
                one, other = dice.sample(range(len(pieces)), 2)
                pieces[one], pieces[other] = pieces[other], pieces[one]
            case 3:
                others = _pieces(dice.choice(VECTORS))
                start = dice.randrange(len(others))
                pieces[at:at] = others[start : start + dice.randint(1, 5)]
            case 4:
                pieces[at : at + 1] = [dice.choice([*_TEXTS, *_COMMENTS, *_MISTAKEN_BLANKS, *"\"'=/<>"])]
            case _:
                pieces.insert(at, f"<{dice.choice(['', '/'])}{dice.choice([*_ALLOWED, *_FORBIDDEN])}>")
        pieces = pieces or ["<p>"]
    return "".join(pieces)


def _pieces(text: str) -> list[str]:
    """A text in parts that a parser may see together."""
    return re.findall(r"<[!/?]?[\w-]*|[\w:.#-]+|\s+|.", text, re.DOTALL) or ["x"]
