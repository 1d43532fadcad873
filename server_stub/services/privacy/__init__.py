"""Privacy: what is known of a person, to hand it out or to erase it."""
