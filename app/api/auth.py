"""
Coming in, going out, who am I. The only routes that set or clear the cookie.

The cookies are httpOnly, SameSite=Strict, and over https Secure under `__Host-` names. A new session never takes over
an older one's token, and the older one is ended. The second cookie outlives sessions: by it a browser is known that
signed in before.
"""

from collections.abc import Callable, Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.api import endpoints as api
from app.api.endpoints import Endpoint
from app.api.exchange import answered, body_of, done, for_people, plain, refused
from app.i18n import catalogue, preferred
from app.system import system
from app.threads import in_slow_thread, in_thread
from app.visit import Visit, visit_of
from lib.accounts.emails import EmailLetters, EmailWords
from lib.accounts.entrance import LONGEST_TOKEN
from lib.accounts.people import BROWSER_MS, LANGUAGES
from lib.accounts.refusal import Refusal
from lib.accounts.resets import Words
from lib.accounts.web import SessionUser, SignedIn
from lib.domain.session import ABSOLUTE_MS

LONGEST_EMAIL = 255
LONGEST_PASSWORD = 1_000
LONGEST_CODE = 64
LONGEST_SECOND = 40
LONGEST_LOCALE = 35
"""Characters; a browser's own language tag is at most this long."""


@answered
async def register(request: Request) -> Response:
    """`{email, password, accepted_risk, locale?, invite?}`."""
    body, visit = await body_of(request), visit_of(request.scope)
    email, password = body.typed("email", LONGEST_EMAIL), body.typed("password", LONGEST_PASSWORD)
    accepted, locale = body.flag("accepted_risk", False), body.line("locale", LONGEST_LOCALE, "ko")
    code = body.line("invite", LONGEST_CODE, "")
    people = system().people
    return await come_in(
        visit,
        lambda: people.register(email, password, accepted_risk=accepted, origin=visit.origin, locale=locale, code=code),
    )


@answered
async def login(request: Request) -> Response:
    """`{email, password, code?}`."""
    body, visit = await body_of(request), visit_of(request.scope)
    email, password = body.typed("email", LONGEST_EMAIL), body.typed("password", LONGEST_PASSWORD)
    code, people = body.typed_or_none("code", LONGEST_SECOND), system().people
    return await come_in(
        visit,
        lambda: people.sign_in(email, password, origin=visit.origin, browser=visit.browser, code=code),
    )


@answered
async def try_paper(request: Request) -> Response:
    """`{accepted_risk, locale?}`: one click, paper money."""
    body, visit = await body_of(request), visit_of(request.scope)
    accepted, locale = body.flag("accepted_risk", False), body.line("locale", LONGEST_LOCALE, "ko")
    people = system().people
    return await come_in(visit, lambda: people.try_paper(accepted_risk=accepted, origin=visit.origin, locale=locale))


@for_people
async def keep(request: Request, user: SessionUser) -> Response:
    """`{email, password, invite?}`: the guest becomes a person, with everything they have."""
    body, visit = await body_of(request), visit_of(request.scope)
    email, password = body.typed("email", LONGEST_EMAIL), body.typed("password", LONGEST_PASSWORD)
    code, people = body.line("invite", LONGEST_CODE, ""), system().people
    return await come_in(visit, lambda: people.keep_guest(user, email, password, origin=visit.origin, code=code))


@answered
async def demo(request: Request) -> Response:
    """A read-only look at the demo account."""
    await body_of(request)
    visit, people = visit_of(request.scope), system().people
    return await come_in(visit, lambda: people.open_demo(origin=visit.origin))


@answered
async def ask_reset(request: Request) -> Response:
    """`{email, locale?}`: a link by mail, if it is somebody's; one answer in any case."""
    body, visit = await body_of(request), visit_of(request.scope)
    email, locale = body.typed("email", LONGEST_EMAIL), body.line("locale", LONGEST_LOCALE, "ko")
    words = catalogue(preferred(locale))
    letter = Words(words["letter.reset_subject"], words["letter.reset_body"])
    return done(await in_slow_thread(system().resets.ask, email, letter, visit.origin))


@answered
async def reset(request: Request) -> Response:
    """`{token, password}`: a new password for whose link it is; nobody is signed in by it."""
    body, visit = await body_of(request), visit_of(request.scope)
    token, password = body.typed("token", LONGEST_TOKEN), body.typed("password", LONGEST_PASSWORD)
    return done(await in_slow_thread(system().resets.finish, token, password, visit.origin))


@answered
async def look_email(request: Request) -> Response:
    """`{token}`: the e-mail that a link leads to; nothing changes by looking."""
    body, visit = await body_of(request), visit_of(request.scope)
    found = await in_slow_thread(system().emails.look, body.typed("token", LONGEST_TOKEN), visit.origin)
    return refused(found) if isinstance(found, Refusal) else JSONResponse({"email": found})


