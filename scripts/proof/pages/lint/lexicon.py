"""The words of English that the grammar of quantities knows: `proof.pages.lint.quantities`."""

from __future__ import annotations

import re
from typing import Literal

from proof.facts import phrases

Kind = Literal[
    "number",
    "count",
    "fraction",
    "multiple",
    "percent",
    "comparison",
    "superlative",
    "version",
    "exit code",
    "id",
    "port",
    "duration",
]
Bound = Literal["", "about", "above", "below", "at least", "at most"]  # exactly 2, about 2, more than 2, …


def words(text: str) -> frozenset[str]:
    """The words of a text, which are separated by blanks."""
    return frozenset(text.split())


LABELS = ("version", "exit code", "id", "port")  # kinds of numbers that name something

SMALL = [*phrases.NUMBERS, *"thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()]
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
ORDERS = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "dozen": 12}
NUMBERS = {word: number for number, word in enumerate(SMALL)} | {word: 20 + 10 * n for n, word in enumerate(TENS)}
PARTS = {
    "half": 2, "halves": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8,
    "ninth": 9, "tenth": 10, "twentieth": 20, "hundredth": 100, "thousandth": 1000, "millionth": 10**6,
}  # fmt: skip
GLYPHS = {
    "½": 1 / 2,
    "⅓": 1 / 3,
    "⅔": 2 / 3,
    "¼": 1 / 4,
    "¾": 3 / 4,
    "⅕": 1 / 5,
    "⅖": 2 / 5,
    "⅗": 3 / 5,
    "⅘": 4 / 5,
    "⅛": 1 / 8,
}


BYTES = words(
    "b kb mb gb tb kib mib gib tib byte bytes kilobyte kilobytes megabyte megabytes gigabyte gigabytes terabyte "
    "terabytes kibibyte kibibytes mebibyte mebibytes gibibyte gibibytes bit bits kilobit kilobits megabit megabits "
    "gigabit gigabits kbit mbit gbit kbps mbps gbps hz khz mhz ghz"
)
TIMES = words(
    "ns µs us ms s sec secs second seconds min mins minute minutes h hr hrs hour hours day days week weeks month "
    "months year years nanosecond nanoseconds microsecond microseconds millisecond milliseconds fortnight decade "
    "decades"
)
WHOLE_TIMES = words("second minute hour day week month year fortnight decade millisecond moment")
PERCENT = words("% ‰ percent")
VAGUE = words("few several couple many some")
# What a number after these names is: a kind that has to be proved, or None.
NUMBERED: dict[str, Kind | None] = {
    **dict.fromkeys(words("port ports"), "port"),
    **dict.fromkeys(words("code codes status exit exits exited returns returned"), "exit code"),
    **dict.fromkeys(words("user users uid uids gid gids group groups id ids"), "id"),
    **dict.fromkeys(words("version versions release releases"), "version"),
    **dict.fromkeys(
        words(
            "rfc iso iec ieee pep cve ghsa issue section sections chapter chapters step steps figure figures fig table "
            "tables "
            "line lines page pages part parts appendix note item point rule edition round row rows column columns "
            "question "
            "option article annex clause example exercise listing slide volume level signal error http case variant "
            "mode"
        )
    ),
}
VERBS_OF_EXIT = words("exits exited returns returned")
BETWEEN = words("with of number no . # : = , as is was and to the a * _ (")
BEFORE_WORD = words("of number * _ with")
PRODUCTS = words(
    "go docker alpine debian ubuntu fedora podman buildkit buildx buildah containerd runc linux git kubernetes node "
    "python rust java engine compose musl glibc busybox openssl macos windows distroless"
)
PROTOCOLS = words("tls ssl http oci cgroup cgroups ipv4 ipv6 posix")
MONTHS = words(
    "january february march april may june july august september october november december jan feb mar apr jun jul "
    "aug sep sept oct nov dec spring summer autumn winter"
)
PLURAL_ORDERS = words("hundreds thousands millions billions dozens tens scores")
ONLY = words("only just exactly but precisely")
STATES = words("is are was were only exactly than about nearly almost roughly precisely just totals total")
COUNTED = words("come comes came belong belongs remain remains are from")  # after a number that is a count
LASTS = words("take takes took taken cost costs within last lasts lasted almost nearly about over under than for after")
ALL = words("all every everything everyone nothing none no")
AS_POSSIBLE = words("you possible we they one needed necessary usual can before it ever always")
AFTER_PART = words(
    "of as less more off smaller larger faster slower longer shorter fewer that its what the . , ; ) :"
) | {""}
MULTIPLES = {
    **dict.fromkeys(words("twice double doubles doubled doubling"), 2),
    **dict.fromkeys(words("thrice triple triples tripled treble trebles trebled"), 3),
    **dict.fromkeys(words("quadruple quadruples quadrupled"), 4),
}
MATTER = words("space disk memory bandwidth traffic work cpu storage ram")
DETERMINERS = words("a an the no any some this that these those its their our your")
BOUNDS: dict[str, Bound] = {
    **dict.fromkeys(("about", "around", "roughly", "nearly", "almost", "some", "approximately", "close to"), "about"),
    **dict.fromkeys(("more than", "over", "above"), "above"),
    **dict.fromkeys(("less than", "fewer than", "under", "below"), "below"),
    **dict.fromkeys(("at least", "no less", "no fewer", "minimum of"), "at least"),
    **dict.fromkeys(("at most", "up to", "no more", "maximum of"), "at most"),
}
SIZES = words("size sizes weight length duration speed number amount")
GROWS = words("grows grew grown")

