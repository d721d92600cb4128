#!/usr/bin/env python3
"""Runs a property-based API tester against documents: each is run by Formwork, and the tester makes requests from the
OpenAPI that the running system serves, right ones and wrong ones, alone and in sequences. Before that a second validator
looks at the OpenAPI itself.

    tests/api/run.py examples/*.md                          what ./test does
    tests/api/run.py --examples 1000 --seed 7 orders.md     longer, and other requests

All checks of the tester are on. What an operation's steps can raise is no failure of a request that fits its schema:
the statuses that the OpenAPI declares for codes of the document are expected. A refusal of the edge, of which a
caller who keeps to the schema should never see one, is not. Exit code 0: no failure; 1: failures; 2: could not run.
"""

import argparse
import http.server
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import venv

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
# What the edge answers to a request that is wrong in itself.
OF_THE_EDGE = {
    "malformed", "not_acceptable", "request_timeout", "content_too_large", "uri_too_long", "not_kept", "unsupported_media_type", "invalid",
    "idempotency_key_reused", "headers_too_large", "gone", "internal", "arithmetic", "invariant", "too_much_work",
    "too_many_rows", "unavailable", "authentication_unavailable", "overloaded", "outcome_unknown",
}
USUAL = ["2xx", "3xx", "401", "403", "404", "409", "429"]


def tester() -> pathlib.Path:
    """The tester, installed beside what is built, in the versions of requirements.txt."""
    wanted = (HERE / "requirements.txt").read_text()
    place = ROOT / "target" / "api-tester"
    known = place / "installed.txt"
    if not known.exists() or known.read_text() != wanted:
        print("installing the API tester", flush=True)
        shutil.rmtree(place, ignore_errors=True)
        venv.create(place, with_pip=True)
        command = [place / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*command, "-r", HERE / "requirements.txt"], check=True)
        known.write_text(wanted)
    return place / "bin" / "schemathesis"


def exported(binary: str, kind: str, document: pathlib.Path) -> dict:
    ended = subprocess.run([binary, "export", kind, document], check=True, capture_output=True, text=True)
    return json.loads(ended.stdout)


def kept_paths(model: dict) -> list[str]:
    """Where `DELETE` marks a row and deletes none: what was there may be read afterwards."""
    return [
        operation["path"]
        for operation in model["operations"]
        if operation.get("method") == "DELETE"
        and not any(step["text"].startswith("Deletes ") for step in operation["behavior"])
    ]


def settings(api: dict, key: str) -> str:
    """The tester's settings: how it proves who it is, and what it expects of each operation."""
    scheme = next(name for name, scheme in api["components"]["securitySchemes"].items() if scheme["type"] == "apiKey")
    lines = [
        "[generation]",
        # Any header and parameter may be added by what stands between; those that are declared are held to.
        "allow-extra-parameters = false",
        "database = \"none\"",
        # No text holds U+0000: PostgreSQL keeps none.
        "allow-x00 = false",
        "[warnings]",
        "display = []",
        f"[auth.openapi.{scheme}]",
        f"api_key = {json.dumps(key)}",
        "[checks]",
        f"positive_data_acceptance.expected-statuses = {json.dumps(USUAL)}",
    ]
    for path, methods in api["paths"].items():
        for method, operation in methods.items():
            if method not in {"get", "put", "post", "patch", "delete"}:
                continue
            statuses = raised(api, operation)
            expected = [*USUAL, *sorted(status for status in statuses if status[0] == "4")]
            known = ["2xx", "3xx", "4xx", *sorted(status for status in statuses if status[0] == "5")]
            lines += [
                "[[operations]]",
                f"include-operation-id = {json.dumps(operation['operationId'])}",
                f"checks.positive_data_acceptance.expected-statuses = {json.dumps(expected)}",
                f"checks.not_a_server_error.expected-statuses = {json.dumps(known)}",
            ]
    return "\n".join(lines) + "\n"


def raised(api: dict, operation: dict) -> set[str]:
    """The statuses that stand for more than a refusal of the edge."""
    found = set()
    for status, answer in operation["responses"].items():
        codes = set()
        for content in answer.get("content", {}).values():
            codes |= codes_in(content.get("schema", {}))
        # Rules over several fields of a row are not in the schema of the input.
        if codes - OF_THE_EDGE or "x-rules" in answer:
            found.add(status)
    return found


def codes_in(schema: dict) -> set[str]:
    found = set()
    for part in schema.get("allOf", []) + schema.get("oneOf", []):
        found |= codes_in(part)
    code = schema.get("properties", {}).get("code", {})
    return found | set(code.get("enum", [])) | ({code["const"]} if "const" in code else set())


