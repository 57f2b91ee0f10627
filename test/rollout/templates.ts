import { readFileSync } from "node:fs";
import { createTokenizer, type Tokenizer } from "../../src/policy/tokenizer.ts";
import { reference } from "../policy/fixtures.ts";

/*
 * Chat templates with the structure of well-known ones, written for these tests: same control tokens, same order, same treatment of white space,
 * tools and thoughts, without the originals' texts.
 */

/** As Qwen2.5: tools within the system turn, results within users' turns that neighbours share. */
export const CHATML_TOOLS = `{%- if tools %}{{- '<|im_start|>system\\n' }}
{%- if messages[0].role == 'system' %}{{- messages[0].content + '\\n\\n' }}{%- endif %}
{{- 'Tools:' }}{%- for tool in tools %}{{- '\\n' + (tool | tojson) }}{%- endfor %}{{- '<|im_end|>\\n' }}
{%- elif messages[0].role == 'system' %}{{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}
{%- else %}{{- '<|im_start|>system\\nBe helpful.<|im_end|>\\n' }}{%- endif %}
{%- for message in messages %}
{%- if message.role == 'user' or (message.role == 'system' and not loop.first) or message.role == 'assistant' %}
{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
{%- elif message.role == 'tool' %}
{%- if loop.first or messages[loop.index0 - 1].role != 'tool' %}{{- '<|im_start|>user' }}{%- endif %}
{{- '\\n<tool_response>\\n' + message.content + '\\n</tool_response>' }}
{%- if loop.last or messages[loop.index0 + 1].role != 'tool' %}{{- '<|im_end|>\\n' }}{%- endif %}
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}`;

/** As Qwen3: thoughts of turns before the last question are left out, the last turn always has a block. `keep_thoughts` writes every block, always. */
export const CHATML_THOUGHTS = `{%- set ns = namespace(last=-1) %}
{%- for message in messages %}{%- if message.role == 'user' %}{%- set ns.last = loop.index0 %}{%- endif %}{%- endfor %}
{%- if messages[0].role == 'system' %}{{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}{%- endif %}
{%- for message in messages %}
{%- if message.role == 'user' or (message.role == 'system' and not loop.first) %}{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
{%- elif message.role == 'assistant' %}
{%- set thought = '' %}{%- set content = message.content %}
{%- if '</think>' in content %}
{%- set thought = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
{%- set content = content.split('</think>')[-1].lstrip('\\n') %}
{%- endif %}
{%- if keep_thoughts or (loop.index0 > ns.last and (loop.last or thought)) %}
{{- '<|im_start|>assistant\\n<think>\\n' + thought + '\\n</think>\\n\\n' + content.lstrip('\\n') + '<|im_end|>\\n' }}
{%- else %}{{- '<|im_start|>assistant\\n' + content + '<|im_end|>\\n' }}{%- endif %}
{%- elif message.role == 'tool' %}
{%- if loop.first or messages[loop.index0 - 1].role != 'tool' %}{{- '<|im_start|>user' }}{%- endif %}
{{- '\\n<tool_response>\\n' + message.content + '\\n</tool_response>' }}
{%- if loop.last or messages[loop.index0 + 1].role != 'tool' %}{{- '<|im_end|>\\n' }}{%- endif %}
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}{%- endif %}`;

/** As Llama 3: a begin token, headers, trimmed contents, the date in the system turn, results under a role of their own as JSON text. */
export const HEADERS = `{{- bos_token }}
{%- if messages[0].role == 'system' %}{%- set system = messages[0].content | trim %}{%- set rest = messages[1:] %}
{%- else %}{%- set system = '' %}{%- set rest = messages %}{%- endif %}
{{- '<|start_header_id|>system<|end_header_id|>\\n\\nToday: ' + strftime_now('%d %b %Y') + '\\n\\n' + system + '<|eot_id|>' }}
{%- for message in rest %}
{%- if message.role == 'tool' %}{{- '<|start_header_id|>ipython<|end_header_id|>\\n\\n' }}{{- message.content | tojson }}{{- '<|eot_id|>' }}
{%- else %}{{- '<|start_header_id|>' + message.role + '<|end_header_id|>\\n\\n' + message.content | trim + '<|eot_id|>' }}{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{%- endif %}`;

/** As SmolLM2: every role as it is called, a system text of its own when there is none. */
export const CHATML = `{% for message in messages %}{% if loop.first and messages[0].role != 'system' %}{{ '<|im_start|>system\\nYou are small.<|im_end|>\\n' }}{% endif %}{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}`;

const SPECIAL = [
  ...["<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|begin_of_text|>", "<|eot_id|>"],
  ...["<|start_header_id|>", "<|end_header_id|>", "<|eom_id|>"],
];
const ORDINARY = ["<think>", "</think>", "<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>"];

const bytes = JSON.parse(readFileSync(reference("byte-level.json"), "utf8")) as { letters: string[]; merges: string[] };
/** Merges over the border of words and white space, so that ids depend on what stands beside a text. */
const EXTRA_MERGES = ["Ċ Ċ", "Ġ Ġ", "u s", "e r", "us er"];
/** A byte-level tokenizer with few merges, the control tokens of all the templates, and a template. */
export function templateTokenizer(template: string | null, eos = "<|im_end|>"): Tokenizer {
  const merges = [...bytes.merges, ...EXTRA_MERGES.filter((pair) => !bytes.merges.includes(pair))];
  const texts = [...new Set([...bytes.letters, ...merges.map((pair) => pair.replace(" ", ""))])];
  const added = [...SPECIAL, ...ORDINARY].map((content, i) => ({
    ...{ id: texts.length + i, content, special: SPECIAL.includes(content) },
    ...{ single_word: false, lstrip: false, rstrip: false, normalized: false },
  }));
  const tokenizerJson = JSON.stringify({
    model: { type: "BPE", unk_token: null, vocab: Object.fromEntries(texts.map((text, id) => [text, id])), merges },
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
    decoder: { type: "ByteLevel" },
    added_tokens: added,
  });
  const config = { eos_token: eos, bos_token: "<|begin_of_text|>", ...(template && { chat_template: template }) };
  return createTokenizer(
    { tokenizerJson, tokenizerConfigJson: JSON.stringify(config) },
    { bosId: null, eosIds: [], padId: 0 },
    "a test's tokenizer",
  );
}
