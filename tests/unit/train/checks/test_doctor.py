"""The thirteen traps: each with a really broken tokenizer, model, collator or data set, refused and then repaired."""

import json
import shutil
from dataclasses import replace

import pytest

from selfinstruct_train.config import LoraSettings
from selfinstruct_train.train.checks.devices import Devices
from selfinstruct_train.train.checks.doctor import check_plan, examine, expect
from selfinstruct_train.train.checks.estimate import Estimate
from selfinstruct_train.train.checks.findings import BEFORE_TRAINING, refuse
from selfinstruct_train.train.data.encode import IGNORED, EncodedRow
from selfinstruct_train.train.data.packing import make_collator
from selfinstruct_train.train.launch import Launch
from selfinstruct_train.train.network.model import read_model_config
from selfinstruct_train.train.plan import make_plan
from tests.support import small_model
from tests.support.cli import run_cli
from tests.support.paths import REAL_DATA

MIXTURE = "seeds+generated"
GPU = Devices("H100", 1, 80 * 2**30, 989e12)
SMALL = Estimate({"weights": 4000}, 10, 60.0)


def examined(plan, overlaps=None, expected=SMALL, devices=GPU, **options):
    """The findings by their check."""
    found = check_plan(plan, overlaps if overlaps is not None else {}, expected, devices, **options)
    return {finding.check: finding for finding in found}


def assert_refused(finding, *words):
    """It is an error, and the refusal tells check, remedy and `words`."""
    assert finding.level == "error", finding
    assert finding.remedy
    with pytest.raises(ValueError) as refusal:
        refuse([finding])
    assert finding.remedy in str(refusal.value)
    for word in words:
        assert word in str(refusal.value)


@pytest.fixture
def make_rows(tmp_path):
    def make(*rows, name="rows.jsonl"):
        file = tmp_path / name
        lines = [dict(zip(("instruction", "input", "output", "source"), row, strict=False)) for row in rows]
        file.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return str(file)

    return make


@pytest.fixture
def make_base(tmp_path):
    """A base model whose tokenizer is spoilt by `change`, and with so many embeddings; a plan on it."""

    def make(change=None, embeddings=None, bos=False):
        folder = tmp_path / "spoilt"
        folder.mkdir()
        tokenizer = small_model.make_tokenizer(folder, bos=bos)
        small_model.make_model(folder, embeddings or len(tokenizer))
        if change is not None:
            change(tokenizer)
            tokenizer.save_pretrained(folder)
        return folder

    return make


def on(config, folder):
    return replace(config, model=replace(config.model, path=str(folder)))


def with_rows(plan, change):
    """The plan with other encoded rows in the place of its own."""
    rows = tuple(change(row) for row in plan.rows)
    return replace(plan, encoding=replace(plan.encoding, rows=rows))


def padding_collator(tokenizer):
    """Transformers' collator for causal LMs, which makes the labels itself and masks the padding token."""
    from transformers import DataCollatorForLanguageModeling

    collator = DataCollatorForLanguageModeling(tokenizer, mlm=False)
    return lambda examples: collator([{"input_ids": example["input_ids"]} for example in examples])


def masking_collator(plan):
    """Our batches, with every label masked that is the padding token, as many tools mask it."""
    collate = make_collator(plan.tokenizer, plan.config.train)

    def masked(examples):
        batch = collate(examples)
        batch["labels"][batch["input_ids"] == plan.tokenizer.pad_token_id] = IGNORED
        return batch

    return masked


def test_sound_rows_and_a_sound_model_have_no_finding(make_config, make_base):
    def give_padding(tokenizer):
        tokenizer.add_special_tokens({"pad_token": "<|pad|>"})

    plan = make_plan(on(make_config(), make_base(give_padding, embeddings=400)), MIXTURE)
    found = examined(plan)
    assert tuple(found) == BEFORE_TRAINING and len(BEFORE_TRAINING) == 13
    assert {name: finding.what for name, finding in found.items() if finding.level != "ok"} == {}


@pytest.mark.parametrize("packing", [False, True])
@pytest.mark.parametrize("template", ["fixed", "paper"])
@pytest.mark.parametrize("weight", [0.0, 0.1])
def test_rows_are_seen_alike_packed_and_padded(make_config, packing, template, weight):
    config = make_config(packing=packing, template=template, prompt_loss_weight=weight)
    found = examined(make_plan(config, MIXTURE))  # on a tokenizer without a padding token
    assert {name for name, finding in found.items() if finding.level != "ok"} == {
        "pad_is_eos"
    }  # it has none of its own


# 1 eos


