"""Channels: one module each, found by being here. See :mod:`connectors.base` for the contract."""
