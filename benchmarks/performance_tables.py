"""The tables of the pages under ``docs/explanation``: of each result, the rows that a reader needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Result: TypeAlias = "Mapping[str, Any]"  # what the JSON of a benchmark holds
_WHOLE_FROM = 100  # numbers from here on are written without decimals
_NONE = "-"
_MATCH = "match "  # begins the names of figures by match


@dataclass(frozen=True, slots=True)
class Table:
    """A Markdown table; the first column is what the others are of."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]

    @property
    def markdown(self) -> str:
        """As it stands on a page."""
        rule = ["---", *["---:"] * (len(self.columns) - 1)]
        return "\n".join(f"| {' | '.join(row)} |" for row in (self.columns, rule, *self.rows))


def indexing(result: Result) -> Table:
    """Photos a second, the tutorials' and ours."""
    tutorial, batches = (_median(result, f"index: {who}") for who in ("tutorial", "tutorial in batches of 32"))
    rows = [
        ("the tutorials' pipeline: Keras ResNet50, `predict` photo by photo", tutorial, None, None),
        ("the same in batches of 32", batches, None, None),
    ]
    for network, name in (("resnet50-max", "ResNet50"), ("mobilenet_v2", "MobileNetV2")):
        ours, alone = (_median(result, f"{what} {network}") for what in ("index: sartor", "network alone:"))
        gflop = _median(result, f"arithmetic: {network}")
        same = "the same " if name == "ResNet50" else ""
        whole = f"Sartor with {same}{name}; decoding, storing, indexing and thumbnails included"
        rows += [
            (whole, ours, ours / alone, ours * gflop),
            (f"that {name} alone, without photos", alone, 1.0, alone * gflop),
        ]
        if name == "ResNet50":
            rows.append(
                (
                    "what 20 times the tutorial would be",
                    20 * tutorial,
                    20 * tutorial / alone,
                    20 * tutorial * gflop,
                )
            )
    return Table(
        ("", "photos/s", "beside the tutorial", "of the network alone", "GFLOP/s"),
        [
            (what, number(rate), f"{number(rate / tutorial)} times", percent(share), number(flops))
            for what, rate, share, flops in rows
        ],
    )


def query(result: Result) -> Table:
    """Milliseconds of a query by photo, the tutorials' and ours."""
    names = {
        "tutorial": "the tutorials' pipeline",
        "sartor resnet50-max": "Sartor with ResNet50",
        "sartor mobilenet_v2": "Sartor with MobileNetV2",
    }
    rows = [(label, result["figures"][f"query: {name}"]) for name, label in names.items()]
    return Table(
        (f"a photo, in a catalog of {result['options']['catalog']:,}", "median ms", "p95 ms"),
        [(label, number(1000 * each["median"]), number(1000 * each["p95"])) for label, each in rows],
    )


def recommendation_latency(result: Result) -> Table:
    """Milliseconds of a whole recommendation."""
    return Table(
        (f"a photo, in a catalog of {result['options']['products']:,}", "median ms", "p95 ms"),
        _medians_and_p95s(result),
    )


def dials(result: Result) -> Table:
    """Agreement of the hits with the query by the dials."""
    whats = ("articleType", "gender", "color", "all three", "color family", "closeness of colors", "diversity")
    settings = _distinct(name.partition(": ")[0] for name in result["figures"] if not name.startswith(_MATCH))
    return Table(
        ("dials", *whats),
        [(name, *(f"{_median(result, f'{name}: {what}'):.3f}" for what in whats)) for name in settings],
    )


def match(result: Result) -> Table:
    """How many of the hits agree with the query, by their match."""
    bins = _distinct(name.partition(": ")[0] for name in result["figures"] if name.startswith(_MATCH))
    return Table(
        ("match", *(name.removeprefix(_MATCH) for name in bins)),
        [
            ("hits", *(f"{_median(result, f'{name}: hits'):,.0f}" for name in bins)),
            ("said", *(percent(_median(result, f"{name}: said")) for name in bins)),
            (
                "of the query's type and family of color",
                *(percent(_median(result, f"{name}: agree")) for name in bins),
            ),
        ],
    )


