"""Benchmarks: what Sartor costs and how well it finds, each measured beside a peer in the same run.

``python -m benchmarks`` runs a short set, ``python -m benchmarks NAME --help`` tells the options of one.
Results are printed and saved as ``benchmarks/results/NAME.json``. Times are worth something only on a machine
that does nothing else meanwhile.
"""

import sartor  # noqa: F401 - before OpenVINO, whose telemetry it keeps from loading
