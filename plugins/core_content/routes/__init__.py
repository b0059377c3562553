"""Routes of core_content."""

from . import files, lists, reading, talk, tree, typed

ROUTES = (*lists.ROUTES, *tree.ROUTES, *typed.ROUTES, *files.ROUTES, *talk.ROUTES, *reading.ROUTES)