def test_rows_without_a_supervised_end_are_refused(make_config):
    plan = make_plan(make_config(), MIXTURE)
    spoilt = with_rows(plan, lambda row: EncodedRow(row.input_ids[:-1], row.labels[:-1]))
    found = examined(spoilt)["eos"]
    assert (found.count, found.total) == (60, 60)
    assert "Name the 1th colour" in found.example
    assert_refused(found, "would not learn to stop", "eos_token (tokenizer_config.json)")
    masked = with_rows(plan, lambda row: EncodedRow(row.input_ids, (*row.labels[:-1], IGNORED)))
    assert_refused(examined(masked)["eos"], "60 of 60 rows")
    assert examined(plan)["eos"].level == "ok"


def test_an_ordinary_word_as_end_token_is_refused(make_config, make_base, make_rows):
    rows = [(f"Sort {i} words.", "", f"red {i}, blue") for i in range(9)]
    config = make_config(dataset=make_rows(*rows, ("Add.", "", "five")))
    wrong = make_base(lambda tokenizer: setattr(tokenizer, "eos_token", ","))
    found = examined(make_plan(on(config, wrong), MIXTURE))["eos"]
    assert (found.count, found.total) == (9, 10)
    assert_refused(found, "stands within completions too", "name a token that texts do not use")
    assert examined(make_plan(config, MIXTURE))["eos"].level == "ok"


def test_one_row_that_quotes_the_end_token_is_told(make_config, make_rows):
    rows = [(f"Say {i}.", "", f"It is {i}.") for i in range(99)]
    plan = make_plan(make_config(dataset=make_rows(*rows, ("Name the mark.", "", "<|end|> it is"))), MIXTURE)
    found = examined(plan)["eos"]
    assert (found.level, found.count) == ("warning", 1)


def test_a_tokenizer_without_eos_is_refused_before_the_doctor(make_config, make_base):
    with pytest.raises(ValueError, match="never stop; set eos_token in tokenizer_config.json"):
        make_plan(on(make_config(), make_base(lambda tokenizer: setattr(tokenizer, "eos_token", None))), MIXTURE)


# 2 pad_is_eos


def test_padding_with_eos_is_refused_where_the_collator_masks_it_and_told_elsewhere(make_config, make_base):
    plan = make_plan(on(make_config(), make_base(lambda t: setattr(t, "pad_token", t.eos_token))), MIXTURE)
    found = examined(plan, collate=padding_collator(plan.tokenizer))
    assert (found["pad_is_eos"].count, found["eos"].count) == (60, 60)
    assert_refused(found["pad_is_eos"], "'<|end|>'", "give the tokenizer a padding token that no row uses")
    found = examined(plan)["pad_is_eos"]
    assert (found.level, found.count) == ("warning", 0)
    assert "harmless here" in found.what


def test_a_padding_token_that_rows_use_is_refused_where_it_is_masked(make_config, make_base):
    plan = make_plan(on(make_config(), make_base(lambda t: setattr(t, "pad_token", "e"))), MIXTURE)
    found = examined(plan, collate=masking_collator(plan))
    with_e = sum("e" in row.output for row in plan.source_rows)
    assert found["pad_is_eos"].count == with_e > 0
    assert_refused(found["pad_is_eos"], "the padding token 'e'")
    assert found["eos"].level == "ok"
    assert examined(plan)["pad_is_eos"].level == "warning"


def test_padding_with_a_token_of_its_own_passes_with_any_collator(make_config, make_base):
    base = make_base(lambda t: t.add_special_tokens({"pad_token": "<|pad|>"}), embeddings=400)
    plan = make_plan(on(make_config(), base), MIXTURE)
    assert examined(plan)["pad_is_eos"].level == "ok"
    assert examined(plan, collate=masking_collator(plan))["pad_is_eos"].level == "ok"


# 3 no_label


def test_rows_whose_labels_are_all_masked_are_refused(make_config):
    plan = make_plan(make_config(), MIXTURE)
    found = examined(with_rows(plan, lambda row: EncodedRow(row.input_ids, (IGNORED,) * len(row.labels))))["no_label"]
    assert (found.count, found.total) == (60, 60)
    assert_refused(found, "a row whose labels are all -100 trains nothing")
    assert examined(plan)["no_label"].level == "ok"


def test_many_blank_outputs_are_refused_and_few_are_told(make_config, make_rows):
    good = [(f"Say {i}.", "", f"It is {i}.") for i in range(94)]
    blank = [(f"Ask {i}.", "", " ") for i in range(6)]
    found = examined(make_plan(make_config(dataset=make_rows(*good, *blank)), MIXTURE))["no_label"]
    assert (found.count, found.total) == (6, 100)
    assert "row 95" in found.example
    assert_refused(found, "take rows with a blank instruction or output out of the dataset")
    found = examined(make_plan(make_config(dataset=make_rows(*good, *blank[:4])), MIXTURE))["no_label"]
    assert (found.level, found.count) == ("warning", 4)


# 4 truncated


