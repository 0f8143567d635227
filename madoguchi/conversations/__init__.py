"""The application service of conversations, and the only writer of conversations and messages."""
