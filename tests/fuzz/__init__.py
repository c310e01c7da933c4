"""Random landing sets, as people and their tools bring them, on their way through the whole pipeline."""