def test_cut_completions_are_refused(make_config, make_rows):
    rows = [(f"Say {i}.", "", "red " * 60 if i < 3 else "red") for i in range(100)]
    config = make_config(dataset=make_rows(*rows), max_length=60, too_long="truncate")
    found = examined(make_plan(config, MIXTURE))
    assert (found["truncated"].count, found["truncated"].total) == (3, 100)
    assert_refused(found["truncated"], "raise train.max_length, or drop such rows (train.too_long: drop)")
    assert found["eos"].level == "ok"  # told once
    mended = replace(config, train=replace(config.train, too_long="drop"))
    assert examined(make_plan(mended, MIXTURE))["truncated"].level == "ok"


@pytest.mark.parametrize("packing", [False, True])
def test_rows_that_a_collator_cuts_or_runs_together_are_refused(make_config, packing):
    plan = make_plan(make_config(packing=packing), MIXTURE)
    collate = make_collator(plan.tokenizer, plan.config.train)

    def spoilt(examples):
        batch = collate(examples)
        if packing:  # positions that go on from document to document
            batch["position_ids"][:] = batch["position_ids"].new_tensor(range(batch["input_ids"].shape[1]))
            return batch
        return {name: value[:, 1:] for name, value in batch.items()}

    found = examined(plan, collate=spoilt)["truncated"]
    assert found.count == found.total == 60
    assert_refused(found, "run into others", "keep the rows whole")
    assert examined(plan)["truncated"].level == "ok"


# 5 double_bos


def test_a_post_processors_bos_on_top_of_the_texts_own_is_refused(make_config, make_base):
    plan = make_plan(on(make_config(), make_base(bos=True)), MIXTURE)
    tokenizer = plan.tokenizer

    def as_text(row):  # as tools do that render a chat template to text and tokenise it with special tokens
        ids = tuple(tokenizer("<|begin|>" + tokenizer.decode(row.input_ids[1:]))["input_ids"])
        return EncodedRow(ids, (*[IGNORED] * (len(ids) - 2), *ids[-2:]))

    assert plan.rows[0].input_ids[0] == 1 != plan.rows[0].input_ids[1]
    found = examined(with_rows(plan, as_text))["double_bos"]
    assert (found.count, found.total) == (60, 60)
    assert_refused(found, "'<|begin|>' twice", "add_special_tokens=False")
    assert examined(plan)["double_bos"].level == "ok"


def puts_two_bos(tokenizer):
    from tokenizers import processors

    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="<|begin|> <|begin|> $A", special_tokens=[("<|begin|>", 1)]
    )


def test_a_tokenizer_that_puts_two_bos_is_refused_though_rows_have_one(make_config, make_base):
    plan = make_plan(on(make_config(), make_base(puts_two_bos, bos=True)), MIXTURE)
    assert plan.tokenizer("Say.")["input_ids"][:3] == [1, 1, plan.tokenizer("Say.", add_special_tokens=False)[0].ids[0]]
    assert plan.rows[0].input_ids[0] == 1 != plan.rows[0].input_ids[1]
    found = examined(plan)
    assert (found["double_bos"].count, found["double_bos"].total) == (60, 60)
    assert_refused(found["double_bos"], "'<|begin|>' twice in front of a prompt", "post_processor (tokenizer.json)")
    assert {name for name, finding in found.items() if finding.level == "error"} == {"double_bos"}


def test_a_chat_template_that_writes_two_bos_is_refused(make_config, make_base):
    template = "{{ bos_token }}%s{% for m in messages %}[{{ m['role'] }}]{{ m['content'] }}<|end|>{% endfor %}"
    template += "{% if add_generation_prompt %}[assistant]{% endif %}"

    def level(begin):
        base = make_base(lambda tokenizer: setattr(tokenizer, "chat_template", template.replace("%s", begin)), bos=True)
        found = examined(make_plan(on(make_config(template="chat", max_length=256), base), MIXTURE))["double_bos"]
        shutil.rmtree(base)
        return found.level, found.count

    assert level("{{ bos_token }}") == ("error", 60)
    assert level("") == ("ok", 0)


def test_one_row_that_begins_with_the_bos_is_told(make_config, make_base, make_rows):
    rows = [(f"Say {i}.", "", f"It is {i}.") for i in range(99)]
    config = make_config(dataset=make_rows(*rows, ("<|begin|>Say it.", "", "It.")), template="paper")
    found = examined(make_plan(on(config, make_base(bos=True)), MIXTURE))["double_bos"]
    assert (found.level, found.count, found.total) == ("warning", 1, 100)


# 6 prompt_in_loss


def test_prompt_tokens_in_the_loss_are_refused(make_config):
    plan = make_plan(make_config(), MIXTURE)
    found = examined(plan, collate=padding_collator_with(plan))["prompt_in_loss"]
    assert (found.count, found.total) == (60, 60)
    assert_refused(found, "do not weigh 0 in the loss", "label prompt tokens -100")
    last = with_rows(plan, lambda row: EncodedRow(row.input_ids, prompt_labels(row, 1)))
    assert_refused(examined(last)["prompt_in_loss"], "60 of 60")
    assert examined(plan)["prompt_in_loss"].level == "ok"


