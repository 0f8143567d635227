"""Durable timers: rows with a kind, a unique key and a due time; and the hub's regular chores."""