# A noun phrase ends before these.
STOP = words(
    "a an the of to in on at by for from with without and or but nor as than that which who whose when where while "
    "if is are was were be been being has have had do does did can could may might will would shall should must not "
    "no it its they their them this these those we you he she i our your his her so because since until after "
    "before into onto out off over under up down per each every all both then there here how why what whether only "
    "just even still also too very again once twice always never ever often this's says said makes made gives give "
    "takes take needs needed need uses use used contains contain consists consist comes come belongs belong weighs "
    "costs holds hold remains lies stays prints runs"
)
SINGULAR_S = re.compile(r"(?:ss|us|is|'s|’s|ous|ics)$")
IRREGULAR = words("people children men women feet data media vertices indices criteria")
# Plurals that name parts of the text, not things that could be counted in an image.
OF_THE_TEXT = words(
    "digits decimals spaces dots arguments names ways reasons things questions kinds sorts types points cases "
    "options choices examples rules answers advantages "
    "disadvantages drawbacks sides ideas exceptions hands sections paragraphs sentences facts details properties "
    "conditions meanings senses purposes approaches remedies solutions birds words problems mistakes traps worlds "
    "respects pieces builds instructions commands lines places machines platforms readers thoughts minds views "
    "lessons promises goals aims columns rows pages tabs counts differences"
)
DEFINITE = words("the these those our your its their my his her other same first last next all both such these every")
DIMENSIONS = words(
    "size sizes length lengths weight time times speed number amount duration memory space height depth count "
    "counts width volume rate rates bandwidth throughput latency traffic bytes megabytes digest cost"
)
COMPARATIVES = words(
    "smaller larger bigger greater heavier lighter faster slower quicker sooner shorter longer fewer less more "
    "higher lower slimmer thinner leaner fatter tinier"
)
# Without "than", these often mean something else: "no longer", "a higher risk", "more secure".
NEEDS_THAN = words("more less longer higher lower greater sooner lighter deeper")
SUPERLATIVES = words(
    "smallest largest biggest heaviest lightest fastest slowest quickest shortest longest fewest highest lowest "
    "greatest tiniest leanest slimmest"
)
ABSTRACT = words(
    "mistake mistakes change changes challenge advantage advantages benefit problem question reason difference prefix"
)
EQUAL = words(
    "large big small heavy light fast slow quick short long many much few little high low tall slowly quickly"
)
STRONG_CHANGE = words(
    "shrinks shrank shrunk shrinking halves halved halving dwarfs dwarfed outweighs outweighed exceeds exceeded "
    "outgrows outgrew enlarges enlarged bloats bloated"
)
CHANGE = words(
    "grows grew grown rises rose risen falls fell fallen drops dropped increases increased decreases decreased "
    "reduces reduced cuts lowers lowered raises raised shortens shortened lengthens lengthened saves saved trims "
    "trimmed shaves shaved slows slowed speeds sped climbs climbed doubles trebles varies varied differs differed"
)
MODAL = words("may might could should would shall can must cannot")
FINITE = words("is are was were has have had gets got became becomes")
BEFORE_TO = words(
    "compared thanks due moved switched next close according up equal relative"
)  # then "to" makes no purpose
SUPPOSES = words(
    "if unless whether suppose supposing imagine assume assuming should wherever whenever whichever whoever"
)
ADVISES = words(
    "use choose pick prefer keep make look compare check measure find want wants try avoid let consider ask see "
    "think expect run build give take set add remove put move copy start do decide know"
)

# Phrases that mean no quantity, by what they are about. A final * stands for any ending.
IDIOMS: dict[str, str] = {
    "one, first and last": (
        "one of, no one, one by one, one at a time, step by step, at once, once, once more, the one, this one, "
        "that one, which one, a new one, one another, one or the other, one thing, one hand, one side, one day, "
        "one-way, one-off, first of all, at first, at last, the first time, the second time, last minute, "
        "last-minute, eleventh hour, split second, second nature, second-hand, second thoughts, third party, "
        "third-party, third parties, fifth column, at least one of"
    ),
    "stages": (
        "one stage, a single stage, two stages, one-stage, two-stage, three-stage, single-stage, multi-stage, "
        "more than one"
    ),
    "half, double, twice, zero": (
        "half-open, half-hearted, half-baked, better half, in the first half, half the battle, half the fun, "
        "double quote*, double-quote*, double-check*, double-click*, double negative*, double dash*, double "
        "colon*, double as, doubles as, think twice, once or twice, zero-day, zero-days, zero value, zero trust, "
        "from zero, ground zero"
    ),
    "more and less": (
        "more or less, more and more, less and less, more often than not, more than enough, nothing more than, "
        "nothing less than, no more than that, rather than, other than, sooner or later, no sooner, what is more, "
        "all the more, the more so, more to, any more, no longer, any longer, much less, the lesser, to a lesser "
        "extent, the larger question, the bigger picture, greater good, lower case, upper case, longer-term"
    ),
    "least and most": (
        "at least in principle, at least in theory, at most a, at the most a, most likely, most probably, most "
        "recent, most recently, most important*, most common*, most often, most famous, make the most of, most "
        "people, most readers, most of the time"
    ),
    "as … as, same": (
        "as long as, so long as, as soon as, as far as, as well as, as good as, just as well, as much as "
        "possible, as little as possible, as small as possible, as many as needed, as few as possible, by far, at "
        "the same time, all the same, just the same, in the same way"
    ),
    "sayings": (
        "two birds, two sides of, two minds, up to date, up-to-date, up to you, 24 hours a day, for the hundredth "
        "time, a thousand words, on the order of, a matter of minutes"
    ),
}