def prompt_labels(row, number):
    """The labels, with so many tokens of the prompt's end labelled too."""
    border = row.labels.count(IGNORED) - number
    return (*[IGNORED] * border, *row.input_ids[border:])


def padding_collator_with(plan):
    """Our batches with labels on every token, as a collator makes them that knows no prompts."""
    collate = make_collator(plan.tokenizer, plan.config.train)
    return lambda examples: (batch := collate(examples)) | {"labels": batch["input_ids"].clone()}


def test_prompts_without_the_wanted_weight_are_refused(make_config):
    plan = make_plan(make_config(prompt_loss_weight=0.1), MIXTURE)
    collate = make_collator(plan.tokenizer, plan.config.train)

    def without_attention_to_prompts(examples):
        batch = collate(examples)
        batch["attention_mask"] = (batch["labels"] != IGNORED).long()
        return batch

    found = examined(plan, collate=without_attention_to_prompts)["prompt_in_loss"]
    assert_refused(found, "do not weigh 0.1 in the loss", "train.prompt_loss_weight")
    assert "weigh 0.1" in examined(plan)["prompt_in_loss"].what


# 7 template


def test_rows_in_another_template_than_the_evaluations_are_refused(make_config):
    fixed, paper = (make_plan(make_config(template=name), MIXTURE) for name in ("fixed", "paper"))
    for plan, other in ((fixed, paper), (paper, fixed)):
        found = examined(replace(plan, encoding=other.encoding))["template"]
        assert (found.count, found.total) == (60, 60)
        assert_refused(found, "not those that the evaluation asks with", "encode rows with train.template")
        assert examined(plan)["template"].level == "ok"


def test_a_tokenizer_that_reads_otherwise_once_it_is_saved_is_refused(make_config, make_base):
    plan = make_plan(make_config(), MIXTURE)
    from transformers import AutoTokenizer

    asking = AutoTokenizer.from_pretrained(make_base(bos=True))
    assert_refused(examined(plan, saved_tokenizer=asking)["template"], "the tokenizer that is saved beside the model")


def test_a_lost_separating_space_is_refused(make_config):
    plan = make_plan(make_config(), MIXTURE)

    def joined(row):  # as a tokenizer does that strips what it is given: "Response:red"
        border = row.labels.count(IGNORED)
        text = plan.tokenizer.decode(row.input_ids[border:]).strip()
        after = tuple(plan.tokenizer(text)["input_ids"])
        return EncodedRow((*row.input_ids[:border], *after), (*row.labels[:border], *after))

    found = examined(with_rows(plan, joined))["template"]
    assert found.count == 60
    assert_refused(found, "lost the space", "tokenise the completion behind its prompt")


def chat_base(make_base, template):
    return make_base(lambda tokenizer: setattr(tokenizer, "chat_template", template))


UNOPENED = small_model.CHAT_TEMPLATE.replace("{% if add_generation_prompt %}assistant:{% endif %}", "")
"""The prompt of this one ends behind the user's message, and "assistant: " is left to the model."""
LIKE_MISTRAL = "{% for m in messages %}{{ '[' + m.content + ']' if m.role == 'user' else m.content }}{% endfor %}"
SHOUTING = small_model.CHAT_TEMPLATE.replace("m.content", "m.content.upper() if m.role == 'user' else m.content")


@pytest.mark.parametrize(
    ("template", "words"),
    [
        (UNOPENED, ("ignores add_generation_prompt", "has to write 'assistant:' itself")),
        (SHOUTING.replace("{{ ", "{{ (").replace(" }}", ") }}"), ("rewrites what it is given", "NAME THE 1TH COLOUR")),
    ],
)
def test_a_chat_template_that_opens_no_answer_or_rewrites_is_refused(make_config, make_base, template, words):
    plan = make_plan(on(make_config(template="chat"), chat_base(make_base, template)), MIXTURE)
    assert_refused(examined(plan)["template"], *words, "chat_template.jinja", "train.template: fixed")


@pytest.mark.parametrize("template", [small_model.CHAT_TEMPLATE, LIKE_MISTRAL])
def test_a_chat_template_that_opens_an_answer_or_needs_no_opening_passes(make_config, make_base, template):
    plan = make_plan(on(make_config(template="chat"), chat_base(make_base, template)), MIXTURE)
    found = examined(plan)
    assert (found["template"].level, found["eos"].level) == ("ok", "ok")


def test_another_chat_template_beside_the_model_is_refused(make_config, make_base):
    from transformers import AutoTokenizer

    folder = chat_base(make_base, small_model.CHAT_TEMPLATE)
    plan = make_plan(on(make_config(template="chat"), folder), MIXTURE)
    asking = AutoTokenizer.from_pretrained(folder)
    asking.chat_template = small_model.CHAT_TEMPLATE.replace("assistant:", "bot:")
    assert_refused(examined(plan, saved_tokenizer=asking)["template"], "saved beside the model is not the one")
    assert examined(plan, saved_tokenizer=AutoTokenizer.from_pretrained(folder))["template"].level == "ok"


