"""The native engine: stages, error norm, starting step, and the fixed and adaptive loops."""
