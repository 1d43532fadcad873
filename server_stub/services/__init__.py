"""The rules of the stub, one file per noun; the core collects them by their marks."""