@answered
async def confirm_email(request: Request) -> Response:
    """`{token}`: sign in by the e-mail that the link leads to; nobody is signed in by it, the other sessions end."""
    body, visit = await body_of(request), visit_of(request.scope)
    token, here = body.typed("token", LONGEST_TOKEN), 0 if visit.user is None else visit.user.session_id
    return done(await in_slow_thread(system().emails.finish, token, email_letters(), visit.origin, here))


def email_letters() -> EmailLetters:
    """What is mailed about a new e-mail, in either language."""
    return {language: _email_words(catalogue(language)) for language in LANGUAGES}


def _email_words(words: Mapping[str, str]) -> EmailWords:
    return EmailWords(
        Words(words["letter.email_subject"], words["letter.email_body"]),
        Words(words["letter.email_asked_subject"], words["letter.email_asked_body"]),
        Words(words["letter.email_done_subject"], words["letter.email_done_body"]),
    )


@answered
async def logout(request: Request) -> Response:
    """End this session; also without one, so that a browser can always get rid of its cookie."""
    await body_of(request)
    visit = visit_of(request.scope)
    await in_thread(system().people.sign_out, visit.token)
    answer = JSONResponse({"ok": True}, headers={"Clear-Site-Data": '"cache"'})
    answer.delete_cookie(visit.cookie_name, path="/", secure=visit.https, httponly=True, samesite="strict")
    return answer


@for_people
async def me(request: Request, user: SessionUser) -> Response:
    """Who this session belongs to."""
    return JSONResponse({"user": plain(user)})


async def come_in(visit: Visit, enter: Callable[[], SignedIn | Refusal]) -> Response:
    """The answer to who comes in by *enter*, with the cookies of a new session; the one it replaces ends."""
    result = await in_slow_thread(enter)
    if isinstance(result, Refusal):
        return refused(result)
    if visit.user is not None:
        await in_thread(system().people.sign_out, visit.token)
    answer = JSONResponse({"user": plain(result.user)})
    _write(answer, visit, visit.cookie_name, result.token, ABSOLUTE_MS)
    if result.browser:
        _write(answer, visit, visit.browser_cookie_name, result.browser, BROWSER_MS)
    return answer


def _write(answer: Response, visit: Visit, name: str, value: str, for_ms: int) -> None:
    answer.set_cookie(
        name, value, max_age=for_ms // 1000, path="/", secure=visit.https, httponly=True, samesite="strict"
    )


_EMAIL, _PASSWORD = api.text("email", LONGEST_EMAIL), api.text("password", LONGEST_PASSWORD, shape="password")
_INVITE = api.text("invite", LONGEST_CODE, required=False)
_NEW = (api.flag("accepted_risk"), api.text("locale", LONGEST_LOCALE, required=False))
_CODE = api.text("code", LONGEST_SECOND, required=False)

ENDPOINTS = (
    Endpoint("POST", "/api/auth/register", register, "Create an account and sign in.",
             body=(_EMAIL, _PASSWORD, *_NEW, _INVITE), is_open=True),
    Endpoint("POST", "/api/auth/login", login, "Sign in.", body=(_EMAIL, _PASSWORD, _CODE), is_open=True),
    Endpoint("POST", "/api/auth/try", try_paper, "Begin as a guest with paper money.", body=_NEW, is_open=True),
    Endpoint("POST", "/api/auth/keep", keep, "Make a guest a person with an e-mail and a password.",
             body=(_EMAIL, _PASSWORD, _INVITE)),
    Endpoint("POST", "/api/auth/demo", demo, "Look at the demo account.", is_open=True),
    Endpoint("POST", "/api/auth/reset/ask", ask_reset, "Have a link sent by which a password can be chosen anew.",
             body=(_EMAIL, api.text("locale", LONGEST_LOCALE, required=False)), is_open=True),
    Endpoint("POST", "/api/auth/reset", reset, "Choose a new password by such a link.",
             body=(api.text("token", LONGEST_TOKEN), _PASSWORD), is_open=True),
    Endpoint("POST", "/api/auth/email/look", look_email, "The e-mail that a mailed link leads to.",
             body=(api.text("token", LONGEST_TOKEN),), is_open=True),
    Endpoint("POST", "/api/auth/email", confirm_email, "Sign in by the e-mail that such a link leads to.",
             body=(api.text("token", LONGEST_TOKEN),), is_open=True),
    Endpoint("POST", "/api/auth/logout", logout, "End this session.", is_open=True),
    Endpoint("GET", "/api/auth/me", me, "Who asks.", scope="read"),
)  # fmt: skip
