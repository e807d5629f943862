"""The trainer's own loss: in packs as without, over micro-batches, with prompt tokens weighed, resumed."""

import json
from pathlib import Path

import pytest

from selfinstruct_train.train.arguments import make_arguments
from selfinstruct_train.train.data.packing import num_examples
from selfinstruct_train.train.network.model import load_network
from selfinstruct_train.train.plan import make_plan
from selfinstruct_train.train.row_trainer import make_trainer


def make(plan, micro_batch=4, accumulation=2, first_epoch=0, **arguments):
    network = load_network(plan.config.model, plan.config.train, False, len(plan.tokenizer))
    settings = make_arguments(plan, network.num_parameters(), micro_batch, accumulation, on_gpu=False)
    for name, value in arguments.items():
        setattr(settings, name, value)
    return make_trainer(plan, network, settings, first_epoch=first_epoch)


def losses(trainer) -> list[float]:
    return [float(entry["loss"]) for entry in trainer.state.log_history if "loss" in entry]


def trained(plan, **options) -> list[float]:
    trainer = make(plan, **options)
    trainer.train()
    return losses(trainer)


def by_hand(plan, rows, prompt_weight=0.0) -> float:
    """The weighted mean over the tokens of the rows, each row alone in the model."""
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(plan.config.model.path, dtype=torch.float32)
    total = weights = 0.0
    with torch.no_grad():
        for row in rows:
            log_probabilities = model(torch.tensor([row.input_ids])).logits[0].log_softmax(-1)
            for place, (token, label) in enumerate(zip(row.input_ids[1:], row.labels[1:], strict=True)):
                weight = prompt_weight if label == -100 else 1.0
                total -= weight * float(log_probabilities[place, token])
                weights += weight
    return total / weights


def test_all_rows_in_packs_have_the_loss_they_have_alone(make_config):
    plan = make_plan(make_config(packing=True, max_steps=1, batch_size=32, max_length=128), "seeds+generated")
    packs = num_examples(plan.rows, plan.config.train)
    assert 10 < packs <= 32
    expected = by_hand(plan, plan.rows)
    for micro_batch, accumulation in ((32, 1), (4, 8)):
        first = trained(plan, micro_batch=micro_batch, accumulation=accumulation)[0]
        assert first == pytest.approx(expected, abs=1e-4)


def test_packs_teach_what_rows_teach(make_config):
    """An epoch in one step: the same gradient from packs as from rows, so the same second loss."""
    histories = []
    for packing in (False, True):
        config = make_config(packing=packing, max_steps=3, batch_size=64, max_length=128)
        histories.append(trained(make_plan(config, "seeds+generated"), micro_batch=16, accumulation=4))
    assert histories[0] == pytest.approx(histories[1], abs=1e-4)
    assert histories[0][2] < histories[0][0] - 0.05


@pytest.mark.parametrize("packing", [False, True])
@pytest.mark.parametrize("weight", [0.1, 1.0])
def test_prompt_tokens_count_by_their_weight_over_the_whole_step(make_config, packing, weight):
    config = make_config(packing=packing, prompt_loss_weight=weight, max_steps=1, batch_size=60, neftune_alpha=None)
    plan = make_plan(config, "seeds+generated")
    expected = by_hand(plan, plan.rows, weight)
    assert expected != pytest.approx(by_hand(plan, plan.rows), abs=1e-2)
    assert trained(plan, micro_batch=6, accumulation=10)[0] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("packing", [False, True])
def test_validation_rows_are_measured_by_their_completions_whatever_is_trained_on(make_config, packing):
    import torch

    plan = make_plan(make_config(packing=packing, prompt_loss_weight=0.5, max_steps=1), "seeds+generated")
    rows = plan.rows[:5]
    trainer = make(plan)
    batch = trainer.data_collator([{"input_ids": list(row.input_ids), "labels": list(row.labels)} for row in rows])
    assert batch["attention_mask"].shape[0] == 5
    trainer.model.eval()
    with torch.no_grad():
        loss = trainer.compute_loss(trainer.model, batch)
    assert float(loss) == pytest.approx(by_hand(plan, rows), abs=1e-4)


