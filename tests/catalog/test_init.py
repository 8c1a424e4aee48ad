from __future__ import annotations

from sartor import catalog


def test_the_public_names_are_sorted_and_present() -> None:
    assert catalog.__all__ == sorted(catalog.__all__)
    assert all(hasattr(catalog, name) for name in catalog.__all__)
    assert {"Findings", "Source", "open_source"} <= set(catalog.__all__)
