"""A later version of the service: passes calls on, and adds members to every object of a reply.

Takes the service's URL, and prints its own.
"""

import http.client
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

HOST = urlsplit(sys.argv[1]).netloc
# Those that are about one connection, or about the body as it was.
OMITTED = {"connection", "content-length", "transfer-encoding", "accept-encoding", "host"}


def grown(value):
    if isinstance(value, dict):
        added = {"added_later": {"a": [1]}, "added_too": None}
        return {name: grown(inner) for name, inner in value.items()} | added
    if isinstance(value, list):
        return [grown(item) for item in value]
    return value


class Later(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def pass_on(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in OMITTED}
        service = http.client.HTTPConnection(HOST)
        service.request(self.command, self.path, body or None, headers)
        reply = service.getresponse()
        content = reply.read()
        if "json" in reply.headers.get("content-type", ""):
            content = json.dumps(grown(json.loads(content))).encode()
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            if name.lower() not in OMITTED:
                self.send_header(name, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        service.close()

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = pass_on

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Later)
print(f"http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
