"""The hand-made commands, which no declaration describes."""
