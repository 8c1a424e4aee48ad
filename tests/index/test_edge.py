from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import qdrant_edge as qdrant
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sartor.index.edge import EdgeIndex, SearchLimits
from sartor.types import AnyOf, Between, FacetValue, IndexEntry, Metric, Where
from tests.fakes import unit

DIMENSION = 16
Open = Callable[[], EdgeIndex]


@pytest.fixture(params=list(Metric))
def metric(request: pytest.FixtureRequest) -> Metric:
    return request.param


@pytest.fixture
def index(tmp_path: Path, metric: Metric) -> Iterator[EdgeIndex]:
    with EdgeIndex(tmp_path / "index", model="m", dimension=DIMENSION, metric=metric) as index:
        yield index


def vectors(count: int, *, seed: int = 0) -> np.ndarray:
    made = np.random.default_rng(seed).normal(size=(count, DIMENSION)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def entry(product_id: str, vector: np.ndarray, photo: int = 0, **attributes: object) -> IndexEntry:
    return IndexEntry(product_id=product_id, sha256=f"{photo:064x}", vector=vector, attributes=attributes)


def fill(index: EdgeIndex, made: np.ndarray) -> None:
    entries = [entry(f"p{row}", vector, row) for row, vector in enumerate(made)]
    index.replace([one.product_id for one in entries], entries, revision=1)


def expected_scores(metric: Metric, made: np.ndarray, query: np.ndarray) -> np.ndarray:
    if metric is Metric.COSINE:
        return made @ query
    return -np.linalg.norm(made - query, axis=1)


def test_search_finds_what_brute_force_finds(index: EdgeIndex, metric: Metric) -> None:
    made = vectors(300)
    fill(index, made)
    for query in vectors(20, seed=1):
        scores = expected_scores(metric, made, query)
        found = index.search(query, k=10)
        assert [neighbor.product_id for neighbor in found] == [f"p{row}" for row in np.argsort(-scores)[:10]]
        assert np.allclose([neighbor.score for neighbor in found], np.sort(scores)[::-1][:10], atol=1e-5)


def test_approximate_search_agrees_with_exact_search(tmp_path: Path) -> None:
    # Qdrant builds its graph only over vectors of more than about 10 MB.
    never_exact = SearchLimits(exact_numbers=0)
    wide = vectors(8000) @ np.random.default_rng(3).normal(size=(DIMENSION, 512)).astype(np.float32)
    wide /= np.linalg.norm(wide, axis=1, keepdims=True)
    with EdgeIndex(tmp_path / "index", model="m", dimension=512, limits=never_exact) as index:
        fill(index, wide)
        assert index.optimize()
        overlaps = []
        for query in wide[:50]:
            near, exact = ({n.product_id for n in index.search(query, k=10, exact=way)} for way in (False, True))
            overlaps.append(len(near & exact) / 10)
    assert np.mean(overlaps) >= 0.95


@given(
    rows=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 10_000)), max_size=25, unique_by=lambda row: row[1]),
    k=st.integers(1, 30),
)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_hits_are_distinct_products_and_scores_never_rise(
    index: EdgeIndex, rows: list[tuple[int, int]], k: int
) -> None:
    index.clear()
    made = vectors(len(rows) + 1, seed=len(rows))
    index.replace(
        [], [entry(f"p{product}", made[i], photo) for i, (product, photo) in enumerate(rows)], revision=1
    )
    found = index.search(made[-1], k=k)
    products = {product for product, _ in rows}
    assert len(found) == min(k, len(products))
    assert len({neighbor.product_id for neighbor in found}) == len(found)
    scores = [neighbor.score for neighbor in found]
    assert scores == sorted(scores, reverse=True)


def test_a_product_is_found_by_its_closest_photo(index: EdgeIndex) -> None:
    first, second = vectors(2)
    index.replace([], [entry("a", first, 1), entry("a", second, 2)], revision=1)
    (found,) = index.search(second, k=5)
    assert found.sha256 == f"{2:064x}"


def test_a_photo_that_was_written_again_is_found_with_its_new_vector(index: EdgeIndex) -> None:
    made = vectors(3)
    fill(index, made)
    assert index.search(made[0], k=3)[0].vector == pytest.approx(made[0])
    index.replace(["p0"], [entry("p0", made[1], 0)], revision=2)

    by_id = {found.product_id: found.vector for found in index.search(made[0], k=3)}
    assert by_id["p0"] == pytest.approx(made[1])
    index.replace(["p0"], [], revision=3)
    assert "p0" not in {found.product_id for found in index.search(made[0], k=3)}


def test_answers_share_vectors_that_nobody_can_change(index: EdgeIndex) -> None:
    made = vectors(3)
    fill(index, made)
    with pytest.raises(ValueError, match="read-only"):
        index.search(made[0], k=1)[0].vector[0] = 0


