"""What is told of the queues and of who serves them: figures, alerts, expected waits, tables."""
