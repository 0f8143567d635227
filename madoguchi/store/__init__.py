"""Durable things: two engines behind one contract, the log, the inbox, the outbox and leases.

Rooms hand over *work*: a generator that yields SQLAlchemy Core statements and is sent their rows.
No room sees a connection, so the same code runs in SQLite's writer thread and on PostgreSQL.
"""
