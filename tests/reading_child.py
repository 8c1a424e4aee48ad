"""Does everything that reads and everything that writes with a workspace; prints what came of it as JSON.

python reading_child.py HOME BACKUP EXPORT PHOTO CACHE
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sartor import Event, EventType, Person, Product, ProductInput, SartorError
from sartor.config import Settings
from sartor.wiring import back_up_workspace, open_shop

if TYPE_CHECKING:
    from collections.abc import Callable


def outcome(action: Callable[[], Any]) -> Any:
    try:
        return action()
    except SartorError as error:
        return f"{type(error).__name__}: {error}"


def main(home: Path, backup: Path, export: Path, photo: Path, cache: Path) -> None:
    settings = Settings(home=home, cache=cache)
    event = Event(id="1", type=EventType.VIEW, person=Person.user("mia"), at_s=1.0, product_id="red")
    with open_shop(settings) as shop:
        actions: dict[str, Callable[[], Any]] = {
            "products": lambda: shop.counts().products,
            "similar": lambda: [hit.product_id for hit in shop.similar(product="red", k=2)],
            "by photo": lambda: shop.similar(photo, k=1)[0].product_id,
            "search": lambda: len(shop.listing(words="red").products),
            "info": lambda: shop.info().counts.products,
            "check": lambda: len(shop.check()),
            "duplicates": lambda: len(shop.duplicates()),
            "for you": lambda: len(shop.for_user("mia")),
            "export": lambda: shop.export(export, format="jsonl").products,
            "index is": lambda: shop.derived.is_relative_to(cache),
            "index": lambda: shop.index(photo.parent).added,
            "put": lambda: shop.put(ProductInput(product=Product(id="new", title="new"), photos=[photo])),
            "delete": lambda: shop.delete("red"),
            "record": lambda: shop.record(event),
            "forget": lambda: shop.forget("mia"),
            "repair": lambda: shop.check(repair=True),
        }
        outcomes = {name: outcome(action) for name, action in actions.items()}
    outcomes["backup"] = outcome(lambda: back_up_workspace(settings, backup).files)
    print(json.dumps(outcomes, default=str))  # noqa: T201 - the test reads it


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