def test_rows_written_in_a_template_before_are_refused_and_one_that_quotes_a_token_is_told(make_config, make_rows):
    rows = [(f"Say {i}.", "", f"It is {i}.") for i in range(97)]
    marked = [(f"user: Say it {i}.<|end|>", "", "It.") for i in range(3)]
    found = examined(make_plan(make_config(dataset=make_rows(*rows, *marked)), MIXTURE))["template"]
    assert (found.count, found.total) == (3, 100)
    assert "row 98" in found.example
    assert_refused(found, "special tokens ('<|end|>')", "take them out of the dataset")
    found = examined(make_plan(make_config(dataset=make_rows(*rows, marked[0])), MIXTURE))["template"]
    assert (found.level, found.count) == ("warning", 1)
    assert examined(make_plan(make_config(dataset=make_rows(*rows)), MIXTURE))["template"].level == "ok"


# 8 vocabulary


def test_a_model_with_fewer_embeddings_than_tokens_is_refused(make_config, make_base, tokenizer):
    config = on(make_config(), make_base(embeddings=300))
    found = examined(make_plan(config, MIXTURE))["vocabulary"]
    assert f"300 embeddings, the tokenizer {len(tokenizer)} tokens" in found.what
    assert 0 < found.count <= 60
    assert_refused(found, "do not belong together", "take the tokenizer that came with the model")
    assert examined(make_plan(make_config(), MIXTURE))["vocabulary"].level == "ok"


def test_a_padding_token_without_embedding_is_refused(make_config, make_base):
    base = make_base(lambda t: t.add_special_tokens({"pad_token": "<|pad|>"}))
    found = examined(make_plan(on(make_config(), base), MIXTURE))["vocabulary"]
    assert "<|pad|>" in found.example
    assert_refused(found, "resize_token_embeddings")


def test_a_token_without_embedding_is_told_unless_rows_use_it(make_config, make_base, make_rows):
    """As Gemma 3's text-only models, whose tokenizer has one token for images more than they have embeddings."""
    base = make_base(lambda t: t.add_special_tokens({"additional_special_tokens": ["<image>"]}), embeddings=384)
    found = examined(make_plan(on(make_config(), base), MIXTURE))["vocabulary"]
    assert (found.level, found.example) == ("warning", "<image>")
    rows = [(f"Say {i}.", "", f"It is {i}.") for i in range(9)]
    using = make_rows(*rows, ("Show it.", "", "<image>"))
    found = examined(make_plan(on(make_config(dataset=using), base), MIXTURE))["vocabulary"]
    assert found.count == 1
    assert found.example == "highest id in the rows 384, <image> (384)"
    assert_refused(found, "do not belong together")
    for seed in range(20):  # until it is the validation row
        plan = make_plan(replace(on(make_config(dataset=using, validation_rows=1), base), seed=seed), MIXTURE)
        if plan.validation_rows[0].output == "<image>":
            break
    assert_refused(examined(plan)["vocabulary"], "do not belong together")


# 9 duplicates


def test_a_dataset_of_duplicates_is_refused_and_a_few_are_told(make_config, make_rows):
    rows = [(f"Say {i}.", "", f"It is {i}.") for i in range(60)]
    found = examined(make_plan(make_config(dataset=make_rows(*rows, *rows[:40])), MIXTURE))["duplicates"]
    assert (found.count, found.total) == (40, 100)
    assert_refused(found, "equal to an earlier one, dropped", "take the copies out of the dataset")
    found = examined(make_plan(make_config(dataset=make_rows(*rows, *rows[:20])), MIXTURE))["duplicates"]
    assert (found.level, found.count, found.total) == ("warning", 20, 80)
    assert examined(make_plan(make_config(dataset=make_rows(*rows)), MIXTURE))["duplicates"].level == "ok"


def test_one_question_with_many_answers_is_refused_and_a_few_are_told(make_config, make_rows):
    rows = [(f"Say {i}.", "", f"It is {i}.") for i in range(60)]
    other = [("Say 0.", "", f"No, {i}.") for i in range(40)]
    found = examined(make_plan(make_config(dataset=make_rows(*rows, *other)), MIXTURE))["duplicates"]
    assert (found.count, found.total) == (40, 100)
    assert found.example == 'rows 1 and 61: "Say 0." -> "It is 0." / "No, 0."'
    assert_refused(found, "answer otherwise", "keep one answer to a question")
    assert examined(make_plan(make_config(dataset=make_rows(*rows, other[0])), MIXTURE))["duplicates"].count == 1


# 10 evaluation_data


