"""Every survey's files as they come, opened in one way for search, scoring, simulation and training."""
