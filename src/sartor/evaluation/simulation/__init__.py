"""A simulation of shoppers: a log of events for any catalog, to try things on without a real log."""
