"""A few lines of plain PyTorch that train a plan's model and leave it as the trainer does, or with a fault built in."""

import json
from pathlib import Path

from selfinstruct_train.core.model_source import model_source
from selfinstruct_train.train.arguments import make_lora
from selfinstruct_train.train.plan import IDENTITY_FILE, Plan


def hand_train(plan: Plan, steps: int, learning_rate: float = 1e-2, end_in_loss: bool = True) -> Path:
    """Train on all rows at once, `steps` times, and save model, tokenizer and identity at the plan's folder."""
    import peft
    import torch
    import transformers

    torch.manual_seed(0)
    source = model_source(plan.config.model.path)
    network = transformers.AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32)
    if plan.config.train.method != "full":
        network = peft.get_peft_model(network, make_lora(plan.config))
    width = max(len(row.input_ids) for row in plan.rows)
    ids = torch.zeros(len(plan.rows), width, dtype=torch.long)
    labels = torch.full((len(plan.rows), width), -100)
    for number, row in enumerate(plan.rows):
        ids[number, : len(row.input_ids)] = torch.tensor(row.input_ids)
        labels[number, : len(row.labels)] = torch.tensor(row.labels)
        if not end_in_loss:
            labels[number, len(row.labels) - 1] = -100
    optimizer = torch.optim.AdamW([p for p in network.parameters() if p.requires_grad], lr=learning_rate)
    for _ in range(steps):
        network(input_ids=ids, labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    network.save_pretrained(plan.folder)
    plan.tokenizer.save_pretrained(plan.folder)
    (plan.folder / IDENTITY_FILE).write_text(json.dumps({"identity": plan.identity}))
    return plan.folder
