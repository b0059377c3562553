"""A picture of a film or of a sound, with ffmpeg: the one that it carries, or an early frame."""

from __future__ import annotations

import os

from .confinement import confine
from .programs import call, leave_network

FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg,mp3,flac,wav,aac,aiff,ape,wv,amr,"
    "caf,dsf,tta,mxf,dv,ivf,h264,hevc,m4v,rm,swf,nut,opus,oma,w64,au"
)
"""Containers that hold all they show; playlists and lists of files are none of them."""
SIDE = 2048


def cover(path: str, out: str, program: str, seconds: int, *, unconfined: bool = False) -> None:
    """Write a picture as a PNG; ValueError when there is none."""
    leave_network()
    confine(os.path.dirname(out), (path, os.path.realpath(program)), required=not unconfined)
    whole = f"scale=w='min({SIDE},iw)':h='min({SIDE},ih)':force_original_aspect_ratio=decrease"
    for choice in (f"thumbnail=30,{whole}", whole):
        command = [
            program, "-nostdin", "-v", "quiet", "-threads", "1", "-protocol_whitelist", "file",
            "-format_whitelist", FORMATS,
            "-i", path, "-map", "0:v:0", "-an", "-sn", "-dn", "-frames:v", "1", "-vf", choice,
            "-threads", "1", "-f", "image2", "-c:v", "png", "-update", "1", "-y", out,
        ]  # fmt: skip
        try:
            call(command, os.path.dirname(out), seconds, {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"})
        except ValueError:
            continue
        if os.path.exists(out) and os.path.getsize(out):
            return
    raise ValueError("no picture in it")
