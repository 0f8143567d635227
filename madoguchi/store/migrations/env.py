"""Alembic's entry: runs on the connection that :mod:`madoguchi.store.opening` gives."""

from alembic import context

from madoguchi.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
