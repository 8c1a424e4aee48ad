"""The studio: pages of Streamlit to explore a catalog with. Parse, call, present; no logic."""
