"""The rules of the stub, by service; the server collects them by their marks."""
