"""Letters by SMTP: `lib.ports.mail.Mailer`. One connection a letter; nothing of a letter is logged."""

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from lib.domain import reason_codes as codes
from lib.domain.errors import Retry
from lib.log import register_secret
from lib.mail_settings import Smtp
from lib.ports.mail import Letter, Mailer

TIMEOUT_S = 20.0


class SmtpMailer(Mailer):
    """Over the server of *smtp*."""

    def __init__(self, smtp: Smtp) -> None:
        self._smtp = smtp
        if smtp.password:
            register_secret(smtp.password)

    def send(self, letter: Letter) -> None:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self._smtp.sender, letter.to, letter.subject
        message["Date"], message["Message-ID"] = formatdate(), make_msgid(domain=self._smtp.sender.partition("@")[2])
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.body)
        try:
            with self._connected() as server:
                if self._smtp.user:
                    server.login(self._smtp.user, self._smtp.password)
                server.send_message(message)
        except (smtplib.SMTPException, OSError, UnicodeError) as trouble:
            raise Retry(codes.MAIL_NOT_SENT(type=type(trouble).__name__)) from None

    def _connected(self) -> smtplib.SMTP:
        smtp, context = self._smtp, ssl.create_default_context()
        if smtp.tls == "first":
            return smtplib.SMTP_SSL(smtp.host, smtp.port, timeout=TIMEOUT_S, context=context)
        server = smtplib.SMTP(smtp.host, smtp.port, timeout=TIMEOUT_S)
        if smtp.tls == "starttls":
            server.starttls(context=context)
        return server
