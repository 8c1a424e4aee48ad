"""The pages of the studio; Streamlit runs each as a script."""
