"""What the function really sends to SNS.

A subscription sees one rendering of an alert; the request has all of them. So the function talks to SNS through this:
it writes each request down and passes it on unchanged, or plays an SNS that is out of order.
"""

from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qsl

UNAVAILABLE = b"<ErrorResponse><Error><Type>Receiver</Type><Code>ServiceUnavailable</Code></Error></ErrorResponse>"


class Wire:
    """A proxy on loopback in front of one port."""

    def __init__(self, target_port: int) -> None:
        self.requests: list[dict[str, str]] = []
        """The parameters of every request so far, by name."""
        self.broken = False
        """Whether SNS answers every request with an error of its own."""
        wire = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                wire.requests.append(dict(parse_qsl(body.decode())))
                if wire.broken:
                    self._answer(503, "text/xml", UNAVAILABLE)
                    return
                connection = HTTPConnection("127.0.0.1", target_port, timeout=30)
                # The signature covers the host as the client wrote it, so the headers stay as they are.
                connection.request("POST", self.path, body, dict(self.headers))
                answer = connection.getresponse()
                content = answer.read()
                connection.close()
                self._answer(answer.status, answer.getheader("Content-Type", "text/xml"), content)

            def _answer(self, status: int, content_type: str, content: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Nothing: the requests themselves are kept."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
