"""One draft becomes one conversation, through Claude."""
