"""Try it first: a recorded day on the router's own engine, by the configuration as it stands and as
it would be, with moves that may help it, and the agents that it needs.
"""
