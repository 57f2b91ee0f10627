"""Makes byte-level.json: ids that Python's tokenizers gives for a byte-level vocabulary of 256 letters and one merge for every
pair of bytes that stand side by side in a text, so that a split in the wrong place changes the ids.

Usage: python make-byte-level.py      needs: tokenizers
The pre-tokenisers are built here from the definitions of the models that use them (GPT-2, SmolLM2, Qwen2, Llama 3).
"""

import json
from pathlib import Path

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|NUMBER| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def words(number):
    return pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(WORDS.replace("NUMBER", number)), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])


GPT2 = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
KINDS = {
    "gpt-2": (None, GPT2, False),
    "smollm": (None, pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), GPT2]), False),
    "qwen2": (normalizers.NFC(), words(r"\p{N}"), False),
    "llama-bpe": (None, words(r"\p{N}{1,3}"), True),
}
TEXTS = [
    "ab", " ab", " a", "  a", "a  b", "12", " 12", "1212", " 12121", "a12b", "½²٣१", "x½2", "IT'S we'LL don't", "ſ'ſ K's",
    "tabs\t\tand\n\nlines \n end ", "\r\n\r\na", "e\u0301 é", "\u0085a \u0085b", "\ufeffab", "a\u00a0b", "日本語 12 ab", "🙂🙂 ab", "a!b ?! (ab)",
    " \u2003ab", "___ab__", "…", "ab\u200dab", "\u1680ab", "9 12 123 1234", "\x1c12", "a\x00b",
]

letters = [None] * 256
seen = [*range(33, 127), *range(161, 173), *range(174, 256)]
for position, byte in enumerate(seen):
    letters[byte] = chr(byte)
for position, byte in enumerate(b for b in range(256) if b not in seen):
    letters[byte] = chr(256 + position)
pairs = {}
for text in TEXTS:
    spelled = [letters[byte] for byte in text.encode()]
    for pair in zip(spelled, spelled[1:]):
        pairs.setdefault(pair)
merges = list(pairs)
tokens = [*letters, *("".join(pair) for pair in merges)]

cases = {}
for name, (normalizer, pre_tokenizer, ignore_merges) in KINDS.items():
    tokenizer = Tokenizer(models.BPE({t: i for i, t in enumerate(tokens)}, merges, ignore_merges=ignore_merges))
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer
    cases[name] = [dict(text=text, ids=tokenizer.encode(text, add_special_tokens=False).ids) for text in TEXTS]
out = Path(__file__).parent / "byte-level.json"
out.write_text(json.dumps(dict(letters=letters, merges=[" ".join(pair) for pair in merges], cases=cases), ensure_ascii=True) + "\n")
