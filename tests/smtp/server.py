"""An SMTP server for tests. Writes the port that it listens on, then each mail as a line of JSON."""

import argparse
import asyncio
import email
import email.policy
import json
import ssl

from aiosmtpd.smtp import AuthResult, SMTP

options = argparse.ArgumentParser()
options.add_argument("--port", type=int, default=0)
options.add_argument("--tls", choices=["off", "starttls", "wrapped"], default="off")
options.add_argument("--certificate")
options.add_argument("--key")
options.add_argument("--user")
options.add_argument("--password")
options = options.parse_args()


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        if address.startswith("refused"):
            return f"550 5.1.1 <{address}>: no such mailbox"
        if address.startswith("greylisted"):
            return f"451 4.7.1 <{address}>: come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        parts = {part.get_content_type(): part.get_content() for part in mail.walk() if not part.is_multipart()}
        taken = {
            "sender": envelope.mail_from,
            "recipients": envelope.rcpt_tos,
            "headers": dict(mail.items()),
            "parts": parts,
            "tls": session.ssl is not None or options.tls == "wrapped",
            "user": session.auth_data and session.auth_data.login.decode(),
            "hello": session.host_name,
        }
        print(json.dumps(taken), flush=True)
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    known = (options.user or "").encode(), (options.password or "").encode()
    return AuthResult(success=(data.login, data.password) == known, handled=False, auth_data=data)


tls = None
if options.tls != "off":
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(options.certificate, options.key)


def session():
    return SMTP(
        Handler(),
        hostname="mail.example",
        tls_context=tls if options.tls == "starttls" else None,
        require_starttls=options.tls == "starttls",
        authenticator=authenticate,
        auth_required=options.user is not None,
        auth_require_tls=options.tls == "starttls",
        enable_SMTPUTF8=True,
    )


async def serve():
    wrapped = tls if options.tls == "wrapped" else None
    server = await asyncio.get_running_loop().create_server(session, "127.0.0.1", options.port, ssl=wrapped)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(serve())
