"""What curators own: workspaces, sources, dimensions, prompt templates, conversations, quality, exports."""
