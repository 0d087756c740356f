"""A server on the loopback that answers as the three robots do: HTTP 200, and a code in it."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

WECOM, DINGTALK, FEISHU = "/cgi-bin/webhook/send", "/robot/send", "/open-apis/bot/v2/hook/"
MOST_OCTETS = {WECOM: 4096, DINGTALK: 20_000, FEISHU: 20_000}


@dataclass
class FakeRobots:
    """What they were sent, and how they answer.

    Attributes:
        taken: bodies of the messages that the robots took.
        asked: every request: path with query, and body.
        script: answers to give before all others: (status, headers, body).
        keys: secrets in addresses that are known.
        signing_key: with one, DingTalk and Feishu check the signature.
        keyword: with one, DingTalk and Feishu ask for it.
    """

    port: int = 0
    taken: list[dict[str, Any]] = field(default_factory=list)
    asked: list[tuple[str, bytes]] = field(default_factory=list)
    script: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    keys: set[str] = field(default_factory=lambda: {"good-key-0001"})
    signing_key: str = ""
    keyword: str = ""

    def address(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def will_say(self, *bodies: Any, status: int = 200, **headers: str) -> None:
        """Answer the next requests so, one after another."""
        for body in bodies:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.script.append((status, headers, content))

    def answer(self, target: str, content: bytes) -> tuple[int, dict[str, str], bytes]:
        self.asked.append((target, content))
        if self.script:
            return self.script.pop(0)
        said = self._judge(target, json.loads(content), len(content))
        if said in ({"errcode": 0, "errmsg": "ok"}, {"code": 0, "msg": "success", "data": {}}):
            self.taken.append(json.loads(content))
        return 200, {}, json.dumps(said).encode()

    def _judge(self, target: str, body: dict[str, Any], size: int) -> dict[str, Any]:
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == WECOM:
            return self._wecom(query, body)
        if parts.path == DINGTALK:
            return self._dingtalk(query, body, size)
        return self._feishu(parts.path, body, size)

    def _wecom(self, query: dict[str, str], body: dict[str, Any]) -> dict[str, Any]:
        if query["key"] not in self.keys:
            return {"errcode": 93000, "errmsg": "invalid webhook url"}
        if len(body["markdown"]["content"].encode()) > MOST_OCTETS[WECOM]:
            return {"errcode": 40058, "errmsg": "markdown.content exceed max length 4096"}
        return {"errcode": 0, "errmsg": "ok"}

    def _dingtalk(self, query: dict[str, str], body: dict[str, Any], size: int) -> dict[str, Any]:
        if query["access_token"] not in self.keys:
            return {"errcode": 300005, "errmsg": "token is not exist"}
        if self.signing_key:
            signed = f"{query['timestamp']}\n{self.signing_key}".encode()
            digest = hmac.new(self.signing_key.encode(), signed, hashlib.sha256).digest()
            if query["sign"] != base64.b64encode(digest).decode():
                return {"errcode": 310000, "errmsg": "sign not match"}
        if self.keyword not in body["markdown"]["text"]:
            return {"errcode": 310000, "errmsg": "keywords not in content"}
        if size > MOST_OCTETS[DINGTALK]:
            return {"errcode": 460101, "errmsg": "message too long, exceed 20000 bytes"}
        return {"errcode": 0, "errmsg": "ok"}

    def _feishu(self, path: str, body: dict[str, Any], size: int) -> dict[str, Any]:
        if path.removeprefix(FEISHU) not in self.keys:
            return {"code": 19001, "msg": "param invalid: incoming webhook access token invalid"}
        if self.signing_key:
            key = f"{body['timestamp']}\n{self.signing_key}".encode()
            digest = hmac.new(key, b"", hashlib.sha256).digest()
            if body["sign"] != base64.b64encode(digest).decode():
                return {"code": 19021, "msg": "sign match fail or timestamp is not within one hour"}
        if self.keyword not in json.dumps(body, ensure_ascii=False):
            return {"code": 19024, "msg": "Key Words Not Found"}
        if size > MOST_OCTETS[FEISHU]:
            return {"code": 9499, "msg": "Bad Request"}
        return {"code": 0, "msg": "success", "data": {}}


@contextmanager
def fake_robots() -> Iterator[FakeRobots]:
    """Run them on a free port of 127.0.0.1."""
    robots = FakeRobots()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            status, headers, body = robots.answer(self.path, content)
            if status == 0:  # hang up without a word
                self.connection.close()
                return
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *values: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    robots.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield robots
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
