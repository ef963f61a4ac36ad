"""A person's strategies: listed, made, saved as versions, run, shared by a code, and what somebody else shared."""

from collections.abc import Sequence
from dataclasses import fields
from decimal import Decimal

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.api import endpoints as api
from app.api.endpoints import Endpoint, Part
from app.api.exchange import body_of, done, for_actors, for_people, plain, refused
from app.http.fields import LONGEST_CHAIN, Fields, chain_of, read_whole, wrong
from app.system import system
from app.threads import in_thread
from lib.accounts.refusal import Refusal
from lib.accounts.strategies import LONGEST_CODE, LONGEST_SHOWN, Kept
from lib.accounts.web import SessionUser
from lib.domain.account import CADENCES, MAX_CUSTOM_PROMPT, MAX_SYSTEM, RiskLevel
from lib.domain.decision import ACTIONS, AnswerVersion
from lib.domain.exit_rules import MOST_MIN, MOST_R, ExitRules
from lib.domain.input_blocks import BY_NAME, in_order
from lib.domain.model_profile import DEFAULT_CHAIN
from lib.domain.strategy import BLOCKS, DESIGN, LONGEST_NAME, Strategy, StrategyVersion, plain_of
from lib.domain.strategy_templates import TEMPLATES

RULES = tuple(one.name for one in fields(ExitRules))
MINUTES = "time_stop_min"
LATEST_ID = 10**15 - 1
LONGEST_BOTH = 131_072
"""Bytes of a body with a system text and instructions of the longest, each character two escapes of JSON."""
NAMES = (
    "system", "instructions", "cadence_min", "risk_level", "max_leverage", "risk_per_trade", "min_confidence",
    "long_only", "inputs", "models", "answer_version", "rules",
)  # fmt: skip


@for_people
async def read_strategies(request: Request, user: SessionUser) -> Response:
    """The strategies, what runs (null = the original design), what ran, and the links that open one."""
    read, person = system().readings, user.user_id
    running = await in_thread(read.running_strategy, person)
    return JSONResponse(
        {
            "running": None if running is None else _version(running),
            "strategies": plain(await in_thread(read.strategies, person)),
            "runs": plain(await in_thread(read.strategy_runs, person)),
            "shares": plain(await in_thread(read.strategy_shares, person)),
        }
    )


@for_people
async def read_versions(request: Request, user: SessionUser) -> Response:
    """The newest hundred versions of one of the person's strategies, newest first; none of another's."""
    strategy_id = read_whole(request.path_params["strategy_id"])
    if strategy_id is None:
        return refused(Refusal("refuse.not_found"))
    found = await in_thread(system().readings.strategy_versions, user.user_id, strategy_id)
    return JSONResponse({"versions": [_version(one) for one in found]}) if found else refused(_GONE)


@for_people
async def read_templates(request: Request, user: SessionUser) -> Response:
    """The strategies to begin with, in the person's language."""
    made = [{"name": one.name, "content": plain_of(one.in_language(user.locale))} for one in TEMPLATES]
    return JSONResponse({"templates": made})


@for_actors
async def make_strategy(request: Request, user: SessionUser) -> Response:
    """`{name, content}`: a new strategy; what *content* leaves out is the original design's."""
    body = await body_of(request, LONGEST_BOTH)
    name, content = body.line("name", LONGEST_NAME), _content(body)
    return _kept(await in_thread(system().strategies.create, user, name, content))


@for_actors
async def save_version(request: Request, user: SessionUser) -> Response:
    """`{strategy_id, newest, content}`: a version, unless another than *newest* became the newest meanwhile."""
    body = await body_of(request, LONGEST_BOTH)
    strategy_id, newest, content = body.count("strategy_id"), body.count("newest"), _content(body)
    return _kept(await in_thread(system().strategies.save, user, strategy_id, content, newest))


@for_actors
async def rename_strategy(request: Request, user: SessionUser) -> Response:
    """`{strategy_id, name}`: what it is called from now on."""
    body = await body_of(request)
    strategy_id, name = body.count("strategy_id"), body.line("name", LONGEST_NAME)
    return done(await in_thread(system().strategies.rename, user, strategy_id, name))


@for_actors
async def delete_strategy(request: Request, user: SessionUser) -> Response:
    """`{strategy_id}`: gone with its versions and links; one that ever ran stays."""
    strategy_id = (await body_of(request)).count("strategy_id")
    return done(await in_thread(system().strategies.delete, user, strategy_id))


@for_actors
async def run_version(request: Request, user: SessionUser) -> Response:
    """`{version_id, settings_version}`: what runs from the next T on."""
    body = await body_of(request)
    version_id, version = body.count("version_id"), body.count("settings_version")
    return done(await in_thread(system().strategies.run, user, version_id, version))


@for_actors
async def share_version(request: Request, user: SessionUser) -> Response:
    """`{version_id, shown_as}`: a code that opens the version, told this once."""
    body = await body_of(request)
    version_id, shown_as = body.count("version_id"), body.line("shown_as", LONGEST_SHOWN, "")
    made = await in_thread(system().strategies.share, user, version_id, shown_as)
    return done(made) if isinstance(made, Refusal) else JSONResponse({"code": made.code})


@for_actors
async def end_share(request: Request, user: SessionUser) -> Response:
    """`{share_id}`: the link opens nothing from now on."""
    number = (await body_of(request)).count("share_id")
    return done(await in_thread(system().strategies.unshare, user, number))


