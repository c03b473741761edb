"""An agent that speaks ACP, but badly: the first argument says in which way."""

import json
import os
import sys
import time

way = sys.argv[1]
MEBIBYTE = 1 << 20


def raw(data):
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def send(message):
    raw(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")


def say(text):
    content = {"type": "text", "text": text}
    update = {"sessionUpdate": "agent_message_chunk", "content": content}
    send({"method": "session/update", "params": {"sessionId": "s", "update": update}})


def ask(number, name):
    options = [{"optionId": "n", "name": "No", "kind": "reject_once"}]
    call = {"toolCallId": f"c{name}", "title": f"delete {name}", "kind": "delete"}
    params = {"sessionId": "s", "toolCall": call, "options": options}
    send({"id": number, "method": "session/request_permission", "params": params})


def work():
    """What is wrong in the turn; whether it then goes on as if nothing were."""
    if way == "floods":
        for _ in range(24):
            raw(b"x" * (MEBIBYTE - 1) + b"\n")
    elif way == "floods-errors":
        for _ in range(24):
            sys.stderr.write("e" * (MEBIBYTE - 1) + "\n")
    elif way == "long-line":
        for _ in range(100):
            raw(b"x" * MEBIBYTE)
        raw(b"\n")
    elif way == "long-message":
        say("word " * (2 * MEBIBYTE))
    elif way == "not-utf8":
        raw(b'{"jsonrpc":"2.0","method":"session/update","params":{"text":"\xff\xfe"}}\n')
        say("a lone surrogate \ud800, a nul \0 and \x1b[31mred")
    elif way == "deep":
        raw(b"[" * MEBIBYTE + b"]" * MEBIBYTE + b"\n")
        raw(b'{"jsonrpc":"2.0","method":"session/update","params":' + b'{"a":' * 100000 + b"1" + b"}" * 100000 + b"}\n")
    elif way == "asks-by-the-thousand":
        for number in range(2000):
            send({"id": number + 10, "method": f"_strange/{number}", "params": {}})
    elif way == "same-id":
        for name in range(3):
            ask(7, name)
        return False
    elif way == "leaves-a-child":
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                time.sleep(3600)
            os._exit(0)
    elif way == "forks-away":
        if os.fork() == 0:
            os.setsid()
            time.sleep(3600)
        os._exit(0)
    elif way == "kills-its-parent":
        os.kill(os.getppid(), 9)
        time.sleep(1)
        os._exit(9)
    elif way in ("closes-stdout", "ignores-cancel"):
        if way == "closes-stdout":
            os.close(1)
        time.sleep(3600)
    return True


if way == "exits":
    sys.exit("there is no such option")
if way in ("prints-garbage", "never-answers"):
    if way == "prints-garbage":
        raw(b"Welcome!\n> " + bytes(range(256)) + b"\n")
    time.sleep(3600)

for line in sys.stdin:
    message = json.loads(line)
    number = message.get("id")
    if message.get("method") == "initialize":
        version = {"newer-protocol": 99, "older-protocol": 0}.get(way, 1)
        send({"id": number, "result": {"protocolVersion": version, "agentCapabilities": {}, "authMethods": []}})
    elif message.get("method") == "session/new" and way != "opens-no-session":
        send({"id": number, "result": {"sessionId": "s"}})
    elif message.get("method") == "session/prompt":
        if work():
            with open("done.txt", "w") as done:
                done.write(way)
            say("done")
            for _ in range(3 if way == "ends-thrice" else 1):
                send({"id": number, "result": {"stopReason": "end_turn"}})