def answers(result: Result) -> Table:
    """Five hits by match beside five by score, for each kind of photo."""
    figures = result["figures"]
    rows = []
    for kind in _distinct(name.partition(": ")[0] for name in figures if not name.startswith(_MATCH)):
        whats = _distinct(name.split(": ", 2)[2] for name in figures if name.startswith(f"{kind}: by match: "))
        for what in whats:
            both = (figures[f"{kind}: {order}: {what}"]["median"] for order in ("by score", "by match"))
            rows.append((f"{kind}: {what}", *(f"{each:.3f}" for each in both)))
    return Table(("", "by score, as before", "by match"), rows)


def runtimes(result: Result) -> Table:
    """Networks by runtime and precision."""
    starts = _distinct(name.rpartition(": ")[0] for name in result["figures"])
    return Table(
        ("network: runtime", "photos/s in batches", "ms for one photo", "least cosine with OpenVINO f32"),
        [
            (
                start,
                number(_median(result, f"{start}: batches")),
                number(_median(result, f"{start}: one photo")),
                f"{_median(result, f'{start}: agreement'):.4f}",
            )
            for start in starts
        ],
    )


def decoding(result: Result) -> Table:
    """Photos a second by photos and decoder."""
    return Table(("photos: decoder", "photos/s", "slow end, p95"), _medians_and_p95s(result))


def engines(result: Result) -> Table:
    """What an index costs, and queries without a filter by engine."""
    recalls = ("0.95", "0.99", "1")
    columns = (
        "products: engine",
        "build s",
        "memory MB",
        "disk MB",
        *(f"ms at recall {each}" for each in recalls),
    )
    return Table(
        columns,
        [
            (
                start.replace(" products", ""),
                *(_cell(result, f"{start}: {what}") for what in ("build", "memory of searching", "disk")),
                *(_cell(result, _query_of(start, "every product", f"recall {recall}")) for recall in recalls),
            )
            for start in _engine_starts(result)
        ],
    )


def filtered_engines(result: Result) -> Table:
    """Queries behind a filter by engine."""
    filters = ("50 % pass", "10 % pass", "1 % pass")
    return Table(
        ("products: engine", *(f"ms, {name}" for name in filters)),
        [
            (
                start.replace(" products", ""),
                *(_cell(result, _query_of(start, name, "recall 0.99")) for name in filters),
            )
            for start in _engine_starts(result)
        ],
    )


def large_index(result: Result) -> Table:
    """Queries of Sartor's index by how many products pass: at the setting that just reaches 0.95, and as it is."""
    (size,) = result["options"]["sizes"]
    whats = ("recall 0.95", "as it is")
    rows = []
    for passing in ("every product", "50 % pass", "10 % pass", "1 % pass"):
        found = [result["figures"][f"{size:,} products, {passing}: sartor: {what}"] for what in whats]
        recall = _median(result, f"{size:,} products, {passing}: sartor: as it is, recall")
        times = [number(each[which]) for each in found for which in ("median", "p95")]
        rows.append((passing, *times, f"{recall:.3f}"))
    columns = ("median ms at recall 0.95", "p95 ms", "median ms as it is", "p95 ms", "recall as it is")
    return Table((f"of {size:,} products", *columns), rows)


def for_you(result: Result) -> Table:
    """What a feed costs with a full store."""
    options = result["options"]
    return Table(
        (f"{options['people']:,} people, {options['events']:,} events", "median", "p95"),
        _with_units(result),
    )


def event_load(result: Result) -> Table:
    """How many events come in."""
    return Table((f"{result['options']['clients']} clients", "median", "p95"), _with_units(result))


