"""The router: one pure engine per routing domain, and the service that owns it."""
