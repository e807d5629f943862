"""What a training leaves in the model folder: weights, tokenizer, manifest, log and plot."""
