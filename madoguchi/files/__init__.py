"""Stored files: put before the transaction that names them, served apart as attachments."""
