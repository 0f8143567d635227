"""The words of the product as frozen dataclasses. No I/O, nothing above this room is imported."""