def is_valid(api: dict, folder: pathlib.Path, options: argparse.Namespace) -> bool:
    """Whether a validator that has nothing to do with the tester, nor with the tests of the export, accepts it."""
    description = folder / "openapi.json"
    description.write_text(json.dumps(api))
    validator = options.tester.parent / "openapi-spec-validator"
    judged = subprocess.run([validator, description], capture_output=True, text=True)
    if judged.returncode != 0:
        print(judged.stdout, judged.stderr, sep="\n", flush=True)
    return judged.returncode == 0


class Upstream:
    """Stands in for the external components: answers what the flows of the document let them answer, and to all else
    nothing that anybody could read."""

    def __init__(self, document: str):
        answers = {}
        said = r"answers `(?P<method>[A-Z]+) (?P<path>/[^`]*)` with `(?P<status>\d{3})` and `(?P<body>\{.*?\})`(?: |\.)"
        for found in re.finditer(said, document):
            path = re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(found["path"]))
            answers.setdefault((found["method"], path), (int(found["status"]), found["body"].encode()))

        class Answering(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("content-length", 0)))
                path = self.path.partition("?")[0]
                fitting = (a for (method, p), a in answers.items() if method == self.command and re.fullmatch(p, path))
                status, body = next(fitting, (404, b"{}"))
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = answer

            def log_message(self, *_) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class Running:
    """A document that runs, with a key that bears all its roles."""

    def __init__(self, binary: str, document: pathlib.Path, model: dict, folder: pathlib.Path):
        anywhere = ["--listen", "127.0.0.1:0", "--internal-listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]
        data = folder / "data"
        text = document.read_text()
        self.upstream = Upstream(text)
        # What the document calls is reached where the stand-in is.
        reached = re.findall(r"^#+ (?:Component: )?(.+?) \(external\)$", text, re.MULTILINE)
        upstreams = [word for name in reached for word in ("--upstream", f"{name.strip('`')}={self.upstream.url}")]
        secrets = {name: "secret" for name in re.findall(r'secret\("(\w+)"\)', text)}
        self.process = subprocess.Popen(
            [binary, "run", document, "--data", data, "--clock", "test", *anywhere, *upstreams],
            stdout=subprocess.PIPE,
            stderr=open(folder / "log", "w"),
            text=True,
            env={**os.environ, **secrets},
        )
        said = self.process.stdout.readline()
        self.url = re.search(r"http://[0-9.:]+", said).group()
        state = json.loads((data / "run.json").read_text())
        self.admin, self.admin_key = admin_of(state)
        granted = sorted({grant["role"] for grant in model["authz"] if grant.get("role")}) or ["caller"]
        roles = [word for role in granted for word in ("--role", role)]
        made = subprocess.run(
            [binary, "keys", "create", "--data", data, *roles, "--id", "tester"],
            check=True,
            capture_output=True,
            text=True,
        )
        self.key = re.search(r"fw_\w+", made.stdout).group()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)
        self.upstream.stop()


def admin_of(state: dict) -> tuple[str, str]:
    return f"http://{state['admin']}", state["admin_key"]


def test(binary: str, document: pathlib.Path, options: argparse.Namespace) -> bool:
    """Whether the tester found nothing."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        model, api = exported(binary, "model", document), exported(binary, "openapi", document)
        if not is_valid(api, folder, options):
            return False
        running = Running(binary, document.resolve(), model, folder)
        try:
            (folder / "schemathesis.toml").write_text(settings(api, running.key))
            # The check knows sequences, not operations.
            without = ["--exclude-checks", "use_after_free"] if kept_paths(model) else []
            ended = subprocess.run(
                [
                    options.tester, "--config-file", folder / "schemathesis.toml", "run",
                    f"{running.url}/openapi.json", "--url", running.url, "--checks", "all", "--continue-on-failure", "--output-sanitize", "false",
                    "--seed", str(options.seed), "--max-examples", str(options.examples),
                    *without,
                ],
                cwd=folder,
                capture_output=True,
                text=True,
                env={
                    **os.environ,
                    "SCHEMATHESIS_HOOKS": "hooks",
                    "PYTHONPATH": str(HERE),
                    "FORMWORK_ADMIN": running.admin,
                    "FORMWORK_ADMIN_KEY": running.admin_key,
                },
            )
        finally:
            running.stop()
        cases = re.search(r"^\s*(\d+ generated.*)$", ended.stdout, re.MULTILINE)
        print(f"{document.name}: {cases.group(1) if cases else 'no cases'}", flush=True)
        if ended.returncode != 0 or not cases:
            print(ended.stdout, ended.stderr, (folder / "log").read_text(), sep="\n", flush=True)
            return False
        return True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("documents", nargs="+", type=pathlib.Path)
    parser.add_argument("--binary", default=str(ROOT / "target" / "release" / "formwork"))
    parser.add_argument("--examples", type=int, default=10, help="requests per operation and phase (default: 10)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same requests (default: 1)")
    options = parser.parse_args()
    options.tester = tester()
    passed = [test(options.binary, document, options) for document in options.documents]
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
