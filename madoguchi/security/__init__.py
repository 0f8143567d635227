"""Sign-in, sessions, permissions, secrets and the audit trail."""
