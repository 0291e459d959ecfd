"""A small web server with faults on request, in a thread of the test."""

import hashlib
import re
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Archive:
    """Serves `files` by path; `faults` are used up by the answers, first come first."""

    def __init__(self):
        self.files, self.faults, self.requests = {}, {}, []
        archive = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                archive.answer(self)

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def paths(self):
        return [path for path, _ in self.requests]

    def answer(self, handler):
        path, headers = handler.path, dict(handler.headers)
        self.requests.append((path, headers))
        fault = self.faults[path].pop(0) if self.faults.get(path) else {}
        if "status" in fault:
            return self.send(handler, fault["status"], fault.get("headers", {}), b"sorry")
        if path not in self.files:
            return self.send(handler, 404, {}, b"none")
        body = self.files[path]
        tag = fault.get("tag", f'"{hashlib.sha256(body).hexdigest()[:12]}"')
        extra = {"ETag": tag} if tag else {}
        asked = re.fullmatch(r"bytes=(\d+)-", headers.get("Range", ""))
        status, start = 200, 0
        if asked and headers.get("If-Range") == tag:
            start = int(asked[1]) + fault.get("shift", 0)
            status = 206
            extra["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
        part = body[start:]
        length = None if fault.get("unsaid") else len(part)
        return self.send(handler, status, extra, part[: fault.get("cut")], length)

    def send(self, handler, status, headers, body, length=-1):
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        if length is not None:
            handler.send_header("Content-Length", str(len(body) if length < 0 else length))
        handler.end_headers()
        with suppress(ConnectionError):  # of a client that has seen enough
            handler.wfile.write(body)
        handler.close_connection = True