@pytest.mark.parametrize("numbers", [0, DIMENSION])
def test_a_small_memory_changes_no_answer(tmp_path: Path, numbers: int) -> None:
    limits, made = SearchLimits(remembered_numbers=numbers), vectors(20)
    with EdgeIndex(tmp_path / "small", model="m", dimension=DIMENSION, limits=limits) as index:
        fill(index, made)
        for _ in range(2):
            assert index.search(made[4], k=3)[0].product_id == "p4"


def test_equals_are_ordered_by_id(index: EdgeIndex) -> None:
    (vector,) = vectors(1)
    for product_id in ("c", "a", "b"):
        index.replace([product_id], [entry(product_id, vector, 1)], revision=1)
    assert [neighbor.product_id for neighbor in index.search(vector, k=3)] == ["a", "b", "c"]


def test_scores_stay_in_the_range_of_the_metric(index: EdgeIndex, metric: Metric) -> None:
    made = vectors(50)
    fill(index, np.concatenate([made, -made]))
    for query in made:
        scores = [neighbor.score for neighbor in index.search(query, k=100)]
        low, high = (-1.0001, 1) if metric is Metric.COSINE else (-2.0001, 0)
        assert min(scores) >= low
        assert max(scores) <= high


WARDROBE = {
    "shirt": {"color": "Red", "price": "15.00 USD", "year": 2011, "sizes": ("S", "M"), "sale": True},
    "skirt": {"color": "Blue", "price": "25.00 USD", "year": 2012, "sizes": ("M", "L"), "sale": False},
    "shoe": {
        "color": "Navy Blue",
        "price": "GBP 80",
        "odd.name [x]": "yes",
        'quoted"name': "yes",
        "quoted'name": "no",
        "back\\slash": "yes",
    },
    "scarf": {},
}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (AnyOf(attribute="color", values=("Red",)), {"shirt"}),
        (AnyOf(attribute="color", values=("Red", "Blue")), {"shirt", "skirt"}),
        (AnyOf(attribute="color", values=("Green",)), set()),
        (AnyOf(attribute="nothing", values=("x",)), set()),
        (AnyOf(attribute="sizes", values=("M",)), {"shirt", "skirt"}),
        (AnyOf(attribute="year", values=("2011",)), {"shirt"}),
        (AnyOf(attribute="sale", values=("false",)), {"skirt"}),
        (AnyOf(attribute="odd.name [x]", values=("yes",)), {"shoe"}),
        (AnyOf(attribute='quoted"name', values=("yes",)), {"shoe"}),
        (AnyOf(attribute="quoted'name", values=("yes",)), set()),
        (AnyOf(attribute="back\\slash", values=("yes",)), {"shoe"}),
        (Between(attribute="price", low=15, high=25), {"shirt", "skirt"}),
        (Between(attribute="price", low=15.01), {"skirt", "shoe"}),
        (Between(attribute="price", high=20), {"shirt"}),
        (Between(attribute="color", low=0, high=1e9), set()),
        (Between(attribute="sale", low=0, high=1), set()),
    ],
)
@pytest.mark.parametrize("exact", [False, True])
def test_only_products_that_pass_the_filter_are_found(
    index: EdgeIndex, condition: AnyOf | Between, expected: set[str], exact: bool
) -> None:
    made = vectors(len(WARDROBE))
    index.replace([], [entry(name, made[i], i, **of) for i, (name, of) in enumerate(WARDROBE.items())], revision=1)
    found = index.search(made[0], k=10, where=Where((condition,)), exact=exact)
    assert {neighbor.product_id for neighbor in found} == expected


def test_all_conditions_have_to_hold(index: EdgeIndex) -> None:
    made = vectors(len(WARDROBE))
    index.replace([], [entry(name, made[i], i, **of) for i, (name, of) in enumerate(WARDROBE.items())], revision=1)
    both = Where((AnyOf(attribute="sizes", values=("M",)), Between(attribute="price", low=20)))
    assert [neighbor.product_id for neighbor in index.search(made[0], k=10, where=both)] == ["skirt"]


def test_products_can_be_left_out(index: EdgeIndex) -> None:
    made = vectors(10)
    fill(index, made)
    found = index.search(made[3], k=10, without=["p3", "p4"])
    assert {neighbor.product_id for neighbor in found} == {f"p{row}" for row in range(10)} - {"p3", "p4"}


def test_finding_is_searching_with_each_vector(index: EdgeIndex) -> None:
    made, queries = vectors(60), vectors(4, seed=5)
    fill(index, made)
    index.entries([f"p{row}" for row in range(20)])  # some are remembered, some are not
    for where, without in ((Where(), ()), (Where(), ("p3", "p4"))):
        searched = [index.search(query, k=9, where=where, without=without) for query in queries]
        expected = dict.fromkeys(neighbor.product_id for hits in searched for neighbor in hits)
        assert index.find(queries, k=9, where=where, without=without) == list(expected)
    assert index.find(queries[:0], k=9) == []