@for_people
async def open_shared(request: Request, user: SessionUser) -> Response:
    """`{code}`: what somebody shared, and of them what they chose to show."""
    code = (await body_of(request)).line("code", LONGEST_CODE)
    found = await in_thread(system().strategies.shared, code)
    if found is None:
        return refused(_GONE)
    told = {"name": found.name, "shown_as": found.shown_as, "made_ms": found.made_ms}
    return JSONResponse({**told, "content": plain_of(found.content)})


_GONE = Refusal("refuse.strategy.gone")


def _kept(made: Kept | Refusal) -> Response:
    return done(made) if isinstance(made, Refusal) else JSONResponse({"version_id": made.version_id})


def _version(one: StrategyVersion) -> dict[str, object]:
    names = ("version_id", "strategy_id", "name", "number", "sha256", "made_ms")
    return {**{name: getattr(one, name) for name in names}, "content": plain_of(one.content)}


def _content(body: Fields) -> Strategy:
    part = body.part("content", NAMES)
    chain = chain_of(part, ()) or DEFAULT_CHAIN
    return Strategy(
        system=part.prose("system", MAX_SYSTEM, ""),
        instructions=part.prose("instructions", MAX_CUSTOM_PROMPT, ""),
        cadence_min=part.count("cadence_min", DESIGN.cadence_min),
        risk_level=part.choice("risk_level", list(RiskLevel), DESIGN.risk_level),
        max_leverage=part.count("max_leverage", DESIGN.max_leverage),
        risk_per_trade=_fraction(part, "risk_per_trade"),
        min_confidence=_fraction(part, "min_confidence"),
        long_only=part.flag("long_only", False),
        blocks=(*BLOCKS, *in_order(part.names("inputs", BY_NAME))),
        model=chain[0],
        fallback=chain[1:],
        answer_version=_answers(part),
        rules=_rules(part.part("rules", RULES)),
    )


def _answers(part: Fields) -> AnswerVersion:
    given = part.count("answer_version", DESIGN.answer_version)
    return next((one for one in ACTIONS if one == given), None) or wrong("answer_version")


def _rules(part: Fields) -> ExitRules:
    """Rules of exits; what is left out is off. Numbers of R are decimal strings."""
    given = {name: part.decimal(name, most=MOST_R) for name in RULES if name in part and name != MINUTES}
    return ExitRules(**given, time_stop_min=part.count(MINUTES, 0))


def _fraction(part: Fields, name: str) -> Decimal | None:
    return part.decimal(name, most=Decimal(1)) if name in part and not part.is_null(name) else None


def _object(name: str, parts: Sequence[Part]) -> Part:
    properties = {one.name: one.schema for one in parts}
    return Part(name, {"type": "object", "properties": properties, "additionalProperties": False})


_RULES = (
    *(api.decimal(name) for name in ("break_even_r", "trail_r", "trail_from_r")),
    api.whole("time_stop_min", 0, MOST_MIN),
)
_PARTS = (
    api.text("system", MAX_SYSTEM, required=False),
    api.text("instructions", MAX_CUSTOM_PROMPT, required=False),
    Part("cadence_min", {"type": "integer", "enum": list(CADENCES)}),
    api.choice("risk_level", [level.value for level in RiskLevel], required=False),
    api.whole("max_leverage", 1, 100),
    api.decimal("risk_per_trade", nullable=True),
    api.decimal("min_confidence", nullable=True),
    api.flag("long_only", required=False),
    api.names("inputs", list(BY_NAME)),
    api.text("models", LONGEST_CHAIN, required=False),
    api.whole("answer_version", min(ACTIONS), max(ACTIONS)),
    _object("rules", _RULES),
)
_CONTENT = _object("content", _PARTS)


def _number(name: str) -> Part:
    return api.whole(name, 0, LATEST_ID, required=True)


ENDPOINTS = (
    Endpoint("GET", "/api/strategies", read_strategies, "Strategies, what runs and ran, what is shared.", scope="read"),
    Endpoint("GET", "/api/strategies/templates", read_templates, "Strategies to begin with.", scope="read"),
    Endpoint("GET", "/api/strategies/{strategy_id}/versions", read_versions, "Versions of a strategy, newest first.",
             path_parts=(_number("strategy_id"),), scope="read"),
    Endpoint("POST", "/api/strategies", make_strategy, "A new strategy.",
             body=(api.text("name", LONGEST_NAME), _CONTENT)),
    Endpoint("POST", "/api/strategies/versions", save_version, "A new version of a strategy.",
             body=(_number("strategy_id"), _number("newest"), _CONTENT)),
    Endpoint("POST", "/api/strategies/rename", rename_strategy, "Rename a strategy.",
             body=(_number("strategy_id"), api.text("name", LONGEST_NAME))),
    Endpoint("POST", "/api/strategies/delete", delete_strategy, "Delete a strategy that never ran.",
             body=(_number("strategy_id"),)),
    Endpoint("POST", "/api/strategies/run", run_version, "Run a version from the next decision on.",
             body=(_number("version_id"), _number("settings_version"))),
    Endpoint("POST", "/api/strategies/share", share_version, "Share a version by a code, told this once.",
             body=(_number("version_id"), api.text("shown_as", LONGEST_SHOWN, required=False))),
    Endpoint("POST", "/api/strategies/share/end", end_share, "Take a shared version back.",
             body=(_number("share_id"),)),
    Endpoint("POST", "/api/strategies/open", open_shared, "Look at what somebody shared.",
             body=(api.text("code", LONGEST_CODE),)),
)  # fmt: skip
