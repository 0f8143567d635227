"""REST: one table of operations gives the routes, the OpenAPI document and the error format."""
