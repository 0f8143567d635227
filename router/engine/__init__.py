"""The router's engine: pure, deterministic, indexed; it does no I/O and knows no clock."""
