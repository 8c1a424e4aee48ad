"""The questions that builds of Sartor are asked, drawn from a catalog and its shoppers with a seed."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from benchmarks.build_material import Draws
from benchmarks.builds import Command, Request

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.build_material import Material

_COLORS = ("navy", "#b3202a", "olive", "white", "hotpink")
_SLOTS = ("shoes", "bag", "watch", "bottom", "top", "outerwear", "eyewear")
_NOBODY = "nobody-knows-them"
_PAGE = {"Accept": "text/html"}
_VISITOR = "0123456789abcdef" * 2  # whose browser agreed to be remembered
_FROM_HERE = {"Origin": "{address}"}
_NEW = "asked/new 1"  # a product that the questions write
_BROKEN_PHOTO = b"\xff\xd8 no photo"


class Questions:
    """Draws questions; the same material and seed make the same ones, if they are drawn in the same order."""

    def __init__(self, material: Material, *, seed: int) -> None:
        self._material, self._draws = material, Draws(material, seed=seed)
        self._photos = [photo.read_bytes() for photo in material.photos]

    def commands(self) -> list[Command]:
        """To the command line, before the service is started."""
        m = self._material
        photo, other, unseen = map(str, (*m.photos[:2], m.photos[0].parent))
        first, second, third = self._draws.some(m.products, 3)
        some, more = self._draws.filters(2)
        in_range = self._draws.range().text
        similar = (
            (photo,),
            (photo, "-k", "12", "--where", some.text),
            (photo, "--where", in_range, "--diversity", "0.5"),
            (photo, "--where", self._draws.exclusion().text, "--facets", ",".join(list(m.categories)[:3])),
            (photo, other, "--weights", "2,1", "--box", "0.1,0.1,0.7,0.6"),
            (photo, "--product", first, "--color", "navy", "--dials", "style=1,color=0.6"),
            ("--product", first, "--dislike", second, "--like", third, "--exact"),
            ("--product", second, "--metric", "euclidean", "--where", more.text),
            ("--color", "#b3202a", "-k", "8"),
        )
        outfits = ((first,), (second, third, "--alternatives", "1"), (third, "--max-price", "150"))
        for_you = (
            (m.users[0],),
            (m.users[1], "-k", "20", "--where", some.text, "--diversity", "0.6"),
            (m.visitors[0], "--visitor"),
            (_NOBODY, "--context", some.text),
        )
        evaluations = (
            ("evaluate", str(m.source), "--limit", "200", "--model", "sartor-v1", "--model", "color-histogram"),
            ("evaluate", str(m.source), "--limit", "150", "--as-recommended", "-k", "3"),
            ("evaluate", str(m.source), "--limit", "20", "--instances"),
            ("evaluate", "--events", str(m.events), "--people", "60", "--history", "5"),
        )
        wrong = (
            ("similar", "--product", _NOBODY),
            ("similar", photo, "--where", f"{some.name}=no such value"),
            ("similar", "--dials", "style=x"),
            ("outfit", first, "--slots", "no-such-slot"),
            ("index", "no-such-folder"),
        )
        others = (
            ("trending", "-k", "8", "--days", "14"),
            ("duplicates",),
            ("info",),
            ("models", "list"),
            ("check", "--health"),
        )
        return [
            *(_json("CLI similar", "similar", *each) for each in similar),
            *(_json("CLI outfit", "outfit", *each) for each in outfits),
            *(_json("CLI for-you", "for-you", *each) for each in for_you),
            *(_json("CLI evaluate", *each) for each in evaluations),
            *(_json(f"CLI {each[0]}", *each) for each in others),
            *(_json("CLI problems", *each) for each in wrong),
            _json("CLI export", "export", "catalog.csv", "--format", "csv", reads="catalog.csv"),
            _json("CLI export", "export", "vectors.npz", "--format", "npz", reads="vectors.npz"),
            _json("CLI embed", "embed", unseen, "--output", "unseen.npz", reads="unseen.npz"),
        ]

    def last_commands(self) -> list[Command]:
        """To the command line, after what the service was told."""
        m = self._material
        return [
            _json("CLI for-you", "for-you", m.users[0]),
            _json("CLI trending", "trending", "--days", "30"),
            Command(kind="CLI events", arguments=("events", "show", "--user", m.users[1])),
            _json("CLI info", "info"),
            _json("CLI check", "check"),
            _json("CLI export", "export", "last.jsonl", "--format", "jsonl", reads="last.jsonl"),
        ]

    def reading(self) -> list[Request]:
        """To the service, of what changes nothing."""
        m = self._material
        queries = [
            *self._similar_by_id(40),
            *self._similar_by_photo(30),
            *self._similar_by_parts(40),
            *self._outfits(30),
            *self._together(20),
            *self._trending(8),
            *self._recommended(40),
            *self._listings(30),
        ]
        return [
            *queries,
            *(_get("catalog", f"/v1/products/{quote(each)}") for each in self._draws.some(m.products, 8)),
            _get("catalog", "/v1/catalog"),
            *(
                Request(kind="describe", method="POST", path="/v1/describe", photos=(photo,))
                for photo in self._draws.some(self._photos, 6)
            ),
            *(_get("viewed", f"/v1/users/{quote(each)}/viewed", k=6) for each in m.users[:6]),
            *(_get("viewed", f"/v1/visitors/{quote(each)}/viewed") for each in m.visitors[:3]),
            *(_get("people", f"/v1/users/{quote(each)}") for each in m.users[10:14]),
            *self._problems(),
            *self._pages(),
            _get("openapi", "/openapi.json"),
        ]

    def writing(self) -> list[Request]:
        """To the service, of what changes the catalog and what is known of people, and of what follows from it."""
        m = self._material
        liked, *seen = self._draws.some(m.products, 6)
        return [
            *self._events(liked, seen),
            *self._people(),
            *self._written_products(seen),
            *self._visitor_pages(liked, seen[0]),
            *self._recommended(12),
            *self._outfits(4),
            *self._similar_by_id(6),
            *self._listings(4),
            _get("catalog", "/v1/catalog"),
            _get("metrics", "/metrics"),
        ]

    def guarded(self) -> list[Request]:
        """To a service whose reading needs an API key."""
        product, user = quote(self._material.products[0]), quote(self._material.users[0])
        routes = (
            ("GET", f"/v1/products/{product}/similar?k=3"),
            ("GET", f"/v1/users/{user}/recommendations?k=3"),
            ("GET", f"/v1/users/{user}"),
            ("DELETE", f"/v1/products/{_NOBODY}"),
            ("GET", "/metrics"),
        )
        headers: tuple[dict[str, str], ...] = (
            {},
            {"Authorization": "Bearer {read}"},
            {"X-API-Key": "{write}"},
            {"X-API-Key": "sartor_no-such-key"},
        )
        return [
            Request(kind="API keys", method=method, path=path, headers=each)
            for method, path in routes
            for each in headers
        ]

    def _similar_by_id(self, count: int) -> list[Request]:
        names, found = list(self._material.categories), []
        for number, each in enumerate(self._draws.some(self._material.products, count)):
            options: tuple[dict[str, object], ...] = (
                {},
                {"k": 24, "diversity": 0.4},
                {"where": self._draws.filters(1)[0].text, "facets": names[:3]},
                {"where": [self._draws.range().text, self._draws.exclusion().text], "k": 6},
                {"where": [each.text for each in self._draws.filters(2)], "facets": names},
            )
            path = f"/v1/products/{quote(each)}/similar"
            found.append(_get("similar, by id", path, **options[number % len(options)]))
        return found

    def _similar_by_photo(self, count: int) -> list[Request]:
        found = []
        for number, photo in enumerate(self._draws.some(self._photos, count)):
            queries: tuple[dict[str, object], ...] = (
                {},
                {"k": 5, "diversity": 0.5},
                {"photos": [{"box": [0.1, 0.1, 0.8, 0.5]}]},
                {"dials": {"style": 0.5, "color": 1, "category": 0.3}},
                {"color": _COLORS[number % len(_COLORS)], "facets": list(self._material.categories)[:2]},
                {"where": self._draws.where(), "exact": True},
            )
            query = queries[number % len(queries)]
            form = {"query": json.dumps(query)} if query else None
            found.append(
                Request(kind="similar, by photo", method="POST", path="/v1/similar", form=form, photos=(photo,))
            )
        return found

    def _similar_by_parts(self, count: int) -> list[Request]:
        found = []
        for number in range(count):
            first, second, third, fourth = self._draws.some(self._material.products, 4)
            bodies: tuple[dict[str, object], ...] = (
                {"products": [{"id": first, "weight": 2}, second], "k": 8},
                {"products": [first], "dislike": [second, third], "like": [fourth]},
                {"products": [first], "color": _COLORS[number % len(_COLORS)], "exclude": [second]},
                {"products": [first], "where": self._draws.where(), "dials": {"style": 0.2, "category": 1}},
                {"color": _COLORS[number % len(_COLORS)], "where": self._draws.where(), "k": 10},
                {"like": [first, second], "diversity": 0.7},
                {"products": [first], "exact": True, "k": 30, "facets": list(self._material.categories)},
            )
            query = bodies[number % len(bodies)]
            if number % 4:
                found.append(Request(kind="similar, by parts", method="POST", path="/v1/similar", body=query))
            else:  # with photos beside
                form = {"query": json.dumps(query | {"photos": [{"weight": 3}, {"box": [0, 0, 0.9, 0.9]}]})}
                photos = self._draws.some(self._photos, 2)
                found.append(
                    Request(kind="similar, by parts", method="POST", path="/v1/similar", form=form, photos=photos)
                )
        return found

    def _outfits(self, count: int) -> list[Request]:
        found = []
        for number, each in enumerate(self._draws.some(self._material.products, count)):
            options: tuple[dict[str, object], ...] = (
                {},
                {"slots": self._draws.some(_SLOTS, 2), "alternatives": 5},
                {"max_price": 120, "alternatives": 0},
                {"where": self._draws.exclusion().text},
            )
            found.append(_get("outfit", f"/v1/products/{quote(each)}/outfit", **options[number % len(options)]))
        return found

    def _together(self, count: int) -> list[Request]:
        return [
            _get(
                "together",
                f"/v1/products/{quote(each)}/together",
                by=("any", "bought", "seen", "liked")[number % 4],
                k=6,
                **({"where": self._draws.filters(1)[0].text} if number % 5 == 0 else {}),
            )
            for number, each in enumerate(self._draws.some(self._material.products, count))
        ]

    def _trending(self, count: int) -> list[Request]:
        found = []
        for number in range(count):
            options: tuple[dict[str, object], ...] = (
                {},
                {"window_days": 30, "k": 40},
                {"window_days": 1},
                {"where": self._draws.filters(1)[0].text},
            )
            found.append(_get("trending", "/v1/trending", **options[number % len(options)]))
        return found

    def _recommended(self, count: int) -> list[Request]:
        """For-you of users, of visitors, and of those of whom nothing is known."""
        m, found = self._material, []
        people = [
            *(f"users/{quote(each)}" for each in self._draws.some(m.users, count // 2)),
            *(f"visitors/{quote(each)}" for each in self._draws.some(m.visitors, count // 4)),
        ]
        people += [f"users/{_NOBODY}-{number}" for number in range(count - len(people))]
        for number, person in enumerate(people):
            options: tuple[dict[str, object], ...] = (
                {},
                {"k": 30, "diversity": 0.8},
                {"where": self._draws.filters(1)[0].text, "context": self._draws.filters(1)[0].text},
                {"exclude": self._draws.some(m.products, 3), "diversity": 0},
                {"where": [self._draws.range().text, self._draws.exclusion().text]},
            )
            chosen = options[number % len(options)]
            found.append(_get("for you", f"/v1/{person}/recommendations", **chosen))
        return found

    def _listings(self, count: int) -> list[Request]:
        m, found = self._material, list[Request]()
        sorts = ("relevance", "newest", "title", "price", "-price")
        while len(found) < count:
            number = len(found) // 2
            (title,) = self._draws.some([title for title in m.titles if title], 1)
            options: tuple[dict[str, object], ...] = (
                {"q": " ".join(title.split()[:2])},
                {"where": [self._draws.filters(1)[0].text, self._draws.exclusion().text]},
                {"where": self._draws.range().text, "facets": list(m.categories)[:2]},
            )
            query = options[number % len(options)] | {"sort": sorts[number % len(sorts)], "limit": 4}
            found.append(_get("catalog", "/v1/products", **query))
            path = f"{found[-1].path}&after={{next}}"
            found.append(Request(kind="catalog", path=path))
        return found

    def _events(self, liked: str, seen: Sequence[str]) -> list[Request]:
        m = self._material
        bought: dict[str, object] = {"basket_id": "b-1", "price": 19.5, "quantity": 2}
        single = {"event_id": "e-1", "type": "like", "user_id": m.users[1], "product_id": liked}
        batch = [
            {"event_id": f"e-{number}", "type": type_, "visitor_id": "asked-1", "product_id": each, **more}
            for number, (each, (type_, more)) in enumerate(
                zip(
                    seen,
                    (("view", {}), ("add_to_cart", {}), ("purchase", bought), ("dislike", {}), ("click", {})),
                    strict=True,
                ),
                start=2,
            )
        ]
        mixed = [
            batch[0],
            {"event_id": "e-20", "type": "search", "user_id": m.users[2], "query": "blue shirt"},
            {"event_id": "e-21", "type": "view", "user_id": m.users[2], "product_id": "not there yet"},
            {"event_id": "e-22", "type": "stare", "user_id": m.users[2], "product_id": liked},
            {"event_id": "e-23", "type": "view", "product_id": liked},
            {"event_id": "e-24", "type": "view", "user_id": m.users[2]},
            "no event",
        ]
        return [
            _post("events", "/v1/events", single),
            _post("events", "/v1/events", single),
            _post("events", "/v1/events", {"events": batch}),
            _post("events", "/v1/events", {"events": mixed}),
            _get("for you", f"/v1/users/{quote(m.users[1])}/recommendations"),
            _get("for you", "/v1/visitors/asked-1/recommendations"),
        ]

    def _people(self) -> list[Request]:
        m = self._material
        first, last = quote(m.users[1]), quote(m.users[-1])
        return [
            _post("people", f"/v1/users/{first}/merge", {"visitor_id": "asked-1"}),
            _post("people", f"/v1/users/{last}/merge", {"visitor_id": "asked-1"}),
            _get("people", "/v1/visitors/asked-1"),
            _get("viewed", f"/v1/users/{first}/viewed"),
            _get("for you", f"/v1/users/{first}/recommendations", k=20),
            Request(kind="people", method="DELETE", path=f"/v1/users/{last}"),
            _get("people", f"/v1/users/{last}"),
            _get("for you", f"/v1/users/{last}/recommendations"),
        ]

    def _written_products(self, others: Sequence[str]) -> list[Request]:
        address = f"/v1/products/{quote(_NEW)}"
        attributes: dict[str, object] = {
            "color": ["Red", "Blue"],
            "price": 49.5,
            "sale_price": "39.90 USD",
            "handmade": True,
        }
        product: dict[str, object] = {"title": "Asked for", "attributes": attributes}
        fields = {"product": json.dumps(product)}
        batch = [
            {"id": "asked-2", "title": "No photo", "attributes": {"price": 5}},
            {"id": others[0], "title": "Another title"},
            {"id": "asked-3", "photos": ["no Base64"]},
            {"id": "asked-2", "delete": True},
            {"id": "asked-2", "delete": True},
        ]
        return [
            Request(kind="products written", method="PUT", path=address, form=fields, photos=self._photos[:2]),
            Request(
                kind="products written", method="PUT", path=address, body=product | {"title": "Asked for again"}
            ),
            Request(kind="products written", method="PUT", path=address, photos=(_BROKEN_PHOTO,)),
            _post("products written", "/v1/products/batch", {"products": batch}),
            Request(kind="products written", method="DELETE", path=f"/v1/products/{quote(others[1])}"),
            Request(kind="products written", method="DELETE", path=f"/v1/products/{quote(others[1])}"),
            _get("products written", address),
            _get("products written", f"{address}/similar", k=6),
            _get("products written", f"{address}/outfit"),
            _get("products written", "/v1/products", q="asked for"),
            _get("products written", "/v1/products", where=["price=40..50", "handmade=true"]),
            Request(kind="similar, by photo", method="POST", path="/v1/similar", photos=self._photos[:1]),
            _get("products written", f"/v1/products/{quote(others[0])}"),
            _get("products written", f"/v1/products/{quote(others[1])}/similar"),
        ]

    def _problems(self) -> list[Request]:
        product = f"/v1/products/{quote(self._material.products[0])}"
        known = next(iter(self._material.categories))
        paths = (
            f"/v1/products/{_NOBODY}",
            f"/v1/products/{_NOBODY}/similar",
            f"/v1/products/{_NOBODY}/outfit",
            f"/v1/products/{_NOBODY}/together",
            f"{product}/similar?k=0",
            f"{product}/similar?k=201",
            f"{product}/similar?diversity=2",
            f"{product}/similar?where={known}%3Dno+such+value",
            f"{product}/similar?where=no_such_attribute%3Dx",
            f"{product}/similar?where=year%3D2013..2011",
            f"{product}/similar?where=nothing",
            f"{product}/similar?facets=no_such_attribute",
            f"{product}/outfit?slots=no-such-slot",
            f"{product}/outfit?max_price=-1",
            f"{product}/together?by=chance",
            "/v1/trending?window_days=91",
            "/v1/products?limit=0",
            "/v1/products?after=broken",
            "/v1/products?sort=chance",
            "/v1/photos/0000",
            f"/v1/photos/{'0' * 64}",
            f"/v1/users/{_NOBODY}",
            "/v1/no-such-route",
        )
        queries: tuple[object, ...] = (
            {},
            {"color": "no such color"},
            {"products": [_NOBODY]},
            {"products": [self._material.products[0]], "dials": {"style": 0, "color": 0, "category": 0}},
            {"products": [self._material.products[0]], "k": "many"},
            {"products": [self._material.products[0]], "no_such_member": 1},
            {"photos": [{"url": "https://photos.example/a.jpg"}]},
            {"photos": [{}]},
        )
        events: tuple[object, ...] = (
            {"type": "view"},
            {"type": "view", "user_id": "a", "product_id": "b", "timestamp": "2100-01-01"},
            {"events": []},
            [],
        )
        json_kind = {"Content-Type": "application/json"}
        return [
            *(_get("problems", path) for path in paths),
            *(_post("problems", "/v1/similar", each) for each in queries),
            *(_post("problems", "/v1/events", each) for each in events),
            Request(kind="problems", method="POST", path="/v1/events", body=b"{", headers=json_kind),
            Request(kind="problems", method="POST", path="/v1/similar", body=b"{", headers=json_kind),
            Request(
                kind="problems",
                method="POST",
                path="/v1/similar",
                body=b"a,b",
                headers={"Content-Type": "text/csv"},
            ),
            Request(kind="problems", method="POST", path="/v1/similar", photos=(_BROKEN_PHOTO,)),
            Request(kind="problems", method="POST", path="/v1/similar", photos=self._photos[:1] * 17),
            Request(
                kind="problems",
                method="POST",
                path="/v1/similar",
                form={"query": json.dumps({"photos": [{"box": [0.9, 0.9, 0, 0]}]})},
                photos=self._photos[:1],
            ),
            Request(kind="problems", method="POST", path="/v1/describe", photos=self._photos[:2]),
            Request(kind="problems", method="POST", path="/v1/describe"),
            Request(kind="problems", method="DELETE", path=f"/v1/products/{_NOBODY}"),
            Request(kind="problems", method="DELETE", path=f"/v1/users/{_NOBODY}"),
            Request(kind="problems", method="PATCH", path=product),
            _post("problems", f"/v1/users/{_NOBODY}/merge", {}),
            _post("problems", "/v1/products/batch", {"products": []}),
        ]

    def _pages(self) -> list[Request]:
        """The storefront as somebody sees it who did not agree to be remembered."""
        m = self._material
        first, second, third = (quote(each) for each in self._draws.some(m.products, 3))
        some = quote(self._draws.filters(1)[0].text, safe="")
        in_range = quote(self._draws.range().text, safe="")
        addresses = (
            "/",
            f"/?q={quote(next(iter(m.titles)).split()[0])}",
            f"/?where={some}&sort=title",
            f"/?where={in_range}&where={some}",
            "/?q=no-such-word",
            "/?sort=chance",
            f"/results?product={first}",
            f"/results?product={first}&product={second}&like={third}&k=24",
            f"/results?product={second}&color=navy&style=0.5&colorweight=0.8",
            f"/results?color=%23b3202a&where={some}",
            f"/results?photo={'0' * 64}",
            f"/product/{first}",
            f"/product/{second}",
            f"/product/{_NOBODY}",
            "/favorites",
            "/privacy",
            f"/remember?like={first}&back=%2F",
            "/no-such-page",
        )
        return [
            *(Request(kind="pages", path=each, headers=_PAGE) for each in addresses),
            Request(kind="pages", method="POST", path="/search", headers=_PAGE, photos=self._photos[:1]),
            Request(kind="pages", method="POST", path="/search", headers=_PAGE, photos=(_BROKEN_PHOTO,)),
            Request(kind="pages", path=f"/results?photo={_sha256(self._photos[0])}", headers=_PAGE),
            Request(kind="pages", path=f"/uploads/{_sha256(self._photos[0])}"),
            Request(kind="pages", method="POST", path="/opinion", form={"like": first}, headers=_PAGE),
        ]

    def _visitor_pages(self, liked: str, disliked: str) -> list[Request]:
        """The storefront as a visitor sees it who is remembered."""
        known = {"Cookie": f"sartor_visitor={_VISITOR}"}
        page = _PAGE | known
        forms = (
            ("/remember", {"answer": "yes", "like": liked}, _PAGE | _FROM_HERE),
            ("/remember", {"answer": "no"}, _PAGE | _FROM_HERE),
            ("/opinion", {"like": liked}, known | _FROM_HERE),
            ("/opinion", {"dislike": disliked}, page | _FROM_HERE),
            ("/opinion", {"like": _NOBODY}, known | _FROM_HERE),
        )
        paths = (
            "/",
            f"/product/{quote(liked)}",
            f"/product/{quote(self._material.products[1])}",
            "/favorites",
            "/privacy",
        )
        return [
            *(
                Request(kind="pages of a visitor", method="POST", path=path, form=form, headers=headers)
                for path, form, headers in forms
            ),
            *(Request(kind="pages of a visitor", path=path, headers=page) for path in paths),
            Request(kind="pages of a visitor", path="/privacy/data.json", headers=known),
            _get("for you", f"/v1/visitors/{_VISITOR}/recommendations"),
            Request(kind="pages of a visitor", method="POST", path="/privacy/forget", headers=page | _FROM_HERE),
            Request(kind="pages of a visitor", path="/privacy?forgotten=5", headers=_PAGE),
        ]


def _json(kind: str, *arguments: str, reads: str | None = None) -> Command:
    return Command(kind=kind, arguments=(*arguments, "--json"), reads=reads)


def _get(kind: str, path: str, **query: object) -> Request:
    return Request(kind=kind, path=f"{path}?{urlencode(query, doseq=True)}" if query else path)


def _post(kind: str, path: str, body: object) -> Request:
    return Request(kind=kind, method="POST", path=path, body=body)


def _sha256(photo: bytes) -> str:
    return hashlib.sha256(photo).hexdigest()
