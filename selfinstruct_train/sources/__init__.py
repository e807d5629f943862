"""Material from elsewhere: pinned files, the paper's own material, Natural Instructions."""