def test_what_is_found_follows_every_write(tmp_path: Path, metric: Metric) -> None:
    made, few = vectors(8), SearchLimits(remembered_products=3)
    with EdgeIndex(tmp_path / "i", model="m", dimension=DIMENSION, metric=metric, limits=few) as index:
        fill(index, made)
        assert index.find(made, k=1) == [f"p{row}" for row in range(8)]
        index.replace(["p2"], [], revision=1)
        index.replace(["new"], [entry("new", made[2], 2, gender="Women")], revision=1)
        assert index.find(made[2:3], k=1) == ["new"]
        assert index.find(made, k=8, where=Where((AnyOf(attribute="gender", values=("Women",)),))) == ["new"]


def test_replacing_a_product_leaves_nothing_of_it(index: EdgeIndex) -> None:
    made = vectors(3)
    index.replace(["a"], [entry("a", made[0], 0, color="Red"), entry("a", made[1], 1)], revision=1)
    index.replace(["a"], [entry("a", made[2], 2)], revision=1)
    assert index.entry_keys() == {("a", f"{2:064x}")}
    index.replace(["a"], [], revision=1)
    assert len(index) == 0


def test_facets_count_products_that_pass_and_follow_every_write(index: EdgeIndex) -> None:
    made = vectors(3)
    index.replace(
        ("a", "b"), [entry("a", made[0], 0, color="Red"), entry("b", made[1], 1, color="Blue")], revision=1
    )
    red = Where((AnyOf(attribute="color", values=("Red",)),))

    for _ in range(2):
        assert index.facets(["color", "size"], limit=9) == {
            "color": [FacetValue("Blue", 1), FacetValue("Red", 1)],
            "size": [],
        }
        assert index.facets(["color"], where=red, limit=9) == {"color": [FacetValue("Red", 1)]}
    index.replace(
        ("b", "c"), [entry("b", made[1], 1, color="Red"), entry("c", made[2], 2, color="Red")], revision=1
    )
    assert index.facets(["color"], limit=9) == {"color": [FacetValue("Red", 3)]}


def test_one_photo_on_two_products_is_two_entries(index: EdgeIndex) -> None:
    (vector,) = vectors(1)
    index.replace(["a", "b"], [entry("a", vector, 1), entry("b", vector, 1)], revision=1)
    assert {neighbor.product_id for neighbor in index.search(vector, k=5)} == {"a", "b"}


def test_a_restart_changes_no_answer(tmp_path: Path, metric: Metric) -> None:
    made, query = vectors(200), unit(*range(1, DIMENSION + 1))
    with EdgeIndex(tmp_path / "i", model="m", dimension=DIMENSION, metric=metric) as index:
        fill(index, made)
        index.mark(41)
        before = index.search(query, k=20)
    with EdgeIndex(tmp_path / "i", model="m", dimension=DIMENSION, metric=metric) as index:
        assert index.revision == 41
        assert index.search(query, k=20) == before


@pytest.mark.parametrize("other", [{"model": "n"}, {"dimension": DIMENSION + 1}], ids=str)
def test_an_index_of_another_kind_is_begun_anew(tmp_path: Path, other: dict[str, object]) -> None:
    kind = {"model": "m", "dimension": DIMENSION}
    with EdgeIndex(tmp_path / "i", **kind) as index:
        fill(index, vectors(5))
        index.mark(3)
    with EdgeIndex(tmp_path / "i", **(kind | other)) as index:
        assert (len(index), index.revision) == (0, 0)


@pytest.mark.parametrize("victim", ["state.json", "shard/edge_config.json", "shard/segments"])
def test_a_damaged_index_is_begun_anew(tmp_path: Path, victim: str) -> None:
    with EdgeIndex(tmp_path / "i", model="m", dimension=DIMENSION) as index:
        fill(index, vectors(5))
        index.mark(3)
    damaged = tmp_path / "i" / victim
    for file in [damaged] if damaged.is_file() else [path for path in damaged.rglob("*") if path.is_file()]:
        file.write_bytes(b"\x00garbage")
    with EdgeIndex(tmp_path / "i", model="m", dimension=DIMENSION) as index:
        assert (len(index), index.revision) == (0, 0)


