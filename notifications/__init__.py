"""Outreach: business systems post events, customers get their notices and can answer them.

This room is furnished by a later issue. What will live here: ``events`` (CloudEvents in), ``rules``
and ``flows`` (which event becomes which notice), ``templates``, ``policy`` (consent, quiet hours,
frequency), ``service`` (the engine) and ``deliverability/`` (bounces, complaints, reputation).
It sits beside ``connectors`` and may use everything below the router; see docs/architecture.md.
"""
