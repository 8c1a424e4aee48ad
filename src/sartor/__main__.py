"""``python -m sartor`` is the command line."""

from sartor.cli import main

main()
