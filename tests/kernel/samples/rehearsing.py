"""A module of `kernel.forkserver` that rehearses."""

import os

done = []


def rehearse():
    done.append(os.getpid())


def rehearsals():
    return done
