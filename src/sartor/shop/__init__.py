"""The front door: a workspace as one object, with a method for each thing that is done with it.

``workspace`` has what it stands on, ``catalog`` what is in it, ``recommending`` what comes out of it, ``shoppers``
who shops there, ``judging`` how good it is.
"""

from __future__ import annotations

from dataclasses import replace

from sartor.shop.catalog import CatalogSide
from sartor.shop.judging import JudgingSide

__all__ = ["Shop"]


class Shop(CatalogSide, JudgingSide):
    """A workspace: a catalog, its embeddings, and what is recommended from them.

    Open one with ``sartor.open``, and close it, best with ``with``; until then no other process can open it.
    """

    def through(self, model: str) -> Shop:
        """The same workspace as another of its models sees it, to ask; closing either closes both.

        Ask for it anew after a write or a promotion, which it does not see.

        Raises:
            ModelNotFound: There is no such model.
        """
        card = self._backends.models.card(model)
        with self._writing:
            found = next((each for each in self._family if isinstance(each, Shop) and each.model == card), None)
            if found is None:
                found = Shop(replace(self._backends, choose_model=lambda _: card))
                found._family = self._family
                self._family.append(found)
            found._follow()
        return found
