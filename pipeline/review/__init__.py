"""Looking at runs: progress, soundness, the terminal view."""
