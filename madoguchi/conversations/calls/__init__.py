"""Calls of conversations: their rows, what agents and supervisors do to them, how they look."""
