"""Predicates that people write in CEL: typed, budgeted when saved, and harmless when they run."""
