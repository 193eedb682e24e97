"""Text to token ids and back, here and in Hugging Face."""

from __future__ import annotations

import pytest

import embedded_case as case
from limr.core.errors import InputError
from limr.train.embedded import vocabulary


def test_round_trip_takes_the_longest_token():
    text = "22-7=15,15/3=\\boxed{5}"
    ids = case.WORDS.encode(text)
    assert ids[-1] == vocabulary.END_ID
    assert ids.count(case.WORDS.ids["\\boxed{"]) == 1
    assert case.WORDS.decode(ids) == text


def test_an_unknown_character_is_named():
    with pytest.raises(InputError, match=r"no token for 'é'.*knows only"):
        case.WORDS.encode("1+é")


def test_saved_vocabulary_is_the_same(tmp_path):
    vocabulary.save(case.WORDS, tmp_path)
    assert vocabulary.load(tmp_path) == case.WORDS


def test_a_foreign_tokenizer_is_refused(tmp_path):
    (tmp_path / "tokenizer.json").write_text('{"model": {"vocab": {"a": 0}}}')
    with pytest.raises(InputError, match="not a tokenizer of the embedded engine"):
        vocabulary.load(tmp_path)


def test_hugging_face_reads_the_tokenizer(tmp_path):
    from transformers import PreTrainedTokenizerFast

    vocabulary.save(case.WORDS, tmp_path)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(tmp_path)
    text = "2*(3+4)=?\\boxed{14}"
    assert tokenizer(text).input_ids == case.WORDS.encode(text)
    assert tokenizer.decode(case.WORDS.encode(text), skip_special_tokens=True) == text
    assert tokenizer.eos_token_id == vocabulary.END_ID
