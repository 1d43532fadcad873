"""Configuration: settings by level, feature flags, the environment, and territories."""