def test_what_is_written_after_a_kill_while_saving_is_kept(tmp_path: Path) -> None:
    directory, before = tmp_path / "index", tmp_path / "before"
    made = vectors(40)
    index = EdgeIndex(directory, model="m", dimension=DIMENSION)
    fill(index, made[:20])
    index.mark(1)
    (numbers,) = directory.rglob("segment.json")
    state = directory / "state.json"
    shutil.copy(numbers, before)
    for row in range(20):  # each a few operations of its own
        index.replace([f"p{row}"], [entry(f"p{row}", made[row], row + 20)], revision=2 + row)
    unsaved = state.read_bytes()
    index.mark(21)
    index.close()
    # The points were saved, the last number and the state not yet.
    shutil.copy(before, numbers)
    state.write_bytes(unsaved)
    with EdgeIndex(directory, model="m", dimension=DIMENSION) as index:
        assert index.revision == 1
        products = [f"p{row}" for row in range(20)]
        index.replace(products, [entry("p0", made[0], 99)], revision=22)
        assert index.entry_keys() == {("p0", f"{99:064x}")}
        shutil.copytree(directory, tmp_path / "killed again")
    with EdgeIndex(tmp_path / "killed again", model="m", dimension=DIMENSION) as index:
        index.replace(products, [], revision=23)
        assert index.entry_keys() == set()


def test_the_id_of_an_entry_is_the_same_everywhere() -> None:
    from sartor.index.points import point_id

    assert str(point_id("shirt", "ab" * 32)) == str(point_id("shirt", "ab" * 32))
    assert point_id("shirt", "ab" * 32) != point_id("shirt", "ac" * 32)
    assert point_id("shirt", "ab" * 32) != point_id("skirt", "ab" * 32)


def test_a_part_that_the_graph_was_not_built_by_is_found_as_by_brute_force(tmp_path: Path) -> None:
    # Nine tenths of the numbers hardly differ, and the graph follows the others: a large network beside colors.
    rng = np.random.default_rng(5)
    made = np.concatenate([1 + 0.01 * rng.normal(size=(3000, 900)), 30 * rng.normal(size=(3000, 100))], axis=1)
    made = (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)
    with EdgeIndex(tmp_path / "index", model="m", dimension=1000) as index:
        fill(index, made)
        index.optimize()
        for row in range(20):
            query = np.where(np.arange(1000) < 900, made[row], 0).astype(np.float32)
            found = [one.product_id for one in index.search(query, k=5)]
            assert found == [one.product_id for one in index.search(query, k=5, exact=True)]


def test_a_query_of_parts_or_with_a_filter_is_answered_exactly_among_more_photos_than_a_whole_one(
    tmp_path: Path, metric: Metric
) -> None:
    shards, limits = Watched(), SearchLimits(exact_photos=10, exact_numbers=5 * DIMENSION)
    whole, part = np.ones(DIMENSION, np.float32), np.eye(DIMENSION, dtype=np.float32)[0]
    with EdgeIndex(
        tmp_path / "i", model="m", dimension=DIMENSION, metric=metric, limits=limits, shards=shards
    ) as index:
        for count in (5, 10, 11):
            fill(index, vectors(count))
            for query in (whole, part):
                index.search(query, k=1)
    assert shards.exact == [True, True, False, True, False, False]


def test_what_does_not_reach_the_disk_is_not_noted_as_there(tmp_path: Path) -> None:
    shards = Watched()
    index = EdgeIndex(tmp_path / "i", model="m", dimension=DIMENSION, shards=shards)
    fill(index, vectors(5))
    index.mark(3)
    shards.disk_is_full = True
    with pytest.raises(OSError, match="disk is full"):
        index.mark(4)
    assert index.revision == 3
    shards.disk_is_full = False
    index.close()
    with EdgeIndex(tmp_path / "i", model="m", dimension=DIMENSION) as again:
        assert (len(again), again.revision) == (5, 3)


class Watched:
    """Opens shards that note whether they are asked for exact answers, and that can run out of disk.

    Attributes:
        exact: For each query, whether it was to be exact.
        disk_is_full: Whether bringing a shard to disk fails.
    """

    def __init__(self) -> None:
        self.exact: list[bool] = []
        self.disk_is_full = False

    def create(self, path: str, config: qdrant.EdgeConfig) -> qdrant.EdgeShard:
        return WatchedShard(qdrant.EdgeShard.create(path, config), self)

    def load(self, path: str, config: qdrant.EdgeConfig) -> qdrant.EdgeShard:
        return WatchedShard(qdrant.EdgeShard.load(path, config), self)


class WatchedShard:
    """A shard that ``Watched`` opened; all but a query and a flush is the shard's own."""

    def __init__(self, shard: qdrant.EdgeShard, watch: Watched) -> None:
        self._shard, self._watch = shard, watch

    def query(self, request: qdrant.QueryRequest) -> object:
        self._watch.exact.append(request.params.exact)
        return self._shard.query(request)

    def flush(self) -> None:
        if self._watch.disk_is_full:
            raise OSError("the disk is full")
        self._shard.flush()

    def __getattr__(self, name: str) -> object:
        return getattr(self._shard, name)
