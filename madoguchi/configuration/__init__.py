"""What administrators keep: queues, hours, skills, teams, agents, accounts; versions, TOML."""
