"""What `make bench` runs: each speed is a ratio measured in one run."""
