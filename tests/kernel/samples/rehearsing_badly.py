"""A module of `kernel.forkserver` whose rehearsal fails."""


def rehearse():
    raise RuntimeError("stage fright")


def told():
    return "well"
