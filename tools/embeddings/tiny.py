"""Writes a sentence model of random weights for llama.cpp: a BERT of two layers
and 64 dimensions over single letters, 400 KB. Its vectors mean nothing; they
are always the same for the same text, which is what the protocol is tested with.

    python tiny.py FILE
"""

import sys

import gguf
import numpy as np

DIMENSIONS, LAYERS, INNER, CONTEXT = 64, 2, 128, 256

tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
for letter in [chr(c) for c in range(33, 127)]:
    tokens += ["▁" + letter, letter]  # as a word begins, and as it goes on

out = gguf.GGUFWriter(sys.argv[1], "bert")
out.add_name("tiny")
out.add_context_length(CONTEXT)
out.add_embedding_length(DIMENSIONS)
out.add_feed_forward_length(INNER)
out.add_block_count(LAYERS)
out.add_head_count(4)
out.add_layer_norm_eps(1e-12)
out.add_causal_attention(False)
out.add_pooling_type(gguf.PoolingType.MEAN)
out.add_tokenizer_model("bert")
out.add_tokenizer_pre("default")
out.add_token_list(tokens)
out.add_token_types([3, 2, 3, 3] + [1] * (len(tokens) - 4))
out.add_token_type_count(2)
out.add_pad_token_id(0)
out.add_unk_token_id(1)
out.add_bos_token_id(2)
out.add_eos_token_id(3)
out.add_sep_token_id(3)
out.add_mask_token_id(1)

numbers = np.random.default_rng(1)


def tensor(name, *shape):
    out.add_tensor(name, numbers.normal(0, 0.4, shape).astype(np.float32))


def norm(name):
    out.add_tensor(name + ".weight", np.ones(DIMENSIONS, np.float32))
    out.add_tensor(name + ".bias", np.zeros(DIMENSIONS, np.float32))


tensor("token_embd.weight", len(tokens), DIMENSIONS)
tensor("position_embd.weight", CONTEXT, DIMENSIONS)
tensor("token_types.weight", 2, DIMENSIONS)
norm("token_embd_norm")
for i in range(LAYERS):
    for part in ("attn_q", "attn_k", "attn_v", "attn_output"):
        tensor(f"blk.{i}.{part}.weight", DIMENSIONS, DIMENSIONS)
        tensor(f"blk.{i}.{part}.bias", DIMENSIONS)
    norm(f"blk.{i}.attn_output_norm")
    tensor(f"blk.{i}.ffn_up.weight", INNER, DIMENSIONS)
    tensor(f"blk.{i}.ffn_up.bias", INNER)
    tensor(f"blk.{i}.ffn_down.weight", DIMENSIONS, INNER)
    tensor(f"blk.{i}.ffn_down.bias", DIMENSIONS)
    norm(f"blk.{i}.layer_output_norm")

out.write_header_to_file()
out.write_kv_data_to_file()
out.write_tensors_to_file()
out.close()