def growth(result: Result) -> Table:
    """What a product and a query cost by the size of the catalog."""
    whats = ("store", "index", "graph", "query", "query, a tenth passes", "memory of filling", "disk")
    units = {"memory of filling": "MB", "disk": "MB", "query": "ms", "query, a tenth passes": "ms"}
    columns = ("products", *(f"{what}, {units.get(what, 'ms a product')}" for what in whats))
    sizes = result["options"]["sizes"]
    rows = [(f"{size:,}", *(_cell(result, f"{size:,} products: {what}") for what in whats)) for size in sizes]
    return Table(columns, rows)


def ingest_scale(result: Result) -> Table:
    """Time, rate and memory of ``sartor index``, the first time and again."""
    whats = ("time", "rate", "peak memory")
    runs = [name.removesuffix(": time") for name in result["figures"] if name.endswith(": time")]
    return Table(
        ("`sartor index`", "s", "photos/s", "peak memory, GB"),
        [(run, *(_cell(result, f"{run}: {what}") for what in whats)) for run in runs],
    )


def feed_scale(result: Result) -> Table:
    """Time and memory of reading a feed beside pandas, and of indexing it with its photos known."""
    whats = ("time", "processor time", "peak memory")
    runs = [name.removesuffix(": time") for name in result["figures"] if name.endswith(": time")]
    rows = [(run, *(_cell(result, f"{run}: {what}") for what in whats)) for run in runs]
    return Table(("a feed of", "s", "processor s", "peak memory, GB"), rows)


def startup(result: Result) -> Table:
    """Milliseconds until a command or an import is there."""
    figures = result["figures"].items()
    rows = [(f"`{name}`", number(1000 * each["median"]), number(1000 * each["p95"])) for name, each in figures]
    return Table(("", "median ms", "p95 ms"), rows)


# By what stands in a marker: the benchmark, and after a comma which of its tables.
TABLES: Mapping[str, Callable[[Result], Table]] = {
    "tutorial_pipeline, indexing": indexing,
    "tutorial_pipeline, query": query,
    "recommendation_latency": recommendation_latency,
    "recommendations, dials": dials,
    "recommendations, match": match,
    "answers": answers,
    "runtimes": runtimes,
    "decoding": decoding,
    "index_engines": engines,
    "index_engines, filtered": filtered_engines,
    "index_engines_250000": engines,
    "index_engines_250000, filtered": filtered_engines,
    "index_engines_1000000": engines,
    "index_engines_1000000, filtered": filtered_engines,
    "index_engines_1000000, sartor": large_index,
    "growth": growth,
    "for_you": for_you,
    "event_load": event_load,
    "ingest_scale": ingest_scale,
    "feed_scale": feed_scale,
    "startup": startup,
}


def number(value: float | None) -> str:
    """Three digits, or all that stand before the point."""
    if value is None:
        return _NONE
    return f"{value:,.0f}" if abs(value) >= _WHOLE_FROM else f"{value:#.3g}".rstrip(".")


def percent(share: float | None) -> str:
    """In whole hundredths."""
    return _NONE if share is None else f"{share:.0%}".replace("%", " %")


def _median(result: Result, name: str) -> float:
    return float(result["figures"][name]["median"])


def _cell(result: Result, name: str) -> str:
    return number(_median(result, name)) if name in result["figures"] else _NONE


def _medians_and_p95s(result: Result) -> list[tuple[str, str, str]]:
    return [(name, number(each["median"]), number(each["p95"])) for name, each in result["figures"].items()]


def _with_units(result: Result) -> list[tuple[str, str, str]]:
    return [
        (name, f"{number(each['median'])} {each['unit']}", number(each["p95"]) if each["n"] > 1 else _NONE)
        for name, each in result["figures"].items()
    ]


def _distinct(names: Any) -> list[str]:
    return list(dict.fromkeys(names))


def _engine_starts(result: Result) -> list[str]:
    return [name.removesuffix(": build") for name in result["figures"] if name.endswith(": build")]


def _query_of(start: str, filter_name: str, what: str) -> str:
    products, _, engine = start.partition(": ")
    return f"{products}, {filter_name}: {engine}: {what}"
