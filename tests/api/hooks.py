"""What the tester does besides: every request has a key of its own, and time goes on.

A repeated `Idempotency-Key` is answered from the first call, or refused beside another input: requests made at random
would mostly repeat one, and reach nothing. And limits of so many per minute would refuse most of what is sent within
a second; the system's clock is the one that moves when told, and moves by ten seconds ahead of each request.
"""

import itertools
import os
import urllib.request

import schemathesis

NUMBERS = itertools.count()


def as_written(value):
    """The same with the digits that a person would write: the tester makes multiples of 0.01 by multiplying, and what
    binary fractions leave behind the fifteenth digit (0.35000000000000003) is no digit that anybody meant."""
    if isinstance(value, float):
        # No decimal of an example is larger, and the largest of doubles would be rounded beyond them.
        return float(f"{value:.15g}") if abs(value) < 1e15 else value
    if isinstance(value, dict):
        return {name: as_written(member) for name, member in value.items()}
    if isinstance(value, list):
        return [as_written(item) for item in value]
    return value


@schemathesis.hook
def map_body(context, body):
    return as_written(body)


@schemathesis.hook
def before_call(context, case, kwargs):
    key = case.headers.get("Idempotency-Key") if case.headers else None
    if isinstance(key, str) and 0 < len(key) <= 255 and key.isascii() and key.isprintable():
        case.headers["Idempotency-Key"] = f"request-{next(NUMBERS)}"
    forward = urllib.request.Request(
        os.environ["FORMWORK_ADMIN"] + "/clock",
        data=b'{"advance": "10s"}',
        headers={"content-type": "application/json", "authorization": "Bearer " + os.environ["FORMWORK_ADMIN_KEY"]},
        method="POST",
    )
    urllib.request.urlopen(forward, timeout=30).close()
