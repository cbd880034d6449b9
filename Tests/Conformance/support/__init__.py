"""What the suites share: one face for three clients, broker processes, waiting, raw protocol bytes."""
