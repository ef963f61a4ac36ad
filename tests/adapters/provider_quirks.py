"""
A test double that speaks as providers do: what each refuses and how it says so, how each wraps its answer.

A row is one quirk met in public with one provider, gateway or local server, values invented. `respond` is the whole
server: it looks at a request as that provider would, refuses it in that provider's words and shape, or answers with a
chat completion. Pure; the tests put it behind a transport.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.factories import answer_json

Asked = Mapping[str, Any]
ANSWER = answer_json()
OPENAI = "https://api.openai.com/v1"
ELSEWHERE = "https://api.provider.test/v1"


@dataclass(frozen=True, slots=True)
class Refusal:
    """*status* and *body* for every request that *when* holds for."""

    when: Callable[[Asked], bool]
    status: int
    body: Any


@dataclass(frozen=True, slots=True)
class Quirk:
    """One provider's way. *content* is what stands in its message; *changes* are made to the completion around it."""

    name: str
    refusals: tuple[Refusal, ...] = ()
    content: Any = ANSWER
    changes: Mapping[str, Any] | None = None
    base_url: str = ELSEWHERE
    effort: str = ""
    message: Mapping[str, Any] | None = None


def respond(quirk: Quirk, asked: Asked) -> tuple[int, Any]:
    """The HTTP status and JSON body that the provider of *quirk* answers *asked* with."""
    for refusal in quirk.refusals:
        if refusal.when(asked):
            return refusal.status, refusal.body
    message = {"role": "assistant", "content": quirk.content, **(quirk.message or {})}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    usage = {"prompt_tokens": 900, "completion_tokens": 60, "total_tokens": 960}
    whole = {"id": "c", "object": "chat.completion", "created": 1, "model": "gpt-6-luna", "choices": [choice]}
    return 200, {**whole, "usage": usage, **(quirk.changes or {})}


# --- what is refused --------------------------------------------------------------------------------------------------


def sends(*names: str) -> Callable[[Asked], bool]:
    return lambda asked: any(name in asked for name in names)


def asks_for(*kinds: str) -> Callable[[Asked], bool]:
    return lambda asked: _kind(asked) in kinds


def more_than(most: int) -> Callable[[Asked], bool]:
    return lambda asked: _cap(asked) > most


def wants(role: str) -> Callable[[Asked], bool]:
    return lambda asked: any(message["role"] == role for message in asked["messages"])


def _kind(asked: Asked) -> str:
    return str(asked.get("response_format", {}).get("type", "text"))


def _cap(asked: Asked) -> int:
    return int(asked.get("max_completion_tokens") or asked.get("max_tokens") or 0)


def openai_error(message: str, param: str | None = None, code: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}}


def extra(*names: str) -> list[dict[str, Any]]:
    return [
        {"type": "extra_forbidden", "loc": ["body", name], "msg": "Extra inputs are not permitted", "input": 1}
        for name in names
    ]


