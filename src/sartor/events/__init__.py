"""Events: what shoppers do, how an event is checked, and how a file of events is read."""
