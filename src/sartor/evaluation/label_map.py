"""Which labels of one source mean which of another, for queries that have labels of their own.

A person who photographs clothes calls them by other words than a shop does, and fewer; a map says, once and where
everybody can read it, which of the shop's words are right for each.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sartor.errors import UnusableLabelMap

if TYPE_CHECKING:
    from pathlib import Path

Name = Annotated[str, Field(min_length=1)]


class LabelMap(BaseModel):
    """Gives each label of the queries the labels of the gallery that are relevant to it.

    A label of the queries that is not listed says nothing, and its queries are not asked.

    Attributes:
        queries: Attribute of the queries.
        gallery: Attribute of the gallery's products.
        classes: By label of the queries, which labels of the gallery it may mean.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    queries: Name
    gallery: Name
    classes: Annotated[dict[Name, Annotated[tuple[Name, ...], Field(min_length=1)]], Field(min_length=1)]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a map from its TOML file.

        Raises:
            UnusableLabelMap: The file is missing, or is no map of labels.
        """
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UnusableLabelMap(path, reason="it cannot be read") from error
        try:
            return cls.model_validate(tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            raise UnusableLabelMap(path, reason=f"it is no TOML ({error})") from error
        except ValidationError as error:
            raise UnusableLabelMap(path, reason=_first_reason(error)) from error


def _first_reason(error: ValidationError) -> str:
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"])
    if first["type"] == "missing":
        return f"{field} is missing"
    if first["type"] == "too_short":
        return f"{field} is empty"
    return f"{field}: {first['msg']}"
