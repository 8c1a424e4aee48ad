"""The studio: Streamlit pages to explore a catalog with. They ask a backend and show its answers."""
