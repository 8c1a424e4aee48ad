"""How the studio looks: the storefront's colors and type, as Streamlit takes them, and the tiles of products."""

from __future__ import annotations

_SERIF = '"Iowan Old Style", "Palatino Nova", Palatino, "URW Palladio L", P052, Georgia, "Liberation Serif", serif'
_SANS = (
    '-apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, "Helvetica Neue", "Liberation Sans", Arial, sans-serif'
)

_SHARED = {
    "font": _SANS,
    "headingFont": _SERIF,
    "headingFontWeights": "[400, 400, 500, 500, 500, 500]",
    "headingFontSizes": '["2.5rem", "1.75rem", "1.375rem", "1.125rem", "1rem", "1rem"]',
    "baseRadius": "8px",
    "buttonRadius": "full",
    "showWidgetBorder": "true",
    "paddingTop": "1.25rem",
}
_LIGHT = {
    "primaryColor": "#2440b5",
    "backgroundColor": "#ffffff",
    "secondaryBackgroundColor": "#f3f4f6",
    "textColor": "#15171b",
    "borderColor": "#c9ccd1",
    "linkColor": "#2440b5",
}
_DARK = {
    "primaryColor": "#aebcff",
    "backgroundColor": "#131416",
    "secondaryBackgroundColor": "#22252a",
    "textColor": "#f1f1ee",
    "borderColor": "#4a4e56",
    "linkColor": "#aebcff",
}

OTHER_COLOR = "#b4b7bd"  # of points that have none of the colored values
# Ten hues that can be told apart on white and on black, also by most who see fewer colors.
POINT_COLORS = (
    "#2440b5", "#d9822b", "#1d9a6c", "#c2365a", "#7a52c7", "#0f8fb3", "#8a6d1f", "#d66fb0", "#5f8f2d", "#8c4a32",
)  # fmt: skip

STYLE = """<style>
[data-testid="stMainBlockContainer"] { padding-left: 2rem; padding-right: 2rem; max-width: 92rem; }
@media (max-width: 48rem) { [data-testid="stMainBlockContainer"] { padding-left: 1rem; padding-right: 1rem; } }
[class*="st-key-tiles-"] {
  display: grid; gap: 1.5rem 1rem; align-items: start;
  grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr));
}
[class*="st-key-tiles-"] > * { width: 100% !important; min-width: 0; }
.sartor-tile { margin: 0; font-size: 0.875rem; line-height: 1.4; }
.sartor-frame { position: relative; overflow: hidden; aspect-ratio: 3 / 4; border-radius: 8px; }
.sartor-frame { background: #f3f3f1; }
.sartor-frame img { width: 100%; height: 100%; object-fit: contain; mix-blend-mode: multiply; display: block; }
.sartor-query .sartor-frame { outline: 2px solid var(--sartor-accent, #2440b5); outline-offset: 3px; }
.sartor-mark {
  position: absolute; left: 0.5rem; top: 0.5rem; padding: 0.125rem 0.5rem; border-radius: 99px;
  background: #15171b; color: #fff; font-size: 0.75rem;
}
.sartor-tile figcaption { padding-top: 0.5rem; font-style: normal; }
.sartor-tile figcaption > * { display: block; overflow-wrap: anywhere; }
.sartor-title {
  display: -webkit-box !important; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden;
  min-height: 2.8em; font-weight: 500;
}
.sartor-query .sartor-title { min-height: 0; }
.sartor-figures { font-variant-numeric: tabular-nums; }
.sartor-weak .sartor-frame { opacity: 0.6; }
.sartor-quiet { opacity: 0.72; font-size: 0.8125rem; }
</style>"""


def theme_flags() -> list[str]:
    """The theme as options of ``streamlit run``."""
    groups = {"theme": _SHARED, "theme.light": _LIGHT, "theme.dark": _DARK}
    return [f"--{group}.{name}={value}" for group, values in groups.items() for name, value in values.items()]