def google(message: str) -> list[dict[str, Any]]:
    return [{"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}}]


def unknown_name(name: str) -> list[dict[str, Any]]:
    return google(f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.')


SCHEMA, OBJECT = asks_for("json_schema"), asks_for("json_object")
JSON = asks_for("json_schema", "json_object")
NEW_CAP, OLD_CAP = sends("max_completion_tokens"), sends("max_tokens")

FORMAT_QUIRKS = (
    Quirk(
        "DeepSeek: the format is not available",
        (
            Refusal(
                SCHEMA, 400, openai_error("This response_format type is unavailable now", code="invalid_request_error")
            ),
        ),
    ),
    Quirk(
        "DeepSeek, older: 422 from its deserializer",
        (
            Refusal(
                SCHEMA,
                422,
                "Failed to deserialize the JSON body into the target type: response_format: response_format.type "
                "`json_schema` is unavailable now at line 1 column 4096",
            ),
        ),
    ),
    Quirk(
        "Groq: this model has no json_schema",
        (
            Refusal(
                SCHEMA,
                400,
                openai_error("This model does not support response format `json_schema`.", "response_format"),
            ),
        ),
    ),
    Quirk(
        "Groq: a union of allowed values",
        (
            Refusal(
                SCHEMA,
                400,
                {
                    "error": {
                        "message": "'response_format' : one of the following must be satisfied[('response_format.type' "
                        ": value is not one of the allowed values ['text']) OR ('response_format.type' : value is not "
                        "one of the allowed values ['json_object'])]",
                        "type": "invalid_request_error",
                    }
                },
            ),
        ),
    ),
    Quirk(
        "OpenAI, older model: neither schema nor object",
        (
            Refusal(
                SCHEMA,
                400,
                openai_error(
                    "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model.",
                    "response_format",
                ),
            ),
            Refusal(
                OBJECT,
                400,
                openai_error(
                    "Invalid parameter: 'response_format' of type 'json_object' is not supported with this model.",
                    "response_format",
                ),
            ),
        ),
        base_url=OPENAI,
    ),
    Quirk(
        "LM Studio: an error that is a string",
        (Refusal(asks_for("json_object", "json_schema"), 400, {"error": "'response_format.type' must be 'text'"}),),
    ),
    Quirk(
        "llama.cpp: the grammar cannot be made",
        (
            Refusal(
                SCHEMA,
                400,
                {"error": {"code": 400, "message": "Failed to parse grammar", "type": "invalid_request_error"}},
            ),
        ),
    ),
    Quirk(
        "llama.cpp, older: the same with a status of 500",
        (
            Refusal(
                SCHEMA,
                500,
                {
                    "error": {
                        "code": 500,
                        "message": 'Either "json_schema" or "grammar" can be specified, but not both',
                        "type": "server_error",
                    }
                },
            ),
        ),
    ),
    Quirk(
        "vLLM: no backend for guided decoding",
        (
            Refusal(
                JSON,
                400,
                {
                    "object": "error",
                    "message": "guided decoding is not available with this backend",
                    "type": "BadRequestError",
                    "param": None,
                    "code": 400,
                },
            ),
        ),
    ),
    Quirk(
        "Fireworks: a part of the schema",
        (
            Refusal(
                SCHEMA,
                400,
                {
                    "error": {
                        "object": "error",
                        "type": "invalid_request_error",
                        "message": "JSON Schema not supported: could not understand the instance `{'type': 'number'}`.",
                    }
                },
            ),
        ),
    ),
    Quirk(
        "Together: this model has no JSON mode",
        (
            Refusal(
                JSON,
                400,
                {
                    "id": "n",
                    "error": {"message": "The model does not support JSON mode.", "type": "invalid_request_error"},
                },
            ),
        ),
    ),
    Quirk(
        "Anthropic: only json_schema, and not even that on an older model",
        (
            Refusal(
                JSON,
                400,
                openai_error("response_format.type: Input should be 'text'", code="invalid_request_error"),
            ),
        ),
    ),
    Quirk(
        "Anthropic, older: an extra input",
        (
            Refusal(
                JSON, 400, {"type": "error", "error": {"message": "response_format: Extra inputs are not permitted"}}
            ),
        ),
    ),
    Quirk(
        "Gemini: an unknown name, in a list",
        (Refusal(JSON, 400, unknown_name("response_format")),),
    ),
    Quirk(
        "Qwen on DashScope: a thinking model with a format",
        (
            Refusal(
                JSON,
                400,
                {
                    "error": {
                        "code": "invalid_parameter_error",
                        "param": None,
                        "message": "<400> InternalError.Algo.InvalidParameter: Json mode response is not supported "
                        "when enable_thinking is true",
                        "type": "invalid_request_error",
                    },
                    "request_id": "r",
                },
            ),
        ),
    ),
    Quirk(
        "Azure: its API version is too old for schemas",
        (
            Refusal(
                SCHEMA,
                400,
                {
                    "error": {
                        "code": "BadRequest",
                        "message": "response_format value as json_schema is enabled only for api versions "
                        "2024-08-01-preview and later",
                    }
                },
            ),
        ),
        base_url="https://resource.openai.azure.com/openai/v1",
    ),
    Quirk(
        "Bedrock behind a gateway: the words of litellm",
        (
            Refusal(
                SCHEMA,
                400,
                {
                    "error": {
                        "message": "litellm.UnsupportedParamsError: bedrock does not support parameters: "
                        "['response_format'], for model=m.",
                        "type": "None",
                        "param": "None",
                        "code": "400",
                    }
                },
            ),
            Refusal(OBJECT, 400, openai_error("does not support parameters: ['response_format']")),
        ),
    ),
    Quirk(
        "OpenRouter: no endpoint takes the parameters",
        (
            Refusal(
                SCHEMA,
                404,
                {
                    "error": {
                        "message": "No endpoints found that can handle the requested parameters: response_format.",
                        "code": 404,
                    }
                },
            ),
        ),
    ),
    Quirk(
        "OpenRouter: the upstream's refusal as JSON in a string",
        (
            Refusal(
                SCHEMA,
                400,
                {
                    "error": {
                        "message": "Provider returned error",
                        "code": 400,
                        "metadata": {
                            "raw": json.dumps(openai_error("response_format json_schema is not supported")),
                            "provider_name": "Upstream",
                        },
                    }
                },
            ),
        ),
    ),
    Quirk(
        "Perplexity: a validation list without a status text",
        (
            Refusal(
                OBJECT,
                422,
                {
                    "detail": [
                        {"loc": ["body", "response_format", "type"], "msg": "unexpected value", "type": "value_error"}
                    ]
                },
            ),
            Refusal(
                SCHEMA,
                422,
                {"detail": [{"loc": ["body", "response_format"], "msg": "field not permitted", "type": "value_error"}]},
            ),
        ),
    ),
    Quirk(
        "SambaNova: a sentence about structured output",
        (Refusal(SCHEMA, 400, {"error": {"message": "Structured outputs are not available for this model"}}),),
    ),
    Quirk(
        "Text Generation Inference: a tool grammar",
        (
            Refusal(
                JSON,
                422,
                {"error": "Input validation error: grammar is not supported", "error_type": "validation"},
            ),
        ),
    ),
    Quirk(
        "Zhipu: only a number and a sentence, in Chinese",
        (Refusal(SCHEMA, 400, {"error": {"code": "1210", "message": "API 调用参数有误，请检查文档。"}}),),
    ),
    Quirk(
        "A gateway that only says Bad Request",
        (Refusal(lambda asked: SCHEMA(asked) or NEW_CAP(asked), 400, "Bad Request"),),
    ),
    Quirk(
        "Gemini behind a proxy: an invalid argument, unnamed",
        (Refusal(JSON, 400, google("Request contains an invalid argument.")),),
    ),
)

FIELD_QUIRKS = (
    Quirk("Gemini: store is an unknown name", (Refusal(sends("store"), 400, unknown_name("store")),), base_url=OPENAI),
    Quirk(
        "Groq: store is unsupported",
        (
            Refusal(
                sends("store"),
                400,
                {"error": {"message": "property 'store' is unsupported", "type": "invalid_request_error"}},
            ),
        ),
        base_url=OPENAI,
    ),
    Quirk(
        "Mistral: two extra inputs at once",
        (Refusal(sends("store", "max_completion_tokens"), 422, {"detail": extra("store", "max_completion_tokens")}),),
        base_url=OPENAI,
    ),
    Quirk(
        "Mistral: the list inside a message",
        (
            Refusal(
                NEW_CAP,
                422,
                {
                    "object": "error",
                    "message": {"detail": extra("max_completion_tokens")},
                    "type": "invalid_request_error",
                    "param": None,
                    "code": None,
                },
            ),
        ),
    ),
    Quirk(
        "vLLM, older: the list as Python text",
        (
            Refusal(
                NEW_CAP,
                400,
                {
                    "object": "error",
                    "message": str(extra("max_completion_tokens")),
                    "type": "BadRequestError",
                    "code": 400,
                },
            ),
        ),
    ),
    Quirk(
        "Azure, older: an unrecognized argument",
        (Refusal(NEW_CAP, 400, openai_error("Unrecognized request argument supplied: max_completion_tokens")),),
        base_url="https://resource.openai.azure.com/openai/v1",
    ),
    Quirk(
        "GitHub Models: unknown field, in a plain sentence",
        (Refusal(NEW_CAP, 400, {"error": {"code": "unknown", "message": "unknown field: max_completion_tokens"}}),),
    ),
    Quirk(
        "OpenAI, reasoning model: neither name is wanted twice",
        (
            Refusal(
                OLD_CAP,
                400,
                openai_error(
                    "Unsupported parameter: 'max_tokens' is not supported with this model. "
                    "Use 'max_completion_tokens' instead.",
                    "max_tokens",
                    "unsupported_parameter",
                ),
            ),
        ),
        base_url=OPENAI,
    ),
    Quirk(
        "A server that knows no cap at all",
        (Refusal(sends("max_completion_tokens", "max_tokens"), 422, {"detail": extra("max_tokens")}),),
    ),
    Quirk(
        "xAI: this model takes no effort",
        (
            Refusal(
                sends("reasoning_effort"),
                400,
                {"code": "invalid-argument", "error": "Model grok does not support parameter reasoningEffort."},
            ),
        ),
        effort="low",
    ),
    Quirk(
        "Ollama: no such think value",
        (
            Refusal(
                sends("reasoning_effort"),
                400,
                {"error": {"message": 'think value "low" is not supported for this model', "type": "api_error"}},
            ),
        ),
        effort="low",
    ),
    Quirk(
        "OpenAI: an effort this model does not have",
        (
            Refusal(
                sends("reasoning_effort"),
                400,
                openai_error(
                    "Unsupported value: 'reasoning_effort' does not support 'minimal' with this model.",
                    "reasoning_effort",
                    "unsupported_value",
                ),
            ),
        ),
        base_url=OPENAI,
        effort="minimal",
    ),
    Quirk(
        "OpenAI o1-mini: no system message",
        (
            Refusal(
                wants("system"),
                400,
                openai_error(
                    "Unsupported value: 'messages[0].role' does not support 'system' with this model.",
                    "messages[0].role",
                    "unsupported_value",
                ),
            ),
        ),
        base_url=OPENAI,
    ),
    Quirk(
        "Gemma's template: system role not supported",
        (Refusal(wants("system"), 400, {"object": "error", "message": "System role not supported", "code": 400}),),
    ),
    Quirk(
        "Everything at once, one after the other",
        (
            Refusal(sends("store"), 400, unknown_name("store")),
            Refusal(NEW_CAP, 422, {"detail": extra("max_completion_tokens")}),
            Refusal(SCHEMA, 400, openai_error("This response_format type is unavailable now")),
            Refusal(more_than(1_024), 400, openai_error("max_tokens must be <= 1024", "max_tokens")),
        ),
        base_url=OPENAI,
    ),
)

CAP_QUIRKS = tuple(
    Quirk(f"{name}: a cap of its own", (Refusal(more_than(most), status, body),))
    for name, most, status, body in (
        ("the shared case", 1_024, 400, openai_error("max_completion_tokens must be <= 1024", "max_completion_tokens")),
        (
            "OpenAI",
            1_500,
            400,
            openai_error(
                "max_tokens is too large: 2000. This model supports at most 1500 completion tokens, whereas you "
                "provided 2000.",
                "max_tokens",
            ),
        ),
        (
            "Groq",
            1_024,
            400,
            openai_error(
                "`max_completion_tokens` must be less than or equal to `1024`, the maximum value for "
                "`max_completion_tokens` is less than the `context_window` for this model"
            ),
        ),
        (
            "DashScope",
            1_000,
            400,
            openai_error("<400> InternalError.Algo.InvalidParameter: Range of max_tokens should be [1, 1000]"),
        ),
        ("DeepSeek", 512, 400, openai_error("Invalid max_tokens value, the valid range of max_tokens is [1, 512]")),
        (
            "Doubao",
            1_228,
            400,
            {
                "error": {
                    "code": "InvalidParameter",
                    "message": "The parameter `max_completion_tokens` specified in the request are not valid: integer "
                    "above maximum value, expected a value <= 1228, but got 2000 instead. Request id: 021775",
                    "param": "max_completion_tokens",
                    "type": "BadRequest",
                }
            },
        ),
        (
            "Gemini",
            1_024,
            400,
            google(
                "Unable to submit request because it has a maxOutputTokens value of 2000 but the supported range is "
                "from 1 (inclusive) to 1025 (exclusive). Update the value and try again."
            ),
        ),
        (
            "Anthropic",
            1_024,
            400,
            {
                "type": "error",
                "error": {"message": "max_tokens: 2000 > 1024, which is the maximum allowed number of output tokens"},
            },
        ),
        (
            "vLLM",
            1_184,
            400,
            {
                "object": "error",
                "message": "'max_tokens' or 'max_completion_tokens' is too large: 2000. This model's maximum context "
                "length is 4096 tokens and your request has 2848 input tokens (2000 > 4096 - 2848).",
                "type": "BadRequestError",
            },
        ),
        (
            "OpenAI, by its context",
            1_700,
            400,
            openai_error(
                "This model's maximum context length is 8192 tokens. However, you requested 8430 tokens (6430 in the "
                "messages, 2000 in the completion). Please reduce the length of the messages or completion.",
                "messages",
                "context_length_exceeded",
            ),
        ),
        (
            "Text Generation Inference",
            548,
            422,
            {
                "error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 2048. Given: 1500 "
                "`inputs` tokens and 2000 `max_new_tokens`",
                "error_type": "validation",
            },
        ),
        (
            "Zhipu, without a number",
            1_024,
            400,
            {"error": {"code": "1210", "message": "max_tokens参数非法。请检查文档。"}},
        ),
        (
            "Scaleway, with 416",
            1_024,
            416,
            {"error": "Range Not Satisfiable: max_completion_tokens is limited for this model"},
        ),
        ("Cohere", 1_024, 400, {"message": "too many tokens: max tokens must be less than or equal to 1024"}),
    )
)

INSIDE_200_QUIRKS = (
    Quirk(
        "OpenRouter: a refusal inside HTTP 200",
        (
            Refusal(
                SCHEMA, 200, {"error": {"message": "response_format is not supported", "code": 400}, "user_id": "u"}
            ),
        ),
    ),
    Quirk(
        "A relay: an error object beside empty choices",
        (Refusal(SCHEMA, 200, {"choices": [], "error": {"message": "json_schema is not supported", "code": "400"}}),),
    ),
    Quirk(
        "MiniMax: a base_resp inside HTTP 200",
        (
            Refusal(
                SCHEMA,
                200,
                {"choices": None, "base_resp": {"status_code": 2013, "status_msg": "invalid params, response_format"}},
            ),
        ),
    ),
    Quirk(
        "Workers AI: errors inside HTTP 200",
        (
            Refusal(
                SCHEMA,
                200,
                {
                    "success": False,
                    "result": None,
                    "errors": [{"code": 5006, "message": "response_format: no json schema"}],
                },
            ),
        ),
    ),
)

CONTENT_QUIRKS = (
    Quirk("Qwen3: an empty thought", content=f"<think>\n\n</think>\n\n{ANSWER}"),
    Quirk("DeepSeek R1: a long thought", content=f"<think>\n{'The averages cross. ' * 900}\n</think>\n\n{ANSWER}"),
    Quirk("Gemma: a code fence", content=f"```json\n{ANSWER}\n```"),
    Quirk("Phi: a bare fence", content=f"```\n{ANSWER}\n```\n"),
    Quirk("QwQ: a thought, then a fence", content=f"<think>Up.</think>\n\n```json\n{ANSWER}\n```"),
    Quirk(
        "Magistral: parts, a thought and a text",
        content=[{"type": "thinking", "thinking": [{"type": "text", "text": "Up."}]}, {"type": "text", "text": ANSWER}],
    ),
    Quirk("A gateway: one text part", content=[{"type": "text", "text": ANSWER}]),
    Quirk("llama.cpp: thoughts beside the text", message={"reasoning_content": "Up.", "content": ANSWER}),
    Quirk("Llama: white space around", content=f"\n\n {ANSWER}\n"),
    Quirk(
        "Yi: a hold of nulls",
        content='{"action": "hold", "confidence": null, "leverage": null, "reason": "flat", '
        '"stop_loss": null, "take_profit": null}',
    ),
    Quirk("Granite: a hold of zeros", content=answer_json(action="hold", leverage=0, stop_loss=0, take_profit=0)),
    Quirk("A server without usage", changes={"usage": None}),
    Quirk("A server whose model has no name", changes={"model": None}),
)

QUIRKS = (*FORMAT_QUIRKS, *FIELD_QUIRKS, *CAP_QUIRKS, *INSIDE_200_QUIRKS, *CONTENT_QUIRKS)
"""Every quirk that ends with a view."""
