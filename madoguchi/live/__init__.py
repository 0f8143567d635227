"""The live stream: Socket.IO servers, the tail of the log, resume, snapshots, ephemeral events."""
