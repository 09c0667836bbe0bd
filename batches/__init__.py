"""Many conversations at once: plan, estimate, run, control."""
