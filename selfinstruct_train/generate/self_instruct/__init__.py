"""The paper's method: instructions in rounds, classification or not, instances."""
