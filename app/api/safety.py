"""
The safety of a person's own account: proving whose session it is, password and e-mail, the second factor, sessions
ended one by one, and the trail. Nobody else's id is ever taken.

A read-only visitor of the demo reads none of it either: other visitors' addresses are in it. Secrets and recovery codes
are told once, to the browser that asked, and pass through no script of the pages.
"""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.api import endpoints as api
from app.api.auth import LONGEST_EMAIL, LONGEST_PASSWORD, LONGEST_SECOND, email_letters
from app.api.endpoints import Endpoint
from app.api.exchange import body_of, done, for_actors, plain, refused, whole
from app.system import system
from app.threads import in_slow_thread, in_thread
from app.ui.qr import qr_address
from lib.accounts.refusal import Refusal
from lib.accounts.web import SessionUser

MOST_NOTES = 200
LATEST_ID = 10**15 - 1


@for_actors
async def sessions(request: Request, user: SessionUser) -> Response:
    """The living sessions, and which of them asks."""
    found = await in_thread(system().readings.sessions, user.user_id)
    return JSONResponse({"sessions": plain(found), "this": user.session_id})


@for_actors
async def end_session(request: Request, user: SessionUser) -> Response:
    """`{session_id}`."""
    number = (await body_of(request)).count("session_id")
    return done(await in_thread(system().safety.end_session, user, number))


@for_actors
async def end_others(request: Request, user: SessionUser) -> Response:
    """End every other session."""
    await body_of(request)
    return done(await in_thread(system().safety.end_other_sessions, user))


@for_actors
async def trail(request: Request, user: SessionUser) -> Response:
    """`?limit&before`: the newest notes, or those before the note *before*."""
    limit, before = whole(request, "limit", 50, 1, MOST_NOTES), whole(request, "before", 0, 0, LATEST_ID)
    found = await in_thread(system().readings.trail, user.user_id, limit, before)
    return JSONResponse({"notes": plain(found)})


@for_actors
async def prove(request: Request, user: SessionUser) -> Response:
    """`{password}` or `{code}`: whose session this is, for the next five minutes."""
    body = await body_of(request)
    password, code = body.typed_or_none("password", LONGEST_PASSWORD), body.typed_or_none("code", LONGEST_SECOND)
    return done(await in_slow_thread(system().safety.prove, user, password=password, code=code))


@for_actors
async def change_password(request: Request, user: SessionUser) -> Response:
    """`{old, new}`: every other session ends."""
    body = await body_of(request)
    old, new = body.typed("old", LONGEST_PASSWORD), body.typed("new", LONGEST_PASSWORD)
    return done(await in_slow_thread(system().safety.change_password, user, old, new))


@for_actors
async def change_email(request: Request, user: SessionUser) -> Response:
    """`{email, password}`: where mail is sent, once the link mailed there is followed; one answer, taken or not."""
    body = await body_of(request)
    email, password = body.typed("email", LONGEST_EMAIL), body.typed("password", LONGEST_PASSWORD)
    return done(await in_slow_thread(system().safety.change_email, user, email, password, email_letters()))


@for_actors
async def begin_factor(request: Request, user: SessionUser) -> Response:
    """A fresh secret, as text and as the image an authenticator scans."""
    await body_of(request)
    begun = await in_thread(system().safety.begin_factor, user)
    if isinstance(begun, Refusal):
        return done(begun)
    return JSONResponse({"secret": begun.secret, "image": qr_address(begun.uri)})


@for_actors
async def confirm_factor(request: Request, user: SessionUser) -> Response:
    """`{code}`: asked for from now on; the recovery codes."""
    code = (await body_of(request)).typed("code", LONGEST_SECOND)
    return done(await in_thread(system().safety.confirm_factor, user, code))


@for_actors
async def renew_codes(request: Request, user: SessionUser) -> Response:
    """Fresh recovery codes in place of the older ones."""
    await body_of(request)
    return done(await in_thread(system().safety.renew_codes, user))


@for_actors
async def drop_factor(request: Request, user: SessionUser) -> Response:
    """No second factor any more."""
    await body_of(request)
    return done(await in_thread(system().safety.drop_factor, user))


@for_actors
async def export(request: Request, user: SessionUser) -> Response:
    """Everything kept of the person but their tables, which `/api/export/` has; no secret is in it."""
    if refusal := await in_thread(system().safety.note_export, user):
        return refused(refusal)
    found = await in_thread(system().readings.everything, user.user_id)
    headers = {"Content-Disposition": 'attachment; filename="maemae-account.json"'}
    return JSONResponse(plain(found), headers=headers)


@for_actors
async def delete_account(request: Request, user: SessionUser) -> Response:
    """`{email}`, one's own typed once more: keys destroyed, every session ended."""
    email = (await body_of(request)).typed("email", LONGEST_EMAIL)
    return done(await in_thread(system().safety.delete_account, user, email))


_CODE = api.text("code", LONGEST_SECOND)
_ANY_CODE = api.text("code", LONGEST_SECOND, required=False)
_PASSWORD = api.text("password", LONGEST_PASSWORD, shape="password")
_ANY_PASSWORD = api.text("password", LONGEST_PASSWORD, shape="password", required=False)
_OLD_AND_NEW = tuple(api.text(name, LONGEST_PASSWORD, shape="password") for name in ("old", "new"))
_NOTES = (api.whole("limit", 1, MOST_NOTES), api.whole("before", 0, LATEST_ID))

ENDPOINTS = (
    Endpoint("GET", "/api/account/export", export, "Everything kept of the person, as a file."),
    Endpoint("POST", "/api/account/delete", delete_account, "Delete the account.",
             body=(api.text("email", LONGEST_EMAIL),)),
    Endpoint("POST", "/api/account/prove", prove, "Prove whose session this is, for five minutes.",
             body=(_ANY_PASSWORD, _ANY_CODE)),
    Endpoint("POST", "/api/account/password", change_password, "A new password; every other session ends.",
             body=_OLD_AND_NEW),
    Endpoint("POST", "/api/account/email", change_email, "Another e-mail.",
             body=(api.text("email", LONGEST_EMAIL), _PASSWORD)),
    Endpoint("POST", "/api/account/factor/begin", begin_factor, "A fresh secret for an authenticator."),
    Endpoint("POST", "/api/account/factor/confirm", confirm_factor, "Switch the second factor on.", body=(_CODE,)),
    Endpoint("POST", "/api/account/factor/codes", renew_codes, "Fresh recovery codes."),
    Endpoint("DELETE", "/api/account/factor", drop_factor, "Switch the second factor off."),
    Endpoint("GET", "/api/account/sessions", sessions, "Where this person is signed in."),
    Endpoint("POST", "/api/account/sessions/end", end_session, "End one session.",
             body=(api.whole("session_id", 0, LATEST_ID, required=True),)),
    Endpoint("POST", "/api/account/sessions/end-others", end_others, "End every other session."),
    Endpoint("GET", "/api/account/trail", trail, "What the account has been through.", query=_NOTES),
)  # fmt: skip
