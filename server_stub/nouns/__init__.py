"""What every kind of record has: its entity, the rules of its five calls, and the checks of every write."""
