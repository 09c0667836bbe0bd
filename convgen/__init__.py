"""The plumbing: settings, database, accounts, health. It imports none of the apps that stand on it."""
