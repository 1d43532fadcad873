"""The rules of monitoring: health, figures, and the state of the services."""
