"""What a run shows: its report, runs side by side, and the paper's tables beside ours."""
