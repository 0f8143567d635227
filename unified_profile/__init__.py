"""Who is it? Customers, their identities, and the pointer that says whose identity is whose."""
