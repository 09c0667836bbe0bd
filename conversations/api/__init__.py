"""The REST API of what curators own, and what every view of it shares: a workspace, and what its members may do."""
