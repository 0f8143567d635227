"""The desk: its pages, its sign-in, its stream, and the REST that only it uses."""
