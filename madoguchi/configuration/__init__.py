"""What administrators keep: queues, skills, teams, agents, accounts; versions, TOML, conflicts."""
