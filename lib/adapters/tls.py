"""
The failure of a TLS handshake, in words that name the remedy's kind; the setting's name is the adapter's to say.

Drivers wrap the failure in an error of their own that reads "cannot connect", so the chain behind that is searched. The
certificate files a setting names are read here too, once, before anything connects. No connection is opened.
"""

import ssl
from collections.abc import Iterator

from lib.domain.errors import Halt

_CERTIFICATE = {
    9: "it is not valid yet: is this machine's clock right?",
    10: "it has expired",
    18: "it is signed by itself, and not by one this machine trusts",
    19: "it is signed by an authority this machine does not trust",
    20: "it is signed by an authority this machine does not trust",
    21: "it is signed by an authority this machine does not trust",
    62: "it was made for another host name",
    64: "it was made for another address",
}
_NO_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "UNKNOWN_PROTOCOL")
_DEEPEST = 10


def handshake_failure(problem: BaseException) -> str:
    """Why the handshake behind *problem* failed, "" when none failed."""
    failure = next((cause for cause in causes(problem) if _is_of_tls(cause)), None)
    if failure is None:
        return ""
    if not isinstance(failure, ssl.SSLError):
        return "the server does not answer in TLS"
    if isinstance(failure, ssl.SSLCertVerificationError):
        why = _CERTIFICATE.get(failure.verify_code) or failure.verify_message
        return f"the certificate of the server is not accepted, because {why}"
    reason = failure.reason or ""
    if reason in _NO_TLS:
        return "the server does not answer in TLS"
    if "CERTIFICATE" in reason or reason.endswith("HANDSHAKE_FAILURE"):
        return f"the server does not accept our side of TLS (does it want a certificate of ours?): {reason}"
    return f"the TLS handshake failed: {reason or type(failure).__name__}"


_CUT = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)
"""A connection that ended, however far it had come: the server is away, and TLS had nothing to do with it."""


def _is_of_tls(cause: BaseException) -> bool:
    # a server that waits for a line of its own protocol lets the handshake run into our deadline
    is_failure = isinstance(cause, ssl.SSLError) and not isinstance(cause, _CUT)
    return is_failure or "handshake operation timed out" in str(cause)


def checked_context(named: str, ca_file: str | None, cert_file: str | None, key_file: str | None) -> ssl.SSLContext:
    """A verifying context with these files; *Halt*, beginning with *named*, for one that cannot be used."""
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except OSError:
        raise Halt(f"{named}: the certificate file {ca_file} cannot be read as PEM") from None
    # newer Pythons also want extensions that the certificates databases make for themselves do not have
    context.verify_flags &= ~ssl.VerifyFlags.VERIFY_X509_STRICT
    if key_file and not cert_file:
        raise Halt(f"{named}: the key {key_file} needs its certificate")
    if cert_file:
        _add_own_certificate(context, named, cert_file, key_file)
    return context


def _add_own_certificate(context: ssl.SSLContext, named: str, cert_file: str, key_file: str | None) -> None:
    def locked() -> str:
        # asked only for a key with a password: without this the library would ask the terminal, and wait
        raise ValueError("the key has a password")

    try:
        context.load_cert_chain(cert_file, key_file, password=locked)
    except (OSError, ValueError):
        raise Halt(
            f"{named}: the certificate {cert_file} with the key {key_file or cert_file} cannot be used"
        ) from None


def causes(problem: BaseException | None) -> Iterator[BaseException]:
    """*problem* and the exceptions behind it, as drivers chain them."""
    for _ in range(_DEEPEST):
        if problem is None:
            return
        yield problem
        nearer = getattr(problem, "original_exception", None) or getattr(problem, "orig", None)
        problem = nearer or problem.__cause__ or problem.__context__
