"""Try it first: a recorded day on the router's own engine, by the configuration as it stands and as
it would be.
"""
