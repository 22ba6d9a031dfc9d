"""Writes language models of random weights, in the llama architecture, for a real llama.cpp.

    tiny_model.py PATH [--width N] [--layers N]

Their answers mean nothing, but they are read, mapped, run and streamed as any other model is. The
same arguments give the same bytes.
"""

import argparse
import os

import gguf
import numpy

HEAD = 64
SYLLABLES = [first + second for first in "bcdfghklmnprstvz" for second in "aeiou"]
TEMPLATE = "{% for message in messages %}{{ message.content }} {% endfor %}"


def vocabulary():
    """Tokens as SentencePiece has them: three of control, every byte, and a few to speak with."""
    kind = gguf.TokenType
    tokens = [("<unk>", kind.UNKNOWN), ("<s>", kind.CONTROL), ("</s>", kind.CONTROL)]
    tokens += [(f"<0x{byte:02X}>", kind.BYTE) for byte in range(256)]
    spoken = list("abcdefghijklmnopqrstuvwxyz") + SYLLABLES
    tokens += [(text, kind.NORMAL) for text in ["▁", *spoken, *("▁" + text for text in spoken)]]
    return tokens


def weights(width, layers, tokens):
    """Yields name and array of each tensor."""
    random = numpy.random.default_rng(1)
    inner = width * 5 // 2

    def some(*shape):
        # Small enough that nothing overflows in half precision, whatever the depth.
        return (random.standard_normal(shape, numpy.float32) * 0.05).astype(numpy.float16)

    def ones():
        return numpy.ones(width, numpy.float32)

    spoken = 3 + 256
    yield "token_embd.weight", some(tokens, width)
    yield "output_norm.weight", ones()
    output = some(tokens, width)
    # Neither an end nor a lone byte is ever the likeliest: an answer is as long as was asked for,
    # and every token of it is a piece of text.
    output[:spoken] = 0
    yield "output.weight", output
    for layer in range(layers):
        block = f"blk.{layer}."
        yield block + "attn_norm.weight", ones()
        for part in ("attn_q", "attn_k", "attn_v", "attn_output"):
            yield f"{block}{part}.weight", some(width, width)
        yield block + "ffn_norm.weight", ones()
        yield block + "ffn_gate.weight", some(inner, width)
        yield block + "ffn_up.weight", some(inner, width)
        yield block + "ffn_down.weight", some(width, inner)


def write(path, width=128, layers=2):
    """The model at `path`, which is there whole or not at all; returns its size."""
    tokens = vocabulary()
    unfinished = path + ".part"
    writer = gguf.GGUFWriter(unfinished, "llama")
    writer.add_name(os.path.basename(path))
    writer.add_context_length(2048)
    writer.add_embedding_length(width)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(width * 5 // 2)
    writer.add_head_count(width // HEAD)
    writer.add_head_count_kv(width // HEAD)
    writer.add_rope_dimension_count(HEAD)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("llama")
    writer.add_token_list([text for text, _ in tokens])
    writer.add_token_scores([-float(number) for number in range(len(tokens))])
    writer.add_token_types([int(kind) for _, kind in tokens])
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_chat_template(TEMPLATE)
    for name, array in weights(width, layers, len(tokens)):
        writer.add_tensor(name, array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    os.replace(unfinished, path)
    return os.path.getsize(path)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("path")
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--layers", type=int, default=2)
    options = parser.parse_args()
    print(f"{options.path}: {write(options.path, options.width, options.layers)} bytes")


if __name__ == "__main__":
    main()