def with_seed_file(config, file, instruction):
    file.write_text(json.dumps({"id": "s", "instruction": instruction, "is_classification": False, "instances": []}))
    return replace(config, generate=replace(config.generate, seed_tasks=str(file)))


def test_evaluation_rows_among_the_rows_are_refused_unless_only_flagged(make_config, make_rows, tmp_path):
    rows = [("Say it.", "", "It."), ("Sort these words.", "b a", "a b"), ("Own.", "", "Mine.", "seed")]
    config = with_seed_file(make_config(dataset=make_rows(*rows)), tmp_path / "seeds.jsonl", "Own.")
    plan = make_plan(config, MIXTURE)
    found = examined(plan, {1: "equal, task 7", 2: "equal, task 8"})["evaluation_data"]
    assert (found.count, found.total) == (1, 3)
    assert found.what == "rows overlap evaluation data, and 1 seed rows"
    assert found.example == 'row 2: "Sort these words." -> "a b": equal, task 7'
    assert_refused(found, "take these rows out of the dataset", "generate.contamination.action: flag")
    assert examined(plan, {})["evaluation_data"].level == "ok"
    assert examined(plan, {2: "equal"})["evaluation_data"].level == "warning"  # seeds are the user's own
    flagging = replace(config.generate, contamination=replace(config.generate.contamination, action="flag"))
    flagged = examined(make_plan(replace(config, generate=flagging), MIXTURE), {1: "equal"})["evaluation_data"]
    assert flagged.level == "warning"


def test_seed_rows_of_others_are_not_the_users_own(make_config, make_rows, tmp_path):
    rows = [("Sort these words.", "b a", "a b", "seed"), ("Own.", "", "Mine.", "seed")]  # as converted sets have
    config = with_seed_file(make_config(dataset=make_rows(*rows)), tmp_path / "seeds.jsonl", "Own.")
    found = examined(make_plan(config, MIXTURE), {0: "equal", 1: "equal"})["evaluation_data"]
    assert (found.level, found.count) == ("error", 1)
    assert found.what == "rows overlap evaluation data, and 1 seed rows"
    absent = replace(config, generate=replace(config.generate, seed_tasks="/absent/seeds.jsonl"))
    assert examined(make_plan(absent, MIXTURE), {1: "equal"})["evaluation_data"].level == "error"
    run = replace(config, run_dir=str(tmp_path / "own"), train=replace(config.train, dataset=None))
    (tmp_path / "own/dataset").mkdir(parents=True)
    shutil.copy(config.train.dataset, tmp_path / "own/dataset")
    assert examined(make_plan(run, MIXTURE), {0: "equal", 1: "equal"})["evaluation_data"].level == "warning"


def test_unchecked_evaluation_data_are_told(make_config):
    plan = make_plan(make_config(), MIXTURE)
    found = check_plan(plan, None, SMALL, GPU)
    unchecked = next(finding for finding in found if finding.check == "evaluation_data")
    assert (unchecked.level, "not checked" in unchecked.what) == ("warning", True)


# 11 lengths


def test_a_max_length_that_loses_many_rows_is_refused(make_config, make_rows):
    rows = [(f"Say {i}.", "", "red " * 60 if i < 11 else "red") for i in range(100)]
    config = make_config(dataset=make_rows(*rows), max_length=60)
    found = examined(make_plan(config, MIXTURE))["lengths"]
    assert (found.count, found.total) == (11, 100)
    assert_refused(found, "longer than max_length and dropped", "raise train.max_length")
    kept = examined(make_plan(replace(config, train=replace(config.train, max_length=250)), MIXTURE))["lengths"]
    assert (kept.level, kept.count) == ("ok", 0)
    few = make_config(dataset=make_rows(*rows[10:]), max_length=60)
    assert examined(make_plan(few, MIXTURE))["lengths"].level == "warning"


def test_a_max_length_beyond_the_models_positions_is_told(make_config):
    found = examined(make_plan(make_config(max_length=4096), MIXTURE))["lengths"]
    assert found.level == "warning"
    assert "train.max_length 4,096 is beyond the model's 256 positions" in found.what
    assert found.remedy == "set train.max_length: 256"


# 12 memory