def test_trls_loss_which_a_gpu_takes_is_ours_on_packs(make_config):
    from trl import SFTTrainer

    plan = make_plan(make_config(packing=True, max_length=128, max_steps=1), "seeds+generated")
    trainer = make(plan)
    batch = trainer.data_collator([trainer.train_dataset[i] for i in range(3)])
    count = int((batch["labels"] != -100).sum())
    ours = trainer.compute_loss(trainer.model, dict(batch), num_items_in_batch=count)
    trls = SFTTrainer.compute_loss(trainer, trainer.model, dict(batch), num_items_in_batch=count)
    assert ours.item() == pytest.approx(trls.item(), abs=1e-5)


@pytest.mark.parametrize("method", ["full", "lora"])
def test_a_resumed_training_on_packs_ends_with_the_same_weights(make_config, method):
    import torch

    config = make_config(packing=True, epochs=3.0, batch_size=4, max_length=128, method=method, save_steps=4)
    plan = make_plan(config, "seeds+generated")
    per_epoch = -(-num_examples(plan.rows, config.train) // 4)
    assert per_epoch > 2
    whole = make(plan, 2, 2, save_total_limit=None)
    whole.train()
    assert (plan.work / "checkpoint-4").exists()
    resumed = make(plan, 2, 2, first_epoch=4 // per_epoch)
    resumed.train(resume_from_checkpoint=str(plan.work / "checkpoint-4"))
    assert resumed.state.global_step == whole.state.global_step > 4
    assert losses(resumed) == losses(whole)
    for one, other in zip(whole.model.parameters(), resumed.model.parameters(), strict=True):
        assert torch.equal(one, other)


def test_packs_hold_the_same_rows_in_every_epoch_and_come_in_another_order(make_config):
    plan = make_plan(make_config(packing=True, max_length=128), "seeds+generated")
    trainer = make(plan)
    first, second = list(trainer.sampler), list(trainer.sampler)
    assert sorted(first) == sorted(second) == list(range(num_examples(plan.rows, plan.config.train)))
    assert first != second
    assert sum(map(len, trainer.train_dataset["seq_lengths"])) == 60


def test_a_model_that_mixes_documents_is_refused_before_the_first_step(make_config, monkeypatch):
    plan = make_plan(make_config(packing=True, attention="sdpa"), "seeds+generated")
    trainer = make(plan)
    before = [parameter.clone() for parameter in trainer.model.parameters()]
    forward = trainer.model.forward
    monkeypatch.setattr(
        trainer.model,
        "forward",
        lambda *arguments, **batch: forward(*arguments, **{k: v for k, v in batch.items() if k != "position_ids"}),
    )
    with pytest.raises(ValueError, match=r"train\.packing: documents in one pack .* set train\.packing: false"):
        trainer.train()
    assert all((one == other).all() for one, other in zip(before, trainer.model.parameters(), strict=True))


def test_the_tokenizer_and_the_models_config_stay_as_they_were(make_config):
    plan = make_plan(make_config(), "seeds+generated")
    trainer = make(plan)
    assert plan.tokenizer.pad_token is None
    base = json.loads((Path(plan.config.model.path) / "config.json").read_text())
    assert trainer.model.config.pad_token_id == base["pad_token_id"]
    assert len(plan.tokenizer) == trainer.model.get_input_embeddings().num_embeddings


@pytest.mark.parametrize("packing", [False, True])
def test_what_fills_up_a_step_teaches_nothing(make_config, packing):
    """Fillers alone have no loss and gradients of zero, no NaN; beside them a row or pack has the loss it has alone."""
    from trl import SFTTrainer

    plan = make_plan(make_config(packing=packing, prompt_loss_weight=0.3, max_steps=1), "seeds+generated")
    trainer = make(plan)
    rows = trainer.get_train_dataloader().dataset
    filler = rows[len(rows) - 1]
    assert len(rows) == len(trainer.train_dataset) + 1
    trainer.model.train()
    for loss_of in (type(trainer).compute_loss, SFTTrainer.compute_loss):
        fillers, with_row, row = (
            trainer.data_collator(batch) for batch in ([filler] * 2, [filler, rows[0]], [rows[0]])
        )
        loss = loss_of(trainer, trainer.model, dict(fillers), num_items_in_batch=100.0)
        loss.backward()
        assert loss.item() == 0
        gradients = [parameter.grad for parameter in trainer.model.parameters()]
        assert all(gradient is not None and not gradient.any() for gradient in gradients)
        losses = [loss_of(trainer, trainer.model, dict(batch), num_items_in_batch=100.0) for batch in (with_row, row)]
        assert losses[0].item() == pytest.approx(losses[1].item(), abs=1e-6)
        assert losses[0].item() > 0
