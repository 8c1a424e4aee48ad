"""Tables that are no text: Parquet files (``arrow``), and those in a program's memory (``memory``).

``cells`` says what becomes of a value, and finds the pictures among them.
"""
