"""What runs in children of `kernel.sandbox`: well-behaved and otherwise."""

import os
import resource
import signal
import sys
import time


def echo(**arguments):
    return arguments


def surroundings():
    handles = sorted(int(name) for name in os.listdir("/proc/self/fd"))
    return {
        "environment": dict(os.environ),
        "open": [h for h in handles if os.path.exists(f"/proc/self/fd/{h}")],
        "nice": os.nice(0),
        "group": os.getpgid(0) == os.getpid(),
        "processes": resource.getrlimit(resource.RLIMIT_NPROC)[0],
        "core": resource.getrlimit(resource.RLIMIT_CORE)[0],
        "atrio": sorted(m for m in sys.modules if m.startswith("atrio")),
    }


def loop():
    while True:
        pass


def sleep():
    time.sleep(600)


def eat():
    kept = []
    while True:
        kept.append(bytearray(1 << 20))


def eat_and_hide():
    try:
        eat()
    except MemoryError:
        return "there was no more"


def start_others(pids):
    """Leave processes behind, that hold the answer's pipe open."""
    with open(pids, "w") as file:
        for _ in range(3):
            pid = os.fork()
            if pid == 0:
                time.sleep(600)
                os._exit(0)
            file.write(f"{pid}\n")
    return "started"


def start_others_and_die(pids):
    start_others(pids)
    os.kill(os.getpid(), signal.SIGKILL)


def write_without_end():
    with open("endless", "wb") as file:
        while True:
            file.write(b"x" * (1 << 20))


def write_many():
    for number in range(10**6):
        with open(f"many-{number}", "wb") as file:
            file.write(b"x" * (1 << 20))
        time.sleep(0.005)


def leave_file(text):
    with open("made.txt", "w") as file:
        file.write(text)


def answer_without_end():
    return "x" * (64 << 20)


def signal_myself(number):
    os.kill(os.getpid(), number)
    time.sleep(600)


def end(status):
    os._exit(status)


def leave():
    sys.exit("enough")


def rubbish():
    for handle in range(64):
        try:
            os.write(handle, b"\xff\x00 rubbish, or a length that is none " * 200)
        except OSError:
            continue
    print("more of it")
    time.sleep(600)


def chatter():
    for _ in range(1000):
        print('{"value": 1}', flush=True)
        print("x", file=sys.stderr, flush=True)
    return "quiet"


def unreadable():
    return {1, 2}


def raise_it(text):
    raise ValueError(text)


class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError("no")


def raise_unprintable():
    raise Unprintable


def recurse(depth=0):
    return recurse(depth + 1)


def deep():
    value = []
    for _ in range(100_000):
        value = [value]
    return value
