"""Tenants: the caller's company and those it manages: configuration, features, limits, use and billing."""