def test_a_training_twice_as_big_as_the_device_is_refused_with_what_makes_it_smaller(make_config):
    plan = make_plan(make_config(), MIXTURE)
    model_config = read_model_config(plan.config.model)
    launch = Launch("python", "NO", 1)
    expected = expect(plan, model_config, GPU, launch)
    assert examined(plan, expected=expected)["memory"].level == "ok"
    half = replace(GPU, memory=expected.memory_bytes // 2)
    found = examined(plan, expected=expected, devices=half)["memory"]
    assert_refused(found, "more than there is")
    tight = replace(GPU, memory=int(expected.memory_bytes * 1.05))
    assert examined(plan, expected=expected, devices=tight)["memory"].level == "warning"


@pytest.mark.parametrize(
    ("memory", "train", "remedy"),
    [
        (
            {"weights": 90, "activations": 10},
            {},
            "set train.method: lora, or shard the model over several GPUs (ACCELERATE=fsdp2), or take a smaller model",
        ),
        (
            {"weights": 90, "activations": 10},
            {"method": "lora"},
            "set train.method: qlora, or shard the model over several GPUs (ACCELERATE=fsdp2), or take a smaller model",
        ),
        (
            {"weights": 10, "activations": 60, "logits": 30},
            {},
            "lower train.per_device_batch_size (4), or lower train.max_length (128), or set "
            "train.activation_checkpointing: on",
        ),
    ],
)
def test_the_remedy_against_too_little_memory_is_that_of_the_largest_part(make_config, memory, train, remedy):
    plan = make_plan(make_config(**train), MIXTURE)
    expected = Estimate({part: size * 2**30 for part, size in memory.items()}, 10, 60.0)
    found = examined(plan, expected=expected)["memory"]
    assert_refused(found, "about 100.0 GiB of 80.0 GiB on each of 1 x H100")
    assert found.remedy == remedy


def test_sharding_by_the_launch_makes_it_fit(make_config):
    plan = make_plan(make_config(), MIXTURE)
    model_config = read_model_config(plan.config.model)
    eight = replace(GPU, number=8)
    alone = expect(plan, model_config, eight, Launch("accelerate", "MULTI_GPU", 8))
    zero2 = expect(plan, model_config, eight, Launch("accelerate", "DEEPSPEED", 8, zero_stage=2))
    fsdp2 = expect(plan, model_config, eight, Launch("accelerate", "FSDP", 8))
    # gradients and Adam's two moments, 4 bytes each for a parameter, are shared out over eight
    assert alone.memory["optimizer"] == 8 * zero2.memory["optimizer"] == 8 * fsdp2.memory["optimizer"]
    assert alone.memory["weights"] == zero2.memory["weights"] == 8 * fsdp2.memory["weights"]
    own_file = expect(plan, model_config, eight, Launch("accelerate", "DEEPSPEED", 8))
    assert own_file == "the stage of ZeRO is set in DeepSpeed's own config file"


def test_what_cannot_be_estimated_is_told(make_config):
    found = examined(make_plan(make_config(max_hours=1.0), MIXTURE), expected="an architecture of its own")
    assert {found["memory"].level, found["time"].level} == {"warning"}
    assert found["time"].what == "not estimated: an architecture of its own"


# 13 time


def test_a_training_longer_than_max_hours_is_refused(make_config):
    expected = replace(SMALL, seconds=9000.0, steps=1234)
    found = examined(make_plan(make_config(max_hours=2.0), MIXTURE), expected=expected)["time"]
    assert_refused(found, "about 2.5 h for 1,234 steps on 1 x H100", "max_hours 2", "raise train.max_hours")
    assert found.remedy.startswith("lower train.epochs, or pack rows (train.packing: true), or take more")
    packed = make_plan(make_config(max_hours=2.0, packing=True, max_steps=9), MIXTURE)
    assert examined(packed, expected=expected)["time"].remedy.startswith("lower train.max_steps (9), or take more")
    for hours in (None, 2.5):
        assert examined(make_plan(make_config(max_hours=hours), MIXTURE), expected=expected)["time"].level == "ok"


def test_on_a_cpu_whose_speed_is_a_guess_only_twice_max_hours_is_refused(make_config):
    plan = make_plan(make_config(max_hours=2.0), MIXTURE)
    cpu = Devices("CPU", 1, 80 * 2**30, 1e11, False, False)
    levels = [
        examined(plan, expected=replace(SMALL, seconds=hours * 3600), devices=cpu)["time"].level
        for hours in (1.9, 3.9, 4.1)
    ]
    assert levels == ["ok", "warning", "error"]


# all together


def test_what_train_allow_names_is_told_and_not_refused(make_config):
    plan = make_plan(make_config(allow=("time",), max_hours=0.001), MIXTURE)
    found = examined(plan)
    assert (found["time"].level, found["time"].what[-25:]) == ("warning", "(accepted by train.allow)")
    refuse(found.values())


def test_the_plans_of_a_run_share_one_look_at_the_evaluation_data(make_config, make_rows):
    rows = [("Own.", "", "Mine.", "seed"), ("Say.", "", "It."), ("Tell.", "", "That.")]
    config = make_config(dataset=make_rows(*rows))
    plans = [make_plan(config, mixture) for mixture in ("seeds", "seeds+generated")]
    calls = []

    def overlaps(rows):
        calls.append([row.instruction for row in rows])
        return ["same" if row.instruction == "Say." else None for row in rows]

    examination = examine(config, plans, overlaps)
    assert calls == [["Own.", "Say.", "Tell."]]  # a row of both plans is looked at once
    first, second = examination.findings[:13], examination.findings[13:]
    assert [f.level for f in first if f.check == "evaluation_data"] == ["ok"]
    assert [(f.level, f.count) for f in second if f.check == "evaluation_data"] == [("error", 1)]
    assert next(f.what for f in second if f.check == "memory").startswith("about ")
    assert [table.splitlines()[0] for table in examination.tables] == [
        "seeds: 1 of 1 rows",
        "seeds+generated: 3 of 3 rows",
    ]
    assert ["evaluation_data  error" in table for table in examination.tables] == [False, True]
    with pytest.raises(ValueError, match="^the doctor refuses this training: evaluation_data: rows overlap"):
        examination.refuse()


def test_arms_of_an_experiment_are_named_and_not_examined_for_this_launch(make_config, make_rows):
    config = make_config(dataset=make_rows(("Say.", "", "It."), ("Tell.", "", "That.")))
    plans = [make_plan(config, MIXTURE)] * 2
    examination = examine(config, plans, lambda rows: [None] * len(rows), arms=["few", "many"])
    assert [f.check for f in examination.findings] == [*BEFORE_TRAINING[:-2]] * 2
    assert [f.what.partition(": ")[0] for f in examination.findings] == ["few"] * 11 + ["many"] * 11
    (table,) = examination.tables
    assert [line.split()[:3] for line in table.splitlines() if line[:1].strip()] == [
        ["evaluation_data", "ok", "few:"],
        ["evaluation_data", "ok", "many:"],
        ["pad_is_eos", "warning", "few:"],  # the small tokenizer has no padding token
        ["pad_is_eos", "warning", "many:"],
    ]
    examination.refuse()


def test_evaluation_data_is_not_looked_for_where_that_is_off(make_config):
    config = make_config()
    off = replace(config.generate, contamination=replace(config.generate.contamination, action="off"))
    config = replace(config, generate=off)

    def overlaps(rows):
        raise AssertionError("looked for")

    found = examine(config, [make_plan(config, MIXTURE)], overlaps).findings
    assert [f.level for f in found if f.check == "evaluation_data"] == ["warning"]


@pytest.mark.parametrize("name", ["memory", "weights_changed"])
def test_train_allow_may_name_checks_before_and_after_a_training_and_no_others(make_config, name):
    examine(make_config(allow=(name,)), [], lambda rows: [])
    with pytest.raises(ValueError, match=f"train.allow names '{name}s', which is no check; did you mean '{name}'"):
        examine(make_config(allow=(name + "s",)), [], lambda rows: [])


@pytest.mark.parametrize(
    ("train", "words"),
    [
        ({"report_to": ("wandbb",)}, "train.report_to: 'wandbb' is no tracker of transformers; did you mean 'wandb'"),
        ({"attention": "flash_attention_2"}, "needs a GPU and the package flash-attn"),
        ({"batch_size": 6, "per_device_batch_size": 4}, "no multiple of per_device_batch_size 4"),
        ({"method": "lora", "lora": LoraSettings(target_modules="q_prj")}, "'q_prj' is no linear layer"),
    ],
)
def test_settings_that_training_would_refuse_are_refused_here_too(make_config, train, words):
    config = make_config(**train)
    with pytest.raises(ValueError) as refusal:
        examine(config, [make_plan(config, MIXTURE)], lambda rows: [None] * len(rows))
    assert words in str(refusal.value)


def test_the_command_prints_the_table_and_exits_with_2_where_training_is_refused(tmp_path, base_folder, make_rows):
    rows = make_rows(*[(f"Say {i}.", "", f"It is {i}.") for i in range(8)], ("Ask.", "", " "))
    config = tmp_path / "run.yaml"
    config.write_text(f"run_dir: {tmp_path / 'run'}\nmodel: {{path: {base_folder}}}\ntrain: {{dataset: {rows}}}\n")
    done = run_cli("doctor", config, "--train.allow", "[time]")
    assert done.returncode == 2
    assert "no_label         error" in done.stdout
    assert "1 of 9 rows (11 %)" in done.stdout
    assert done.stderr.splitlines()[-1].startswith("error: the doctor refuses this training: no_label: ")


def test_real_rows_on_the_built_in_model_raise_no_false_alarm(tmp_path):
    if not REAL_DATA.exists():
        pytest.skip(f"{REAL_DATA} is not there")
    given = ("--train.dataset", REAL_DATA, "--run_dir", tmp_path, "--train.mixtures", "[seeds+generated]")
    done = run_cli("doctor", "tiny", *given)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("the doctor has no objection\n")
    lines = [line.split() for line in done.stdout.splitlines()[1:-1] if line[:1].strip()]
    assert sorted(line[0] for line in lines) == sorted(BEFORE_TRAINING)
    # 19 questions with two answers, and 191 rows that are longer than the 256 tokens of the tiny run
    assert {line[0] for line in lines if line[1] != "ok"} == {"duplicates", "lengths"}
